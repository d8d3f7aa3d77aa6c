// JSON that keeps its numbers, and JSON for people.

import { element } from "./dom.js";
import { readable } from "./text.js";

const MOST = 20_000;
const TOKENS = /("(?:[^"\\]|\\.)*")(\s*:)?|(-?\d[\d.eE+-]*|true|false|null)/g;

/** Parse; integers too large for JavaScript keep all their digits, where the browser can. */
export function parse(text) {
  return JSON.parse(text, (_name, value, context) =>
    typeof value === "number" && !Number.isSafeInteger(value) && /^-?\d+$/.test(context?.source ?? "") && JSON.rawJSON
      ? JSON.rawJSON(context.source)
      : value,
  );
}

/** One line of JSON. */
export function line(value) {
  return typeof value === "string" ? value : (JSON.stringify(value) ?? "");
}

/** Indented JSON with its parts marked; a very long one is cut, with a button that shows the rest. */
export function shown(value) {
  const text = readable(JSON.stringify(value, null, 2), { lines: true });
  const block = element("pre", { class: "json", tabindex: "0" }, ...marked(text.slice(0, MOST)));
  if (text.length <= MOST) return block;
  const more = element("button", { type: "button" }, `Show all ${text.length.toLocaleString("en")} characters`);
  more.addEventListener("click", () => {
    block.textContent = text; // unmarked: a megabyte in single spans would stall the page
    more.remove();
  });
  return element("div", {}, block, more);
}

function* marked(text) {
  let done = 0;
  for (const found of text.matchAll(TOKENS)) {
    const [whole, string, colon, plain] = found;
    yield text.slice(done, found.index);
    yield element("span", { class: colon ? "name" : plain ? "plain" : "string" }, string ?? plain);
    yield colon ?? "";
    done = found.index + whole.length;
  }
  yield text.slice(done);
}
