// Does something often enough, and no more often than it can be afforded.

import { ifReachable } from "./api.js";

const LEAST_MS = 1000;
const SHARE = 8; // after something that took a second, eight seconds of rest

/** Runs an async task soon after it was asked for, never twice at once, with a rest after each run. */
export class Pace {
  #task;
  #asked = false;
  #running = false;
  #timer = null;

  constructor(task) {
    this.#task = task;
  }

  /** Have it done soon. */
  ask() {
    this.#asked = true;
    if (!this.#running && this.#timer === null) this.#run();
  }

  /** Have it done now: the reader asked for something else. */
  now() {
    clearTimeout(this.#timer);
    this.#timer = null;
    this.ask();
  }

  async #run() {
    this.#asked = false;
    this.#running = true;
    const start = performance.now();
    try {
      await ifReachable(this.#task());
    } finally {
      this.#running = false;
      const rest = Math.max(LEAST_MS, SHARE * (performance.now() - start));
      this.#timer = setTimeout(() => this.#rested(), rest);
    }
  }

  #rested() {
    this.#timer = null;
    if (this.#asked) this.#run();
  }
}
