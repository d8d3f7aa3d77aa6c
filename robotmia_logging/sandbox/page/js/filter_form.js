// The filters: a form that says what the address says.

import { FILTERS, filters, go, place } from "./address.js";
import { byId } from "./dom.js";

const TYPING_MS = 250;

/** Have the form follow what is typed and chosen. */
export function startFilters() {
  const form = byId("filters");
  let typing = null;
  const apply = () => {
    clearTimeout(typing);
    const given = Object.fromEntries([...new FormData(form)].filter(([, value]) => value !== ""));
    const { message, since } = place();
    go({ ...given, since, message });
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    apply();
  });
  form.addEventListener("input", () => {
    clearTimeout(typing);
    typing = setTimeout(apply, TYPING_MS);
  });
  form.addEventListener("change", apply);
  form.addEventListener("reset", (event) => {
    event.preventDefault();
    go({});
  });
}

/** Show the filters of the address; a field that is being typed in is left alone. */
export function showFilters() {
  const given = filters();
  for (const name of FILTERS) {
    const field = byId("filters").elements[name];
    if (!field) continue;
    if (field.type === "checkbox") field.checked = given[name] === "1";
    else if (field !== document.activeElement || field.value.trim() !== given[name]) field.value = given[name] ?? "";
  }
  byId("no-filters").hidden = Object.keys(given).length === 0;
}
