"""One scenario with one contestant, in a fresh process: prints a line of JSON with its figures.

`python -m benchmarks.scenarios SCENARIO CONTESTANT '{"url": ..., "control": ..., and the numbers of the plan}'`
"""

from __future__ import annotations

import json
import logging
import os
import sys
import threading
import time
from collections.abc import Callable
from contextlib import nullcontext
from itertools import chain
from statistics import median
from typing import Any

from benchmarks.contestants import CONTESTANTS, Contestant, NullHandler, Robotmia, RobotmiaSpool
from benchmarks.event import BATCH, rules
from benchmarks.resident import resident_bytes
from benchmarks.sink_process import SinkProcess
from benchmarks.timing import busy_thread, percentile, taken, taken_in_threads

FLUSH_S = 100.0
RULES = 100
UNTRACKED_CALLS = 200
FLOOR_CALLS = 1000
Figures = dict[str, float]
Numbers = dict[str, Any]


def call(contestant: Contestant, sink: SinkProcess, numbers: Numbers) -> Figures:
    """The price of a call, in turns with the floor's: alone, beside other threads, and asking for nothing."""
    floor = contestant.floor()
    floor.setup(sink.url)
    contestant.setup(sink.url, room=1_000_000)
    for _ in range(2):
        taken(floor.log, 10 * BATCH)
        taken(contestant.log, 10 * BATCH)
        contestant.flush(FLUSH_S)
    figures = _alone(contestant, floor, numbers) | _beside_others(contestant, floor, numbers)
    if contestant.tracks_what_asks:
        turns = numbers["untracked_turns"]
        figures["untracked_us"] = _more(contestant, floor, turns)
        with_rules = type(contestant)()
        with_rules.setup(sink.url, rules=rules(RULES))
        figures["rules_us"] = _more(with_rules, floor, turns)
    return figures


def _alone(contestant: Contestant, floor: Contestant, numbers: Numbers) -> Figures:
    ours, floors, times = [], [], []
    for _ in range(numbers["turns"]):
        floors.append(taken(floor.log, numbers["calls"]))
        ours.append(taken(contestant.log, numbers["calls"]))
        contestant.flush(FLUSH_S)
        times.append(median(ours[-1]) / median(floors[-1]))
    every, every_floor = list(chain.from_iterable(ours)), list(chain.from_iterable(floors))
    return {
        "call_us": median(every),
        "floor_us": median(every_floor),
        "times": median(times),
        "p99_us": percentile(every, 99),
        "floor_p99_us": percentile(every_floor, 99),
    }


def _beside_others(contestant: Contestant, floor: Contestant, numbers: Numbers) -> Figures:
    ours, floors = [], []
    for _ in range(numbers["thread_turns"]):
        floors += taken_in_threads(floor.log, numbers["threads"], numbers["thread_calls"])
        ours += taken_in_threads(contestant.log, numbers["threads"], numbers["thread_calls"])
        contestant.flush(FLUSH_S)
    tail, floors_tail = percentile(ours, 99), percentile(floors, 99)
    return {
        "threads_p99_us": tail,
        "threads_floor_p99_us": floors_tail,
        "threads_times": tail / floors_tail,
        "threads_p999_us": percentile(ours, 99.9),
        "threads_floor_p999_us": percentile(floors, 99.9),
    }


def _more(contestant: Contestant, floor: Contestant, turns: int) -> float:
    """What a call that asks for nothing costs more than the floor's, in short turns."""
    return median(
        median(taken(contestant.log_untracked, UNTRACKED_CALLS)) - median(taken(floor.log_untracked, UNTRACKED_CALLS))
        for _ in range(turns)
    )


def drain(contestant: Contestant, sink: SinkProcess, numbers: Numbers) -> Figures:
    """Messages a second, logged and delivered at once, and the processor time of each.

    Both also in calls to a NullHandler, as this process does them just then: so processes can be compared, though the
    machine slows down and recovers between them.
    """
    messages, floor = numbers["messages"], NullHandler()
    floor.setup(sink.url)
    contestant.setup(sink.url, room=2 * messages + 10 * BATCH)
    for number in range(BATCH):
        contestant.log(number)
    contestant.flush(FLUSH_S)
    floors = taken(floor.log, FLOOR_CALLS)
    start, processor = time.perf_counter(), time.process_time()
    for number in range(messages):
        contestant.log(number)
    contestant.flush(FLUSH_S)
    took, processor = time.perf_counter() - start, time.process_time() - processor
    floor_us = median(floors + taken(floor.log, FLOOR_CALLS))
    counts = sink.counts()
    arrived = counts["messages"] - BATCH
    return {
        "messages_s": arrived / took,
        "cpu_us": processor / messages * 1e6,
        "floor_us": floor_us,
        "messages_in_a_call": arrived / took * floor_us / 1e6,
        "cpu_in_calls": processor / messages * 1e6 / floor_us,
        "sent": messages,
        "arrived": arrived,
        "lost": messages - arrived,
        "unreadable": counts["unreadable"],
    }


