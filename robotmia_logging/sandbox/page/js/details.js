// One message: decoded, as it came over the wire, and what was said about it.

import { go, place } from "./address.js";
import { get } from "./api.js";
import { button, byId, element } from "./dom.js";
import { shown } from "./json.js";
import { conditionMark, endpointMark } from "./marks.js";
import { userLink } from "./rows.js";
import { count, exactly, moment, number, readable, short } from "./text.js";
import { curl, requestLine } from "./wire.js";

const MOST_DATA = 4000;

let open = null;
let opener = null;

/** Have the panel close by its button. */
export function startDetails() {
  byId("details-close").addEventListener("click", closeDetails);
}

/** Close the panel; who opened it by a link stands there again. */
export function closeDetails() {
  if (!open) return;
  const { message: _, ...others } = place();
  go(others);
}

/** Show the message that the address names, or none. */
export async function showDetails(id) {
  if (id === open) return;
  const wasOpen = open !== null;
  open = id ?? null;
  byId("details").hidden = open === null;
  document.body.classList.toggle("has-details", open !== null);
  if (open === null) {
    byId("details-body").replaceChildren();
    if (wasOpen && opener?.isConnected) opener.focus();
    return;
  }
  if (!wasOpen) opener = document.activeElement;
  const found = /^\d{1,18}$/.test(id) ? await get(`/sandbox/arrivals/${id}`) : null;
  if (open !== id) return;
  fill(found, id);
  byId("details").scrollTop = 0;
  byId("details-title").focus({ preventScroll: true });
}

function fill(item, id) {
  byId("details-title").replaceChildren(
    item ? element("bdi", {}, short(item.event ?? "(no name)", 120)) : `Message ${short(id, 20)}`,
  );
  byId("details-body").replaceChildren(...(item ? parts(item) : [element("p", {}, "It isn't here: it gave way to newer ones, or never was.")]));
}

function parts(item) {
  return [
    element("p", { class: "marks" }, endpointMark(item.endpoint), conditionMark(item)),
    ...verdicts(item),
    facts(item),
    section("Message", ...decoded(item)),
    section("Over the wire", ...wire(item)),
  ];
}

/** Why it was refused, or what robotmia would make of it, before anything else. */
function verdicts({ error, warnings = [] }) {
  if (error !== undefined) {
    return [element("div", { class: "verdict refused" }, element("h3", {}, "Refused"), sentence(error))];
  }
  if (!warnings.length) return [];
  const heading = `Accepted with ${count(warnings.length, "warning")}`;
  return [element("div", { class: "verdict warned" }, element("h3", {}, heading), ...warnings.map(sentence))];
}

function sentence(text) {
  return element("p", {}, element("bdi", {}, short(text, 1000)));
}

function facts({ arrived, time, distinct_id: user, ip, error, position, of }) {
  const many = error === undefined ? `${position + 1} of ${number(of)}` : null;
  return element(
    "dl",
    { class: "facts" },
    ...fact("User", userLink(user)),
    ...fact("Arrived", element("time", { title: exactly(arrived) }, moment(arrived))),
    ...fact("Happened", time === undefined ? null : element("time", { title: exactly(time) }, moment(time))),
    ...fact("IP", ip),
    ...fact("In its request", many),
  );
}

function fact(name, value) {
  return value === null || value === undefined ? [] : [element("dt", {}, name), element("dd", {}, value)];
}

function decoded({ message, messages, data }) {
  if (data !== undefined) return [element("p", {}, "No message could be read from the data.")];
  return [shown(message ?? (messages.length === 1 ? messages[0] : messages))];
}

function wire({ request }) {
  const command = curl(request, location.origin);
  const data = request.data.slice(0, MOST_DATA);
  const rest = request.data_size - data.length;
  return [
    element(
      "dl",
      { class: "facts" },
      ...fact("Request", element("code", {}, readable(requestLine(request)))),
      ...fact("From", request.client_ip),
      ...fact("Client", request.user_agent ? element("bdi", {}, short(request.user_agent, 200)) : null),
      ...fact("Data", `${count(request.data_size, "character")} of Base64`),
    ),
    element("pre", { class: "data", tabindex: "0" }, readable(data), rest > 0 ? `… and ${number(rest)} more` : ""),
    ...(command ? [again(command)] : []),
  ];
}

function again(command) {
  const copy = button("Copy as curl", async () => {
    copy.textContent = (await copied(command)) ? "Copied" : "Select it, and copy";
  });
  return element(
    "details",
    {},
    element("summary", {}, "Send it again"),
    element("pre", { class: "data", tabindex: "0" }, command),
    copy,
  );
}

async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false; // not allowed, or not on this kind of connection
  }
}

function section(title, ...children) {
  return element("section", {}, element("h3", {}, title), ...children);
}
