// What a user paid: the sum over time as a picture, and the list.

import { element, svg } from "./dom.js";
import { secondsOf } from "./person.js";
import { line } from "./json.js";
import { date, money, short } from "./text.js";

const MOST = 100;
const WIDTH = 320;
const HEIGHT = 56;

/** The section of a user's page; nothing for a user who paid nothing. */
export function revenue({ revenue: sum, transactions }) {
  if (!transactions.length) return [];
  const newest = transactions.slice(-MOST).reverse();
  return [
    element(
      "section",
      { class: "revenue", "aria-labelledby": "revenue-title" },
      element("h2", { id: "revenue-title" }, "Revenue ", element("b", {}, money(sum))),
      growth(transactions),
      element("table", {}, element("thead", {}, heads()), element("tbody", {}, ...newest.map(transactionRow))),
      transactions.length > MOST ? element("p", { class: "quiet" }, `The newest ${MOST} of ${transactions.length}.`) : null,
    ),
  ];
}

function heads() {
  const head = (text, attributes = {}) => element("th", { scope: "col", ...attributes }, text);
  return element("tr", {}, head("Time"), head("Amount", { class: "number" }), head("With"));
}

function transactionRow(transaction) {
  const { $time: time, $amount: amount, ...others } = Object(transaction);
  const with_ = Object.entries(others).map(([name, value]) => `${short(name, 30)}=${short(line(value), 60)}`);
  return element(
    "tr",
    {},
    element("td", {}, time === undefined ? "no time" : date(time)),
    element("td", { class: "number" }, typeof amount === "number" ? money(amount) : short(line(amount ?? null), 30)),
    element("td", { class: "gist" }, element("bdi", {}, with_.join("  "))),
  );
}

/** The sum as it grew: a step for each transaction that has a time. */
function growth(transactions) {
  let sum = 0;
  const steps = transactions
    .map((transaction) => ({ time: secondsOf(transaction?.$time), amount: transaction?.$amount }))
    .filter(({ time, amount }) => time !== null && typeof amount === "number")
    .sort((one, other) => one.time - other.time)
    .map(({ time, amount }) => ({ time, sum: (sum += amount) }));
  if (steps.length < 2 || steps[0].time === steps.at(-1).time) return null;
  const [first, last] = [steps[0].time, steps.at(-1).time];
  const [low, high] = [Math.min(0, ...steps.map((step) => step.sum)), Math.max(0, ...steps.map((step) => step.sum))];
  const x = (time) => (((time - first) / (last - first)) * (WIDTH - 2) + 1).toFixed(1);
  const y = (value) => (HEIGHT - ((value - low) / (high - low || 1)) * (HEIGHT - 4) - 2).toFixed(1);
  const path = steps.map((step, index) => `${index ? `H${x(step.time)}V` : `M1 ${y(0)}V`}${y(step.sum)}`).join("");
  const label = `The sum grew to ${money(steps.at(-1).sum)} in ${steps.length} transactions.`;
  return svg(
    "svg",
    { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: "growth", role: "img", "aria-label": label, preserveAspectRatio: "none" },
    svg("path", { d: path, "vector-effect": "non-scaling-stroke" }),
  );
}
