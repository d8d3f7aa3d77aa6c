"""How the price of a tracked call and its memory grow: with loggers, threads, users, and the size of messages.

`python -m benchmarks.scale`, `FULL=1` for more of each. Every row is measured in a process of its own, in turns with
the same call to a NullHandler, while a sink in another takes the batches. Prints a table, a line of JSON, and for each
series whether anything grows faster than linearly.

Exit status: 0; 1 if something does.
"""

from __future__ import annotations

import gc
import json
import logging
import math
import os
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from statistics import linear_regression, median
from typing import Any, NamedTuple

from benchmarks.contestants import TOKEN, plain_logger
from benchmarks.event import EXTRAS, NAME
from benchmarks.hot_path_calls import Held, delivery
from benchmarks.resident import resident_bytes
from benchmarks.sink_process import ROOT, sink
from benchmarks.timing import percentile, taken, taken_in_threads
from robotmia_logging import RobotmiaHandler

FULL = os.environ.get("FULL") == "1"
TURNS = 15 if FULL else 5
CALLS = 4_000 if FULL else 1_000
BIG_CALLS = CALLS // 5  # of messages that a machine holds only so many of
BIG_BYTES = 50_000
CALLS_A_THREAD = 200  # fewer would measure what threads cost to start
ROOM, ROOM_BYTES = 1_000_000, 1 << 31
FLUSH_S = 100.0
TOLERANCE = 0.25  # ten times the units may cost 10 ** 1.25 times as much: noise is no growth
ROW = "{:<19}{:>8}" + "{:>10}" * 9

Call = Callable[[int], None]


class Point(NamedTuple):
    """One row: how many of each there are."""

    loggers: int = 1
    threads: int = 1
    users: int = 1_000
    size: int = 350


SERIES: dict[str, tuple[str, list[Point]]] = {
    "loggers": ("loggers", [Point(loggers=count) for count in (1, 10, 100)]),
    "threads": ("threads", [Point(threads=count) for count in (1, 4, 16, 64)]),
    "users": ("users", [Point(users=count) for count in (1, 100, 10_000)]),
    "bytes of a message": ("size", [Point(size=size) for size in (200, 2_000, 20_000, 200_000)]),
}
BOUNDS: dict[str, dict[str, int]] = {
    "loggers": {"times": 0, "cpu_in_calls": 0, "waiting_bytes": 0},
    "threads": {"times": 0, "cpu_in_calls": 0, "p99_us": 1, "waiting_bytes": 0},
    "users": {"times": 0, "cpu_in_calls": 0, "waiting_bytes": 0},
    "bytes of a message": {"times": 1, "cpu_in_calls": 1, "p99_us": 1, "waiting_bytes": 1},
}
"""What may grow with each series: 0 for a price a call that stays as it is, so that all of them grow linearly; 1 for
one that grows as the units do: of bytes, or because each thread waits for the others."""


# --- one row, in a process of its own


