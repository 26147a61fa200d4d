// What was said, in order: the stored history, what is on its way, and the reply that is being made. No DOM here.
//
// An entry: {key, role, text, createdAt, source, turnId, files, state} with state "stored", "sending" or "failed" of
// the person's, "stored" or "arriving" of the coach's messages. `key` never changes while an entry lives.

export class Conversation extends EventTarget {
  entries = [];
  hasMore = false;
  isLoaded = false; // whether the history has been read
  status = null; // {state, ahead} while an answer is awaited

  #deltas = new Map(); // turn id -> sentences by index
  #seen = new Set(); // turns that something was heard of
  #finished = new Set(); // turns whose answer is known, so that late deltas change nothing

  // Take in the newest page of the history, or one of older messages.
  merge({ messages, has_more: hasMore, turn_open: turnOpen }, { older = false } = {}) {
    const page = messages.map((message) => this.#fromHistory(message));
    const inPage = new Set(page);
    const rest = this.entries.filter((entry) => !inPage.has(entry));
    if (older) {
      this.entries = [...page, ...rest];
      this.hasMore = hasMore;
    } else {
      const oldest = Date.parse(messages[0]?.created_at);
      const before = rest.filter((entry) => entry.messageId && Date.parse(entry.createdAt) < oldest);
      const after = rest.filter((entry) => !before.includes(entry));
      this.entries = [...before, ...page, ...after];
      if (before.length === 0) this.hasMore = hasMore;
      this.#settle(turnOpen);
    }
    this.#changed();
  }

  get oldestId() {
    return this.entries.find((entry) => entry.messageId)?.messageId ?? "";
  }

  get pending() {
    return this.entries.filter((entry) => entry.role === "person" && entry.state === "sending");
  }

  get isAwaiting() {
    return this.status !== null || this.#unfinished().length > 0;
  }

  // A message of the person's, shown before it is stored.
  add(id, text) {
    this.entries.push(entry({ key: id, role: "person", text, state: "sending" }));
    this.#changed();
  }

  accepted(id) {
    this.#update(id, { state: "stored", problem: "" });
    this.status ??= { state: "thinking", ahead: 0 };
    this.#changed();
  }

  failed(id, problem) {
    this.#update(id, { state: "failed", problem });
    this.#changed();
  }

  again(id) {
    this.#update(id, { state: "sending", problem: "" });
    this.#changed();
  }

  setStatus({ turn_id: turnId, state, ahead = 0 }) {
    if (this.#finished.has(turnId)) return;
    this.#supersede(turnId);
    this.status = { state, ahead };
    this.#changed();
  }

  // A sentence of the reply that is being made. They may come out of order, or only from the middle on.
  delta({ turn_id: turnId, index, text }) {
    if (this.#finished.has(turnId)) return;
    this.#supersede(turnId);
    const parts = this.#deltas.get(turnId) ?? [];
    parts[index] = text;
    this.#deltas.set(turnId, parts);
    const target = this.#arriving(turnId);
    target.text = join(parts.filter((part) => part !== undefined));
    this.status = null;
    this.#changed();
  }

  // The whole answer, as it is stored.
  message({ message_id: messageId, turn_id: turnId, text, source, created_at: createdAt }) {
    const known = this.entries.find((one) => one.messageId === messageId);
    if (!turnId) {
      if (!known) this.#unasked({ messageId, text, source, createdAt });
      return;
    }
    const target = known ?? this.#arriving(turnId);
    Object.assign(target, { messageId, text, source, createdAt, state: "stored" });
    if (!this.#finished.has(turnId)) this.#supersede(turnId);
    this.#end(turnId);
    this.status = null;
    this.#changed();
  }

  // Whether this is the first that is heard of a turn: another tab's message, perhaps, that the history knows.
  isNewTurn(turnId) {
    const isNew = Boolean(turnId) && !this.#seen.has(turnId);
    this.#seen.add(turnId);
    return isNew;
  }

  // Another guest than before: nothing of the old one stays on the screen.
  clear() {
    this.entries = [];
    this.hasMore = false;
    this.status = null;
    this.#deltas.clear();
    this.#finished.clear();
    this.#changed();
  }

  // The coach wrote first: it belongs to no turn, and ends none. By its time it stands among what is stored.
  #unasked({ messageId, text, source, createdAt }) {
    const made = entry({ key: messageId, messageId, role: "coach", text, source, createdAt });
    const isBefore = ({ state, createdAt: other }) => state === "stored" && Date.parse(other) <= Date.parse(createdAt);
    this.entries.splice(this.entries.findLastIndex(isBefore) + 1, 0, made);
    this.#changed();
  }

  #fromHistory(message) {
    const { message_id: messageId, client_id: clientId, role, turn_id: turnId } = message;
    const found =
      this.entries.find((one) => one.messageId === messageId || (clientId && one.key === clientId)) ??
      this.entries.find((one) => role === "coach" && turnId && one.state === "arriving" && one.turnId === turnId);
    const target = found ?? entry({ key: clientId || messageId, role });
    const { text, source, created_at: createdAt, file_names: files } = message;
    Object.assign(target, { messageId, text, source, createdAt, turnId, files, state: "stored", problem: "" });
    if (role === "coach") this.#end(turnId);
    return target;
  }

  #arriving(turnId) {
    const found = this.entries.find((one) => one.state === "arriving" && one.turnId === turnId);
    if (found) return found;
    const made = entry({ key: `turn-${turnId}`, role: "coach", state: "arriving", turnId });
    this.entries.push(made);
    return made;
  }

  // A person has one turn at a time: what another one was saying comes to no end, for it is made again under a new id.
  #supersede(turnId) {
    const others = this.#unfinished().filter((one) => one.turnId !== turnId);
    others.forEach((one) => this.#end(one.turnId));
    this.#drop(others);
  }

  #unfinished() {
    return this.entries.filter((one) => one.state === "arriving");
  }

  #drop(dropped) {
    dropped.forEach((one) => this.#deltas.delete(one.turnId));
    this.entries = this.entries.filter((one) => !dropped.includes(one));
  }

  #end(turnId) {
    if (!turnId) return;
    this.#finished.add(turnId);
    this.#deltas.delete(turnId);
  }

  // The history says whether an answer is awaited, save for messages that are too new for it; a live status says more.
  #settle(turnOpen) {
    const isNewer = this.entries.some(({ role, state, messageId }) => role === "person" && state === "stored" && !messageId);
    const unfinished = this.#unfinished();
    if (turnOpen) {
      if (unfinished.length === 0) this.status ??= { state: "thinking", ahead: 0 };
    } else if (!isNewer) {
      this.status = null;
      this.#drop(unfinished); // should one have begun after the page was read, its message brings what is lost
    }
  }

  #update(id, changes) {
    const found = this.entries.find((one) => one.key === id);
    if (found) Object.assign(found, changes);
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}

function entry(members) {
  return {
    messageId: "", text: "", source: "", turnId: "", createdAt: new Date().toISOString(), files: [], state: "stored",
    problem: "", ...members,
  };
}

function join(parts) {
  return parts.reduce((text, part) => text + (text && !/\s$/.test(text) && !/^\s/.test(part) ? " " : "") + part, "");
}
