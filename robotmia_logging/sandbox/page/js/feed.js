// The list of what arrives, newest on top: bounded, and still while somebody reads.

import { filters } from "./address.js";
import { get, ifReachable } from "./api.js";
import { byId } from "./dom.js";
import { gap, row } from "./rows.js";
import { number } from "./text.js";

const MOST_ROWS = 300;
const OLDER = 100;
const FEW = 10; // so many at once are marked as new; more would only flicker

/** The rows, and those that wait while the list is paused or scrolled away from. */
export class Feed {
  #rows = byId("rows");
  #waiting = []; // batches, oldest first
  #paused = false;
  #cut = false; // rows on top were taken out, to make place for older ones
  #generation = 0;

  constructor() {
    byId("pause").addEventListener("click", () => this.pause());
    byId("newer").addEventListener("click", () => ifReachable(this.#showNewer()));
    byId("older").addEventListener("click", () => ifReachable(this.#loadOlder()));
    addEventListener("scroll", () => this.#scrolled(), { passive: true });
  }

  /** How many rows there are. */
  get size() {
    return this.#rows.childElementCount;
  }

  /** Forget all rows. */
  clear() {
    this.#generation += 1;
    this.#waiting = [];
    this.#cut = false;
    this.#rows.replaceChildren();
    this.#settle();
  }

  /** Take what arrived. */
  take(batch) {
    const first = this.size === 0;
    if (first && batch.skipped) byId("older").hidden = false;
    this.#waiting.push(first ? { ...batch, skipped: 0 } : batch);
    if (!this.#held()) this.#show();
    else this.#bound();
    this.#settle();
  }

  /** Pause, or go on. */
  pause() {
    this.#paused = !this.#paused;
    const button = byId("pause");
    button.setAttribute("aria-pressed", this.#paused);
    button.textContent = this.#paused ? "Resume" : "Pause";
    if (!this.#held()) this.#show();
    this.#settle();
  }

  /** Mark the row whose message is open. */
  mark(id) {
    this.#rows.querySelector("[aria-current]")?.removeAttribute("aria-current");
    this.#rows.querySelector(`[data-id="${Number(id)}"]`)?.setAttribute("aria-current", "true");
  }

  #held() {
    return this.#paused || this.#cut || this.#isAway();
  }

  /** Whether the top of the list is out of sight: rows that came on top would push what is read away. */
  #isAway() {
    return this.size > 0 && this.#rows.getBoundingClientRect().top < 0;
  }

  #scrolled() {
    if (this.#waiting.length && !this.#held()) {
      this.#show();
      this.#settle();
    }
  }

  #show() {
    const isFirst = this.size === 0;
    for (const { items, skipped } of this.#waiting) {
      const rows = items.map(row).reverse();
      if (!isFirst && items.length <= FEW) rows.forEach((one) => one.classList.add("fresh"));
      if (skipped) rows.push(gap(skipped));
      this.#rows.prepend(...rows);
    }
    this.#waiting = [];
    if (this.size > MOST_ROWS) byId("older").hidden = false;
    while (this.size > MOST_ROWS) this.#rows.lastElementChild.remove();
  }

  /** Of those that wait only the newest are ever shown. */
  #bound() {
    let kept = 0;
    for (let index = this.#waiting.length - 1; index >= 0; index -= 1) {
      const batch = this.#waiting[index];
      if (kept >= MOST_ROWS) {
        this.#waiting[index + 1].skipped += batch.items.length + batch.skipped;
        this.#waiting.splice(index, 1);
      }
      kept += batch.items.length;
    }
  }

  #settle() {
    const waiting = this.#waiting.reduce((sum, { items, skipped }) => sum + items.length + skipped, 0);
    const newer = byId("newer");
    newer.hidden = !waiting && !this.#cut;
    newer.textContent = waiting ? `↑ ${number(waiting)} new` : "↑ To the newest";
    if (this.size === 0) byId("older").hidden = true;
  }

  async #showNewer() {
    scrollTo({ top: 0 });
    if (this.#cut) await this.#reload();
    this.#show();
    this.#settle();
  }

  async #reload() {
    const generation = this.#generation;
    const items = await get("/sandbox/arrivals", { ...filters(), limit: OLDER });
    if (generation !== this.#generation) return;
    this.clear();
    this.#waiting = [{ items, skipped: 0 }];
    byId("older").hidden = items.length < OLDER;
  }

  async #loadOlder() {
    const generation = this.#generation;
    const before = [...this.#rows.children].at(-1).dataset.id;
    const items = await get("/sandbox/arrivals", { ...filters(), limit: OLDER, before });
    if (generation !== this.#generation) return;
    this.#rows.append(...items.map(row).reverse());
    while (this.size > MOST_ROWS) {
      this.#rows.firstElementChild.remove();
      this.#cut = true;
    }
    byId("older").hidden = items.length < OLDER;
    this.#settle();
  }
}
