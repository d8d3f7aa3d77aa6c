// The address says what is shown: it can be shared, and the browser's back button works.
//
// `?event=Signed+Up&refused=1` filters the stream, `message=12` opens a message beside what is shown,
// `view=users` shows all users, `user=ada` one of them.

import { query } from "./api.js";

export const FILTERS = ["search", "event", "distinct_id", "endpoint", "refused", "warnings", "since"];
const NAMES = [...FILTERS, "view", "user", "message"];

let changed = () => {};

/** What the address says now. */
export function place() {
  const given = new URLSearchParams(location.search);
  return Object.fromEntries(NAMES.filter((name) => given.get(name)).map((name) => [name, given.get(name)]));
}

/** The filters in the address. */
export function filters(from = place()) {
  return Object.fromEntries(FILTERS.filter((name) => from[name]).map((name) => [name, from[name]]));
}

/** The address of a place. */
export function address(to) {
  return `/${query(to)}`;
}

/** The address of a message, beside what is shown now. */
export function besides(message) {
  return address({ ...place(), message });
}

/** Go to a place; as a correction of the present one when `replace`. */
export function go(to, { replace = false } = {}) {
  const next = typeof to === "string" ? to : address(to);
  if (next === location.pathname + location.search) return;
  history[replace ? "replaceState" : "pushState"](null, "", next);
  changed();
}

/** Call back now and whenever the address changes; links marked `data-go` change it without loading anew. */
export function onPlace(callback) {
  changed = () => callback(place());
  addEventListener("popstate", changed);
  document.addEventListener("click", follow);
  changed();
}

function follow(event) {
  const link = event.target.closest?.("a[data-go]");
  if (!link || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  go(link.getAttribute("href"));
}
