// The stream: filters, the picture, the list, the names.

import { filters } from "./address.js";
import { drawChart } from "./chart.js";
import { byId } from "./dom.js";
import { Feed } from "./feed.js";
import { showFilters, startFilters } from "./filter_form.js";
import { showGuide } from "./guide.js";
import { showNames } from "./names.js";

/** What arrives, and how much of it. */
export class StreamView {
  #feed = new Feed();

  constructor() {
    startFilters();
  }

  enter() {
    showFilters();
    this.#feed.clear();
    byId("nothing").hidden = true;
    byId("guide").hidden = true;
    return filters();
  }

  arrived(batch) {
    if (batch.items.length) this.#feed.take(batch);
    this.#sayNothing();
  }

  reset() {
    this.#feed.clear();
  }

  summarized({ counts, events }) {
    drawChart(counts);
    showNames(events);
  }

  pause() {
    this.#feed.pause();
  }

  mark(id) {
    this.#feed.mark(id);
  }

  #sayNothing() {
    const isEmpty = this.#feed.size === 0;
    const isFiltered = Object.keys(filters()).length > 0;
    byId("nothing").hidden = !(isEmpty && isFiltered);
    byId("nothing").textContent = "Nothing that arrived passes these filters.";
    showGuide(isEmpty && !isFiltered);
  }
}
