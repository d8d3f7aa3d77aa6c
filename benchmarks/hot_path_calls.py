"""The hot path, again and again, for `hot_path` to count: `python -m benchmarks.hot_path_calls WHAT URL`.

WHAT is `instructions`, to be run by callgrind, or `allocations`. The sender is in the middle of a request that gets no
reply as long as log calls are counted: it is as busy as beside a program that logs, and what is counted is the
caller's side only. What the sender does is counted by itself, when the reply comes.
"""

from __future__ import annotations

import gc
import json
import logging
import os
import sys
import tempfile
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from statistics import median
from typing import Any, NamedTuple

from benchmarks.contestants import TOKEN, LogCalls, PlainStructlog, StructlogCalls, plain_logger
from benchmarks.event import BATCH
from robotmia_logging import RobotmiaHandler, RobotmiaProcessor
from robotmia_logging.delivery import DeliverySettings, Outcome, Parcel, Verdict
from robotmia_logging.delivery.http import HttpTransport
from robotmia_logging.door import SharedDelivery

NULL, TRACKED, SPOOL = "NullHandler call", "tracked call", "tracked call, spool"
UNTRACKED = "untracked call"
STRUCTLOG, PROCESSOR = "structlog call", "tracked structlog call"
SENDING, SENDING_SPOOL, SENDING_HTTP = "sending a message", "sending a message, spool", "sending a message, HTTP"

WARM_UP = 200
CALLS = 1_000
FLUSH_S = 60.0
DELIVERED = Outcome(verdict=Verdict.DELIVERED)

Call = Callable[[int], None]


class Held:
    """A transport that holds requests until they are let go, and then answers at once, or has them sent."""

    def __init__(self, send: Callable[[Parcel], Outcome] = lambda _parcel: DELIVERED) -> None:
        self._send = send
        self._gate = threading.Lock()
        self._gate.acquire()
        self.holds_one = threading.Event()

    def send(self, parcel: Parcel) -> Outcome:
        self.holds_one.set()
        with self._gate:
            return self._send(parcel)

    def let_go(self) -> None:
        self._gate.release()

    def hold_again(self) -> None:
        self.holds_one.clear()
        self._gate.acquire()

    def close(self) -> None: ...

    def abandon(self) -> None: ...


class Counted(NamedTuple):
    """Something to count: work that is `units` calls or messages."""

    name: str
    units: int
    work: Callable[[], object]


def log_calls(handler: logging.Handler) -> LogCalls:
    """Log calls that reach this handler only."""
    calls = LogCalls()
    calls.logger = plain_logger(f"bench.{id(handler)}", handler)
    return calls


def delivery(transport: Held, **options: Any) -> SharedDelivery:
    """A delivery with room for all, by one sender."""
    settings = DeliverySettings(senders=1, max_pending=1_000_000, max_pending_bytes=1 << 30, **options)
    made = SharedDelivery(settings, transport=lambda: transport)
    made.token = TOKEN
    return made


def occupied(transport: Held, call: Call) -> Call:
    """The same call, once the sender holds a batch."""
    for number in range(BATCH):
        call(number)
    transport.holds_one.wait()
    return call


def tracked_call(transport: Held, **options: Any) -> tuple[Call, SharedDelivery]:
    """A tracked log call beside a busy sender."""
    shared = delivery(transport, **options)
    return occupied(transport, log_calls(RobotmiaHandler(delivery=shared)).log), shared


def tracked_structlog_call(transport: Held) -> tuple[Call, SharedDelivery]:
    """A tracked structlog call beside a busy sender."""
    shared, calls = delivery(transport), StructlogCalls()
    calls.configure(RobotmiaProcessor(delivery=shared))
    return occupied(transport, calls.log), shared


def structlog_call() -> Call:
    calls = PlainStructlog()
    calls.configure()
    return calls.log


def spool() -> dict[str, Any]:
    return {"spool": tempfile.mkdtemp()}  # whoever runs this removes it


