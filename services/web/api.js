// The REST interface: a session, the history, sending without a socket, and when the coach writes first.

const REQUEST_MILLISECONDS = 35_000; // a little longer than the gateway's own limit

export class Problem extends Error {
  constructor({ status = 0, code = "offline", title = "The coach cannot be reached", retry_after = 0, ...more } = {}) {
    super(title);
    this.status = status;
    this.code = code;
    this.retryAfter = retry_after;
    this.detail = more.detail ?? "";
    this.field = more.field ?? "";
  }
}

export class Api {
  #session = null;

  // The current session, or a new one; "fresh" asks for a new token in any case.
  async session({ fresh = false } = {}) {
    const soon = Date.now() + 30_000;
    if (fresh || !this.#session || Date.parse(this.#session.expires_at) < soon) {
      // One tab after the other: two first visits at once would otherwise become two guests.
      this.#session = await alone("coach-session", () => this.#request("POST", "session"));
    }
    return this.#session;
  }

  async history({ before = "", limit = 50 } = {}) {
    const query = new URLSearchParams({ limit: String(limit), ...(before && { before }) });
    return this.#authorized("GET", `messages?${query}`);
  }

  async send(id, text) {
    return this.#authorized("POST", "messages", { id, text });
  }

  async checkIns() {
    return this.#authorized("GET", "check-ins");
  }

  async addCheckIn(asked) {
    return this.#authorized("POST", "check-ins", asked);
  }

  async pauseCheckIn(id, paused) {
    return this.#authorized("PATCH", `check-ins/${id}`, { paused });
  }

  async removeCheckIn(id) {
    return this.#authorized("DELETE", `check-ins/${id}`);
  }

  async setQuietHours(hours) {
    return this.#authorized("PUT", "quiet-hours", hours);
  }

  async #authorized(method, path, body) {
    const { token } = await this.session();
    try {
      return await this.#request(method, path, body, token);
    } catch (problem) {
      if (problem.status !== 401) throw problem;
      const renewed = await this.session({ fresh: true });
      return this.#request(method, path, body, renewed.token);
    }
  }

  async #request(method, path, body, token) {
    const headers = {
      ...(body && { "Content-Type": "application/json" }),
      ...(token && { Authorization: `Bearer ${token}` }),
    };
    let response;
    try {
      response = await fetch(`/v1/${path}`, {
        method, headers, body: body && JSON.stringify(body), signal: AbortSignal.timeout(REQUEST_MILLISECONDS),
      });
    } catch {
      throw new Problem();
    }
    const answer = await response.json().catch(() => ({}));
    if (!response.ok) throw new Problem({ status: response.status, code: "unavailable", ...answer });
    return answer;
  }
}

async function alone(name, work) {
  return navigator.locks ? navigator.locks.request(name, work) : work();
}
