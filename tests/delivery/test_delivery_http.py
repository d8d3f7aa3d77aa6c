"""Delivery over real HTTP, to servers that misbehave: what is lost, what is taken twice, and what is waited for."""

from __future__ import annotations

import json
import logging
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections import Counter
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from robotmia_logging import RobotmiaHandler
from robotmia_logging.delivery import Clock, Delivery, DeliverySettings, Parcel, Verdict
from robotmia_logging.delivery.http import HttpTransport
from robotmia_logging.messages import IMPORT_AGE_S, MAX_BATCH, seal_update
from tests import hostile
from tests.delivery.fakes import WALL, adds_up, event, update
from tests.hostile import OK, Behaviour, HostileServer, accept, status

NAMES = [f"e{i}" for i in range(30)]
PAGE = b"<!doctype html><title>Go away</title>" + b"<p>no</p>" * 10_000


@contextmanager
def delivering(server, *, random=lambda: 0.0, wall=lambda: WALL, say=lambda _line: None, **options):
    """A delivery to the server, without backoff waits; at the end all is settled and the account adds up."""
    given = {"url": server.url, "flush_interval": 60.0, "timeout": (2.0, 2.0), "shutdown_timeout": 4.0, **options}
    delivery = Delivery(DeliverySettings(**given), clock=Clock(random=random, time=wall), say=say)
    try:
        yield delivery
        assert adds_up(delivery)
        assert server.violations == []
    finally:
        settled = delivery.close()
        delivery.stand_still(0.0)  # a test that failed leaves no senders to disturb the others
    assert settled
    assert delivery.stats().pending == 0


def put(delivery, names=NAMES, users=3):
    """Log an event for each name, of several users in turn."""
    for i, name in enumerate(names):
        delivery.put(event(name, f"u{i % users}"))


def taken(server):
    """The names of the events that the server took, in its order."""
    return [message["event"] for _path, message in server.taken]


def names_of(request):
    return [message["event"] for message in request.messages]


def transport_to(url, **options):
    return HttpTransport(DeliverySettings(url=url, **{"timeout": (1.0, 1.0), **options}))


def raw(data, *, close=False, take=False, early=False):
    """Reply with exactly these bytes."""

    def step(connection, request):
        if take:
            connection.server.note(taken=request)
        connection.sock.sendall(data)
        if close:
            connection.close()

    return Behaviour("raw", (step,), early=early)


def endless(head, piece, *, interval=0.0):
    """Take the messages, then reply for ever, until the client has had enough."""

    def step(connection, request):
        connection.server.note(taken=request)
        connection.sock.sendall(head)
        while not connection.ended.wait(interval):
            connection.sock.sendall(piece)

    return Behaviour("endless", (step,))


ENDLESS_BODY = endless(b"HTTP/1.1 200 OK\r\n\r\n", b"1" * 10_000)
ENDLESS_CHUNKS = endless(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"4\r\n1111\r\n" * 500)
ENDLESS_HEADERS = endless(b"HTTP/1.1 200 OK\r\n", b"X-More: and more\r\n" * 50)
ENDLESS_LINE = endless(b"HTTP/1.1 200 OK\r\nX-Long: ", b"x" * 10_000)
HALF_A_CHUNK = raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n16\r\n" + OK + b"\r\n", close=True, take=True)
HUGE = Behaviour("huge", (*accept.steps[:1], hostile._send(b" " * 1_000_000 + b"1")))

# --- what is worth another try


