"""What durable delivery costs: `make bench`.

The same log call with and without a spool, in one run, in turns: alone, and beside a thread that keeps the interpreter
busy; while the server is away, so that nothing but the call is measured, and while it takes what comes.
"""

from __future__ import annotations

import logging
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from log_call import EXTRAS, logger, prices, sink

from robotmia_logging import RobotmiaHandler

TURNS = 140
DRAINED = 50_000
NOWHERE = "http://127.0.0.1:9"  # the discard port: refused at once
ROW = "{:<34}{:>9}{:>9}{:>11}{:>9}{:>11}"


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


def price(what: str, handlers: Mapping[str, RobotmiaHandler]) -> None:
    """The price of a tracked call with each handler: medians of the turns' medians and 99th percentiles.

    The turns are short, for what else runs on the machine comes and goes; what a spool costs more is the median of what
    it cost more in each turn.
    """
    loggers = {name: logger(f"{what}.{name}", handler) for name, handler in handlers.items()}
    loggers["null"] = logger(f"{what}.null", logging.NullHandler())
    rows: dict[str, list[tuple[float, float]]] = {name: [] for name in loggers}
    for _ in range(TURNS):
        for name, log in loggers.items():
            taken = prices(log, {**EXTRAS, "track": True}, calls=250)
            rows[name].append((taken[len(taken) // 2], taken[len(taken) * 99 // 100]))
            if name in handlers:
                handlers[name].flush(0.0 if handlers[name].delivery.settings.url == NOWHERE else 60)
    null, memory, spool = (
        [statistics.median(column) for column in zip(*rows[name], strict=True)] for name in ("null", "memory", "spool")
    )
    figures = (null[0], memory[0], memory[1], spool[0], spool[1])
    more = statistics.median(b[0] - a[0] for a, b in zip(rows["memory"], rows["spool"], strict=True))
    print(ROW.format(what, *(f"{figure:.1f}" for figure in figures)), f"{more:+6.1f}")


def drained(handler: RobotmiaHandler, name: str) -> float:
    """Messages a second, logged and delivered at once."""
    log = logger(name, handler)
    start = time.perf_counter()
    for i in range(DRAINED):
        log.info("Signed Up", extra={**EXTRAS, "track": True, "distinct_id": str(i % 1000)})
    assert handler.flush(300)
    rate = DRAINED / (time.perf_counter() - start)
    log.handlers.clear()
    return rate


def drain(url: str, open_spool: Callable[..., RobotmiaHandler]) -> None:
    memory = RobotmiaHandler(token="bench", url=url, max_pending=2 * DRAINED)
    spool = open_spool(url=url)
    rates = [(drained(memory, "d.memory"), drained(spool, "d.spool")) for _ in range(3)]
    without, with_spool = (statistics.median(column) for column in zip(*rates, strict=True))
    print(f"logged and delivered together     {without:,.0f} messages/s in memory, {with_spool:,.0f} with a spool, "
          f"{statistics.median(b / a for a, b in rates):.2f} of it")  # fmt: skip


def syncing(open_spool: Callable[..., RobotmiaHandler]) -> None:
    """What `spool_fsync` costs log calls and in all, with 20,000 messages logged in an outage."""
    for interval in (None, 1.0, 0.1):
        handler = open_spool(url=NOWHERE, spool_fsync=interval)
        log = logger(f"sync.{interval}", handler)
        start = time.perf_counter()
        taken = [figure for _ in range(4) for figure in prices(log, {**EXTRAS, "track": True}, calls=5_000)]
        took = time.perf_counter() - start
        taken.sort()
        middle, tail = taken[len(taken) // 2], taken[len(taken) * 99 // 100]
        print(
            f"  spool_fsync={interval!s:<5} {middle:6.1f} µs a call, p99 {tail:6.1f}, {len(taken) / took:,.0f} calls/s"
        )


def main() -> None:
    logging.getLogger("robotmia_logging").addHandler(logging.NullHandler())
    with tempfile.TemporaryDirectory() as root, sink() as url:
        count = iter(range(100))

        def open_spool(**options: object) -> RobotmiaHandler:
            return RobotmiaHandler(token="bench", spool=Path(root) / str(next(count)), shutdown_timeout=0.1, **options)

        print(f"\nA spool, in {root}; µs a tracked log call")
        print(ROW.format("", "null", "memory", "p99", "spool", "p99"), "   more")
        for where, address in (("server away", NOWHERE), ("delivering", url)):
            handlers = {
                "memory": RobotmiaHandler(token="bench", url=address, shutdown_timeout=0.1),
                "spool": open_spool(url=address),
            }
            price(where, handlers)
            with busy_thread():
                price(f"{where}, a busy thread beside", handlers)
        drain(url, open_spool)
        print("what spool_fsync costs, server away")
        syncing(open_spool)


if __name__ == "__main__":
    main()
