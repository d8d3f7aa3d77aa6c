// The bar on top: totals, the connection, faults, and forgetting everything.

import { get, ifReachable, post } from "./api.js";
import { byId, element } from "./dom.js";
import { line } from "./json.js";
import { number, short } from "./text.js";

const NAMES = [
  ["messages", "messages", ""],
  ["refusals", "✕ refused", "refused"],
  ["warnings", "▲ warned", "warned"],
  ["users", "users", ""],
  ["gave_way", "gave way", ""],
];

/** Have the button ask, then forget everything. */
export function startClearing() {
  const ask = byId("ask");
  byId("clear").addEventListener("click", () => {
    ask.returnValue = "no";
    ask.showModal();
  });
  ask.addEventListener("close", () => {
    if (ask.returnValue === "yes") ifReachable(post("/sandbox/reset"));
  });
}

/** Say how the connection is. */
export function showConnection(state) {
  const connection = byId("connection");
  if (connection.dataset.state === state) return;
  connection.dataset.state = state;
  connection.textContent = state;
}

/** Show totals; zeros of what shouldn't be are left out. */
export function showTotals(totals) {
  const shown = NAMES.filter(([name]) => totals[name] || ["messages", "users"].includes(name));
  byId("totals").replaceChildren(
    ...shown.map(([name, label, style]) =>
      element("div", { class: totals[name] ? style : null }, element("dt", {}, label), element("dd", {}, number(totals[name]))),
    ),
  );
}

/** Show whether faults are on. */
export async function showFaults() {
  const faults = await ifReachable(get("/sandbox/faults"));
  if (!faults) return;
  const named = Object.entries(faults).map(([name, value]) => `${name} ${short(line(value), 60)}`);
  const text = named.length ? `⚠ Faults are on: ${named.join(", ")}` : "";
  const sign = byId("faults");
  sign.hidden = text === "";
  if (sign.textContent !== text) sign.textContent = text;
}
