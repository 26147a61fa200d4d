// The panel "Check-ins": reads when the coach writes first, each time that it opens, and after every change.

import { AddForm } from "./add_form.js";
import { sentence } from "./fields.js";
import { List } from "./list.js";
import { QuietForm } from "./quiet_form.js";
import { ownZone, zones } from "./times.js";
import { translate, WORDS } from "./words.js";

export class CheckIns {
  #api;
  #dialog;
  #parts;
  #list;
  #add;
  #quiet;

  constructor(api, dialog, opener) {
    this.#api = api;
    this.#dialog = dialog;
    this.#parts = Object.fromEntries([...dialog.querySelectorAll("[data-part]")].map((part) => [part.dataset.part, part]));
    translate(dialog);
    const { list, add, quiet, close } = this.#parts;
    this.#list = new List(list, (action) => this.#act(action));
    this.#add = new AddForm(add, api, (words, outcome) => this.#done(words, outcome));
    this.#quiet = new QuietForm(quiet, api, (words, outcome) => this.#done(words, outcome));
    // A person has one time zone: both forms show the same.
    add.elements.zone.addEventListener("change", () => (quiet.elements.zone.value = add.elements.zone.value));
    quiet.elements.zone.addEventListener("change", () => (add.elements.zone.value = quiet.elements.zone.value));
    opener.addEventListener("click", () => this.#open());
    close.addEventListener("click", () => dialog.close());
    dialog.addEventListener("click", (event) => event.target === dialog && dialog.close()); // outside of it
  }

  #open() {
    this.#list.settle();
    this.#parts.known.hidden = this.#parts.unknown.hidden = this.#parts.stopped.hidden = true;
    this.#dialog.showModal();
    this.#say(WORDS.loading);
    this.#load();
  }

  // `words` is what is said once the list is there.
  async #load(words = "", { isProblem = false } = {}) {
    this.#dialog.setAttribute("aria-busy", "true");
    try {
      this.#show(await this.#api.checkIns());
      this.#say(words, { isProblem });
    } catch (problem) {
      this.#say(sentence(problem), { isProblem: true });
    } finally {
      this.#dialog.removeAttribute("aria-busy");
    }
  }

  #show(schedule) {
    const { known, unknown, stopped, empty } = this.#parts;
    known.hidden = !schedule.known;
    unknown.hidden = schedule.known;
    stopped.hidden = !schedule.proactive_stopped;
    empty.hidden = schedule.check_ins.length > 0;
    const zone = schedule.time_zone || ownZone();
    const all = zones(zone, ownZone());
    this.#list.render(schedule);
    this.#add.show(all, zone);
    this.#quiet.show(all, zone, schedule.quiet_hours);
  }

  async #done(words, { changed = false, isProblem = false }) {
    if (changed) await this.#load(words);
    else this.#say(words, { isProblem });
  }

  async #act({ kind, id }) {
    try {
      if (kind === "remove") await this.#api.removeCheckIn(id);
      else await this.#api.pauseCheckIn(id, kind === "pause");
    } catch (problem) {
      if (problem.code !== "not_found") return this.#say(sentence(problem), { isProblem: true });
      this.#list.settle();
      return this.#load(kind === "remove" ? WORDS.removed : WORDS.gone, { isProblem: kind !== "remove" });
    }
    this.#list.settle();
    return this.#load(kind === "remove" ? WORDS.removed : "");
  }

  #say(words, { isProblem = false } = {}) {
    const { note } = this.#parts;
    note.dataset.kind = isProblem ? "alert" : "";
    note.textContent = words;
  }
}
