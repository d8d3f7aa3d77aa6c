// Events and updates by name; a click filters by one.

import { address, filters } from "./address.js";
import { byId, element } from "./dom.js";
import { endpointMark } from "./marks.js";
import { ago, exactly, number, short } from "./text.js";

const MOST_SUGGESTED = 50;

/** Show the names of a summary. */
export function showNames(events) {
  const chosen = filters().event;
  byId("names").hidden = events.length === 0;
  keepFocus(byId("names-rows"), events.map((counted) => nameRow(counted, chosen)));
  const names = [...new Set(events.map(({ event }) => event).filter(Boolean))].slice(0, MOST_SUGGESTED);
  byId("event-names").replaceChildren(...names.map((name) => element("option", { value: name })));
}

function nameRow({ event, endpoint, count, refused, users, last }, chosen) {
  const isChosen = event === chosen;
  const { event: _, ...others } = filters();
  const text = element("bdi", {}, short(event ?? "(no name)", 60));
  const href = address(isChosen ? others : { ...others, event });
  const name = event
    ? element("a", { href, "data-go": true, "data-key": `${endpoint} ${event}`, "aria-current": isChosen && "true" }, text)
    : text;
  return element(
    "tr",
    {},
    element("th", { scope: "row" }, name, " ", endpointMark(endpoint)),
    element("td", { class: "number" }, number(count), refused ? element("small", {}, `✕ ${number(refused)}`) : null),
    element("td", { class: "number" }, number(users)),
    element("td", { class: "number", title: exactly(last) }, ago(last)),
  );
}

/** Put rows in place of the old ones; who stood on a link of an old row stands on the same link of the new one. */
function keepFocus(body, rows) {
  const key = body.contains(document.activeElement) ? document.activeElement.dataset.key : null;
  body.replaceChildren(...rows);
  if (key) [...body.querySelectorAll("a")].find((link) => link.dataset.key === key)?.focus();
}
