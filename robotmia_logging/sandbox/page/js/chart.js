// Counts over time: bars of what was accepted, with what was refused on top.

import { byId, element, svg } from "./dom.js";
import { count, number, timeOfDay } from "./text.js";

const SLOT = 12;
const HEIGHT = 96;
const LEAST = 1.5; // a single message among thousands is still seen

/** Draw the counts of a summary. */
export function drawChart(counts) {
  const bars = counts.accepted.map((accepted, index) => ({ accepted, refused: counts.refused[index] }));
  const most = Math.max(...bars.map((bar) => bar.accepted + bar.refused));
  byId("chart").hidden = most === 0;
  if (most === 0) return;
  byId("chart-caption").replaceChildren(...caption(counts, most));
  byId("chart-picture").replaceChildren(...picture(counts, bars, most));
}

function caption(counts, most) {
  const sum = (numbers) => numbers.reduce((total, value) => total + value, 0);
  const refused = sum(counts.refused);
  return [
    element("span", { class: "key accepted" }, `${number(sum(counts.accepted))} accepted`),
    refused ? element("span", { class: "key refused" }, `${number(refused)} refused`) : null,
    element("span", { class: "scale" }, `in ${duration(counts)}, up to ${number(most)} each ${step(counts.step_s)}`),
  ].filter(Boolean);
}

function picture(counts, bars, most) {
  const scale = (value) => (value ? Math.max(LEAST, (value / most) * HEIGHT) : 0);
  const drawn = bars.flatMap(({ accepted, refused }, index) => {
    const [low, high] = [scale(accepted), scale(refused)];
    const start = timeOfDay(counts.start + index * counts.step_s);
    const title = () => svg("title", {}, `${start}: ${number(accepted)} accepted, ${number(refused)} refused`);
    const bar = (name, y, height) =>
      height ? svg("rect", { class: name, x: index * SLOT + 1, width: SLOT - 2, y, height }, title()) : null;
    return [bar("accepted", HEIGHT - low, low), bar("refused", Math.max(0, HEIGHT - low - high), high)];
  });
  const viewBox = `0 0 ${bars.length * SLOT} ${HEIGHT}`;
  const spoken = { role: "img", "aria-label": sentence(counts, bars, most) };
  return [svg("svg", { viewBox, preserveAspectRatio: "none", ...spoken }, ...drawn), labels(counts)];
}

/** The times below the bars, in HTML: the picture is stretched, and letters shouldn't be. */
function labels({ start, step_s: seconds, accepted: bars }) {
  const texts = [0, 1, 2].map((half) => timeOfDay(start + (half * bars.length * seconds) / 2));
  const shown = texts.map((text) => element("span", {}, seconds < 10 ? text : text.slice(0, 5)));
  return element("p", { class: "times", "aria-hidden": "true" }, ...shown);
}

/** The picture in a sentence. */
function sentence(counts, bars, most) {
  const peak = bars.findIndex((bar) => bar.accepted + bar.refused === most);
  const total = (name) => bars.reduce((sum, bar) => sum + bar[name], 0);
  return (
    `Bar chart of ${duration(counts)}: ${count(total("accepted"), "message")} accepted, ` +
    `${count(total("refused"), "request")} refused; the most, ${number(most)}, in the ${step(counts.step_s)} ` +
    `from ${timeOfDay(counts.start + peak * counts.step_s)}.`
  );
}

function duration({ step_s: seconds, accepted: bars }) {
  const span = seconds * bars.length;
  return span < 120 ? `${span} seconds` : `${Math.round(span / 60)} minutes`;
}

function step(seconds) {
  if (seconds === 1) return "second";
  return seconds === 60 ? "minute" : `${seconds} seconds`;
}
