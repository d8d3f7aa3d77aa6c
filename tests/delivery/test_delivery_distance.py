"""Far away: several senders find full batches, order holds, and nothing is lost. Their requests take one turn each."""

from __future__ import annotations

from collections import defaultdict

import pytest

from robotmia_logging.delivery import Outcome, Verdict
from tests.delivery.fakes import DOWN, OK, FakeTransport, adds_up, event, make

SENDERS = 8
LOST_REPLY = Outcome(verdict=Verdict.FAILED, error="timeout", ambiguous=True)


def log(delivery, count, users):
    for n in range(count):
        delivery.put(event(f"e{n}", f"u{n % users}", n=n))
    delivery.hurry()


def turn(delivery, transport, time):
    """As many senders as there may be take a batch each, all send at once; 200 ms later they know what became of it."""
    sending = delivery._sending
    batches = [batch for _ in range(SENDERS) if (batch := sending.take(lead=False)[0]) is not None]
    time.now += 0.2
    for batch in batches:
        sending.deliver(batch, transport)
    return len(batches)


@pytest.mark.parametrize(("users", "most"), [(1_000, 55), (100, 55), (20, 130)])
def test_senders_find_full_batches(users, most):
    """20,000 messages take eight senders little more than fifty requests each; more where few users share lanes."""
    transport = FakeTransport()
    delivery, time = make(transport)
    delivery._senders._threads = set(range(SENDERS))
    log(delivery, 20_000, users)
    turns = 0
    while delivery.pending:
        turn(delivery, transport, time)
        turns += 1
    assert turns <= most
    assert len(transport.parcels) <= 1.1 * 20_000 / 50


@pytest.mark.parametrize("failure", [DOWN, LOST_REPLY])
def test_failures_lose_nothing(failure):
    """With every hundredth request failing, all is delivered, each user's messages in order."""
    transport = FakeTransport(*([*[OK] * 99, failure] * 5))
    delivery, time = make(transport)
    delivery._senders._threads = set(range(SENDERS))
    log(delivery, 20_000, 300)
    while delivery.pending:
        time.sleep(0.0 if turn(delivery, transport, time) else 1.0)
    assert adds_up(delivery)
    assert delivery.stats().delivered == 20_000
    assert delivery.stats().retries >= 4
    by_user = defaultdict(list)
    for _path, message in transport.delivered:
        by_user[message["properties"]["distinct_id"]].append(message["properties"]["n"])
    assert sum(map(len, by_user.values())) == 20_000
    assert all(numbers == sorted(numbers) for numbers in by_user.values())


@pytest.mark.parametrize(
    ("request_s", "max_pending", "helps"),
    [(0.001, 100_000, False), (0.001, 9_000, True), (0.005, 100_000, True), (0.05, 100_000, True)],
)
def test_other_senders_help_over_a_distance(request_s, max_pending, helps):
    """Near by, one sender does as much as several, that only take turns: they come when half of the room is taken."""
    transport = FakeTransport()
    delivery, time = make(transport, max_pending=max_pending)
    log(delivery, 5_000, 100)
    sending = delivery._sending
    for _ in range(3):
        batch = sending.take(lead=False)[0]
        send = transport.send

        def late(parcel, send=send):
            time.now += request_s
            return send(parcel)

        transport.send = late
        sending.deliver(batch, transport)
        transport.send = send
    assert sending.take(lead=False)[2] is helps
    assert sending.needs_helpers() is helps


def test_helpers_leave_once_replies_come_soon():
    """A slow start, connecting, and waits for the interpreter count for little beside quick replies."""
    transport = FakeTransport()
    delivery, time = make(transport)
    log(delivery, 5_000, 100)
    sending, send = delivery._sending, transport.send
    for request_s in [0.3, 0.001, *[0.02] * 20]:
        transport.send = lambda parcel, took=request_s: (setattr(time, "now", time.now + took), send(parcel))[1]
        sending.deliver(sending.take(lead=False)[0], transport)
    assert not sending.needs_helpers()