@pytest.mark.parametrize(
    "trouble",
    [
        pytest.param(status(503), id="503"),
        pytest.param(status(500), id="500"),
        pytest.param(status(502), id="502"),
        pytest.param(status(504), id="504"),
        pytest.param(status(408), id="408"),
        pytest.param(status(408, {"Connection": "close"}), id="408 and close"),
        pytest.param(status(429), id="429"),
        pytest.param(status(503, body=PAGE), id="503 with a long page"),
        pytest.param(status(204), id="204"),
        pytest.param(status(304), id="304"),
        pytest.param(hostile.reset_before, id="reset before the body was read"),
        pytest.param(hostile.close_silently(), id="closed without a reply"),
        pytest.param(hostile.hang(), id="hang"),
        pytest.param(raw(b"not HTTP at all\r\n\r\n", close=True), id="not HTTP"),
        pytest.param(raw(b"HTTP/1.1 200", close=True), id="half a status line"),
        pytest.param(raw(b"HTTP/1.1 200 OK\r\nContent-Le", close=True), id="half a header"),
        pytest.param(raw(b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", close=True), id="no length"),
        pytest.param(raw(b"HTTP/1.1 -7 ??\r\n\r\n", close=True), id="no status"),
        pytest.param(raw(b"\x00" * 100_000, close=True), id="zeroes"),
    ],
)
def test_a_failure_loses_nothing_and_doubles_nothing(trouble):
    """After a request that the server did not take, everything arrives, once and in order."""
    with HostileServer([trouble]) as server, delivering(server, timeout=(2.0, 0.3)) as delivery:
        server._script = iter([trouble, trouble, accept])
        put(delivery)
        assert delivery.flush()
        assert taken(server) == NAMES
        stats = delivery.stats()
        assert (stats.delivered, stats.requests, stats.retries) == (30, 3, 2)
        assert stats.dead_lettered == {}


@pytest.mark.parametrize(
    "trouble",
    [
        pytest.param(hostile.reset_after, id="reset after it was taken"),
        pytest.param(hostile.close_silently(taken=True), id="closed without a reply"),
        pytest.param(hostile.hang(taken=True), id="hang"),
        pytest.param(hostile.html, id="a page"),
        pytest.param(hostile.truncated, id="half a reply"),
        pytest.param(hostile.trickle(interval=0.05), id="trickle past the read timeout"),
        pytest.param(ENDLESS_BODY, id="a reply without end"),
        pytest.param(ENDLESS_CHUNKS, id="chunks without end"),
        pytest.param(ENDLESS_HEADERS, id="headers without end"),
        pytest.param(ENDLESS_LINE, id="a header line without end"),
        pytest.param(HALF_A_CHUNK, id="a chunked reply without its end"),
        pytest.param(HUGE, id="a huge reply"),
        pytest.param(status(502, taken=True), id="502"),
        pytest.param(status(504, taken=True), id="504"),
    ],
)
def test_a_lost_reply_costs_at_most_a_second_copy(trouble):
    """When the server took a batch and the reply was lost, the batch is sent again, whole, once, in order."""
    with HostileServer() as server, delivering(server, timeout=(2.0, 0.3)) as delivery:
        server._script = iter([trouble, accept])
        put(delivery)
        assert delivery.flush()
        assert taken(server) == NAMES * 2
        stats = delivery.stats()
        assert (stats.delivered, stats.requests, stats.retries, stats.accepted) == (30, 2, 1, 30)


@pytest.mark.parametrize(
    "kind",
    [
        pytest.param(accept, id="status 1"),
        pytest.param(hostile.accept_plain, id="a plain 1"),
        pytest.param(hostile.trickle(interval=0.002), id="a trickle, fast enough"),
        pytest.param(hostile.latency(0.1), id="late"),
        pytest.param(raw(b"HTTP/1.1 200 OK\r\n\r\n1", close=True, take=True), id="until the end of the connection"),
        pytest.param(
            raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n1\r\n0\r\n\r\n", take=True), id="in chunks"
        ),
        pytest.param(
            raw(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n1", take=True), id="100"
        ),
        pytest.param(raw(b"HTTP/1.0 200 OK\r\n\r\n1", close=True, take=True), id="HTTP/1.0"),
        pytest.param(
            raw(b"HTTP/1.1 200\r\ncontent-length:1\r\nRetry-After: 3600\r\n\r\n1", take=True), id="odd but right"
        ),
    ],
)
def test_success_in_any_form(kind):
    """A reply that says 1 is a success, in whichever way HTTP carries it, and nothing is sent twice."""
    with HostileServer(kind) as server, delivering(server) as delivery:
        for _ in range(2):
            put(delivery)
            assert delivery.flush()
        assert taken(server) == NAMES * 2
        stats = delivery.stats()
        assert (stats.delivered, stats.requests, stats.retries, stats.last_error) == (60, 2, 0, None)


@pytest.mark.parametrize("interval", [0.05, 0.2])
@pytest.mark.parametrize("what", ["head", "interim replies"])
def test_a_trickling_head_ends_with_the_read_timeout(what, interval):
    """A server that never finishes its reply's head, a little at a time, holds a sender up for one read timeout."""
    head = b"HTTP/1.1 200 OK\r\nX-Slow: " if what == "head" else b""
    piece = b"x" if what == "head" else b"HTTP/1.1 100 Continue\r\n\r\n"
    with (
        HostileServer([endless(head, piece, interval=interval), accept]) as server,
        delivering(server, timeout=(2.0, 0.3)) as delivery,
    ):
        put(delivery)
        done = delivery.flush(2.0)
        server.refuse_connections()  # lets the sender go
        server.accept_connections()
        assert done


def test_an_unasked_reply_is_nobodys():
    """A second reply that nobody asked for isn't taken for the answer to the next request."""
    two = OK_REPLY + OK_REPLY
    with (
        HostileServer([raw(two, take=True), hostile.refuse("no"), hostile.refuse("no")]) as server,
        delivering(server) as delivery,
    ):
        put(delivery, ["a"])
        assert delivery.flush()
        put(delivery, ["b"])
        assert delivery.flush()
        assert taken(server) == ["a"]
        assert delivery.stats().dead_lettered == {"refused": 1}


OK_REPLY = b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n1"


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_a_redirect_is_never_followed(code):
    """A redirect is a failure that is tried again where it was; nothing is sent to where it points."""
    with HostileServer() as elsewhere:
        with (
            HostileServer([hostile.redirect(elsewhere.url + "/track/", code), accept]) as server,
            delivering(server) as delivery,
        ):
            put(delivery)
            assert delivery.flush()
            assert taken(server) == NAMES
            assert delivery.stats().retries == 1
        assert elsewhere.connections == 0


def test_an_outage_delays_and_loses_nothing():
    """Messages logged while connections are refused arrive once the server is back, once and in order."""
    with HostileServer() as server, delivering(server, random=lambda: 0.1) as delivery:
        put(delivery, ["before"])
        assert delivery.flush()
        server.refuse_connections()
        put(delivery)
        assert delivery.flush(0.1) is False
        stats = delivery.stats()
        assert stats.pending == 30
        assert stats.retries > 0
        assert "refused" in stats.last_error
        server.accept_connections()
        assert delivery.flush()
        assert taken(server) == ["before", *NAMES]


def test_a_server_that_dies_in_every_way_gets_everything():
    """Through a long row of different failures nothing is lost, and only lost replies make second copies."""
    troubles = [
        status(503), hostile.reset_after, status(429), hostile.html, hostile.reset_before, accept, hostile.truncated,
        status(408), hostile.close_silently(taken=True), hostile.stale, accept, hostile.close_idle, status(500),
        accept,
    ]  # fmt: skip
    with HostileServer(troubles) as server, delivering(server, timeout=(2.0, 0.3)) as delivery:
        for start in range(0, 600, 100):
            put(delivery, [f"n{i}" for i in range(start, start + 100)], users=7)
            delivery.flush()
        assert delivery.flush()
        first = list(dict.fromkeys(taken(server)))
        assert set(first) == {f"n{i}" for i in range(600)}
        for user in range(7):
            of_user = [name for name in first if int(name[1:]) % 100 % 7 == user]
            assert of_user == sorted(of_user, key=lambda name: int(name[1:]))
        lost_replies = sum(1 for request in server.requests if request.taken) - 12
        assert len(taken(server)) - 600 <= 50 * lost_replies
        assert delivery.stats().delivered == 600


# --- stale connections


@pytest.mark.parametrize("end", [hostile.stale, hostile.close_idle], ids=["reset at the next request", "closed idle"])
def test_a_stale_connection_is_retried_at_once(end):
    """A kept-alive connection that turns out dead costs a new connection, not a backoff."""
    backoffs = []
    with (
        HostileServer([end, accept]) as server,
        delivering(server, random=lambda: backoffs.append(1) or 1.0) as delivery,
    ):
        put(delivery, ["a"])
        assert delivery.flush()
        if end is hostile.close_idle:
            assert server.wait_for(lambda server: server.open_connections == 0)
        put(delivery, ["b"])
        assert delivery.flush()
        assert taken(server) == ["a", "b"]
        assert (server.connections, backoffs) == (2, [])


def test_a_connection_is_kept_alive():
    """One connection serves request after request."""
    with HostileServer() as server, delivering(server) as delivery:
        for i in range(5):
            put(delivery, [f"e{i}"])
            assert delivery.flush()
        assert (len(server.requests), server.connections) == (5, 1)


def test_a_server_that_always_hangs_up_is_no_stale_connection():
    """The second failure in a row is an outage: the retry that costs nothing is given once."""
    backoffs = []
    troubles = [accept, hostile.close_silently(), hostile.close_silently(), accept]
    with HostileServer(troubles) as server, delivering(server, random=lambda: backoffs.append(1) or 0.0) as delivery:
        for name in "ab":
            put(delivery, [name])
            assert delivery.flush()
        assert taken(server) == ["a", "b"]
        assert len(backoffs) == 1


# --- waiting


def test_a_wait_of_so_many_seconds_is_honoured():
    """After `Retry-After: 1` the next request comes no sooner than a second later, though somebody flushes."""
    with HostileServer([status(429, retry_after=1), accept]) as server, delivering(server) as delivery:
        put(delivery)
        assert delivery.flush(0.2) is False
        assert delivery.flush(0.2) is False
        assert len(server.requests) == 1
        assert delivery.flush()
        first, second = server.requests
        assert 1.0 <= second.at - first.at < 2.0
        assert taken(server) == NAMES


def test_a_wait_until_a_date_is_honoured():
    """After `Retry-After` with a date the next request comes no sooner than that."""
    until = (datetime.now(timezone.utc) + timedelta(seconds=2)).replace(microsecond=0)
    with HostileServer([status(503, retry_after=until), accept]) as server, delivering(server) as delivery:
        put(delivery)
        assert delivery.flush(0.1) is False
        assert delivery.flush()
        skew = time.time() - time.monotonic()
        assert until.timestamp() <= server.requests[1].at + skew + 0.005
        assert taken(server) == NAMES


@pytest.mark.parametrize(
    "trouble",
    [
        pytest.param(status(503, body=PAGE, retry_after=1), id="a long page"),
        pytest.param(
            raw(b"HTTP/1.1 429 ?\r\nRetry-After: 1\r\nContent-Length: 9\r\n\r\nsor", close=True), id="cut short"
        ),
    ],
)
def test_a_wait_is_honoured_whatever_the_body(trouble):
    """A `Retry-After` counts though the reply's body is too long or cut short."""
    with HostileServer([trouble, accept]) as server, delivering(server) as delivery:
        put(delivery)
        assert delivery.flush()
        first, second = server.requests
        assert second.at - first.at >= 1.0


def test_a_success_under_way_does_not_end_the_wait_asked_for():
    """A request that was under way when the server asked for a wait doesn't end that wait by succeeding."""
    release = threading.Event()
    seen = []

    def choose(request):
        seen.append(request)
        if len(seen) == 1:
            return accept
        if len(seen) == 2:
            return hostile.held_until(release)
        return status(429, retry_after=1) if len(seen) == 3 else accept

    with HostileServer(choose) as server, delivering(server, senders=1) as delivery:
        sent = threading.Event()
        first, second = (transport_to(server.url, timeout=(30.0, 30.0)) for _ in range(2))
        put(delivery, ["warm up"])
        assert delivery.flush()
        # Two senders' work, by hand: one is held at the server while the other is asked to wait.
        delivery.put(event("held", "a"))
        held = _take_due(delivery)
        thread = threading.Thread(target=lambda: (delivery.deliver(held, first), sent.set()))
        thread.start()
        assert server.wait_for(lambda server: len(server.requests) == 2)
        other = next(user for user in map(str, range(100)) if hash(user) % 16 != hash("a") % 16)  # another lane
        delivery.put(event("asked to wait", other))
        delivery.deliver(_take_due(delivery), second)
        release.set()
        assert sent.wait(5)
        thread.join()
        first.close()
        second.close()
        assert delivery.flush()
        asked, then = (request for request in server.requests if "asked to wait" in names_of(request))
        assert then.at - asked.at >= 1.0


def _take_due(delivery):
    with delivery.exclusive() as dispatch:
        dispatch.hurry()
        batch = dispatch.choose(time.monotonic(), WALL, deep=True)
    assert batch is not None
    return batch


def test_our_own_backoff_is_cut_by_a_flush():
    """A flush tries again at once instead of waiting for our own backoff."""
    with HostileServer([*[status(503)] * 6, accept]) as server, delivering(server, random=lambda: 1.0) as delivery:
        put(delivery)
        for _ in range(50):
            if delivery.flush(0.05):
                break
        assert taken(server) == NAMES
        assert server.requests[-1].at - server.requests[0].at < 5.0  # the backoffs alone make 31.5 s


def test_a_backoff_is_waited_for():
    """Without a flush the next request comes a backoff later, the second one twice as long after."""
    with (
        HostileServer([status(503), status(503), accept]) as server,
        delivering(server, random=lambda: 0.4, flush_interval=0.01) as delivery,
    ):
        put(delivery)
        assert server.wait_for(lambda server: server.taken)
        first, second, third = (request.at for request in server.requests)
        assert second - first >= 0.2
        assert third - second >= 0.4


def test_while_the_endpoint_is_down_one_probe_goes_out():
    """When eight senders fail, one request at a time tries whether the endpoint is back."""
    senders, all_there, lock, calm = 8, threading.Event(), threading.Lock(), threading.Event()
    wave, probes, most = [], [], [0]

    def down(connection, request):
        with lock:
            first = not all_there.is_set()
            (wave if first else probes).append(request)
            place = len(wave)
            if len(wave) == senders:
                all_there.set()
        if first:
            all_there.wait(5)
            connection.ended.wait(0.03 * place)  # one after another
        else:
            with lock:
                under_way.append(request)
                most[0] = max(most[0], len(under_way))
            connection.ended.wait(0.05)
            with lock:
                under_way.remove(request)
            if len(probes) >= 10:
                calm.set()
        hostile._send(b"", 503)(connection, request)

    under_way = []

    def choose(request):
        if calm.is_set():
            return accept
        return hostile.latency(0.05) if len(server.requests) <= 3 else Behaviour("down", (down,))

    with HostileServer(choose) as server, delivering(server, senders=senders) as delivery:
        names = [f"n{i}" for i in range(2000)]
        put(delivery, names, users=200)
        assert delivery.flush(20)
        assert calm.is_set()
        assert len(wave) == senders
        assert most == [1]
        assert Counter(taken(server)) == Counter(names)


# --- what is not worth another try


def is_bad(message):
    return "bad" in message["properties"]


def bad_and_good(bad, users=7):
    return [event(f"e{i}", f"u{i % users}", **({"bad": 1} if i in bad else {})) for i in range(MAX_BATCH)]


def check_halving(bad, path):
    """Deliver a batch with bad messages in these places, and check every promise about it."""
    with HostileServer(hostile.refuse_if(is_bad, "not on a Sunday")) as server:
        with delivering(server, dead_letters=path, capacity=MAX_BATCH) as delivery:
            for message in bad_and_good(bad):
                delivery.put(message)
            assert delivery.flush()
            stats = delivery.stats()
        good = [f"e{i}" for i in range(MAX_BATCH) if i not in bad]
        assert taken(server) == good
        assert stats.dead_lettered == ({"refused": len(bad)} if bad else {})
        assert (stats.delivered, stats.retries) == (len(good), 0)
        # The requests that settled something, one after another, are the batch in order: the left half first.
        settled = [name for r in server.requests if r.taken or len(r.messages) == 1 for name in names_of(r)]
        assert settled == [f"e{i}" for i in range(MAX_BATCH)]
        sizes = [len(request.messages) for request in server.requests]
        assert sizes[0] == MAX_BATCH
        if bad:
            assert names_of(server.requests[1]) == [f"e{i}" for i in range(25)]
            letters = [json.loads(line) for line in path.read_text().splitlines()]
            path.unlink()
            assert [letter["message"]["event"] for letter in letters] == [f"e{i}" for i in sorted(bad)]
            assert {letter["error"] for letter in letters} == {"not on a Sunday"}
            assert {letter["reason"] for letter in letters} == {"refused"}
        assert len(sizes) <= 1 + 2 * 6 * len(bad)


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param(set(), id="none"),
        pytest.param({0}, id="the first"),
        pytest.param({49}, id="the last"),
        pytest.param({24, 25}, id="on both sides of the middle"),
        pytest.param({0, 49}, id="first and last"),
        pytest.param(set(range(0, 50, 2)), id="every other"),
        pytest.param(set(range(25)), id="the left half"),
        pytest.param(set(range(25, 50)), id="the right half"),
        pytest.param(set(range(50)), id="all"),
    ],
)
def test_a_refused_batch_is_halved(bad, tmp_path):
    """Of a refused batch the good messages arrive once and in order, the bad ones are dead letters with the reason."""
    check_halving(bad, tmp_path / "dead.jsonl")


@settings(max_examples=15, deadline=None)
@given(bad=st.sets(st.integers(0, MAX_BATCH - 1), max_size=12))
def test_a_refused_batch_is_halved_wherever_the_culprits_are(bad, tmp_path_factory):
    """The same for any places of the bad messages."""
    check_halving(bad, tmp_path_factory.mktemp("dead") / "dead.jsonl")


def test_halving_goes_on_after_a_failure():
    """A failure in the middle of a halving costs a retry of that part, not a second copy of the others."""
    plan = {2: status(503), 4: hostile.close_silently(), 6: status(429), 9: hostile.reset_before}

    def choose(request):
        behaviour = plan.get(len(server.requests))
        return behaviour or hostile.refuse_if(is_bad)

    with HostileServer(choose) as server, delivering(server) as delivery:
        for message in bad_and_good({3, 30}):
            delivery.put(message)
        assert delivery.flush()
        assert taken(server) == [f"e{i}" for i in range(50) if i not in (3, 30)]
        assert delivery.stats().dead_lettered == {"refused": 2}


def test_what_was_logged_later_waits_for_a_halving():
    """Messages of a user logged during a halving arrive after those before them."""
    with HostileServer(hostile.refuse_if(is_bad)) as server, delivering(server, capacity=10) as delivery:
        for i in range(100):
            delivery.put(event(f"e{i}", "one", **({"bad": 1} if i % 9 == 4 else {})))
        assert delivery.flush()
        assert taken(server) == [f"e{i}" for i in range(100) if i % 9 != 4]


def test_a_plain_zero_is_a_refusal(tmp_path):
    """A body of `0` refuses like status 0: each message ends as a dead letter, tried alone."""
    with HostileServer(hostile.refuse_plain) as server:
        with delivering(server, dead_letters=tmp_path / "dead") as delivery:
            put(delivery, ["a", "b", "c"])
            assert delivery.flush()
            assert delivery.stats().dead_lettered == {"refused": 3}
            assert [len(request.messages) for request in server.requests] == [3, 2, 1, 1, 1]
        letters = [json.loads(line) for line in (tmp_path / "dead").read_text().splitlines()]
        assert [letter["error"] for letter in letters] == ["refused without a reason"] * 3
        assert [letter["attempts"] for letter in letters] == [3, 4, 5]


@pytest.mark.parametrize("page", [b"", PAGE], ids=["empty", "long page"])
def test_413_halves_the_batch(page):
    """A batch that is too large is halved until its parts aren't, and arrives once and in order."""
    too_large = status(413, body=page)
    with (
        HostileServer(lambda request: too_large if len(request.messages) > 4 else accept) as server,
        delivering(server) as delivery,
    ):
        put(delivery)
        assert delivery.flush()
        assert taken(server) == NAMES
        assert delivery.stats().dead_lettered == {}


def test_a_lone_413_is_a_dead_letter(tmp_path):
    """A message that is too large on its own is a dead letter; those beside it arrive."""

    def choose(request):
        return status(413) if "big" in names_of(request) else accept

    with HostileServer(choose) as server, delivering(server, dead_letters=tmp_path / "dead") as delivery:
        put(delivery, ["a", "b", "big", "c"])
        assert delivery.flush()
        assert taken(server) == ["a", "b", "c"]
        assert delivery.stats().dead_lettered == {"too_large": 1}
    [letter] = [json.loads(line) for line in (tmp_path / "dead").read_text().splitlines()]
    assert (letter["message"]["event"], letter["reason"]) == ("big", "too_large")
    assert letter["error"].startswith("HTTP 413")


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (status(401), "HTTP 401 Unauthorized"),
        (status(403), "HTTP 403 Forbidden"),
        (status(403, body=PAGE), "HTTP 403 Forbidden"),
        (status(401, body=b'{"status": 0, "error": "bad api_key"}'), "HTTP 401 Unauthorized: bad api_key"),
        (status(404), "HTTP 404 Not Found"),
        (status(404, body=PAGE), "HTTP 404 Not Found"),
        (status(400), "HTTP 400 Bad Request"),
        (status(405), "HTTP 405 Method Not Allowed"),
    ],
)
def test_other_4xx_are_not_tried_again(reply, words, tmp_path):
    """Whole batches become dead letters at the first such reply, and one clear line says why."""
    lines, said = [], threading.Event()

    def say(line):
        lines.append(line)
        said.set()

    with HostileServer(reply) as server:
        with delivering(server, say=say, dead_letters=tmp_path / "dead") as delivery:
            for _ in range(3):
                put(delivery)
                assert delivery.flush(5)
            stats = delivery.stats()
        assert (stats.dead_lettered, stats.requests, stats.retries) == ({"rejected": 90}, 3, 0)
        assert words in stats.last_error
        assert said.wait(5)
        assert lines == [f"30 messages can't be delivered (rejected): {words}"]
        letters = [json.loads(line) for line in (tmp_path / "dead").read_text().splitlines()]
        assert [letter["message"]["event"] for letter in letters] == NAMES * 3
        assert {letter["error"] for letter in letters} == {words}


