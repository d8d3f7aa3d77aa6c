"""What arrives, as server-sent events: tested by hand-made looks, without waiting."""

import asyncio
import json
import socket
import time
from collections.abc import Callable
from typing import Any

import pytest
import requests
from sandbox_client import Sandbox, event

from robotmia_logging.sandbox.reading.event_stream import KEEP_ALIVE, EventStream, event_text
from robotmia_logging.sandbox.reading.stream import KEEP_ALIVE_S, LOOK_S, MAX_ITEMS, Place, follow
from robotmia_logging.sandbox.server import SandboxServer
from robotmia_logging.sandbox.store.records import Accepted, Arrival, Filters, Rejected
from robotmia_logging.sandbox.store.store import Store

ARRIVAL = Arrival(endpoint="track", arrived=1_700_000_000)
FILTERS = Filters(limit=MAX_ITEMS)


def accept(store: Store, *names: str) -> None:
    messages = [
        Accepted(message={"event": name, "properties": {}}, event=name, user="ada", time=1_700_000_000)
        for name in names
    ]
    store.accept(ARRIVAL, messages)


def looks(store: Store, *between: Callable[[], None], filters: Filters = FILTERS, seen: str = "") -> list[str]:
    """What a page is sent when these things happen between its looks."""
    steps = list(between)
    ended = False

    async def sleep(_seconds: float) -> None:
        nonlocal ended
        if steps:
            steps.pop(0)()
        else:
            ended = True

    async def read() -> list[str]:
        start = Place(run="r", epoch=store.epoch, number=0)
        place = Place.read(seen) or start
        return [text async for text in follow(store, filters, place, start, closing=lambda: ended, sleep=sleep)][1:]

    return asyncio.run(read())


def parsed(text: str) -> tuple[str, str, Any]:
    """An event's name, number and data."""
    fields = dict(line.split(": ", 1) for line in text.splitlines() if line)
    return fields["event"], fields.get("id", ""), json.loads(fields["data"])


def names(text: str) -> list[str]:
    return [item["event"] for item in parsed(text)[2]["items"]]


@pytest.fixture
def store():
    with Store() as opened:
        yield opened


def test_a_page_starts_with_what_is_there_and_goes_on_with_what_arrives(store: Store) -> None:
    """First comes what is there, then what arrives, each once and in order."""
    accept(store, "A", "B")
    sent = looks(store, lambda: accept(store, "C"), lambda: None, lambda: accept(store, "D", "E"))
    assert [names(text) for text in sent] == [["A", "B"], ["C"], ["D", "E"]]


def test_an_empty_store_is_said_to_be_empty(store: Store) -> None:
    """A page learns that nothing is there, once."""
    assert [parsed(text)[2] for text in looks(store, lambda: None, lambda: None)] == [{"items": [], "skipped": 0}]


def test_a_flood_is_cut_to_the_newest_and_the_rest_is_counted(store: Store) -> None:
    """Of more than fit into one event the newest are sent, with the number of those before them."""
    (first, second) = looks(store, lambda: accept(store, *map(str, range(250))))
    assert names(first) == []
    assert names(second) == [str(n) for n in range(250 - MAX_ITEMS, 250)]
    assert parsed(second)[2]["skipped"] == 250 - MAX_ITEMS


def test_only_what_passes_the_filters_is_sent(store: Store) -> None:
    """Others are neither sent nor counted, and refusals are sent with their error."""
    accept(store, "A", "B")
    assert [names(text) for text in looks(store, lambda: accept(store, "B"), filters=Filters(event="A", limit=9))] == [
        ["A"]
    ]
    store.refuse(ARRIVAL, Rejected(error="no", what={"data": "x"}))
    (text,) = looks(store, filters=Filters(refused=True, limit=9))
    assert parsed(text)[2]["items"][0]["error"] == "no"


def test_a_page_that_comes_back_goes_on_where_it_was(store: Store) -> None:
    """With the number of the last event it saw, it gets what arrived since."""
    accept(store, "A", "B")
    _, number, _ = parsed(looks(store)[0])
    accept(store, "C")
    assert [names(text) for text in looks(store, seen=number)] == [["C"]]


