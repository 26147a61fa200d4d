// The page: joins the conversation, its view, the socket and the composer.

import { Api } from "./api.js";
import { Badge } from "./badge.js";
import { CheckIns } from "./check_ins/panel.js";
import { Composer } from "./composer.js";
import { Connection } from "./connection.js";
import { Conversation } from "./conversation.js";
import { newId } from "./ids.js";
import { remember, unsent } from "./outbox.js";
import { View } from "./view.js";

const ACCEPT_MILLISECONDS = 12_000; // without "accepted" by then, the socket is given up and the message sent again
const SILENCE_MILLISECONDS = 20_000; // an answer is awaited and nothing is heard: look into the history
const CONNECTION = { connecting: "Connecting", online: "Connected" };

const element = (id) => document.getElementById(id);
const elements = Object.fromEntries(
  ["scroller", "log", "older", "empty", "status", "newest", "connection"].map((id) => [id, element(id)]),
);

const api = new Api();
const connection = new Connection(api);
const conversation = new Conversation();
const view = new View(elements, (id) => sendAgain(id));
const composer = new Composer(element("composer"), element("text"), element("hint"), (text) => say(text));
const badge = new Badge(document);
new CheckIns(api, element("check-ins"), element("check-ins-open"));
const deadlines = new Map();
let guest = "";
let heardAt = Date.now();
let quiet = false;

conversation.addEventListener("change", () => {
  view.render(conversation, { quiet });
  remember(conversation.pending);
});

connection.addEventListener("state", ({ detail: { state, seconds } }) => {
  elements.connection.dataset.state = state;
  elements.connection.textContent = CONNECTION[state] ?? `Offline. Trying again in ${seconds} s`;
});

connection.addEventListener("frame", ({ detail: frame }) => {
  heardAt = Date.now();
  if (["status", "delta", "message"].includes(frame.type) && conversation.isNewTurn(frame.turn_id)) refreshSoon();
  handlers[frame.type]?.(frame);
});

const handlers = {
  async ready({ guest_id: id }) {
    if (guest && guest !== id) conversation.clear();
    guest = id;
    await load();
    conversation.pending.forEach(({ key, text }) => transmit(key, text));
  },
  accepted({ id }) {
    settled(id);
    conversation.accepted(id);
  },
  status: (frame) => conversation.setStatus(frame),
  delta: (frame) => conversation.delta(frame),
  message(frame) {
    conversation.message(frame);
    badge.count();
  },
  error({ id, code, message, retry_after: seconds }) {
    if (!id) return;
    settled(id);
    conversation.failed(id, shortProblem(code, message, seconds));
  },
};

function shortProblem(code, message, seconds) {
  if (code === "rate_limited") return `Not sent: that was a lot at once. Wait ${seconds ?? 5} s`;
  if (code === "text_too_long") return "Not sent: too long";
  if (code === "unavailable" || code === "timed_out" || code === "offline") return "Not sent: the coach cannot be reached";
  return `Not sent: ${message}`;
}

function say(text) {
  const id = newId();
  conversation.add(id, text);
  view.toBottom();
  transmit(id, text);
}

function sendAgain(id) {
  const entry = conversation.entries.find((one) => one.key === id);
  conversation.again(id);
  transmit(id, entry.text);
}

// By the socket where there is one; else by REST, so that a network without sockets can still talk.
async function transmit(id, text) {
  settled(id);
  if (connection.send({ type: "message", id, text })) {
    deadlines.set(id, setTimeout(() => connection.reopen(), ACCEPT_MILLISECONDS));
    return;
  }
  try {
    await api.send(id, text);
    conversation.accepted(id);
  } catch (problem) {
    // Without a network it goes out by itself with the next socket; a refusal is the person's to answer.
    if (problem.status) conversation.failed(id, shortProblem(problem.code, problem.message, problem.retryAfter));
  }
}

function settled(id) {
  clearTimeout(deadlines.get(id));
  deadlines.delete(id);
}

let refreshing = 0;
function refreshSoon() {
  clearTimeout(refreshing);
  refreshing = setTimeout(load, 300);
}

async function load({ before = "" } = {}) {
  let page;
  try {
    page = await api.history({ before });
  } catch {
    return; // The connection's state tells it; the next "ready" reads again.
  }
  const first = !conversation.isLoaded;
  conversation.isLoaded = true;
  quiet = first || Boolean(before);
  conversation.merge(page, { older: Boolean(before) });
  quiet = false;
  if (first && conversation.entries.length) view.toBottom();
}

async function loadOlder() {
  if (elements.older.disabled || elements.older.hidden) return;
  elements.older.disabled = true;
  await load({ before: conversation.oldestId });
  elements.older.disabled = false;
}

elements.older.addEventListener("click", loadOlder);
elements.scroller.addEventListener("scroll", () => elements.scroller.scrollTop < 40 && loadOlder());
document.querySelectorAll(".opening").forEach((button) =>
  button.addEventListener("click", () => composer.fill(button.textContent)),
);
setInterval(() => {
  if (conversation.isAwaiting && Date.now() - heardAt > SILENCE_MILLISECONDS) {
    heardAt = Date.now();
    load();
  }
}, 5_000);

unsent().forEach(({ id, text }) => conversation.add(id, text));
connection.open();
