"""What rules cost a log call: `python benchmarks/rules.py`.

A call without tracking keys, with 1, 100 and 10,000 rules of which none concerns it, and of which one matches it; in
short turns beside the same call to a NullHandler, whose price is taken off.
"""

from __future__ import annotations

import logging
import statistics
import time
from typing import Any

from benchmarks.contestants import plain_logger
from benchmarks.event import EXTRAS
from robotmia_logging import RobotmiaHandler

TURNS = 40
CALLS = 500
COUNTS = (1, 100, 10_000)
NOWHERE = "http://127.0.0.1:9"  # the discard port: refused at once
MESSAGE = "user %s signed up from %s"
ROW = "{:<46}" + "{:>14}" * len(COUNTS)


def rules(kind: str, count: int) -> list[dict[str, Any]]:
    """So many rules of a kind."""
    each = {
        "messages of this logger": lambda n: {"logger": "shop", "message": f"message {n}: %s"},
        "messages of all loggers": lambda n: {"message": f"message {n}: %s"},
        "loggers of their own": lambda n: {"logger": f"other{n}.sub", "message": MESSAGE},
        "patterns for other loggers": lambda n: {"logger": f"other{n}", "pattern": rf"^message {n}: (?P<what>\S+)"},
        "patterns for a higher level": lambda n: {"level": "ERROR", "pattern": rf"^message {n}: (?P<what>\S+)"},
    }[kind]
    return [each(number) for number in range(count)]


def price(log: logging.Logger) -> float:
    """The median price of a call, in microseconds."""
    clock, taken = time.perf_counter, []
    for _ in range(CALLS):
        start = clock()
        log.info(MESSAGE, "ada", "here", extra=EXTRAS)
        taken.append(clock() - start)
    return statistics.median(taken) * 1e6


def more(name: str, of_count: dict[int, list[dict[str, Any]]], turns: int = TURNS) -> list[float]:
    """What rules cost more than a NullHandler, for each number of them."""
    null = plain_logger(f"null.{name}", logging.NullHandler())
    handlers = {
        count: RobotmiaHandler(token="bench", url=NOWHERE, shutdown_timeout=0, max_pending=1_000, rules=given)
        for count, given in of_count.items()
    }
    loggers = {}
    for count, handler in handlers.items():
        loggers[count] = plain_logger(f"shop.{name}.{count}", handler)
    added: dict[int, list[float]] = {count: [] for count in handlers}
    for _ in range(turns):
        for count, log in loggers.items():
            floor = price(null)
            added[count].append(price(log) - floor)
    for handler in handlers.values():
        handler.close()
    return [statistics.median(added[count]) for count in COUNTS]


def main() -> None:
    logging.raiseExceptions = False
    logging.getLogger("robotmia_logging").addHandler(logging.NullHandler())
    print("µs more than a NullHandler, for a call with six extras and no tracking keys")
    print(ROW.format("rules", *(f"{count:,}" for count in COUNTS)))
    kinds = [
        "messages of this logger",
        "messages of all loggers",
        "loggers of their own",
        "patterns for other loggers",
        "patterns for a higher level",
    ]
    for kind in kinds:
        prices = more(kind, {count: rules(kind, count) for count in COUNTS})
        print(ROW.format(kind, *(f"{each:+.2f}" for each in prices)))
    matching = {"logger": "shop", "message": MESSAGE, "event": "Signed Up", "distinct_id": "{0}"}
    prices = more("matching", {n: [*rules("messages of this logger", n - 1), matching] for n in COUNTS}, TURNS // 4)
    print(ROW.format("the last one matches by its message", *(f"{each:+.2f}" for each in prices)))
    searched = {"logger": "shop", "pattern": r"^user (?P<distinct_id>\S+) logged out"}
    prices = more("searched", {n: [*rules("messages of this logger", n - 1), searched] for n in COUNTS})
    print(ROW.format("the last one's pattern is tried, and not found", *(f"{each:+.2f}" for each in prices)))


if __name__ == "__main__":
    main()