class Workload:
    """The log calls of a point."""

    def __init__(self, point: Point) -> None:
        self._point = point
        users = [str(user) for user in range(point.users)]
        own = EXTRAS if point.size > 250 else {"plan": "pro"}
        padding = {"note": "x" * max(1, point.size - (280 if own is EXTRAS else 150))}
        self._extras = [{**own, **padding, "distinct_id": user, "track": True} for user in users]

    def calls(self, handler: logging.Handler) -> Call:
        """A call, of its number, to this handler behind every logger."""
        loggers = [plain_logger(f"{id(handler)}.shop{number}", handler) for number in range(self._point.loggers)]
        extras = self._extras

        def call(number: int) -> None:
            loggers[number % len(loggers)].info(NAME, extra=extras[number % len(extras)])

        return call

    def taken(self, call: Call, count: int) -> list[float]:
        """What each of so many calls takes, by all threads."""
        if self._point.threads == 1:
            return taken(call, count)
        return taken_in_threads(call, self._point.threads, max(CALLS_A_THREAD, count // self._point.threads))


def measure(point: Point, url: str) -> dict[str, float]:
    """The figures of a row."""
    workload = Workload(point)
    count = BIG_CALLS if point.size > BIG_BYTES else max(CALLS, point.users)
    floor = workload.calls(logging.NullHandler())
    handler = RobotmiaHandler(token=TOKEN, url=url, max_pending=ROOM, max_pending_bytes=ROOM_BYTES)
    call = workload.calls(handler)
    workload.taken(call, count)
    handler.flush(FLUSH_S)
    gc.collect()
    before, ours, turns = resident_bytes(), [], []
    for _ in range(TURNS):
        floor_us = median(workload.taken(floor, count))
        start = time.process_time()
        each = workload.taken(call, count)
        handler.flush(FLUSH_S)
        cpu_us = (time.process_time() - start) / len(each) * 1e6
        turns.append((median(each) / floor_us, cpu_us, cpu_us / floor_us))
        ours += each
    times, cpu_us, cpu_in_calls = map(median, zip(*turns, strict=True))
    grown = resident_bytes() - before
    stats = handler.stats()
    return {
        "call_us": median(ours),
        "times": times,
        "p99_us": percentile(ours, 99),
        "cpu_us": cpu_us,
        "cpu_in_calls": cpu_in_calls,
        "waiting_bytes": _waiting_bytes(workload, min(count, 500)),
        "grown_kib": grown / 1024,
        "sent_bytes": stats.bytes_sent / max(stats.delivered, 1),
        "lost": stats.accepted - stats.delivered,
    }


def _waiting_bytes(workload: Workload, count: int) -> float:
    """What a waiting message holds: its body, and what it is kept in."""
    shared = delivery(Held())
    call = workload.calls(RobotmiaHandler(delivery=shared))
    taken(call, count)
    tracemalloc.start()
    for number in range(count):
        call(number)
    return tracemalloc.get_traced_memory()[0] / count


# --- the table


def power(units: Sequence[float], prices: Sequence[float]) -> float:
    """The power of the units with which prices grow, fitted to all of them: 1 is linear."""
    return linear_regression([math.log(each) for each in units], [math.log(each) for each in prices]).slope


def verdicts(series: str, units: Sequence[int], rows: Sequence[dict[str, float]]) -> Iterator[str]:
    """What grows faster than it may, in words. Prices are judged in calls to a NullHandler: the machine wavers."""
    for figure, allowed in BOUNDS[series].items():
        grows = power(units, [row[figure] for row in rows])
        if grows > allowed + TOLERANCE:
            yield f"{figure} grows with the power {grows:.2f} of {series}, where {allowed} is linear"


def run(point: Point, url: str) -> dict[str, float]:
    """A row, measured in a fresh process."""
    command = [sys.executable, "-m", "benchmarks.scale", "row", json.dumps(point), url]
    ended = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, timeout=600, check=True)
    return dict(json.loads(ended.stdout))


def main() -> int:
    report: dict[str, Any] = {"series": [], "faster_than_linear": []}
    print(
        ROW.format(
            "",
            "",
            "call µs",
            "x floor",
            "p99 µs",
            "CPU µs",
            "CPU calls",
            "sent",
            "waiting",
            "grown KiB",
            "lost",
        )
    )
    with sink() as running:
        for name, (field, points) in SERIES.items():
            rows = []
            for point in points:
                row = run(point, running.url)
                rows.append(row)
                units = getattr(point, field)
                report["series"].append({"series": name, "units": units, **row})
                figures = (f"{row['call_us']:.1f}", f"{row['times']:.2f}", f"{row['p99_us']:.0f}")
                sizes = (f"{row['sent_bytes']:,.0f}", f"{row['waiting_bytes']:,.0f}", f"{row['grown_kib']:,.0f}")
                print(
                    ROW.format(
                        name,
                        units,
                        *figures,
                        f"{row['cpu_us']:.1f}",
                        f"{row['cpu_in_calls']:.1f}",
                        *sizes,
                        f"{row['lost']:.0f}",
                    )
                )
            found = list(verdicts(name, [getattr(point, field) for point in points], rows))
            report["faster_than_linear"] += found
            print("  " + ("; ".join(found) or "nothing grows faster than linearly"), flush=True)
    print(json.dumps(report))
    return 1 if report["faster_than_linear"] else 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["row"]:
        print(json.dumps(measure(Point(*json.loads(sys.argv[2])), sys.argv[3])), flush=True)
        os._exit(0)  # a request is held for good
    sys.exit(main())
