// The chat socket: says hello, comes back by itself, and tells what it hears.
//
// Events: "state" {state: connecting|online|offline, seconds}, "frame" {…}. Losing it loses nothing: after each "ready"
// the page reads the history.

const FIRST_DELAY = 500;
const LONGEST_DELAY = 20_000;
const READY_MILLISECONDS = 10_000;

export class Connection extends EventTarget {
  #api;
  #socket = null;
  #attempts = 0;
  #timer = 0;
  #watch = 0;
  #ready = false;
  #fresh = false;

  constructor(api) {
    super();
    this.#api = api;
    addEventListener("online", () => this.#soon());
    addEventListener("offline", () => this.#lost());
    document.addEventListener("visibilitychange", () => document.hidden || this.#soon());
  }

  get isReady() {
    return this.#ready;
  }

  async open() {
    clearTimeout(this.#timer);
    if (this.#socket) return;
    this.#tell("connecting");
    const socket = (this.#socket = new WebSocket(`${location.origin.replace(/^http/, "ws")}/v1/chat`));
    this.#watch = setTimeout(() => this.#lost(), READY_MILLISECONDS);
    socket.onopen = async () => {
      try {
        const { token } = await this.#api.session({ fresh: this.#fresh });
        this.#fresh = false;
        if (socket === this.#socket) socket.send(JSON.stringify({ type: "hello", token }));
      } catch {
        this.#lost();
      }
    };
    socket.onmessage = (event) => socket === this.#socket && this.#hear(JSON.parse(event.data));
    socket.onclose = (event) => {
      if (socket !== this.#socket) return;
      this.#fresh = event.code === 4401;
      this.#lost(event.code);
    };
  }

  // Whether the frame is on its way; what was really taken is told by an "accepted" frame.
  send(frame) {
    if (!this.#ready || this.#socket.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(JSON.stringify(frame));
    return true;
  }

  // Give this socket up and come back with another: nothing is heard on it any more.
  reopen() {
    this.#lost();
  }

  #hear(frame) {
    if (frame.type === "ready") {
      clearTimeout(this.#watch);
      this.#ready = true;
      this.#attempts = 0;
      this.#tell("online");
    }
    if (frame.type === "expiring") this.#renew();
    this.dispatchEvent(new CustomEvent("frame", { detail: frame }));
  }

  async #renew() {
    try {
      const { token } = await this.#api.session({ fresh: true });
      this.send({ type: "hello", token });
    } catch {
      // The socket will be closed when the token ends, and opened again by then.
    }
  }

  #lost(code = 0) {
    clearTimeout(this.#watch);
    clearTimeout(this.#timer);
    const socket = this.#socket;
    this.#socket = null;
    this.#ready = false;
    socket?.close();
    const grown = Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** this.#attempts);
    this.#attempts += 1;
    // Everybody's socket ends at once when the gateway restarts: come back spread out.
    const delay = grown * (0.6 + 0.8 * Math.random()) + (code === 4429 ? 5_000 : 0);
    this.#tell("offline", Math.ceil(delay / 1000));
    this.#timer = setTimeout(() => this.open(), delay);
  }

  #soon() {
    if (this.#socket) return;
    this.#attempts = 0;
    this.open();
  }

  #tell(state, seconds = 0) {
    this.dispatchEvent(new CustomEvent("state", { detail: { state, seconds } }));
  }
}
