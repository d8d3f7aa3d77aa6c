"""The price of calls, in microseconds."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

Call = Callable[[int], None]


def taken(call: Call, count: int) -> list[float]:
    """What each of so many calls took."""
    clock, each = time.perf_counter, []
    for number in range(count):
        start = clock()
        call(number)
        each.append(clock() - start)
    return [seconds * 1e6 for seconds in each]


def taken_in_threads(call: Call, threads: int, count: int) -> list[float]:
    """What each call took, of so many in each of several threads that call all the time."""
    ready = threading.Barrier(threads)
    each: list[float] = []

    def work() -> None:
        ready.wait()
        each.extend(taken(call, count))

    workers = [threading.Thread(target=work) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return each


def percentile(values: Sequence[float], share: float) -> float:
    """The value that so many in a hundred don't exceed."""
    return sorted(values)[min(int(len(values) * share / 100), len(values) - 1)]


@contextmanager
def busy_thread() -> Iterator[None]:
    """A thread of Python code that wants the interpreter all the time."""
    over = threading.Event()

    def work() -> None:
        while not over.is_set():
            sum(range(1000))

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