def test_a_400_in_robotmias_words_is_a_refusal():
    """A 400 with status 0 is robotmia's own no: the batch is halved and only the culprit is lost."""

    def choose(request):
        bad = any(map(is_bad, request.messages))
        return status(400, body=b'{"status": 0, "error": "bad"}') if bad else accept

    with HostileServer(choose) as server, delivering(server) as delivery:
        for message in bad_and_good({7}):
            delivery.put(message)
        assert delivery.flush()
        assert len(taken(server)) == 49
        assert delivery.stats().dead_lettered == {"refused": 1}


# --- where to, and with which fields


def test_old_events_are_imported():
    """Events go to /import/ from the age on at which /track/ may refuse them, the others to /track/, in order."""
    ages = [0, IMPORT_AGE_S, IMPORT_AGE_S + 1, 10 * IMPORT_AGE_S, 5, -3600, IMPORT_AGE_S + 2, 1]
    with HostileServer() as server, delivering(server) as delivery:
        for i, age in enumerate(ages):
            delivery.put(event(f"e{i}", age=age))
        assert delivery.flush()
        assert [(path, message["event"]) for path, message in server.taken] == [
            ("/import/" if age > IMPORT_AGE_S else "/track/", f"e{i}") for i, age in enumerate(ages)
        ]
        assert len(server.requests) == 5


