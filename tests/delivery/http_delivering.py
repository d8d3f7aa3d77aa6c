"""Deliveries over real HTTP to servers that misbehave: what the tests of it share."""

from __future__ import annotations

from contextlib import contextmanager

from robotmia_logging.delivery import Clock, Delivery, DeliverySettings
from robotmia_logging.delivery.http import HttpTransport
from robotmia_logging.messages import MAX_BATCH
from tests import hostile
from tests.delivery.fakes import WALL, adds_up, event, update
from tests.hostile import OK, Behaviour, accept

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
OK_REPLY = b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n1"
COUNTING = [{"add": {"n": 1}}, {"append": {"list": "x"}}]
HARMLESS = [{"set": {"a": 1}}, {"set_once": {"b": 1}}, {"union": {"c": [1]}}, {"unset": ["d"]}]


def put_updates(delivery):
    for operation in [*COUNTING, *HARMLESS, *COUNTING]:
        delivery.put(update("u", **operation))


def is_bad(message):
    return "bad" in message["properties"]


def bad_and_good(bad, users=7):
    return [event(f"e{i}", f"u{i % users}", **({"bad": 1} if i in bad else {})) for i in range(MAX_BATCH)]
