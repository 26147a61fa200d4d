// The conversation on the screen: one list item an entry, changed only where the entry changed.

import { show } from "./words.js";

const NOTES = {
  template: "A prepared reply. The coach’s model could not answer this time.",
  crisis: "A prepared message, written by people.",
};
const FIRST = "Your coach wrote first, ";
const FIRST_NOTES = { template: "A prepared message. ", crisis: "A prepared message, written by people. " };
const NEAR_BOTTOM = 80; // pixels: who is this close to the end wants to see what comes

export class View {
  #items = new Map(); // entry -> its list item
  #shown = new WeakMap(); // entry -> what of it is on the screen
  #elements;
  #again;

  constructor(elements, again) {
    this.#elements = elements;
    this.#again = again;
    elements.scroller.addEventListener("scroll", () => this.#atBottom() && (elements.newest.hidden = true));
    elements.newest.addEventListener("click", () => this.toBottom());
  }

  render(conversation, { quiet = false } = {}) {
    const { log, older, empty, scroller } = this.#elements;
    const stuck = this.#atBottom();
    const height = scroller.scrollHeight;
    const first = log.querySelector(".message");
    // The history is not news: it is shown without being read out.
    log.setAttribute("aria-live", quiet ? "off" : "polite");
    const added = this.#place(conversation.entries, quiet);
    older.hidden = !conversation.hasMore;
    empty.hidden = conversation.entries.length > 0 || !conversation.isLoaded;
    this.#status(conversation.status);
    if (conversation.entries.length === 0) return;
    if (stuck) this.toBottom();
    else if (first && first !== log.querySelector(".message")) scroller.scrollTop += scroller.scrollHeight - height;
    else if (added && !quiet) this.#elements.newest.hidden = false;
  }

  toBottom() {
    const { scroller, newest } = this.#elements;
    scroller.scrollTop = scroller.scrollHeight;
    newest.hidden = true;
  }

  #place(entries, quiet) {
    const { log } = this.#elements;
    let added = false;
    let day = "";
    const wanted = [];
    for (const entry of entries) {
      const today = dayOf(entry.createdAt);
      if (today !== day) wanted.push(this.#day(today, entry));
      day = today;
      const known = this.#items.get(entry);
      added ||= !known;
      wanted.push(this.#message(entry, known, quiet));
    }
    const kept = new Set(wanted);
    for (const child of [...log.children]) if (!kept.has(child)) child.remove();
    wanted.forEach((item, place) => log.children[place] !== item && log.insertBefore(item, log.children[place] ?? null));
    const living = new Set(entries);
    for (const entry of this.#items.keys()) if (!living.has(entry)) this.#items.delete(entry);
    return added;
  }

  #day(name, entry) {
    const key = `day ${name}`;
    const found = this.#elements.log.querySelector(`[data-day="${CSS.escape(key)}"]`);
    if (found) return found;
    const item = make("li", "day");
    item.dataset.day = key;
    const time = make("time");
    time.dateTime = entry.createdAt.slice(0, 10);
    time.append(name);
    item.append(time);
    return item;
  }

  #message(entry, known, quiet) {
    const item = known ?? this.#newItem(entry);
    const { text, state, source, problem, createdAt } = entry;
    const shown = JSON.stringify([text, state, source, problem, createdAt]);
    if (this.#shown.get(entry) === shown) return item;
    this.#shown.set(entry, shown);
    item.dataset.state = state;
    show(item.querySelector(".text"), entry.text, { moves: entry.role === "coach" && !quiet });
    item.classList.toggle("crisis", entry.source === "crisis");
    item.querySelector(".foot").replaceChildren(...this.#foot(entry));
    return item;
  }

  #newItem(entry) {
    const item = make("li", `message ${entry.role}`);
    const who = make("span", "visually-hidden");
    who.append(entry.role === "coach" ? "Coach: " : "You: ");
    const text = make("div", "text");
    text.dir = "auto";
    item.append(who, text, make("div", "foot"));
    this.#items.set(entry, item);
    return item;
  }

  #foot(entry) {
    const parts = [];
    if (entry.files?.length) parts.push(labelled("p", "files", `With ${entry.files.join(", ")}`));
    if (entry.state === "failed") {
      const button = labelled("button", "again", "Send again");
      button.type = "button";
      button.addEventListener("click", () => this.#again(entry.key));
      parts.push(labelled("span", "", entry.problem || "Not sent"), button);
    } else if (entry.state === "sending") {
      parts.push(labelled("span", "note", "Sending"));
    } else if (entry.role === "person") {
      const time = labelled("time", "", clock(entry.createdAt));
      time.dateTime = entry.createdAt;
      parts.push(time);
    } else if (!entry.turnId && entry.state === "stored") {
      parts.push(unasked(entry));
    } else if (NOTES[entry.source]) {
      parts.push(labelled("p", "note", NOTES[entry.source]));
    }
    return parts;
  }

  #status(status) {
    const element = this.#elements.status;
    const text = status ? statusText(status) : "";
    if (element.textContent !== text) element.textContent = text;
    element.hidden = !text;
  }

  #atBottom() {
    const { scroller } = this.#elements;
    return scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < NEAR_BOTTOM;
  }
}

// What nobody asked for says so, and when it came: it may be read hours later.
function unasked({ source, createdAt }) {
  const note = labelled("p", "note", (FIRST_NOTES[source] ?? "") + FIRST);
  const time = labelled("time", "", clock(createdAt));
  time.dateTime = createdAt;
  note.append(time);
  return note;
}

function statusText({ state, ahead }) {
  if (state !== "queued" || !ahead) return "Your coach is thinking";
  return ahead === 1 ? "1 person is before you" : `${ahead} people are before you`;
}

function dayOf(iso) {
  const date = new Date(iso);
  const days = Math.round((new Date().setHours(0, 0, 0, 0) - new Date(date).setHours(0, 0, 0, 0)) / 86_400_000);
  if (days <= 0) return "Today";
  if (days === 1) return "Yesterday";
  return date.toLocaleDateString(undefined, { weekday: "long", day: "numeric", month: "long", year: "numeric" });
}

function clock(iso) {
  return new Date(iso).toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit" });
}

function make(name, className = "") {
  const element = document.createElement(name);
  if (className) element.className = className;
  return element;
}

function labelled(name, className, text) {
  const element = make(name, className);
  element.append(text);
  return element;
}
