// Puts the page together: the address chooses a view, the live connection feeds it.

import { filters, onPlace } from "./address.js";
import { get, ifReachable } from "./api.js";
import { showDetails, startDetails } from "./details.js";
import { byId } from "./dom.js";
import { startKeys } from "./keys.js";
import { Live } from "./live.js";
import { Pace } from "./pace.js";
import { showConnection, showFaults, showTotals, startClearing } from "./status.js";
import { StreamView } from "./stream_view.js";
import { UserView } from "./user_view.js";
import { UsersView } from "./users_view.js";

const TICK_MS = 5000;

const views = { stream: new StreamView(), users: new UsersView(), user: new UserView() };
let shown = null;
let asked = null;
let followed = {};

const summary = new Pace(async () => {
  const of = followed;
  const found = await get("/sandbox/summary", of);
  if (of !== followed) return;
  showTotals(found.totals);
  views[shown].summarized?.(found);
});
const live = new Live({
  arrivals(batch) {
    views[shown].arrived(batch);
    summary.ask();
  },
  reset() {
    views[shown].reset();
    summary.now();
  },
  state: showConnection,
});

function show(place) {
  const name = place.user ? "user" : place.view === "users" ? "users" : "stream";
  const asks = JSON.stringify([name, place.user, name === "stream" && filters(place)]);
  if (asks !== asked) {
    asked = asks;
    enter(name, place);
  }
  ifReachable(showDetails(place.message));
  views.stream.mark(place.message);
}

function enter(name, place) {
  if (shown !== null && shown !== name) scrollTo({ top: 0 });
  shown = name;
  for (const section of Object.keys(views)) byId(section).hidden = section !== name;
  byId("to-stream").toggleAttribute("aria-current", name === "stream");
  byId("to-users").toggleAttribute("aria-current", name !== "stream");
  followed = views[name].enter(place);
  live.follow(followed);
  summary.now();
}

startClearing();
startDetails();
startKeys({ pause: () => views.stream.pause() });
onPlace(show);
showFaults();
setInterval(() => {
  if (document.hidden) return;
  showFaults();
  summary.ask(); // time goes on also while nothing arrives
}, TICK_MS);
