// Texts for people: what was sent made safe to read, numbers and times in a common form.

// Control characters, and those that turn the direction of writing: they can make a text look like another one.
const UNREADABLE = /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]/g;
const NUMBER = new Intl.NumberFormat("en");
const MONEY = new Intl.NumberFormat("en", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
const TIME = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const DAY = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric" });
const UTC_DAY = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric", timeZone: "UTC" });

/** Unreadable characters written out, as `\u202e`. Line breaks stay when asked for. */
export function readable(text, { lines = false } = {}) {
  return text.replace(UNREADABLE, (character) =>
    lines && character === "\n" ? character : `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** A text that fits into a line: readable, and cut at a length. */
export function short(text, length = 80) {
  const head = text.length > length ? `${[...text.slice(0, length - 1)].join("").replace(/[\ud800-\udbff]$/, "")}…` : text;
  return readable(head);
}

/** 12,345 */
export function number(value) {
  return NUMBER.format(value);
}

/** 1,234.50 */
export function money(value) {
  return MONEY.format(value);
}

/** "1 message", "2 messages". */
export function count(value, noun) {
  return `${number(value)} ${noun}${value === 1 ? "" : "s"}`;
}

/** 14:03:07, in the reader's time zone. */
export function timeOfDay(seconds) {
  return TIME.format(seconds * 1000);
}

/** 14:03:07 today, with its day on other days. */
export function moment(seconds, now = Date.now()) {
  const day = DAY.format(seconds * 1000);
  return day === DAY.format(now) ? timeOfDay(seconds) : `${day}, ${timeOfDay(seconds)}`;
}

/** The moment in UTC, to the millisecond; for titles, where exactness matters more than comfort. */
export function exactly(seconds) {
  const date = new Date(seconds * 1000);
  return Number.isNaN(date.getTime()) ? String(seconds) : date.toISOString();
}

/** "15 Jan 1976, 21:45 UTC" of a robotmia date; the text itself when it is none. */
export function date(text) {
  const time = typeof text === "string" ? Date.parse(`${text}Z`) : NaN;
  if (Number.isNaN(time)) return short(String(text));
  const [, minutes, seconds] = /T(\d\d:\d\d):(\d\d)/.exec(text) ?? [null, "", "00"];
  return `${UTC_DAY.format(time)}, ${minutes}${seconds === "00" ? "" : `:${seconds}`} UTC`;
}

/** "5 s", "3 min", "2 h", "4 d": how long ago. */
export function ago(seconds, now = Date.now()) {
  const passed = Math.max(0, now / 1000 - seconds);
  if (passed < 60) return `${Math.floor(passed)} s`;
  if (passed < 3600) return `${Math.floor(passed / 60)} min`;
  if (passed < 86400) return `${Math.floor(passed / 3600)} h`;
  return `${Math.floor(passed / 86400)} d`;
}
