"""When batches leave: on size, on time, on request; within bounds; and what `stats` says."""

from __future__ import annotations

import pytest

from robotmia_logging.delivery import Delivery, DeliverySettings
from robotmia_logging.delivery.backlog import Watcher
from tests.delivery.fakes import DOWN, OK, FakeTransport, adds_up, event, make, no_threads, update


def turn(delivery, transport):
    """What the lead does once: send what is due now, and say how long it would sleep."""
    while True:
        batch, nap, _more = delivery._sending.take(lead=True)
        if batch is None:
            return nap
        delivery._sending.deliver(batch, transport)


def test_size():
    """A full batch leaves at once, and what came with it."""
    transport = FakeTransport()
    delivery, _ = make(transport, capacity=10, flush_interval=3600)
    for i in range(9):
        delivery.put(event(f"e{i}"))
    turn(delivery, transport)
    assert transport.parcels == []
    delivery.put(update("u", set={"a": 1}))
    turn(delivery, transport)
    assert [(p.path, len(p.bodies)) for p in transport.parcels] == [("track", 9), ("engage", 1)]


def test_batches_hold_at_most_capacity():
    """No batch is larger than the capacity, and all but the last are full."""
    transport = FakeTransport()
    delivery, _ = make(transport, capacity=50)
    for i in range(120):
        delivery.put(event(f"e{i}", f"u{i % 7}"))
    assert delivery.flush()
    assert [len(p.bodies) for p in transport.parcels] == [50, 50, 20]
    assert transport.names == [f"e{i}" for i in range(120)]


def test_time():
    """What waits leaves when the flush interval is over, not before."""
    transport = FakeTransport()
    delivery, time = make(transport, flush_interval=2.0)
    turn(delivery, transport)
    delivery.put(event("a"))
    nap = turn(delivery, transport)
    assert nap == 2.0
    time.sleep(1.9)
    delivery.put(event("b"))
    assert turn(delivery, transport) == pytest.approx(0.1)
    assert transport.parcels == []
    time.sleep(0.1)
    assert turn(delivery, transport) is None
    assert transport.names == ["a", "b"]


def test_no_message_waits_longer_than_the_interval():
    """A message that comes while a request is under way leaves one interval after it came, at the latest."""
    transport = FakeTransport()
    delivery, time = make(transport, flush_interval=2.0)
    turn(delivery, transport)

    def slow(_parcel):
        time.sleep(1.5)
        delivery.put(event("late"))
        time.sleep(0.5)
        return OK

    transport.script = [slow]
    delivery.put(event("first"))
    delivery.hurry()
    nap = turn(delivery, transport)
    assert "late" in transport.names or nap <= 1.5


def test_nothing_to_do_means_no_wake_ups():
    """With nothing pending the lead sleeps until woken; the first message starts it, further ones don't."""
    started = []
    delivery, _ = make(FakeTransport())
    role = delivery._senders._role
    delivery._start_thread = lambda thread: (started.append(thread), role.acquire())
    assert turn(delivery, FakeTransport()) is None
    for i in range(20):
        delivery.put(event(f"e{i}"))
    assert len(started) == 1


def test_level():
    """`hurry` makes all that waits due, in one request."""
    transport = FakeTransport()
    delivery, _ = make(transport, flush_interval=3600)
    for name in "abc":
        delivery.put(event(name))
    delivery.hurry()
    turn(delivery, transport)
    assert [len(p.bodies) for p in transport.parcels] == [3]


def test_flush_is_quick_when_nothing_waits():
    """`flush` with nothing pending neither sleeps nor sends."""
    transport = FakeTransport()
    delivery, time = make(transport)
    assert delivery.flush() is True
    assert time.naps == []
    assert transport.parcels == []


def test_flush_gives_up_at_its_timeout():
    """`flush` says False when its time is over; the messages stay pending."""
    transport = FakeTransport(otherwise=DOWN)
    delivery, time = make(transport)
    delivery.put(event("a"))
    before = time.now
    assert delivery.flush(timeout=7) is False
    assert time.now - before == pytest.approx(7)
    assert delivery.stats().pending == 1
    assert adds_up(delivery)


def test_flush_ends_a_backoff():
    """A flush tries at once, though a backoff runs."""
    transport = FakeTransport(*[DOWN] * 8)
    delivery, time = make(transport)
    delivery.put(event("a"))
    delivery.flush(timeout=30)
    tried = len(transport.parcels)
    assert tried < 8
    transport.script = []
    now = time.now
    assert delivery.flush() is True
    assert time.now == now


def test_flush_waits_only_for_what_was_accepted_before():
    """A flush ends although newer messages are still pending."""
    transport = FakeTransport()
    delivery, _ = make(transport, flush_interval=3600)

    def another(_parcel):
        delivery.put(event("later"))
        return OK

    transport.otherwise = another
    delivery.put(event("a"))
    assert delivery.flush() is True
    assert delivery.stats().pending == 1


