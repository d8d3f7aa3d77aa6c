"""What gives way when disk or memory are full: in the order the policy says, counted, and never what is under way."""

from __future__ import annotations

import json
import os
import threading
import time as system

import pytest

from robotmia_logging.delivery import Delivery, DeliverySettings
from robotmia_logging.delivery.report import INTERVAL_S
from robotmia_logging.delivery.spool.survey import waiting_lines
from tests.delivery.fakes import DOWN, OK, FakeTransport, adds_up, event, no_threads
from tests.delivery.spool.spools import OPEN, Hands, crash, size_on_disk, spooled

LIMIT = 64 * 1024
SOON_S = 20.0


def e(numbers):
    return [f"e{n}" for n in numbers]


def put(delivery, numbers, **properties):
    for n in numbers:
        delivery.put(event(f"e{n}", **properties))


# --- the disk


@pytest.mark.parametrize("policy", ["drop_oldest", "drop_newest"])
@pytest.mark.parametrize("size", [0, 300, 15_000])
def test_the_folder_never_takes_more_than_its_bound(tmp_path, policy, size):
    """After every log call all files together are within `spool_max_bytes`, whatever the size of the messages."""
    transport = FakeTransport(otherwise=DOWN)
    delivery, time = spooled(transport, tmp_path, spool_max_bytes=LIMIT, overflow=policy)
    for n in range(600 if size < 1000 else 40):
        put(delivery, [n], pad="x" * size)
        assert size_on_disk(tmp_path) <= LIMIT
        time.sleep(0.1)
        delivery.tidy()
    assert adds_up(delivery)
    assert delivery.stats().dropped["overflow"] > 0


def test_the_oldest_give_way(tmp_path):
    """`drop_oldest`: what is left are the newest messages without a gap, and the others were counted."""
    transport = FakeTransport(otherwise=DOWN)
    delivery, _ = spooled(transport, tmp_path, spool_max_bytes=LIMIT)
    put(delivery, range(2000))
    dropped = delivery.stats().dropped["overflow"]
    assert 0 < dropped < 2000
    assert delivery.stats().pending == 2000 - dropped
    transport.otherwise = OK
    assert delivery.flush()
    assert transport.names == e(range(dropped, 2000))


def test_the_oldest_give_way_before_anybody_has_looked_at_them(tmp_path):
    """`drop_oldest` holds also for a burst that fills the disk before a sender has seen any of it."""
    transport = FakeTransport()
    delivery, _ = spooled(transport, tmp_path, spool_max_bytes=LIMIT)
    put(delivery, range(200), pad="x" * 300)
    assert delivery.flush()
    dropped = delivery.stats().dropped["overflow"]
    assert transport.names == e(range(dropped, 200))


@pytest.mark.parametrize("size", [LIMIT + 1, LIMIT - 1000])
def test_a_message_that_does_not_fit_costs_no_other(tmp_path, size):
    """A message larger than the spool, or than what is free of it, is dropped alone: what follows is kept."""
    transport = FakeTransport(otherwise=DOWN)
    delivery, _ = spooled(transport, tmp_path, spool_max_bytes=LIMIT, overflow="drop_newest")
    put(delivery, range(20))
    put(delivery, [20], pad="x" * size)
    put(delivery, range(21, 40))
    assert delivery.stats().dropped == {"overflow": 1}
    transport.otherwise = OK
    assert delivery.flush()
    assert transport.names == e([*range(20), *range(21, 40)])


def test_a_message_larger_than_the_spool_evicts_none(tmp_path):
    """With `drop_oldest`, too: no room can be made for it."""
    delivery, _ = spooled(FakeTransport(otherwise=DOWN), tmp_path, spool_max_bytes=LIMIT)
    put(delivery, range(20))
    put(delivery, [20], pad="x" * LIMIT)
    put(delivery, [21])
    assert delivery.stats().dropped == {"overflow": 1}
    assert delivery.stats().pending == 21


def test_what_a_dead_process_left_gives_way(tmp_path):
    """A spool that a dead process filled is taken over when it is full, not at the next quarter of a minute."""
    delivery, time = spooled(FakeTransport(otherwise=DOWN), tmp_path, spool_max_bytes=LIMIT)
    delivery.put(event("first"))
    delivery.tidy()
    neighbour, _ = spooled(FakeTransport(otherwise=DOWN), tmp_path, spool_max_bytes=LIMIT, overflow="drop_newest")
    put(neighbour, range(3000))
    assert neighbour.stats().dropped
    crash(neighbour)
    put(delivery, range(3000, 5000))
    before = delivery.stats().dropped["overflow"]
    assert before
    time.sleep(1.0)
    delivery.tidy()
    put(delivery, range(5000, 5100))
    stats = delivery.stats()
    assert stats.accepted - stats.pending == sum(stats.dropped.values())
    assert "e5099" in waiting(tmp_path)