def test_the_age_counts_when_it_is_sent():
    """Events that waited out an outage of days go to /import/, also those that were tried at /track/ before."""
    now = [WALL]
    with HostileServer(status(503)) as server, delivering(server, wall=lambda: now[0], random=lambda: 0.1) as delivery:
        put(delivery)
        delivery.put(update("u", set={"a": 1}))
        assert delivery.flush(0.05) is False
        assert server.wait_for(lambda server: {"/track/", "/engage/"} <= {r.path for r in server.requests})
        now[0] += 5 * 24 * 3600
        delivery.put(event("fresh", age=-5 * 24 * 3600))
        server._script = iter([])
        server._last = accept
        assert delivery.flush()
        taken_at = {message.get("event", "update"): path for path, message in server.taken}
        assert taken_at == {**dict.fromkeys(NAMES, "/import/"), "fresh": "/track/", "update": "/engage/"}
        assert Counter(taken(server_events(server))) == Counter([*NAMES, "fresh"])


def server_events(server):
    class Events:
        taken = [(path, message) for path, message in server.taken if "event" in message]

    return Events


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), min_size=1, max_size=40),
    st.sampled_from(["/track/", "/import/"]),
    st.integers(0, 3),
)
@settings(max_examples=20, deadline=None)
def test_mixed_ages_keep_each_users_order(logged, down, failures):
    """Old and new events of a user arrive in the order logged, though they take two ways and one fails for a while."""

    def choose(request):
        failed = sum(1 for earlier in server.requests if earlier.path == down) - 1
        return status(503) if request.path == down and failed < failures else accept

    with HostileServer(choose) as server, delivering(server, capacity=7) as delivery:
        for i, (user, old) in enumerate(logged):
            delivery.put(event(f"e{i}", user, age=2 * IMPORT_AGE_S if old else 0))
        assert delivery.flush()
        for name in "abc":
            assert [
                message["event"] for _, message in server.taken if message["properties"]["distinct_id"] == name
            ] == [f"e{i}" for i, (user, _) in enumerate(logged) if user == name]
        for request in server.requests:
            old = {logged[int(name[1:])][1] for name in names_of(request)}
            assert old == {request.path == "/import/"}


