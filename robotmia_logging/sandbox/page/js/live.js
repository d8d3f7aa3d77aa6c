// The live connection: what arrives, while it arrives.

import { query } from "./api.js";
import { parse } from "./json.js";

const RETRY_MS = 1000;

/** Follows the stream of one set of filters at a time, and tells how the connection is. */
export class Live {
  #source = null;
  #filters = null;
  #seen = "";
  #retry = null;
  #told;

  /** `told` has the callbacks `arrivals({items, skipped})`, `reset()` and `state(name)`. */
  constructor(told) {
    this.#told = told;
    // Browsers open few connections to one server: pages that nobody sees shouldn't hold them.
    document.addEventListener("visibilitychange", () => (document.hidden ? this.#close() : this.#open()));
  }

  /** Follow what passes these filters, from the newest on. */
  follow(filters) {
    this.#filters = filters;
    this.#seen = "";
    this.#close();
    if (!document.hidden) this.#open();
  }

  #open() {
    if (this.#source || !this.#filters) return;
    const source = new EventSource(`/sandbox/stream${query({ ...this.#filters, seen: this.#seen })}`);
    this.#source = source;
    this.#told.state("connecting");
    source.addEventListener("open", () => this.#told.state("live"));
    source.addEventListener("arrivals", (event) => {
      this.#seen = event.lastEventId;
      this.#told.arrivals(parse(event.data));
    });
    source.addEventListener("reset", (event) => {
      this.#seen = event.lastEventId;
      this.#told.reset();
    });
    source.addEventListener("error", () => {
      this.#told.state("reconnecting");
      // A browser tries again by itself, unless it got an answer that was no stream.
      if (source.readyState !== EventSource.CLOSED) return;
      this.#close();
      this.#retry = setTimeout(() => this.#open(), RETRY_MS);
    });
  }

  #close() {
    clearTimeout(this.#retry);
    this.#source?.close();
    this.#source = null;
  }
}