def test_forgetting_everything_is_told(store: Store) -> None:
    """After a reset the page is told so, and gets what arrived since from the beginning."""
    accept(store, "A", "B")

    def reset() -> None:
        store.clear()
        accept(store, "C")

    first, told, second = looks(store, reset)
    assert (names(first), parsed(told)[0], names(second)) == (["A", "B"], "reset", ["C"])


@pytest.mark.parametrize("seen", ["other-0-1", "r-7-1", "r-0-99"])
def test_a_place_of_another_run_is_a_reset(store: Store, seen: str) -> None:
    """A place of another server, of what was forgotten, or ahead of everything, counts for nothing."""
    accept(store, "A", "B")
    told, text = looks(store, seen=seen)
    assert (parsed(told)[0], names(text)) == ("reset", ["A", "B"])


@pytest.mark.parametrize("text", ["", "5", "r-x-1", "r-1-", "r-1-" + "9" * 50, "r--1-1"])
def test_a_place_that_is_none_is_ignored(text: str) -> None:
    """What a client gives back may be anything."""
    assert Place.read(text) is None


def test_a_quiet_stream_shows_that_it_is_alive(store: Store) -> None:
    """A comment every 15 seconds keeps the connection."""
    rounds = int(2 * KEEP_ALIVE_S / LOOK_S)
    assert looks(store, *[lambda: None] * rounds)[1:] == [KEEP_ALIVE, KEEP_ALIVE]


def test_any_text_is_one_line_of_an_event() -> None:
    """Line breaks in what was sent can't end an event, or begin another."""
    text = event_text("arrivals", {"x": "a\n\ndata: b\r\u2028c"}, "n")
    assert parsed(text) == ("arrivals", "n", {"x": "a\n\ndata: b\r\u2028c"})
    assert text.count("\n") == 4
    assert len(text.splitlines()) == 4


def test_long_messages_are_cut_to_what_a_list_shows(store: Store) -> None:
    """Of a huge message a page is sent what it shows of it, the name whole."""
    deep: Any = 1
    for _ in range(150):
        deep = [deep]
    message = {"event": "E", "properties": {"text": "x" * 10**6, "list": [1] * 10**5, "deep": deep, "number": 10**30}}
    store.accept(ARRIVAL, [Accepted(message=message, event="E", user=None, time=1)])
    (text,) = looks(store)
    assert len(text) < 1000
    assert parsed(text)[2]["items"][0]["message"]["properties"]["number"] == 10**30


def test_the_stream_is_served(sandbox: Sandbox) -> None:
    """Over HTTP: the right type, what is there, then what arrives."""
    sandbox.send("track", event("A"))
    with sandbox.session.get(sandbox.server.url + "/sandbox/stream", stream=True, timeout=10) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        lines = response.iter_lines()
        assert '"event":"A"' in next(line for line in lines if line.startswith(b"data")).decode()
        sandbox.send("track", event("B"))
        assert '"event":"B"' in next(line for line in lines if line.startswith(b"data")).decode()


def test_a_bad_filter_is_refused(sandbox: Sandbox) -> None:
    """A wrong filter is an error in words, not an empty stream."""
    response = sandbox.get("/sandbox/stream", endpoint="nope")
    assert response.status_code == 400
    assert "endpoint" in response.json()["error"]


def test_open_streams_dont_delay_the_end_of_the_server() -> None:
    """Neither a page that reads nor one that stopped reading holds up the server's end."""
    with SandboxServer() as server:
        reading = requests.get(server.url + "/sandbox/stream", stream=True, timeout=10)
        stuck = socket.create_connection(("127.0.0.1", server.port))
        stuck.sendall(b"GET /sandbox/stream HTTP/1.1\r\nHost: x\r\n\r\n")
        assert stuck.recv(100)
        start = time.monotonic()
    assert time.monotonic() - start < 2
    reading.close()
    stuck.close()


def test_a_client_that_stopped_reading_is_reset():
    """When the server ends, a stream whose client takes nothing any more is reset, and holds nothing up."""

    async def events():
        yield "data: 1\n\n"

    async def end():
        stuck, resets = asyncio.Event(), []

        async def send(message):
            await stuck.wait()

        async def receive():
            await asyncio.Event().wait()

        def reset(scope):
            resets.append(scope["path"])
            stuck.set()

        await EventStream(events(), lambda: True, reset)({"type": "http", "path": "/sandbox/stream"}, receive, send)
        return resets

    assert asyncio.run(end()) == ["/sandbox/stream"]
