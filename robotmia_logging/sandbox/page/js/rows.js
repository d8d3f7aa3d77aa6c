// What arrived, one row each.

import { address, besides } from "./address.js";
import { element } from "./dom.js";
import { line } from "./json.js";
import { conditionMark, endpointMark } from "./marks.js";
import { count, exactly, moment, short } from "./text.js";

const MOST_PROPERTIES = 8;
const SAID_ELSEWHERE = new Set(["token", "distinct_id", "time", "ip"]);

/** The row of a message or a refusal. */
export function row(item) {
  const refused = item.error !== undefined;
  const name = item.event === null ? "(no name)" : short(item.event || "(empty name)");
  return element(
    "li",
    { class: refused ? "row is-refused" : "row", "data-id": item.id },
    element("time", { title: exactly(item.arrived) }, moment(item.arrived)),
    endpointMark(item.endpoint),
    element("a", { href: besides(item.id), "data-go": true, class: "what" }, element("bdi", {}, name)),
    userLink(item.distinct_id),
    element("span", { class: "gist" }, conditionMark(item), element("bdi", {}, refused ? short(item.error, 240) : gist(item))),
  );
}

/** A row in place of those that came too fast. */
export function gap(skipped) {
  return element("li", { class: "gap" }, `${count(skipped, "message")} not shown here: they came too fast`);
}

/** A link to a user's page. */
export function userLink(user, text = user) {
  if (user === null) return element("span", { class: "who nobody" }, "no user");
  const shown = short(text || "(empty id)", 60);
  return element("a", { href: address({ user }), "data-go": true, class: "who" }, element("bdi", {}, shown));
}

/** The properties in a line, as `plan=pro total=49.9`. */
export function gist({ endpoint, event, message }) {
  const values = endpoint === "engage" ? message[event] : message.properties;
  if (values === null || typeof values !== "object") return "";
  if (Array.isArray(values)) return values.slice(0, MOST_PROPERTIES).map((value) => short(line(value), 40)).join(" ");
  return Object.entries(values)
    .filter(([name]) => endpoint === "engage" || !SAID_ELSEWHERE.has(name))
    .slice(0, MOST_PROPERTIES)
    .map(([name, value]) => `${short(name, 40)}=${short(line(value), 40)}`)
    .join("  ");
}
