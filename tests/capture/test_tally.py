"""Counting without a lock."""

from __future__ import annotations

import multiprocessing
import threading

from robotmia_logging.capture.tally import Tally


def test_threads_lose_no_count():
    """Threads that count at once lose nothing, and looking counts nothing."""
    tally = Tally()
    start = threading.Barrier(4)

    def count():
        start.wait()
        for _ in range(5_000):
            tally.add()

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (tally.value, tally.value) == (20_000, 20_000)


def _report(tally, queue):
    before = tally.value
    tally.add()
    queue.put((before, tally.value))


def test_a_forked_child_counts_from_zero():
    """A child's counts are its own."""
    fork = multiprocessing.get_context("fork")
    tally, queue = Tally(), fork.Queue()
    tally.add()
    child = fork.Process(target=_report, args=(tally, queue))
    child.start()
    assert queue.get(timeout=30) == (0, 1)
    child.join()
    assert tally.value == 1
