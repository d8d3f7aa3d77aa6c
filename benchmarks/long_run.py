"""The long run: messages logged as fast as they are delivered, and whether memory stays flat.

`python -m benchmarks.long_run`, or `MESSAGES=10000000 python -m benchmarks.long_run` for the real thing. Every message
has a user of its own, so that whatever is kept of users shows. The logger waits while too much is pending: nothing
overflows, and at the end everything has arrived. Prints a row for each tenth, and a line of JSON.

Exit status: 0; 1 if memory grew, or messages are missing; 2 for wrong use.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import time
from typing import NamedTuple

from benchmarks.contestants import TOKEN, plain_logger
from benchmarks.event import EXTRAS, NAME
from benchmarks.resident import resident_bytes
from benchmarks.sink_process import sink
from robotmia_logging import RobotmiaHandler

MESSAGES = "200000"
ROWS = 20
SHOWN_ROWS = 10
LOOK_EVERY = 100
ENOUGH_PENDING = 5_000
FLUSH_S = 600.0
ALLOWED_GROWTH = 2 * 1024 * 1024
ROW = "{:>12}{:>14}{:>12}{:>12}"


class Look(NamedTuple):
    """What was seen after so many messages."""

    logged: int
    messages_s: float
    resident: int
    pending: int


def run(messages: int, handler: RobotmiaHandler) -> list[Look]:
    """Log so many, paced by what is pending, and look at the process `ROWS` times."""
    log = plain_logger("bench.long_run", handler)
    looks: list[Look] = []
    every = max(messages // ROWS, 1)
    start = time.perf_counter()
    for number in range(1, messages + 1):
        log.info(NAME, extra={**EXTRAS, "distinct_id": str(number), "track": True})
        if number % LOOK_EVERY == 0:
            while handler.delivery.pending > ENOUGH_PENDING:
                time.sleep(0.001)
        if number % every == 0:
            now = time.perf_counter()
            looks.append(Look(number, every / (now - start), resident_bytes(), handler.delivery.pending))
            start = now
            if len(looks) % (ROWS // SHOWN_ROWS) == 0:
                show(looks[-1])
    return looks


def show(look: Look) -> None:
    mib = f"{look.resident / 2**20:.1f}"
    print(ROW.format(f"{look.logged:,}", f"{look.messages_s:,.0f}", mib, f"{look.pending:,}"), flush=True)


def growth(looks: list[Look]) -> int:
    """What the most of the last quarter is above the most of the second, in bytes."""
    quarter = len(looks) // 4
    second, last = looks[quarter : 2 * quarter], looks[-quarter:]
    return max(look.resident for look in last) - max(look.resident for look in second)


def main() -> int:
    given = os.environ.get("MESSAGES", MESSAGES)
    if not given.isdecimal() or int(given) < ROWS:
        print(f"MESSAGES is {given!r}: give a whole number of at least {ROWS}", file=sys.stderr)
        return 2
    messages = int(given)
    print(ROW.format("messages", "messages/s", "MiB", "pending"))
    with sink() as running:
        handler = RobotmiaHandler(token=TOKEN, url=running.url)
        start = time.perf_counter()
        looks = run(messages, handler)
        handler.flush(FLUSH_S)
        took = time.perf_counter() - start
        gc.collect()
        arrived = running.counts()["messages"]
        stats = handler.stats()
    grown = growth(looks)
    is_flat, is_all_there = grown <= ALLOWED_GROWTH, messages == stats.delivered == arrived
    print(f"memory: {'flat' if is_flat else 'GROWS'}, the last quarter {grown / 1024:+,.0f} KiB against the second")
    print(f"logged {messages:,}, delivered {stats.delivered:,}, arrived {arrived:,}; {messages / took:,.0f} messages/s")
    report = {
        "messages": messages,
        "messages_s": messages / took,
        "delivered": stats.delivered,
        "arrived": arrived,
        "grown_bytes": grown,
        "looks": [look._asdict() for look in looks],
    }
    print(json.dumps(report))
    return 0 if is_flat and is_all_there else 1


if __name__ == "__main__":
    sys.exit(main())