def waiting(folder):
    return {json.loads(line)["message"]["event"] for line in waiting_lines(str(folder))}


def test_what_is_under_way_does_not_give_way(tmp_path):
    """A request's messages aren't dropped, nor are others in their file, however much is logged meanwhile."""
    transport = FakeTransport()
    delivery, _ = spooled(transport, tmp_path, spool_max_bytes=LIMIT, capacity=10)
    put(delivery, range(10))

    def log_more(_parcel):
        put(delivery, range(10, 2000))
        return OK

    transport.script = [log_more]
    assert delivery.flush()
    assert delivery.flush()
    dropped = delivery.stats().dropped["overflow"]
    numbers = [int(name[1:]) for name in transport.names]
    gap = next(index for index, n in enumerate(numbers) if n != index)
    assert gap >= 10
    assert numbers == [*range(gap), *range(gap + dropped, 2000)]
    assert adds_up(delivery)


def test_what_dead_processes_left_gives_way_first(tmp_path):
    """`drop_oldest`: adopted messages are older than any of our own; those under way are spared, here too."""
    dead = Hands(tmp_path, LIMIT)
    dead.log(*(f"left {n}" for n in range(200)))
    dead.crash()
    transport = FakeTransport(otherwise=DOWN)
    delivery, _ = spooled(transport, tmp_path, spool_max_bytes=LIMIT)
    assert delivery.flush(1) is False
    put(delivery, range(300))
    dropped = delivery.stats().dropped["overflow"]
    assert size_on_disk(tmp_path) <= LIMIT
    assert 0 < dropped < 200
    transport.otherwise = OK
    assert delivery.flush()
    left = [f"left {n}" for n in range(200)]
    assert [name for name in transport.names if name in left] == left[:-dropped]
    assert [name for name in transport.names if name not in left] == e(range(300))
    assert adds_up(delivery)


def test_room_that_others_make_is_found(tmp_path):
    """A spool that was full takes messages again once another process's have left it."""
    other = Hands(tmp_path, LIMIT)
    while other.spool.keep(b'{"endpoint":"track"}' + b" " * 1000 + b"\n") is not None:
        pass
    transport = FakeTransport(otherwise=DOWN)
    delivery, time = spooled(transport, tmp_path, spool_max_bytes=LIMIT, overflow="drop_newest")
    put(delivery, range(3))
    assert delivery.stats().dropped == {"overflow": 3}
    other.deliver()
    other.close()
    time.sleep(2.0)
    put(delivery, range(3, 6))
    assert delivery.stats().dropped == {"overflow": 3}
    assert delivery.at_risk == 0


def real(transport, folder, **options):
    """A delivery on real time, with real threads unless told otherwise."""
    start = options.pop("start_thread", threading.Thread.start)
    settings = DeliverySettings(spool=str(folder), flush_interval=0.01, **options)
    delivery = Delivery(settings, transport=lambda: transport, start_thread=start)
    OPEN.append(delivery)
    return delivery


def test_blocking_goes_on_as_soon_as_there_is_room(tmp_path):
    """`block`: a log call that waits for room goes on when deliveries have made some; nothing is dropped."""
    gate = threading.Event()
    transport = FakeTransport(otherwise=lambda _parcel: gate.wait(SOON_S) and OK)
    delivery = real(transport, tmp_path, spool_max_bytes=LIMIT, overflow="block", block_timeout=SOON_S)
    logging = threading.Thread(target=put, args=(delivery, range(1500)))
    logging.start()
    deadline = system.monotonic() + SOON_S
    while not delivery._keeper._bells and system.monotonic() < deadline:
        system.sleep(0.001)
    assert logging.is_alive()
    gate.set()
    logging.join(SOON_S)
    assert delivery.flush(SOON_S)
    assert transport.names == e(range(1500))
    assert delivery.stats().dropped == {}
    delivery.close(SOON_S)
    assert os.listdir(tmp_path) == []


# --- memory, while the disk takes nothing