# --- instructions


def instructions(url: str) -> Iterator[Counted]:
    """What there is to count, each made ready when it is asked for."""
    yield _calls(NULL, log_calls(logging.NullHandler()).log)
    yield _calls(UNTRACKED, log_calls(RobotmiaHandler(delivery=delivery(Held()))).log_untracked)
    yield _calls(TRACKED, *tracked_call(Held()))
    yield _calls(SPOOL, *tracked_call(Held(), **spool()))
    yield _calls(STRUCTLOG, structlog_call())
    yield _calls(PROCESSOR, *tracked_structlog_call(Held()))
    yield _sending(SENDING, Held())
    yield _sending(SENDING_SPOOL, Held(), **spool())
    yield _sending(SENDING_HTTP, Held(HttpTransport(DeliverySettings(url=url)).send))


def _calls(name: str, call: Call, shared: SharedDelivery | None = None) -> Counted:
    """Calls, and what it takes to account for them, which a call does for many others once in a while."""

    def work() -> None:
        _repeat(call, CALLS)
        if shared is not None:
            shared.stats()

    _repeat(call, WARM_UP)
    if shared is not None:
        shared.stats()
    return Counted(name, CALLS, work)


def _sending(name: str, transport: Held, **options: Any) -> Counted:
    call, shared = tracked_call(transport, **options)

    def work() -> None:
        transport.let_go()
        if not shared.flush(FLUSH_S):
            raise TimeoutError(f"{shared!r} after {FLUSH_S} s")

    _repeat(call, WARM_UP)
    work()
    transport.hold_again()
    occupied(transport, call)
    _repeat(call, CALLS - BATCH)
    return Counted(name, CALLS, work)


def count_instructions(url: str) -> None:
    """Do everything, each between two calls of `getppid`, by which callgrind tells it from the rest."""
    told = {}
    for counted in instructions(url):
        told[counted.name] = counted.units
        gc.collect()
        os.getppid()
        counted.work()
        os.getppid()
    print(json.dumps(told))


# --- allocations


def count_allocations() -> None:
    """What a message holds while it waits and when it is delivered, and what a call needs for itself."""
    figures: dict[str, float] = {}
    for name, options in ((TRACKED, {}), (SPOOL, spool())):
        transport = Held()
        call, shared = tracked_call(transport, **options)
        _repeat(call, WARM_UP)
        before = sys.getallocatedblocks()
        _repeat(call, CALLS)
        figures[f"{name}: blocks a waiting message holds"] = (sys.getallocatedblocks() - before) / CALLS
        tracemalloc.start()
        _repeat(call, CALLS)
        figures[f"{name}: bytes a waiting message holds"] = tracemalloc.get_traced_memory()[0] / CALLS
        figures[f"{name}: bytes the call needs meanwhile"] = median(_peaks(call))
        transport.let_go()
        shared.flush(FLUSH_S)
        before = tracemalloc.get_traced_memory()[0]
        _repeat(call, CALLS)
        shared.flush(FLUSH_S)
        gc.collect()
        left = tracemalloc.get_traced_memory()[0] - before
        figures[f"{name}: bytes left of a delivered message"] = max(0, left) / CALLS
        tracemalloc.stop()
    print(json.dumps({name: round(figure, 1) for name, figure in figures.items()}))


def _repeat(call: Call, times: int) -> None:
    for number in range(times):
        call(number)


def _peaks(call: Call) -> Iterator[int]:
    for number in range(WARM_UP):
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        call(number)
        now, peak = tracemalloc.get_traced_memory()
        yield peak - max(before, now)


def main() -> None:
    what, url = sys.argv[1:]
    gc.disable()
    if what == "instructions":
        count_instructions(url)
    else:
        count_allocations()
    sys.stdout.flush()
    os._exit(0)  # some requests are held for good


if __name__ == "__main__":
    main()