def test_import_auth_goes_to_import_only():
    """The form fields for /import/ come with its requests, rightly encoded, and with no others."""
    auth = {"api_key": "k&y=1", "naïve": "ü +/%"}
    with HostileServer() as server, delivering(server, import_auth=auth) as delivery:
        delivery.put(event("old", age=2 * IMPORT_AGE_S))
        delivery.put(event("new"))
        delivery.put(update("u", set={"a": 1}))
        assert delivery.flush()
        forms = {request.path: dict(request.form) for request in server.requests}
        for form in forms.values():
            del form["data"]
        assert forms["/import/"] == auth
        assert forms["/track/"] == forms["/engage/"] == {}


@pytest.mark.parametrize("request_ip", [False, True])
def test_which_ip_address_counts(request_ip):
    """`ip=1` comes with events on demand; updates come with `ip=0` unless they carry an address of their own."""
    located = {"$token": "t", "$distinct_id": "l", "$ip": "203.0.113.9", "$set": {"a": 1}}
    with HostileServer() as server, delivering(server, request_ip=request_ip) as delivery:
        delivery.put(event("new"))
        delivery.put(event("old", age=2 * IMPORT_AGE_S))
        delivery.put(update("u", set={"a": 1}))
        assert delivery.flush()
        delivery.put(seal_update(dict(located, **{"$time": int(WALL)})))
        assert delivery.flush()
        delivery.put(seal_update(dict(located, **{"$time": int(WALL)})))
        delivery.put(update("u", set={"a": 2}))
        assert delivery.flush()
        seen = [(request.path, request.query) for request in server.requests]
        of_events = {"verbose": "1", "ip": "1"} if request_ip else {"verbose": "1"}
        of_updates = {"verbose": "1", "ip": "0"}
        assert sorted(seen[:3], key=str) == sorted(
            [("/track/", of_events), ("/import/", of_events), ("/engage/", of_updates)], key=str
        )
        assert seen[3] == ("/engage/", {"verbose": "1"})
        for path, query in seen[4:]:  # who has no address of their own is never located at our server
            assert path == "/engage/"
            assert query == of_updates or len(seen) > 5