@pytest.mark.parametrize(("policy", "left"), [("drop_oldest", range(90, 100)), ("drop_newest", range(10))])
def test_overflow(policy, left):
    """At `max_pending` the oldest or the newest messages give way, and each is counted."""
    transport = FakeTransport()
    delivery, _ = make(transport, max_pending=10, overflow=policy)
    for i in range(100):
        delivery.put(event(f"e{i}", f"u{i % 13}"))
        assert delivery.stats().pending <= 10
    stats = delivery.stats()
    assert stats.dropped == {"overflow": 90}
    assert delivery.flush()
    assert transport.names == [f"e{i}" for i in left]
    assert adds_up(delivery)


@pytest.mark.parametrize("policy", ["drop_oldest", "drop_newest"])
def test_overflow_by_bytes(policy):
    """The bodies of what is pending never exceed `max_pending_bytes`; a message larger than that is dropped."""
    transport = FakeTransport()
    delivery, _ = make(transport, max_pending_bytes=2000, overflow=policy)
    for i in range(50):
        delivery.put(event(f"e{i}", text="x" * 100))
    delivery.put(event("huge", text="x" * 2000))
    assert delivery.stats().pending > 5
    assert delivery.flush()
    assert sum(len(body) for p in transport.parcels for body in p.bodies) <= 2000
    assert "huge" not in transport.names
    assert adds_up(delivery)


def test_overflow_spares_what_is_under_way():
    """A message in a request is not dropped, and counts towards the bound."""
    transport = FakeTransport()
    delivery, _ = make(transport, max_pending=4)

    def log_more(_parcel):
        for i in range(10):
            delivery.put(event(f"more{i}"))
        return OK

    transport.script = [log_more]
    delivery.put(event("first"))
    delivery.put(event("second"))
    assert delivery.flush()
    assert delivery.flush()
    assert transport.names == ["first", "second", "more8", "more9"]
    assert adds_up(delivery)


def test_block_drops_the_newest_after_its_timeout():
    """`overflow="block"` waits for room, at most `block_timeout`, then drops what came last."""
    transport = FakeTransport(otherwise=DOWN)
    delivery, time = make(transport, max_pending=2, overflow="block", block_timeout=0.0)
    for name in "abc":
        delivery.put(event(name))
    assert delivery.stats().dropped == {"overflow": 1}
    assert time.naps == []
    transport.otherwise = OK
    assert delivery.flush()
    assert transport.names == ["a", "b"]


def test_repr_shows_state():
    """The repr says where to, whether it runs, and what is pending."""
    delivery, _ = make(FakeTransport(), url="http://127.0.0.1:1")
    delivery.put(event("a"))
    assert repr(delivery) == "<Delivery to http://127.0.0.1:1 idle, 1 pending>"


def test_a_closed_delivery_starts_again():
    """After `close` the next message is delivered all the same."""
    transport = FakeTransport()
    delivery, _ = make(transport)
    delivery.put(event("a"))
    assert delivery.close() is True
    delivery.put(event("b"))
    assert delivery.flush() is True
    assert transport.names == ["a", "b"]


def test_a_request_that_is_broken_off_is_made_again():
    """Ctrl-C amid a flush that sends in the caller: the messages still have their place, and so have the next ones."""

    def ctrl_c(_parcel):
        raise KeyboardInterrupt

    transport = FakeTransport(DOWN, ctrl_c, ctrl_c)
    delivery, _ = make(transport)
    delivery.put(event("a"))
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            delivery.flush()
        assert delivery.pending == 1
    delivery.put(event("b"))
    assert delivery.flush()
    assert transport.names == ["a", "b"]
    assert adds_up(delivery)


def test_an_endpoint_that_goes_down_for_several_senders_at_once_wakes_a_flush_once():
    """Each failing sender rings for those who needn't wait; who has heard it already is no trouble to the next."""
    watcher = Watcher(patient=False)
    watcher.watch(1, 1)
    for _ in range(3):
        watcher.gave_up()
        assert watcher.wait(0.0) is False
        assert watcher._bell.locked()  # nobody else may release it: the next ring does


def test_what_waits_is_seen_at_every_moment(tmp_path):
    """Whoever asks without the lock, amid the reading of a spool, never hears that nothing waits."""
    delivery, _ = make(FakeTransport(), spool=str(tmp_path), max_pending=2, flush_interval=3600.0)
    for name in "abcd":
        delivery.put(event(name))
    delivery.stats()
    reader, seen = delivery._intake._reader, []
    read = reader.read

    def look(*limits):
        items, told = read(*limits)
        if items:
            seen.append(delivery.pending)
        return items, told

    reader.read = look
    assert delivery.flush()
    assert len(seen) == 3
    assert min(seen) >= 1
    delivery.close()


def test_calls_that_wait_for_room_in_vain_leave_nothing_behind():
    """An outage of many log calls that wait for room: no bell stays to be rung."""
    settings = DeliverySettings(max_pending=1, overflow="block", block_timeout=0.001)
    delivery = Delivery(settings, transport=lambda: FakeTransport(otherwise=DOWN), start_thread=no_threads)
    for n in range(20):
        delivery.put(event(f"e{n}"))
    assert delivery.stats().dropped == {"overflow": 19}
    assert len(delivery._bells) == 0
