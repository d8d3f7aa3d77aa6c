// The users, the latest active first.

import { get } from "./api.js";
import { byId, element } from "./dom.js";
import { Pace } from "./pace.js";
import { nameOf } from "./person.js";
import { userLink } from "./rows.js";
import { date, money, number, short } from "./text.js";

const MOST = 200;

/** The list of users, kept fresh while it is shown. */
export class UsersView {
  #pace = new Pace(() => this.#load());

  enter() {
    this.#pace.now();
    return {};
  }

  arrived() {
    this.#pace.ask();
  }

  reset() {
    this.#pace.now();
  }

  async #load() {
    const people = await get("/sandbox/profiles", { limit: MOST });
    const focused = byId("users-list").contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
    byId("users-list").replaceChildren(...(people.length ? [table(people.reverse())] : [element("p", { class: "nothing" }, "No users yet.")]));
    if (focused) [...byId("users-list").querySelectorAll("a")].find((link) => link.getAttribute("href") === focused)?.focus();
  }
}

function table(people) {
  const head = (text, name = null) => element("th", { scope: "col", class: name }, text);
  const heads = element("tr", {}, head("User"), head("Id", "aside"), head("Last seen"), head("Events", "number"), head("Revenue", "number aside"));
  return element("table", { class: "users" }, element("thead", {}, heads), element("tbody", {}, ...people.map(userRow)));
}

function userRow(person) {
  const { distinct_id: id, last_seen: seen, event_count: events, revenue } = person;
  return element(
    "tr",
    {},
    element("th", { scope: "row" }, userLink(id, nameOf(person))),
    element("td", { class: "aside" }, element("bdi", {}, short(id, 40))),
    element("td", {}, seen ? date(seen) : "–"),
    element("td", { class: "number" }, number(events)),
    element("td", { class: "number aside" }, revenue ? money(revenue) : "–"),
  );
}
