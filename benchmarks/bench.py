"""`make bench`: what a log call costs and what one process ships, beside what else could be used.

Each contestant runs in fresh processes, in turns with the others, against a sink in a process of its own; figures are
medians, ratios are taken within one process. All raw figures go to a JSON file. docs/benchmarks.md says how to read it.

Exit status: 0; 1 if a contestant failed or a drain lost messages; 2 for wrong use; 130 after Ctrl-C.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import platform
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks import hot_path
from benchmarks.budget import budget
from benchmarks.contestants import CONTESTANTS, Contestant
from benchmarks.plan import SCENARIOS, SIZES, Scenario
from benchmarks.sink_process import ROOT, sink
from benchmarks.table import render

INSTRUCTIONS = "instructions"
TIMEOUT_S = {"tiny": 60, "small": 120, "full": 1800}
WORST = frozenset({"lost", "raised", "complaints", "unreadable"})
"""Figures of which the worst repetition counts: a median would hide what was lost once."""

Figures = dict[str, float]


class Failed(Exception):  # noqa: N818  (it is an outcome)
    """A contestant's process didn't give its figures."""


@dataclass
class Report:
    """What was measured."""

    size: str
    runs: list[dict[str, Any]] = field(default_factory=list)
    failed: list[dict[str, str]] = field(default_factory=list)
    not_installed: dict[str, list[str]] = field(default_factory=dict)
    instructions: dict[str, Any] = field(default_factory=dict)
    load: float = field(default_factory=lambda: round(os.getloadavg()[0], 1))
    took_s: float = 0.0

    def medians(self) -> dict[str, dict[str, Figures]]:
        """Of each scenario and contestant, over the repetitions."""
        grouped: dict[str, dict[str, list[Figures]]] = {}
        for run in self.runs:
            grouped.setdefault(run["scenario"], {}).setdefault(run["contestant"], []).append(run["figures"])
        return {
            scenario: {name: _middle(repetitions) for name, repetitions in contestants.items()}
            for scenario, contestants in grouped.items()
        }

    def lossy_drains(self) -> list[str]:
        """Those of whom not every message arrived, exactly once, though the server took them all."""
        lossy = {
            run["contestant"]
            for run in self.runs
            if run["scenario"] in ("drain", "distance") and (run["figures"]["lost"] or run["figures"]["unreadable"])
        }
        return sorted(lossy)

    def as_json(self) -> dict[str, Any]:
        return {
            "machine": {"cores": os.cpu_count(), "python": platform.python_version(), "load": self.load},
            "versions": dict(_versions()),
            "size": self.size,
            "took_s": round(self.took_s, 1),
            "not_installed": self.not_installed,
            "failed": self.failed,
            "medians": self.medians(),
            "instructions": self.instructions,
            "budget": [line._asdict() for line in budget(self.medians())],
            "runs": self.runs,
        }


def _middle(repetitions: Sequence[Figures]) -> Figures:
    middle = {}
    for name in repetitions[0]:
        values = [figures[name] for figures in repetitions]
        middle[name] = max(values, key=abs) if name in WORST else median(values)
    return middle


def _versions() -> Iterator[tuple[str, str]]:
    for name in sorted({name for each in CONTESTANTS.values() for name in each.distributions}):
        try:
            yield name, importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            pass  # listed as not installed


def measure(report: Report, scenarios: Sequence[str], contestants: Sequence[str]) -> None:
    """Measure these scenarios of these contestants, one after another, in turns, into a report."""
    start = time.monotonic()
    for name in contestants:
        if missing := CONTESTANTS[name].missing():
            report.not_installed[name] = missing
    there = [name for name in contestants if name not in report.not_installed]
    try:
        for name in scenarios:
            if name == INSTRUCTIONS:
                report.instructions = _instructions()
            else:
                _measure_scenario(report, name, there)
    finally:
        report.took_s = time.monotonic() - start


def _measure_scenario(report: Report, name: str, contestants: Sequence[str]) -> None:
    scenario = SCENARIOS[name]
    concerned = [each for each in contestants if scenario.concerns(CONTESTANTS[each])]
    repetitions = scenario.repetitions[SIZES.index(report.size)]
    for repetition in range(repetitions):
        first = repetition * len(concerned) // repetitions  # another begins each time: machines get warm, and busy
        for each in concerned[first:] + concerned[:first]:
            _say(f"{name} {repetition + 1}/{repetitions}: {each}")
            try:
                figures = _run(name, scenario, CONTESTANTS[each], report.size)
            except Failed as failure:
                report.failed.append({"scenario": name, "contestant": each, "why": str(failure)})
            else:
                run = {"scenario": name, "contestant": each, "repetition": repetition, "figures": figures}
                report.runs.append(run)


def _run(name: str, scenario: Scenario, contestant: type[Contestant], size: str) -> Figures:
    """One repetition, in a fresh process."""
    if name == "import":
        return _figures("benchmarks.importing", contestant.name, *contestant.modules, size=size)
    with sink(latency_ms=scenario.latency_ms) as running:
        given = {"url": running.url, "control": running.control, **scenario.sized(size, contestant)}
        return _figures("benchmarks.scenarios", name, contestant.name, json.dumps(given), size=size)


def _figures(module: str, *arguments: str, size: str) -> Any:
    command = [sys.executable, "-m", module, *arguments]
    try:
        with tempfile.TemporaryDirectory(prefix="bench-") as folder:
            ended = subprocess.run(
                command,
                cwd=ROOT,
                env={**os.environ, "TMPDIR": folder},
                capture_output=True,
                text=True,
                timeout=TIMEOUT_S[size],
                check=False,
            )
        return json.loads(ended.stdout)
    except subprocess.TimeoutExpired:
        raise Failed(f"took more than {TIMEOUT_S[size]} seconds") from None
    except ValueError:
        lines = ended.stderr.strip().splitlines() or [f"exit status {ended.returncode}"]
        raise Failed(lines[-1]) from None


def _instructions() -> dict[str, Any]:
    """The hot path's instruction counts, where they can be counted."""
    _say(f"{INSTRUCTIONS}: the hot path")
    try:
        return dict(hot_path.measure())
    except Exception as error:
        return {"not measured": f"{type(error).__name__}: {error}"}


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _scenarios(text: str) -> list[str]:
    known = (*SCENARIOS, INSTRUCTIONS)
    asked = _words(text) or list(known)
    for name in asked:
        if name not in known:
            raise argparse.ArgumentTypeError(f"there is no scenario {name!r}; give some of {', '.join(known)}")
    return [name for name in known if name in asked]


