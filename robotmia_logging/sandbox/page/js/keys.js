// Keys: `/` searches, `p` pauses, Escape closes.

import { closeDetails } from "./details.js";
import { byId } from "./dom.js";

const FIELDS = "input, select, textarea";

/** Have the keys do what they should. */
export function startKeys({ pause }) {
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || byId("ask").open) return;
    const writes = event.target.closest?.(FIELDS);
    if (event.key === "Escape" && !(writes && writes.value)) closeDetails();
    if (writes || byId("stream").hidden) return;
    if (event.key === "p") pause();
    if (event.key === "/") {
      event.preventDefault();
      byId("filters").elements.search.select();
    }
  });
}