def no_disk(delivery):
    """No segment can be made, from the next one on."""
    writer = delivery._keeper._spool.writer
    writer.end_chain()
    writer._folder = __file__


def disk_again(delivery, folder, time):
    delivery._keeper._spool.writer._folder = str(folder)
    time.sleep(2.0)
    delivery.tidy()


@pytest.mark.parametrize("policy", ["drop_oldest", "drop_newest"])
def test_memory_has_a_bound_in_bytes(tmp_path, policy):
    """Messages that no disk takes stay within `max_pending_bytes`, and each that gives way is counted."""
    transport = FakeTransport(otherwise=DOWN)
    delivery, _ = spooled(transport, tmp_path, max_pending_bytes=20_000, overflow=policy)
    no_disk(delivery)
    for n in range(300):
        put(delivery, [n], pad="x" * 300)
        stats = delivery.stats()  # sweeps the inbox
        reader = delivery._keeper._spool.reader
        assert delivery._backlog.pending_bytes + reader.queued_bytes <= 20_000
        assert adds_up(delivery)
    assert stats.dropped["overflow"] == 300 - stats.pending
    assert delivery.at_risk == stats.pending
    transport.otherwise = OK
    assert delivery.flush()
    assert len(transport.names) == stats.pending
    assert transport.names == sorted(transport.names, key=lambda name: int(name[1:]))


def test_memory_has_one_bound_however_often_the_disk_fails(tmp_path):
    """A disk that comes and goes in an outage leaves parts in memory: together they stay within the bound."""
    transport = FakeTransport(otherwise=DOWN)
    delivery, time = spooled(transport, tmp_path, max_pending=100)
    put(delivery, range(60))
    for turn in range(1, 11):
        no_disk(delivery)
        put(delivery, range(turn * 60, turn * 60 + 30))
        disk_again(delivery, tmp_path, time)
        put(delivery, range(turn * 60 + 30, turn * 60 + 60))
        stats = delivery.stats()
        reader = delivery._keeper._spool.reader
        assert delivery._backlog.pending + reader.queued <= 100
        assert stats.pending + stats.dropped.get("overflow", 0) == turn * 60 + 60
    assert delivery.at_risk <= 100
    transport.otherwise = OK
    assert delivery.flush()
    numbers = [int(name[1:]) for name in transport.names]
    assert numbers == sorted(numbers)
    on_disk = [n for n in range(660) if n < 60 or n % 60 >= 30]
    assert set(on_disk) <= set(numbers)
    assert numbers[-60:-30] == list(range(600, 630))  # the oldest gave way
    assert adds_up(delivery)


def test_blocking_waits_for_memory_too(tmp_path):
    """`block`: with memory full and no disk a log call waits for its time, and then its message is dropped."""
    transport = FakeTransport(otherwise=DOWN)
    delivery = real(transport, tmp_path, max_pending=10, overflow="block", block_timeout=0.1, start_thread=no_threads)
    no_disk(delivery)
    put(delivery, range(10))
    assert delivery.stats().dropped == {}
    begun = system.monotonic()
    put(delivery, [10])
    assert system.monotonic() - begun >= 0.1
    assert delivery.stats().dropped == {"overflow": 1}
    assert delivery.stats().pending == 10
    assert adds_up(delivery)


# --- what is said


def test_trouble_is_told_once_a_minute(tmp_path):
    """Twenty minutes without disk or server: a line a minute for each cause, with counts that add up."""
    transport = FakeTransport(otherwise=DOWN)
    delivery, time = spooled(transport, tmp_path, max_pending=10, overflow="drop_newest")
    no_disk(delivery)
    lines = []
    for n in range(1200):
        put(delivery, [n])
        if n % 30 == 0:
            delivery._keeper.do_chores()
        delivery.stats()
        lines += delivery._reporter.lines(time.now)
        time.sleep(1.0)
    lines += delivery._reporter.lines(time.now + INTERVAL_S)
    by_cause = [[line for line in lines if words in line] for words in ("can't be written", "dropped, too many wait")]
    assert sum(map(len, by_cause)) == len(lines)
    assert all(19 <= len(of_cause) <= 21 for of_cause in by_cause)
    told = sum(int(line.partition(" ")[0]) for line in by_cause[1])
    assert told == delivery.stats().dropped["overflow"] == 1190
    assert all("Not a directory" in line for line in by_cause[0])
    crash(delivery)
