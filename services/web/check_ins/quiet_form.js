// The form of quiet hours and of the time zone by whose clock they go.

import { byField, fillZones, sentence, tell } from "./fields.js";
import { WORDS } from "./words.js";

const FIELDS = { start: "start", end: "end", quiet_hours: "start", time_zone: "zone" };

export class QuietForm {
  #form;
  #api;
  #done;
  #busy = false;

  constructor(form, api, done) {
    this.#form = form;
    this.#api = api;
    this.#done = done;
    form.addEventListener("input", () => tell(form, {}));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#send();
    });
  }

  show(zones, zone, quiet) {
    fillZones(this.#form.elements.zone, zones, zone);
    if (quiet) {
      this.#form.elements.start.value = quiet.start;
      this.#form.elements.end.value = quiet.end;
    }
  }

  async #send() {
    const { start, end, zone } = this.#form.elements;
    const wrong = { ...(!start.value && { start: WORDS.noTime }), ...(!end.value && { end: WORDS.noTime }) };
    if (this.#busy || tell(this.#form, wrong)) return;
    this.#busy = true;
    try {
      const hours = { start: start.value, end: end.value, time_zone: zone.value };
      const { moved_check_ins: moved } = await this.#api.setQuietHours(hours);
      await this.#done(moved ? `${WORDS.saved} ${WORDS.moved(moved)}` : WORDS.saved, { changed: true });
    } catch (problem) {
      if (!tell(this.#form, byField(problem, FIELDS))) await this.#done(sentence(problem), { isProblem: true });
    } finally {
      this.#busy = false;
    }
  }
}
