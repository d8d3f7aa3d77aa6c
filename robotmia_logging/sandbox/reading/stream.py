"""What arrives, while it arrives: each open page looks for what is new, and takes at most what it can show.

Nothing is queued for a page. One that reads slowly, or looks away, costs nothing, and misses only what it
is told it missed.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from robotmia_logging.sandbox.faults import Network
from robotmia_logging.sandbox.reading.arrivals import entry_json
from robotmia_logging.sandbox.reading.brief import brief
from robotmia_logging.sandbox.reading.event_stream import KEEP_ALIVE, EventStream, event_text
from robotmia_logging.sandbox.reading.filters import BadFilter, read_filters
from robotmia_logging.sandbox.reading.respond import refuse
from robotmia_logging.sandbox.store.records import Entry, Filters
from robotmia_logging.sandbox.store.store import Store

Sleep = Callable[[float], Awaitable[None]]

MAX_ITEMS = 100
LOOK_S = 0.25
KEEP_ALIVE_S = 15
_LOOKS_TO_KEEP_ALIVE = int(KEEP_ALIVE_S / LOOK_S)


def stream_route(store: Store, host: Network, *, sleep: Sleep = asyncio.sleep) -> Route:
    """The endpoint `/sandbox/stream`.

    It starts with the newest entries that pass the filters, as many as one event takes, or goes on after the
    id in `after`, or the place that a client gives back in `Last-Event-ID` or `seen`. An event `arrivals` has
    the `items` in arrival order, and says how many older ones were `skipped`. An event `reset` says that all
    that was sent before is gone. Of long messages there is what a list shows; `/sandbox/arrivals/{id}` has all.

    Args:
        store: where entries are.
        host: says whether the server ends: streams end with it, and those that nobody reads are reset.
        sleep: waits so many seconds between two looks.
    """
    run = secrets.token_hex(4)  # another server, or this one started anew, counts from 1 again

    async def stream(request: Request) -> Response:
        try:
            filters = read_filters(request.query_params, limit=MAX_ITEMS, allowed=("seen",))
        except BadFilter as error:
            return refuse(str(error), 400)
        place = Place(run=run, epoch=store.epoch, number=filters.after or 0)
        last = request.headers.get("last-event-id") or request.query_params.get("seen", "")
        seen = Place.read(last) or place
        events = follow(store, filters, seen, place, closing=host.is_closing, sleep=sleep)
        return EventStream(events, host.is_closing, host.reset)

    return Route("/sandbox/stream", stream)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """How far a page has read, in a text that survives its connection.

    Attributes:
        run: which run of the server.
        epoch: how often the store had been emptied.
        number: the id of the last entry.
    """

    run: str
    epoch: int
    number: int

    def __str__(self) -> str:
        return f"{self.run}-{self.epoch}-{self.number}"

    @classmethod
    def read(cls, text: str) -> "Place | None":
        """The place that a text stands for; None when it is none of ours."""
        run, _, rest = text.partition("-")
        epoch, _, number = rest.partition("-")
        if not (epoch.isdecimal() and number.isdecimal() and len(rest) < 2 * len(str(2**63))):
            return None
        return cls(run=run, epoch=int(epoch), number=int(number))

    def holds(self, store: Store, run: str) -> bool:
        """Whether the store still counts as it did."""
        return self.run == run and self.epoch == store.epoch and self.number <= store.last_id


async def follow(
    store: Store, filters: Filters, seen: Place, start: Place, *, closing: Callable[[], bool], sleep: Sleep
) -> AsyncIterator[str]:
    """The events of one page.

    Args:
        store: where entries are.
        filters: which of them.
        seen: how far the page has read.
        start: where a page that has read nothing stands in this run.
        closing: whether the server ends.
        sleep: waits so many seconds.

    Yields:
        The text of an event, or of a comment when there was none for a while.
    """
    yield "retry: 1000\n\n"
    run, place, looks, told = start.run, seen, 0, False
    while not closing():
        if not place.holds(store, run):
            place, told = Place(run=run, epoch=store.epoch, number=0), False
            yield event_text("reset", {}, str(place))
        # A page that has read nothing is told so too: then it knows that nothing is there.
        if place.number < store.last_id or not told:
            number = store.last_id
            found = await run_in_threadpool(_look, store, replace(filters, after=place.number))
            place = replace(place, number=max([number, *(item["id"] for item in found["items"])]))
            if found["items"] or not told:
                yield event_text("arrivals", found, str(place))
                looks, told = 0, True
        looks += 1
        if looks % _LOOKS_TO_KEEP_ALIVE == 0:
            yield KEEP_ALIVE
        await sleep(LOOK_S)


def _look(store: Store, filters: Filters) -> dict[str, Any]:
    """What is new."""
    entries = store.entries(filters)
    skipped = 0
    if len(entries) == filters.limit:
        skipped = store.count(replace(filters, before=entries[0].id, limit=None))
    return {"items": [_item(entry) for entry in entries], "skipped": skipped}


def _item(entry: Entry) -> dict[str, Any]:
    return entry_json(replace(entry, body=brief(entry.body), error=brief(entry.error)))
