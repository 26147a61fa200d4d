// The check-ins that there are: each with its next time, and with what can be done about it.

import { clock, isQuiet, nextInWords, rhythm } from "./times.js";
import { WORDS } from "./words.js";

export class List {
  #list;
  #act;
  #asking = ""; // id of the one whose removal waits for a yes

  // `act` takes {kind: "pause" | "resume" | "remove", id}.
  constructor(list, act) {
    this.#list = list;
    this.#act = act;
  }

  render({ check_ins: checkIns, quiet_hours: quiet, time_zone: zone }) {
    const focused = this.#focused();
    this.#list.replaceChildren(...checkIns.map((one) => this.#item(one, one.time_zone === zone ? quiet : null)));
    this.#focus(focused);
  }

  // Whatever was asked is not asked any more.
  settle() {
    this.#asking = "";
  }

  #item(checkIn, quiet) {
    const item = made("li");
    const text = made("div", "about");
    text.append(made("p", "when", rhythm(checkIn)), ...notes(checkIn, quiet).map((note) => made("p", "note", note)));
    item.append(text, this.#actions(checkIn));
    item.classList.toggle("paused", checkIn.paused);
    return item;
  }

  #actions(checkIn) {
    const actions = made("div", "actions");
    if (this.#asking === checkIn.id) {
      actions.append(
        made("span", "sure", WORDS.sure),
        this.#button(checkIn, "remove", WORDS.remove, () => this.#act({ kind: "remove", id: checkIn.id })),
        this.#button(checkIn, "keep", WORDS.keep, () => this.#ask("", actions, checkIn, "ask")),
      );
      return actions;
    }
    const kind = checkIn.paused ? "resume" : "pause";
    actions.append(
      this.#button(checkIn, "turn", WORDS[kind], () => this.#act({ kind, id: checkIn.id })),
      this.#button(checkIn, "ask", WORDS.remove, () => this.#ask(checkIn.id, actions, checkIn, "keep")),
    );
    return actions;
  }

  #ask(id, actions, checkIn, focus) {
    this.#asking = id;
    actions.replaceWith(this.#actions(checkIn));
    this.#focus({ id: checkIn.id, name: focus });
  }

  #button({ id, ...checkIn }, name, label, act) {
    const button = made("button", "quiet", label);
    button.type = "button";
    button.dataset.id = id;
    button.dataset.name = name;
    button.setAttribute("aria-label", `${label}: ${rhythm(checkIn)}`);
    button.addEventListener("click", act);
    return button;
  }

  #focused() {
    const { activeElement } = document;
    return this.#list.contains(activeElement) ? { ...activeElement.dataset } : null;
  }

  #focus(wanted) {
    if (!wanted) return;
    const same = [...this.#list.querySelectorAll("button")].find(
      ({ dataset: { id, name } }) => id === wanted.id && name === wanted.name,
    );
    (same ?? this.#list.querySelector("button") ?? this.#list.closest("section")).focus();
  }
}

function notes(checkIn, quiet) {
  if (checkIn.paused) return [WORDS.paused];
  if (!checkIn.next_due_at) return [WORDS.never];
  const next = WORDS.next(nextInWords(checkIn));
  return isQuiet(checkIn.local_time, quiet) ? [next, WORDS.waits(clock(quiet.end))] : [next];
}

function made(name, className = "", text = "") {
  const element = document.createElement(name);
  if (className) element.className = className;
  element.append(text);
  return element;
}
