"""What a replay costs: lines a second and memory, for logs of two sizes. `FULL=1` for 100,000 and 1,000,000 lines.

Each log is replayed by the command in a process of its own; a sink in another takes the batches. In the one log each
line gives an event, in the other every tenth; packed or not.
"""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
import tempfile
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path

from benchmarks.sink_process import sink

SIZES = (100_000, 1_000_000) if os.environ.get("FULL") == "1" else (10_000, 50_000)
RULES = """
[[rule]]
logger = "shop.orders"
message = "order placed"
event = "Order Placed"
distinct_id = "{user}"
properties = { total = "{total}", plan = "{plan}" }
"""
PROGRAM = """
import atexit, sys
status = open("/proc/self/status")
atexit.register(lambda: sys.stderr.write(next(line for line in status if line.startswith("VmHWM"))))
from robotmia_logging.cli import main
main()
"""
ROW = "{:>9} {:>10} {:<8} {:>9} {:>11} {:>9}"


def write_log(path: Path, lines: int, every: int) -> None:
    """A log as structlog's JSONRenderer writes it; every so many lines an order is placed."""
    start = datetime.now(timezone.utc) - timedelta(hours=2)
    with gzip.open(path, "wt", 1) if path.suffix == ".gz" else open(path, "w") as file:
        for n in range(lines):
            line = {
                "event": "order placed" if n % every == 0 else "cache looked up",
                "level": "info",
                "logger": "shop.orders",
                "timestamp": (start + timedelta(milliseconds=n)).isoformat(),
                "user": f"user-{n % 5000}",
                "total": n % 997 / 10,
                "plan": "pro",
            }
            file.write(json.dumps(line) + "\n")


def replayed(log: Path, rules: Path, url: str) -> tuple[float, int, int]:
    """Replay a log; seconds, messages delivered, and KiB of memory at most."""
    arguments = ["replay", log, "--rules", rules, "--token", "bench", "--url", url]
    start = time.perf_counter()
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM, *map(str, arguments)], capture_output=True, text=True, check=True
    )
    took = time.perf_counter() - start
    return took, json.loads(ended.stdout)["delivered"], int(ended.stderr.split()[-2])


def main() -> None:
    results = []
    print(ROW.format("lines", "messages", "packed", "seconds", "lines/s", "MiB"))
    with tempfile.TemporaryDirectory() as folder, sink() as running:
        rules = Path(folder) / "rules.toml"
        rules.write_text(RULES)
        for every in (1, 10):
            for lines in SIZES:
                for packed in (False, True):
                    log = Path(folder) / f"{every}-{lines}.log{'.gz' if packed else ''}"
                    write_log(log, lines, every)
                    state = Path(folder) / ".robotmia-replay"
                    took, messages, peak = replayed(log, rules, running.url)
                    for journal in state.glob("*.journal"):
                        journal.unlink()
                    log.unlink()
                    result = {
                        "lines": lines,
                        "messages": messages,
                        "packed": packed,
                        "seconds": round(took, 2),
                        "lines_per_s": round(lines / took),
                        "peak_kib": peak,
                    }
                    results.append(result)
                    figures = (f"{took:.1f}", f"{lines / took:,.0f}", f"{peak / 1024:.0f}")
                    print(ROW.format(f"{lines:,}", f"{messages:,}", "gzip" if packed else "no", *figures), flush=True)
    print(json.dumps(results))


if __name__ == "__main__":
    main()
