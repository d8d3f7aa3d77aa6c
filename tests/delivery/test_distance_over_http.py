"""Over a distance, to a real server: parallel senders come with a backlog and go with it, and nothing is lost."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from contextlib import contextmanager
from itertools import count

import pytest

from robotmia_logging.delivery import THREAD_NAME, Clock, Delivery, DeliverySettings
from tests.delivery.fakes import WALL, adds_up, event
from tests.hostile import HostileServer, accept, close_silently, latency, reset_after, status

FAR_S = 0.02
MESSAGES, USERS = 6_000, 100
PATIENCE_S = 30.0


@contextmanager
def delivering(server, **options):
    """A delivery to the server that doesn't wait before it tries again."""
    settings = DeliverySettings(url=server.url, timeout=(5.0, 5.0), **options)
    delivery = Delivery(settings, clock=Clock(random=lambda: 0.0, time=lambda: WALL))
    try:
        yield delivery
    finally:
        delivery.close(PATIENCE_S)
        delivery.stand_still(0.0)  # a test that failed leaves no senders to disturb the others


def far(*, failing=None):
    """A server far away; of some hundred requests two fail so, if a way is given."""
    numbers = count(1)  # its steps are atomic: several connections take from it
    return HostileServer(lambda _request: latency(FAR_S, failing if failing and next(numbers) in (30, 90) else accept))


def log_backlog(delivery, messages=MESSAGES, users=USERS):
    for number in range(messages):
        delivery.put(event("e", f"u{number % users}", n=number))


def first_taken(server):
    """Of each user the numbers of the messages that the server took, in the order in which it first did."""
    numbers = defaultdict(dict)
    for _path, message in server.taken:
        properties = message["properties"]
        numbers[properties["distinct_id"]].setdefault(properties["n"])
    return {user: list(each) for user, each in numbers.items()}


LOGGED = {f"u{user}": list(range(user, MESSAGES, USERS)) for user in range(USERS)}


def senders():
    return {thread for thread in threading.enumerate() if thread.name == THREAD_NAME}


def test_senders_come_and_go():
    """A backlog is sent over several connections; after it one sender and its connection are left."""
    others = senders()
    with far() as server, delivering(server) as delivery:
        log_backlog(delivery)
        assert delivery.flush(PATIENCE_S)
        assert 1 < server.connections <= delivery.settings.senders
        assert server.wait_for(lambda _: server.open_connections == 1)
        until = time.monotonic() + PATIENCE_S
        while len(senders() - others) > 1 and time.monotonic() < until:
            threading.Event().wait(0.01)  # their connections are closed: they are about to end
        assert len(senders() - others) == 1
        assert first_taken(server) == LOGGED
        assert len(server.taken) == MESSAGES


def test_no_more_senders_than_allowed():
    """`senders` bounds the connections, whatever the backlog."""
    with far() as server, delivering(server, senders=2) as delivery:
        log_backlog(delivery, 2_000)
        assert delivery.flush(PATIENCE_S)
        assert server.connections == 2


def test_one_user_keeps_order():
    """One user's messages leave one request after another, in their order, however many senders there may be."""
    with far() as server, delivering(server) as delivery:
        log_backlog(delivery, 2_000, users=1)
        assert delivery.flush(PATIENCE_S)
        assert [message["properties"]["n"] for _path, message in server.taken] == list(range(2_000))


@pytest.mark.parametrize("failure", [status(503), close_silently(), reset_after], ids=lambda each: each.name)
def test_failures_lose_nothing_far_away(failure):
    """With more than one in a hundred requests failing, all arrives, each user's in order, and is accounted for."""
    with far(failing=failure) as server, delivering(server) as delivery:
        log_backlog(delivery)
        assert delivery.flush(PATIENCE_S)
        assert first_taken(server) == LOGGED
        assert adds_up(delivery)
        assert delivery.stats().delivered == MESSAGES
        assert server.violations == []
        assert sum(not request.taken for request in server.requests) == (0 if failure is reset_after else 2)