def outage(contestant: Contestant, sink: SinkProcess, numbers: Numbers) -> Figures:
    """The server refuses connections while messages are logged, and then is back."""
    complaints, floor = _Complaints(), contestant.floor()
    logging.getLogger().addHandler(complaints)
    floor.setup(sink.url)
    contestant.setup(sink.url)
    for number in range(BATCH):
        contestant.log(number)
    contestant.flush(FLUSH_S)
    sink.away("refusing")
    floor_before = median(taken(floor.log, FLOOR_CALLS))
    before, each, raised = resident_bytes(), [], 0
    until = time.perf_counter() + numbers["logging_s"]
    while len(each) < numbers["messages"] and (start := time.perf_counter()) < until:
        try:
            contestant.log(len(each))
        except Exception:
            raised += 1
        each.append((time.perf_counter() - start) * 1e6)
    grown = resident_bytes() - before
    floor_after = median(taken(floor.log, FLOOR_CALLS))
    sink.back()
    _within(numbers["recovery_s"], contestant.flush)
    arrived = sink.counts()["messages"] - BATCH
    tenth = max(len(each) // 10, 1)
    first, last = median(each[:tenth]), median(each[-tenth:])
    return {
        "first_us": first,
        "first_times": first / floor_before,
        "last_us": last,
        "last_times": last / floor_after,
        "slowest_us": max(each),
        "logged": len(each),
        "lost": len(each) - arrived,
        "grown_mib": grown / 2**20,
        "raised": raised,
        "complaints": complaints.count,
    }


class _Complaints(logging.Handler):
    """Counts what a contestant says about its troubles."""

    count = 0

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno >= logging.WARNING and not record.name.startswith("bench."):
            self.count += 1


def _within(seconds: float, flush: Callable[[float], None]) -> None:
    """Let it flush for so long; what knows no timeout is left behind."""

    def work() -> None:
        try:
            flush(seconds)
        except Exception:
            pass  # what didn't arrive is counted

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(seconds)


def memory(contestant: Contestant, sink: SinkProcess, numbers: Numbers) -> Figures:
    """What a waiting message holds, while the server takes requests and never answers."""
    contestant.setup(sink.url, room=2 * numbers["messages"] + 10 * BATCH)
    for number in range(BATCH):
        contestant.log(number)
    contestant.flush(FLUSH_S)
    sink.away("silent")
    before = resident_bytes()
    for number in range(numbers["messages"]):
        contestant.log(number)
    grown = resident_bytes() - before
    return {"grown_mib": grown / 2**20, "pending_bytes": grown / numbers["messages"]}


def spool(contestant: Contestant, sink: SinkProcess, numbers: Numbers) -> Figures:
    """What durable delivery costs a log call, in short turns with the same call without it, and with `spool_fsync`."""
    floor, in_memory = NullHandler(), Robotmia()
    floor.setup(sink.url)
    in_memory.setup(sink.url)
    contestant.setup(sink.url)
    figures: Figures = {}
    for where, beside in (("", nullcontext()), ("busy_", busy_thread())):
        with beside:
            figures |= {where + name: each for name, each in _spool_prices(floor, in_memory, contestant, numbers)}
    for name, interval in (("off", None), ("1_s", 1.0), ("0_1_s", 0.1)):
        syncing = RobotmiaSpool()
        syncing.setup(sink.url, spool_fsync=interval)
        start = time.perf_counter()
        for number in range(numbers["fsync_calls"]):
            syncing.log(number)
        figures[f"fsync_{name}_calls_s"] = numbers["fsync_calls"] / (time.perf_counter() - start)
        syncing.close()
    contestant.close()
    return figures


def _spool_prices(
    floor: Contestant, in_memory: Contestant, spooling: Contestant, numbers: Numbers
) -> list[tuple[str, float]]:
    turns = []
    for _ in range(numbers["turns"]):
        prices = []
        for each in (floor, in_memory, spooling):
            calls = taken(each.log, numbers["calls"])
            each.flush(FLUSH_S)
            prices += [median(calls), percentile(calls, 99)]
        turns.append((*prices, prices[4] - prices[2]))
    names = ("floor_us", "floor_p99_us", "memory_us", "memory_p99_us", "spool_us", "spool_p99_us", "more_us")
    return [(name, median(column)) for name, column in zip(names, zip(*turns, strict=True), strict=True)]


SCENARIOS: dict[str, Callable[[Contestant, SinkProcess, Numbers], Figures]] = {
    "call": call,
    "drain": drain,
    "distance": drain,
    "outage": outage,
    "memory": memory,
    "spool": spool,
}


def main() -> None:
    scenario, name, given = sys.argv[1:]
    numbers = json.loads(given)
    sink = SinkProcess(numbers.pop("url"), numbers.pop("control"))
    logging.getLogger("robotmia_logging").setLevel(logging.WARNING)
    figures = SCENARIOS[scenario](CONTESTANTS[name](), sink, numbers)
    print(json.dumps(figures), flush=True)
    os._exit(0)  # some wait at exit for a server that is away


if __name__ == "__main__":
    main()
