// A user's page: the profile, the revenue, the activity.

import { address, besides, place } from "./address.js";
import { get } from "./api.js";
import { byId, element } from "./dom.js";
import { line, shown } from "./json.js";
import { conditionMark, endpointMark } from "./marks.js";
import { Pace } from "./pace.js";
import { label, nameOf, ordered } from "./person.js";
import { revenue } from "./revenue.js";
import { gist } from "./rows.js";
import { count, date, exactly, moment, short } from "./text.js";

const MOST_EVENTS = 100;
const LONG = 200;

/** The page of the user that the address names, kept fresh while it is shown. */
export class UserView {
  #pace = new Pace(() => this.#load());
  #user = null;

  enter({ user }) {
    if (user !== this.#user) {
      byId("user-title").replaceChildren(element("bdi", {}, short(user, 120)));
      byId("user-page").replaceChildren();
    }
    this.#user = user;
    this.#pace.now();
    return { distinct_id: user };
  }

  arrived() {
    this.#pace.ask();
  }

  reset() {
    this.#pace.now();
  }

  async #load() {
    const user = this.#user;
    const [person, events] = await Promise.all([profileOf(user), activity(user)]);
    if (user !== place().user) return;
    byId("user-title").replaceChildren(element("bdi", {}, short(person ? nameOf(person) : user, 120)));
    const focused = byId("user-page").contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
    byId("user-page").replaceChildren(...(person ? parts(person, events) : [element("p", { class: "nothing" }, "Nothing is known of this user.")]));
    if (focused) [...byId("user-page").querySelectorAll("a")].find((link) => link.getAttribute("href") === focused)?.focus();
  }
}

/** The list has the profile without its events, which may be very many; all profiles are found by their id. */
async function profileOf(user) {
  const [found] = await get("/sandbox/profiles", { distinct_id: user, limit: 1 });
  return found ?? get(`/sandbox/profiles/${encodeURIComponent(user)}`);
}

/** The user's newest events, in the order they happened, the latest first. */
async function activity(user) {
  const asked = ["track", "import"].map((endpoint) =>
    get("/sandbox/messages", { distinct_id: user, endpoint, limit: MOST_EVENTS }),
  );
  return (await Promise.all(asked)).flat().sort((one, other) => other.time - one.time || other.id - one.id).slice(0, MOST_EVENTS);
}

function parts(person, events) {
  return [
    element("div", { class: "person" }, element("div", {}, ...profile(person), ...revenue(person)), feed(person, events)),
  ];
}

function profile(person) {
  const { distinct_id: id, aliases, last_seen: seen, ip, dates } = person;
  const rows = ordered(person);
  return [
    element(
      "dl",
      { class: "facts" },
      ...fact("Id", element("bdi", {}, short(id, 200))),
      ...(aliases.length ? fact("Also known as", ...aliases.map((alias) => element("bdi", { class: "alias" }, short(alias, 80)))) : []),
      ...fact("Last seen", seen ? date(seen) : "never by an update"),
      ...(ip ? fact("IP", ip) : []),
    ),
    element(
      "section",
      { "aria-labelledby": "profile-title" },
      element("h2", { id: "profile-title" }, "Profile"),
      rows.length
        ? element("dl", { class: "properties" }, ...rows.flatMap(([name, value]) => property(name, value, dates)))
        : element("p", { class: "quiet" }, "No properties."),
    ),
  ];
}

function property(name, value, dates) {
  const term = element("dt", { title: short(name, 300) }, element("bdi", {}, short(label(name), 80)));
  return [term, element("dd", {}, ...valueOf(value, dates.includes(name)))];
}

function valueOf(value, isDate) {
  if (isDate) return [element("time", { title: value }, date(value))];
  if (value === "") return [element("span", { class: "quiet" }, "empty text")];
  if (Array.isArray(value) && value.every((part) => typeof part !== "object") && value.length && value.length <= 20) {
    return value.map((part) => element("span", { class: "part" }, element("bdi", {}, short(line(part), 80))));
  }
  const text = line(value);
  if (text.length <= LONG) return [element("bdi", {}, short(text, LONG))];
  return [element("details", {}, element("summary", {}, element("bdi", {}, short(text, 40))), shown(value))];
}

function fact(name, ...values) {
  return [element("dt", {}, name), element("dd", {}, ...values)];
}

function feed({ distinct_id: id, event_count: total }, events) {
  return element(
    "section",
    { class: "activity", "aria-labelledby": "activity-title" },
    element("h2", { id: "activity-title" }, "Activity"),
    element(
      "p",
      { class: "quiet" },
      `${count(total, "event")}, the latest first. `,
      element("a", { href: address({ distinct_id: id }), "data-go": true }, "All that arrived, updates too"),
    ),
    element("ol", { class: "rows" }, ...events.map(eventRow)),
  );
}

function eventRow(item) {
  const name = element("bdi", {}, short(item.event || "(empty name)"));
  return element(
    "li",
    { class: "row" },
    element("time", { title: exactly(item.time) }, moment(item.time)),
    endpointMark(item.endpoint),
    element("a", { href: besides(item.id), "data-go": true, class: "what" }, name),
    element("span", { class: "gist" }, conditionMark(item), element("bdi", {}, gist(item))),
  );
}
