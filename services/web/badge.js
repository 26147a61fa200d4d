// Says in the tab's title how many messages came while nobody looked.

export class Badge {
  #document;
  #title;
  #unseen = 0;

  constructor(document) {
    this.#document = document;
    this.#title = document.title;
    document.addEventListener("visibilitychange", () => document.hidden || this.#show(0));
  }

  count() {
    if (this.#document.hidden) this.#show(this.#unseen + 1);
  }

  #show(unseen) {
    this.#unseen = unseen;
    this.#document.title = unseen ? `(${unseen}) ${this.#title}` : this.#title;
  }
}