def _contestants(text: str) -> list[str]:
    asked = _words(text) or [""]
    for word in asked:
        if not any(word.lower() in name.lower() for name in CONTESTANTS):
            raise argparse.ArgumentTypeError(
                f"no contestant has {word!r} in its name; they are {', '.join(CONTESTANTS)}"
            )
    return [name for name in CONTESTANTS if any(word.lower() in name.lower() for word in asked)]


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def main(arguments: Iterable[str] | None = None) -> int:
    """Measure, print the table, write the JSON."""
    environment = os.environ.get
    size = "full" if environment("FULL") == "1" else "small"
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bench", description=__doc__.partition("\n\n")[0])
    parser.add_argument("--only", type=_scenarios, default=environment("ONLY", ""), help="Scenarios, default $ONLY.")
    parser.add_argument(
        "--contestants",
        type=_contestants,
        default=environment("CONTESTANTS", ""),
        help="Those with one of these words in their name, default $CONTESTANTS.",
    )
    parser.add_argument("--size", choices=SIZES, default=size, help="How much of it, default full if $FULL is 1.")
    parser.add_argument("--json", type=Path, default=ROOT / "build" / "bench.json", help="Where raw figures go.")
    asked = parser.parse_args(None if arguments is None else list(arguments))
    report, interrupted = Report(asked.size), False
    try:
        measure(report, asked.only, asked.contestants)
    except KeyboardInterrupt:
        interrupted = True  # what was measured by then is shown
    asked.json.parent.mkdir(parents=True, exist_ok=True)
    asked.json.write_text(json.dumps(report.as_json(), indent=1) + "\n")
    print(render(report.as_json()))
    _say(f"raw figures: {asked.json}")
    for name in report.lossy_drains():
        _say(f"not every message of {name} arrived, exactly once")
    if interrupted:
        return 130
    return 1 if report.failed or report.lossy_drains() else 0


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ended, it ends what it runs
    sys.exit(main())
