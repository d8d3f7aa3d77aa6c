"""In a long outage messages wait on disk: what is in memory of them is a window of fixed size."""

from __future__ import annotations

import os

from tests.delivery.fakes import DOWN, OK, FakeTransport, adds_up, event
from tests.delivery.spool.spools import Hands, spooled

_WINDOW = 10_000
_WINDOW_BYTES = 8 * 1024 * 1024


def run_until_delivered(delivery, transport):
    """Let the server return, and see that memory holds no more than the window meanwhile."""
    most = [0, 0]

    def look(_parcel):
        most[0] = max(most[0], delivery._backlog.pending)
        most[1] = max(most[1], delivery._backlog.pending_bytes)
        return OK

    transport.otherwise = look
    assert delivery.flush(1e6)
    return most


def test_at_most_ten_thousand_messages_are_in_memory(tmp_path):
    """Of 15,000 messages 10,000 are in memory at a time; when the server returns all leave in order."""
    transport = FakeTransport(otherwise=DOWN)
    delivery, _ = spooled(transport, tmp_path)
    for n in range(15_000):
        delivery.put(event(f"e{n}"))
    assert delivery.flush(1) is False
    assert (delivery._backlog.pending, delivery.stats().pending) == (_WINDOW, 15_000)
    count, _ = run_until_delivered(delivery, transport)
    assert count == _WINDOW
    assert transport.names == [f"e{n}" for n in range(15_000)]
    assert adds_up(delivery)
    delivery.close()
    assert os.listdir(tmp_path) == []


def test_at_most_eight_mebibytes_are_in_memory(tmp_path):
    """Of large messages so many are in memory as fill the window, and one more at most."""
    transport = FakeTransport(otherwise=DOWN)
    delivery, _ = spooled(transport, tmp_path)
    for n in range(400):
        delivery.put(event(f"e{n}", pad="x" * 50_000))
    assert delivery.flush(1) is False
    assert delivery._backlog.pending_bytes <= _WINDOW_BYTES + 51_000
    _, size = run_until_delivered(delivery, transport)
    assert _WINDOW_BYTES - 51_000 <= size <= _WINDOW_BYTES + 51_000
    assert transport.names == [f"e{n}" for n in range(400)]


def test_what_was_left_comes_through_the_window_too(tmp_path):
    """However much dead processes left, no more of it is in memory at a time than of our own."""
    dead = Hands(tmp_path)
    dead.log(*(f"e{n}" for n in range(12_000)))
    dead.crash()
    transport = FakeTransport(otherwise=DOWN)
    delivery, _ = spooled(transport, tmp_path, max_pending=2000)
    assert delivery.flush(1) is False
    assert delivery.stats().pending == 12_000
    count, _ = run_until_delivered(delivery, transport)
    assert count == 1000  # half of `max_pending`
    assert transport.names == [f"e{n}" for n in range(12_000)]
    assert adds_up(delivery)


def test_only_what_is_read_or_written_is_mapped(tmp_path):
    """Files that wait for their turn take neither memory nor descriptors."""
    transport = FakeTransport(otherwise=DOWN)
    delivery, time = spooled(transport, tmp_path, spool_max_bytes=4 * 1024 * 1024, max_pending=100)
    descriptors = len(os.listdir("/dev/fd"))
    for n in range(3000):
        delivery.put(event(f"e{n}", pad="x" * 800))
    delivery.stats()
    time.sleep(2.0)
    delivery.tidy()
    [chain] = delivery._keeper._spool.writer.chains
    assert len(chain.segments) > 5
    assert sum(segment.is_mapped for segment in chain.segments) <= 3
    assert len(os.listdir("/dev/fd")) <= descriptors + 5
