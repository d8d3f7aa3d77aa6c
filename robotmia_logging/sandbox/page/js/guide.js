// What to do when nothing has arrived yet: with this page's own address, ready to paste.

import { byId, element } from "./dom.js";

const EVENT = { event: "Signed Up", properties: { token: "dev", distinct_id: "ada", plan: "pro" } };

/** Show the guide, or take it away. */
export function showGuide(isEmpty) {
  const guide = byId("guide");
  if (isEmpty && !guide.childElementCount) guide.replaceChildren(...steps(location.origin));
  guide.hidden = !isEmpty;
}

function steps(origin) {
  return [
    element("h2", {}, "Nothing has arrived yet"),
    element("p", {}, "What your program logs appears here as it arrives. Point it at this sandbox:"),
    code(`ROBOTMIA_URL=${origin} ROBOTMIA_TOKEN=dev python app.py`),
    element("p", {}, "Or try it from Python:"),
    code(
      [
        "import logging",
        "import robotmia_logging",
        "",
        `handler = robotmia_logging.RobotmiaHandler(token="dev", url="${origin}")`,
        "logging.basicConfig(level=logging.INFO, handlers=[handler])",
        'logging.info("signed up", extra={"event": "Signed Up", "distinct_id": "ada", "plan": "pro"})',
      ].join("\n"),
    ),
    element("p", {}, "Or from a shell:"),
    code(`curl '${origin}/track/?verbose=1' --data-urlencode 'data=${btoa(JSON.stringify(EVENT))}'`),
  ];
}

function code(text) {
  return element("pre", { class: "code", tabindex: "0" }, text);
}
