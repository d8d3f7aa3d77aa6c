"""Delivery over real HTTP, to servers that misbehave: what is lost, what is taken twice, and what is waited for."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from datetime import datetime, timedelta, timezone

import pytest

from robotmia_logging import RobotmiaHandler
from robotmia_logging.delivery import Clock
from tests import hostile
from tests.delivery.fakes import WALL, event
from tests.delivery.http_delivering import (
    ENDLESS_BODY,
    ENDLESS_CHUNKS,
    ENDLESS_HEADERS,
    ENDLESS_LINE,
    HALF_A_CHUNK,
    HUGE,
    NAMES,
    OK_REPLY,
    PAGE,
    delivering,
    endless,
    names_of,
    put,
    raw,
    taken,
    transport_to,
)
from tests.hostile import Behaviour, HostileServer, accept, status

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
        thread = threading.Thread(target=lambda: (delivery._sending.deliver(held, first), sent.set()))
        thread.start()
        assert server.wait_for(lambda server: len(server.requests) == 2)
        other = next(user for user in map(str, range(100)) if hash(user) % 16 != hash("a") % 16)  # another lane
        delivery.put(event("asked to wait", other))
        delivery._sending.deliver(_take_due(delivery), second)
        release.set()
        assert sent.wait(5)
        thread.join()
        first.close()
        second.close()
        assert delivery.flush()
        asked, then = (request for request in server.requests if "asked to wait" in names_of(request))
        assert then.at - asked.at >= 1.0


def _take_due(delivery):
    with delivery._guard:
        delivery._inbox.sweep()
        delivery._dispatch.hurry()
        batch = delivery._dispatch.choose(time.monotonic(), WALL, deep=True)
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
            with delivery._guard:
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