def test_the_base_url_may_have_a_path():
    """A base URL with a path and a slash at its end is the front of each endpoint's URL."""
    with HostileServer() as server, delivering(server, url=server.url + "/proxy/robotmia/") as delivery:
        put(delivery)
        assert delivery.flush()
        assert {path for path, _ in server.taken} == {"/proxy/robotmia/track/"}


# --- what must not be counted twice

COUNTING = [{"add": {"n": 1}}, {"append": {"list": "x"}}]
HARMLESS = [{"set": {"a": 1}}, {"set_once": {"b": 1}}, {"union": {"c": [1]}}, {"unset": ["d"]}]
AMBIGUOUS = [
    pytest.param(hostile.reset_after, id="reset"),
    pytest.param(hostile.close_silently(taken=True), id="closed"),
    pytest.param(hostile.hang(taken=True), id="hang"),
    pytest.param(hostile.html, id="page"),
    pytest.param(hostile.truncated, id="half a reply"),
    pytest.param(HALF_A_CHUNK, id="half a chunk"),
    pytest.param(HUGE, id="huge"),
    pytest.param(status(502, taken=True), id="502"),
    pytest.param(status(504, taken=True, body=PAGE), id="504 with a long page"),
]
CLEAR = [
    pytest.param(status(503), id="503"),
    pytest.param(status(503, body=PAGE), id="503 with a long page"),
    pytest.param(status(429), id="429"),
    pytest.param(status(408), id="408"),
    pytest.param(hostile.redirect("http://127.0.0.1:1/"), id="redirect"),
]


def put_updates(delivery):
    for operation in [*COUNTING, *HARMLESS, *COUNTING]:
        delivery.put(update("u", **operation))


def operations(server):
    return Counter(
        key for _, message in server.taken for key in message if key not in ("$token", "$distinct_id", "$time")
    )


@pytest.mark.parametrize("trouble", AMBIGUOUS)
def test_what_counts_is_not_sent_twice_if_told_so(trouble):
    """Told so, a lost reply makes `$add` and `$append` dead letters; the rest is sent again."""
    with (
        HostileServer([trouble, accept]) as server,
        delivering(server, timeout=(2.0, 0.2), on_ambiguous="dead_letter") as delivery,
    ):
        put_updates(delivery)
        assert delivery.flush()
        assert operations(server) == {"$add": 2, "$append": 2, "$set": 2, "$set_once": 2, "$union": 2, "$unset": 2}
        stats = delivery.stats()
        assert (stats.dead_lettered, stats.delivered) == ({"ambiguous": 4}, 4)


