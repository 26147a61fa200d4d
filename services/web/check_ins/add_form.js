// The form that adds a check-in.

import { newId } from "../ids.js";
import { byField, fillZones, sentence, tell } from "./fields.js";
import { DAYS, dayName } from "./times.js";
import { WORDS } from "./words.js";

const FIELDS = { local_time: "time", time_zone: "zone", days: "day", rule: "day" };

export class AddForm {
  #form;
  #api;
  #done;
  #id = newId();
  #busy = false;

  // `done` is called with what to say about it, and whether something was added.
  constructor(form, api, done) {
    this.#form = form;
    this.#api = api;
    this.#done = done;
    form.querySelector(".days").replaceChildren(...DAYS.map(choice));
    form.elements.days.addEventListener("change", () => this.#chosen());
    form.addEventListener("input", () => tell(form, {}));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#send();
    });
    this.#chosen();
  }

  show(zones, zone) {
    fillZones(this.#form.elements.zone, zones, zone);
  }

  #chosen() {
    this.#form.querySelector(".days").hidden = this.#form.elements.days.value !== "chosen";
  }

  #days() {
    const { days, day } = this.#form.elements;
    if (days.value === "daily") return DAYS;
    if (days.value === "workdays") return DAYS.slice(0, 5);
    return [...day].filter((box) => box.checked).map((box) => box.value);
  }

  async #send() {
    const { time, zone } = this.#form.elements;
    const days = this.#days();
    const wrong = { ...(!time.value && { time: WORDS.noTime }), ...(!days.length && { day: WORDS.noDay }) };
    if (this.#busy || tell(this.#form, wrong)) return;
    this.#busy = true;
    try {
      // The id stays until it worked: asking again after a lost answer adds nothing twice.
      const asked = { id: this.#id, local_time: time.value, time_zone: zone.value, days };
      const { moved_check_ins: moved } = await this.#api.addCheckIn(asked);
      this.#id = newId();
      await this.#done(moved ? `${WORDS.added} ${WORDS.moved(moved)}` : WORDS.added, { changed: true });
    } catch (problem) {
      if (!tell(this.#form, byField(problem, FIELDS))) await this.#done(sentence(problem), { isProblem: true });
    } finally {
      this.#busy = false;
    }
  }
}

function choice(day) {
  const label = document.createElement("label");
  const box = document.createElement("input");
  Object.assign(box, { type: "checkbox", name: "day", value: day });
  box.setAttribute("aria-describedby", "check-in-day-problem");
  box.setAttribute("aria-label", dayName(day));
  label.append(box, dayName(day, "short"));
  return label;
}
