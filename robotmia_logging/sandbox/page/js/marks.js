// The marks of messages: always a sign and a word, never a colour alone.

import { element } from "./dom.js";
import { count } from "./text.js";

/** Which endpoint it was sent to. */
export function endpointMark(endpoint) {
  return element("span", { class: `mark endpoint ${endpoint}` }, endpoint);
}

/** Whether it was refused, or accepted with warnings; null when it is as it should be. */
export function conditionMark(item) {
  if (item.error !== undefined) return element("span", { class: "mark refused" }, "✕ refused");
  if (item.warnings.length) return element("span", { class: "mark warned" }, `▲ ${count(item.warnings.length, "warning")}`);
  return null;
}