@pytest.mark.parametrize("trouble", AMBIGUOUS)
def test_what_counts_is_sent_again_by_default(trouble):
    """By default everything is sent again after a lost reply."""
    with HostileServer([trouble, accept]) as server, delivering(server, timeout=(2.0, 0.2)) as delivery:
        put_updates(delivery)
        assert delivery.flush()
        assert set(operations(server).values()) == {4, 2}
        stats = delivery.stats()
        assert (stats.dead_lettered, stats.delivered) == ({}, 8)


@pytest.mark.parametrize("trouble", CLEAR)
def test_a_clear_failure_is_not_ambiguous(trouble):
    """Where the server said that it didn't take them, `$add` and `$append` are sent again and arrive once."""
    with HostileServer([trouble, accept]) as server, delivering(server, on_ambiguous="dead_letter") as delivery:
        put_updates(delivery)
        assert delivery.flush()
        assert operations(server) == {"$add": 2, "$append": 2, "$set": 1, "$set_once": 1, "$union": 1, "$unset": 1}
        assert delivery.stats().dead_lettered == {}


def test_a_refused_connection_is_not_ambiguous():
    """What could not even be sent waits, `$add` and `$append` too."""
    with HostileServer() as server, delivering(server, random=lambda: 0.1, on_ambiguous="dead_letter") as delivery:
        server.refuse_connections()
        put_updates(delivery)
        assert delivery.flush(0.1) is False
        assert delivery.stats().pending == 8
        assert delivery.stats().bytes_sent == 0
        server.accept_connections()
        assert delivery.flush()
        assert delivery.stats().dead_lettered == {}


def test_only_what_counts_being_left_is_an_end():
    """A batch of nothing but `$add`, its reply lost, is settled at once and doesn't hold up what follows."""
    with (
        HostileServer([hostile.reset_after, accept]) as server,
        delivering(server, on_ambiguous="dead_letter") as delivery,
    ):
        delivery.put(update("u", add={"n": 1}))
        assert delivery.flush()
        delivery.put(update("u", add={"n": 2}))
        assert delivery.flush()
        assert [message["$add"] for _, message in server.taken] == [{"n": 1}, {"n": 2}]
        assert delivery.stats().dead_lettered == {"ambiguous": 1}


# --- before anything is sent


@pytest.fixture
def silent():
    """The port of a server that accepts connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def check_unsent(outcome):
    assert outcome.verdict is Verdict.FAILED
    assert (outcome.ambiguous, outcome.bytes_sent) == (False, 0)
    assert outcome.error


def test_a_handshake_that_never_ends_sent_nothing(silent):
    """When TLS isn't even agreed on, nothing was sent, and the failure isn't ambiguous."""
    transport = transport_to(f"https://127.0.0.1:{silent}", timeout=(0.2, 0.2))
    check_unsent(transport.send(Parcel(path="engage", bodies=[b"{}"])))
    transport.close()


def test_a_server_without_tls_sent_nothing():
    """A peer that doesn't speak TLS got nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer():
            with suppress(OSError):
                peer, _ = listener.accept()
                with peer:
                    peer.recv(1000)
                    peer.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
                    peer.recv(1000)

        thread = threading.Thread(target=answer)
        thread.start()
        transport = transport_to(f"https://127.0.0.1:{listener.getsockname()[1]}")
        check_unsent(transport.send(Parcel(path="engage", bodies=[b"{}"])))
        transport.close()
        thread.join()


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl to make a certificate")
def test_tls_that_breaks_after_the_request_is_ambiguous(tmp_path, monkeypatch):
    """When TLS breaks while the reply is read, the server may have taken what was sent."""
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "1"]
    command = ["openssl", "req", "-x509", *curve, *names, "-keyout", key, "-out", certificate]
    subprocess.run(command, check=True, capture_output=True)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    taken = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer():
            peer, _ = listener.accept()
            secure = context.wrap_socket(peer, server_side=True)
            while not taken or b"data=" not in taken[-1]:
                taken.append(secure.recv(65_536))
            with socket.socket(fileno=secure.detach()) as plain:
                plain.sendall(b"\x17\x03\x03\x00\x20" + b"z" * 32)  # a record that can't be deciphered
                plain.recv(1000)

        thread = threading.Thread(target=answer)
        thread.start()
        transport = transport_to(f"https://127.0.0.1:{listener.getsockname()[1]}")
        outcome = transport.send(Parcel(path="engage", bodies=[b"{}"]))
        transport.close()
        thread.join()
    assert taken
    assert outcome.verdict is Verdict.FAILED
    assert outcome.ambiguous
    assert outcome.bytes_sent > 0


def test_a_bad_certificate_path_sent_nothing(silent, monkeypatch):
    """An environment that names a missing certificate bundle fails clearly, and nothing was sent."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/no/such/bundle.pem")
    transport = transport_to(f"https://127.0.0.1:{silent}")
    outcome = transport.send(Parcel(path="engage", bodies=[b"{}"]))
    assert "/no/such/bundle.pem" in outcome.error
    check_unsent(outcome)
    transport.close()


def test_a_bad_proxy_sent_nothing(monkeypatch):
    """An environment that names a proxy without a host fails, and nothing was sent."""
    monkeypatch.setenv("HTTP_PROXY", "http://")
    monkeypatch.setenv("http_proxy", "http://")
    transport = transport_to("http://robotmia.invalid")
    check_unsent(transport.send(Parcel(path="engage", bodies=[b"{}"])))
    transport.close()


@pytest.mark.parametrize("url", ["http://robotmia.invalid", "http://127.0.0.1:1"])
def test_nobody_there_sent_nothing(url):
    """An unknown host and a closed port are failures in which nothing was sent."""
    transport = transport_to(url)
    check_unsent(transport.send(Parcel(path="engage", bodies=[b"{}"])))
    transport.close()


# --- proxies


@pytest.fixture
def no_proxies(monkeypatch):
    """An environment without proxies."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    return monkeypatch


