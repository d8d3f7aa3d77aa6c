// What is common to the list of users and a user's page.

import { readable } from "./text.js";

const LABELS = {
  $name: "Name",
  $first_name: "First name",
  $last_name: "Last name",
  $email: "Email",
  $phone: "Phone",
  $created: "Created",
};

/** The name a user is called by: `$name`, or first and last name, else the id. */
export function nameOf({ distinct_id: id, properties }) {
  const text = (name) => (typeof properties[name] === "string" ? properties[name].trim() : "");
  return text("$name") || [text("$first_name"), text("$last_name")].filter(Boolean).join(" ") || id || "(empty id)";
}

/** A property's name for people. */
export function label(name) {
  return LABELS[name] ?? readable(name);
}

/** Properties in reading order: robotmia's own first, then the others by name; without those shown elsewhere. */
export function ordered({ properties, last_seen: seen }) {
  const special = Object.keys(LABELS);
  const rank = (name) => (special.includes(name) ? special.indexOf(name) : special.length);
  return Object.entries(properties)
    .filter(([name, value]) => name !== "$transactions" && !(name === "Last Seen" && value === seen))
    .sort(([one], [other]) => rank(one) - rank(other) || (one < other ? -1 : 1));
}

/** Unix seconds of a robotmia date; null when it is none. */
export function secondsOf(text) {
  const time = typeof text === "string" && /^\d{4}-\d\d-\d\dT/.test(text) ? Date.parse(/Z|[+-]\d\d:\d\d$/.test(text) ? text : `${text}Z`) : NaN;
  return Number.isNaN(time) ? null : time / 1000;
}
