"""What a log call costs, and what one process ships: `make bench`.

Ratios within one run against the same call to a NullHandler; a sink in a process of its own takes the batches.
Machines differ and are shared: read the ratios, not the microseconds.
"""

from __future__ import annotations

import logging
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from robotmia_logging import RobotmiaHandler

ROUNDS = 5
CALLS = 20_000
DRAINED = 100_000
EXTRAS = {
    "plan": "pro",
    "amount": 25.34,
    "seats": 3,
    "trial": False,
    "source": "newsletter",
    "distinct_id": "13793",
}


def logger(name: str, handler: logging.Handler) -> logging.Logger:
    log = logging.getLogger(name)
    log.propagate = False
    log.setLevel(logging.DEBUG)
    log.addHandler(handler)
    return log


def prices(log: logging.Logger, extra: dict[str, object], calls: int = CALLS) -> list[float]:
    """Microseconds of each call, sorted."""
    clock, taken = time.perf_counter, []
    for _ in range(calls):
        start = clock()
        log.info("Signed Up", extra=extra)
        taken.append((clock() - start) * 1e6)
    return sorted(taken)


def call_price(url: str) -> None:
    tracked = {**EXTRAS, "track": True}
    handler = RobotmiaHandler(token="bench", url=url, max_pending=10 * CALLS)
    null, ours = logger("null", logging.NullHandler()), logger("ours", handler)
    rows = []
    for _ in range(ROUNDS):
        base, track = prices(null, tracked), prices(ours, tracked)
        handler.flush(60)
        null_plain, plain = prices(null, EXTRAS), prices(ours, EXTRAS)
        middle, tail = CALLS // 2, CALLS * 99 // 100
        rows.append((base[middle], track[middle], plain[middle] - null_plain[middle], base[tail], track[tail]))
    base, track, more, base_99, track_99 = (statistics.median(column) for column in zip(*rows, strict=True))
    print(f"log call to a NullHandler        {base:7.2f} µs   p99 {base_99:7.1f} µs")
    print(f"tracked log call                 {track:7.2f} µs   p99 {track_99:7.1f} µs   {track / base:.2f} times")
    print(f"untracked log call               {more:+7.2f} µs   on top of NullHandler's")
    logging.getLogger("ours").removeHandler(handler)
    handler.close()


def drain(url: str) -> None:
    handler = RobotmiaHandler(token="bench", url=url, max_pending=2 * DRAINED)
    log = logger("drain", handler)
    start, cpu = time.perf_counter(), time.process_time()
    for i in range(DRAINED):
        log.info("Signed Up", extra={**EXTRAS, "track": True, "distinct_id": str(i % 1000)})
    complete = handler.flush(300)
    took, cpu = time.perf_counter() - start, time.process_time() - cpu
    rate, cpu_us = DRAINED / took, cpu / DRAINED * 1e6
    print(f"logged and delivered together    {rate:7,.0f} messages/s   {cpu_us:.1f} µs of CPU each   all: {complete}")


@contextmanager
def sink() -> Iterator[str]:
    """A server in a process of its own that takes every batch; its URL."""
    command = [sys.executable, str(Path(__file__).with_name("sink.py"))]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
        finally:
            process.kill()


def main() -> None:
    with sink() as url:
        call_price(url)
        drain(url)


if __name__ == "__main__":
    main()
