"""`spool_max_bytes` with each policy, and `spool_fsync`."""

from __future__ import annotations

from robotmia_logging.delivery import Delivery, DeliverySettings
from robotmia_logging.delivery.spool.chain import spool_bytes
from tests.delivery.fakes import DOWN, OK, FakeTransport, adds_up, event, make, no_threads
from tests.delivery.spool.spools import Hands

LIMIT = 64 * 1024


def test_the_newest_gives_way(tmp_path):
    """`drop_newest`: the folder stays within its bound, what is in it stays, and each drop is counted."""
    transport = FakeTransport(otherwise=DOWN)
    delivery, _ = make(transport, spool=tmp_path, spool_max_bytes=LIMIT, overflow="drop_newest", flush_interval=3600)
    for n in range(2000):
        delivery.put(event(f"e{n}"))
    assert spool_bytes(str(tmp_path)) <= LIMIT
    dropped = delivery.stats().dropped["overflow"]
    assert 0 < dropped < 2000
    transport.otherwise = OK
    assert delivery.flush()
    assert transport.names == [f"e{n}" for n in range(2000 - dropped)]
    assert adds_up(delivery)


def test_the_bound_is_that_of_all_processes(tmp_path):
    """What others have in the folder counts: a second delivery finds no room that the first has taken."""
    first = Hands(tmp_path, LIMIT)
    while first.spool.keep(b'{"endpoint":"track"}' + b" " * 1000 + b"\n") is not None:
        pass
    second = Hands(tmp_path, LIMIT)
    assert second.spool.keep(b"{}\n") is None
    assert spool_bytes(str(tmp_path)) <= LIMIT


def test_blocking_ends_at_its_time(tmp_path):
    """`block`: a log call that finds the spool full waits for `block_timeout`, then its message is dropped, counted."""
    settings = DeliverySettings(
        spool=str(tmp_path), spool_max_bytes=LIMIT, overflow="block", block_timeout=0.05, flush_interval=3600
    )
    transport = FakeTransport(otherwise=DOWN)
    delivery = Delivery(settings, transport=lambda: transport, start_thread=no_threads)
    count = 0
    while not delivery.stats().dropped:
        delivery.put(event(f"e{count}"))
        count += 1
        assert count < 5000
    assert delivery.stats().dropped == {"overflow": 1}
    assert adds_up(delivery)


def test_what_was_written_is_synced_in_time(tmp_path):
    """`spool_fsync`: the chores make what was written survive a power loss once an interval, and not more often."""
    hands = Hands(tmp_path, fsync_s=100.0)
    hands.log("a")
    segment = hands.spool.writer.last
    hands.chores()
    synced = segment.synced_bytes
    assert synced == segment.used_bytes
    hands.log("b")
    hands.now += 50
    hands.chores()
    assert segment.synced_bytes == synced
    hands.now += 50
    hands.chores()
    assert segment.synced_bytes == segment.used_bytes > synced
