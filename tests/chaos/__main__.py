"""Chaos: loggers that spool are killed, forked, stopped and squeezed, their server fails; then all is counted.

python -m tests.chaos --rounds 1000 --seed 1
python -m tests.chaos --seed 1 --only-round 423     (plays the series that it belongs to)
"""

from __future__ import annotations

import argparse
import os
import secrets
import sys
import tempfile
import time
from collections import Counter

from tests.chaos.rounds import Outcome
from tests.chaos.run import Run

_KEPT = 10


def main() -> int:
    """Play, and say what came of it; 1 if anything was wrong."""
    options = _options()
    root = options.keep or tempfile.mkdtemp(prefix="robotmia-chaos-")
    os.makedirs(root, exist_ok=True)
    run = Run(options.seed, options.rounds, root, workers=options.workers, only_round=options.only_round)
    print(f"chaos: {options.rounds} rounds, seed {options.seed}, in {root}", file=sys.stderr)
    started, totals, failed = time.monotonic(), Counter[str](), []
    for outcome in run.outcomes():
        totals.update(outcome.counts)
        if outcome.violations:
            failed.append(outcome)
            _tell(outcome, options.seed)
        if sys.stderr.isatty():
            _progress(totals, options.rounds, time.monotonic() - started)
    if sys.stderr.isatty():
        print("\r\x1b[K", end="", file=sys.stderr)
    _summary(totals, len(failed), time.monotonic() - started)
    if not failed and not options.keep:
        os.rmdir(root)
    return 1 if failed else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--rounds", type=int, default=100, help="how many rounds to play (100)")
    parser.add_argument(
        "--seed", type=int, default=secrets.randbelow(10**6), help="what to draw from (another each time)"
    )
    parser.add_argument("--workers", type=int, default=min(2, os.cpu_count() or 1), help="series played at once (2)")
    parser.add_argument("--only-round", type=int, help="play only the series of this round")
    parser.add_argument(
        "--keep", metavar="FOLDER", help="where failing series are kept (a folder in the temporary one)"
    )
    return parser.parse_args()


def _progress(totals: Counter[str], rounds: int, seconds: float) -> None:
    line = f"{totals['rounds']}/{rounds} rounds, {totals['logged']:,} messages, {totals['lost']} lost, {seconds:.0f} s"
    print(f"\r\x1b[K{line}", end="", file=sys.stderr, flush=True)


def _tell(outcome: Outcome, seed: int) -> None:
    rounds = outcome.rounds
    print(
        f"series {outcome.number} ({outcome.kind}), rounds {rounds.start} to {rounds.stop - 1}: "
        f"see {outcome.folder}; again with --seed {seed} --only-round {rounds.start}",
        *outcome.violations[:_KEPT],
        *([f"and {len(outcome.violations) - _KEPT} more"] if len(outcome.violations) > _KEPT else []),
        sep="\n    ",
    )


def _summary(totals: Counter[str], failed: int, seconds: float) -> None:
    first = ("rounds", "rounds with a full disk", "server restarts", "processes", "logged", "lost", "order violations")
    duplicates = ("duplicates", "duplicates of exits in an outage", "duplicates of kills alone", "their bound")
    others = ("dropped by overflow", "lost from memory")
    kills = sorted(name for name in totals if name.startswith("kills: "))
    for name in (*first[:4], *kills, *first[4:], *duplicates, *others):
        print(f"{name:<36}{totals[name]:>12,}")
    print(f"{'series with violations':<36}{failed:>12,}")
    print(f"{'seconds':<36}{seconds:>12,.0f}")


if __name__ == "__main__":
    sys.exit(main())