def test_a_proxy_from_the_environment_is_used(no_proxies):
    """With `http_proxy` requests go to the proxy, for the API's host, with the proxy's credentials."""
    with HostileServer() as proxy:
        no_proxies.setenv("http_proxy", f"http://user:secret@127.0.0.1:{proxy.port}")
        with delivering(proxy, url="http://robotmia.invalid/base") as delivery:
            put(delivery)
            assert delivery.flush()
            assert taken(proxy) == NAMES
            [request] = proxy.requests
            assert (request.headers["Host"], request.path) == ("robotmia.invalid", "/base/track/")
            assert request.headers["Proxy-Authorization"] == "Basic dXNlcjpzZWNyZXQ="


def test_a_proxy_gets_the_whole_url(no_proxies):
    """The request line that a proxy gets has the absolute form."""
    lines = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        no_proxies.setenv("http_proxy", f"http://127.0.0.1:{listener.getsockname()[1]}")

        def answer():
            peer, _ = listener.accept()
            with peer, peer.makefile("rb") as read:
                lines.append(read.readline())
                peer.sendall(OK_REPLY)

        thread = threading.Thread(target=answer)
        thread.start()
        transport = transport_to("http://robotmia.invalid")
        outcome = transport.send(Parcel(path="track", bodies=[b"{}"]))
        transport.close()
        thread.join()
    assert outcome.verdict is Verdict.DELIVERED
    assert lines == [b"POST http://robotmia.invalid/track/?verbose=1 HTTP/1.1\r\n"]


def test_no_proxy_is_heeded(no_proxies):
    """A host named in `no_proxy` is reached without the proxy."""
    with HostileServer() as server, HostileServer() as proxy:
        no_proxies.setenv("http_proxy", proxy.url)
        no_proxies.setenv("no_proxy", "127.0.0.1")
        with delivering(server) as delivery:
            put(delivery)
            assert delivery.flush()
        assert taken(server) == NAMES
        assert proxy.connections == 0


def test_the_environment_is_read_once(no_proxies):
    """A proxy that appears in the environment after the first request changes nothing."""
    with HostileServer() as server, HostileServer() as proxy:
        with delivering(server) as delivery:
            put(delivery, ["a"])
            assert delivery.flush()
            no_proxies.setenv("http_proxy", proxy.url)
            put(delivery, ["b"])
            assert delivery.flush()
        assert taken(server) == ["a", "b"]
        assert proxy.connections == 0


def test_a_proxy_that_is_down_loses_nothing(no_proxies):
    """Messages wait for a proxy that refuses connections, and what counts isn't given up for it."""
    with HostileServer() as proxy:
        no_proxies.setenv("http_proxy", proxy.url)
        proxy.refuse_connections()
        with delivering(
            proxy, url="http://robotmia.invalid", random=lambda: 0.1, on_ambiguous="dead_letter"
        ) as delivery:
            put_updates(delivery)
            assert delivery.flush(0.1) is False
            proxy.accept_connections()
            assert delivery.flush()
            assert len(proxy.taken) == 8


# --- the report


class Lines(logging.Handler):
    """Keeps what is logged, and says when there is something."""

    def __init__(self):
        super().__init__()
        self.records = []
        self.came = threading.Event()

    def emit(self, record):
        self.records.append(record)
        self.came.set()


@pytest.fixture
def root_logger():
    """The root logger at DEBUG, given back as it was."""
    root = logging.getLogger()
    level, handlers = root.level, list(root.handlers)
    root.setLevel(logging.DEBUG)
    yield root
    root.setLevel(level)
    for handler in set(root.handlers) - set(handlers):
        root.removeHandler(handler)


def test_trouble_is_reported_and_never_tracked(root_logger):
    """Trouble is told on `robotmia_logging`; a rule that matches every record tracks neither that nor urllib3."""
    rules = [{"logger": "shop", "event": "Bought"}, {"event": "Anything"}]
    with HostileServer([status(503, retry_after=0), status(503), status(503), accept]) as server:
        handler = RobotmiaHandler(token="t", url=server.url, rules=rules, distinct_id="user", flush_interval=60.0)
        handler.delivery._clock = Clock(random=lambda: 0.0)
        handler.delivery._dispatch._gates["track"]._random = lambda: 0.0
        lines = Lines()
        root_logger.addHandler(handler)
        logging.getLogger("robotmia_logging").addHandler(lines)
        try:
            logging.getLogger("shop").info("bought")
            assert handler.flush(5)
            assert lines.came.wait(5)
            assert handler.flush(5)
        finally:
            logging.getLogger("robotmia_logging").removeHandler(lines)
            root_logger.removeHandler(handler)
            handler.close()
        assert taken(server) == ["Bought"]
        assert handler.stats().accepted == 1
        [record] = lines.records
        assert (record.name, record.levelname) == ("robotmia_logging", "WARNING")
        assert "/track/" in record.getMessage()
        assert "503" in record.getMessage()


def test_a_stale_connection_is_no_trouble():
    """A kept-alive connection that the server closed meanwhile is everyday business: nothing is reported."""
    lines = []
    with HostileServer([hostile.stale, accept]) as server:
        with delivering(server, say=lines.append) as delivery:
            for name in "ab":
                put(delivery, [name])
                assert delivery.flush()
            with delivery.exclusive():
                assert not delivery._reporter.has_news
        assert lines == []
        assert taken(server) == ["a", "b"]


def test_block_waits_for_room():
    """With `overflow="block"` a log call waits until there is room, and nothing is dropped."""
    with (
        HostileServer(hostile.latency(0.005)) as server,
        delivering(server, overflow="block", max_pending=10, block_timeout=10.0) as delivery,
    ):
        names = [f"n{i}" for i in range(120)]
        put(delivery, names)
        assert delivery.flush()
        assert taken(server) == names
        assert max(len(request.messages) for request in server.requests) <= 10
        assert delivery.stats().dropped == {}
