"""The guard of the hot path: instructions and allocations, numbers that a noisy machine doesn't blur.

`python -m benchmarks.hot_path` prints them, in calls to a NullHandler too, and marks what needs a quarter more than
`hot_path.json` has for this Python; `--save` makes them the new reference. Instructions are counted by callgrind,
where valgrind is installed.

Exit status: 0; 1 if something grew by more than a quarter; 2 for wrong use.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.hot_path_calls import NULL
from benchmarks.sink_process import ROOT, sink

REFERENCE = Path(__file__).with_suffix(".json")
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
ALLOWED_GROWTH = 1.25
_LEFT = "left of a delivered message"
TIMEOUT_S = 300
GREW = "a quarter more than hot_path.json has"
PROGRAM = (sys.executable, "-m", "benchmarks.hot_path_calls")
MARK = "getppid"
_PART = re.compile(r"^part: (\d+)$.*^totals: (\d+)$", re.MULTILINE | re.DOTALL)

Figures = dict[str, float]


def measure() -> dict[str, Any]:
    """Instructions a call, also in calls to a NullHandler, and allocations; what grew since the reference."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, sink() as running:
        counted = _instructions(folder, running.url)
        allocated = _figures([*PROGRAM, "allocations", running.url], folder)
    figures: Figures = {**counted, **_in_null_calls(counted), **allocated}
    shown: dict[str, Any] = dict(figures)
    if not counted:
        shown["instructions"] = "not measured: valgrind isn't installed"
    known = PYTHON in _reference()
    shown[GREW] = "; ".join(grown(figures)) or ("nothing" if known else f"it has nothing for Python {PYTHON}")
    return shown


def grown(figures: Figures) -> list[str]:
    """What needs a quarter more than the reference, each in words."""
    reference = _reference().get(PYTHON, {})
    return [
        f"{name} {figures[name]:,} instead of {was:,}"
        for name, was in reference.items()
        if name in figures
        and figures[name] > was * ALLOWED_GROWTH + (2 if name.endswith(_LEFT) else 0)  # of about none
    ]


def _instructions(folder: str, url: str) -> Figures:
    """Of each piece of work, a unit; nothing where valgrind isn't installed."""
    valgrind = shutil.which("valgrind")
    if valgrind is None:
        return {}
    out = Path(folder) / "callgrind"
    tool = [valgrind, "-q", "--tool=callgrind", f"--dump-before={MARK}", f"--callgrind-out-file={out}"]
    units = _figures([*tool, *PROGRAM, "instructions", url], folder)
    parts = dict(_part(path) for path in Path(folder).glob("callgrind*"))
    # A part ends where a mark is met: the first before the first work, the second with it, and so on.
    return {name: round(parts[2 * place] / each) for place, (name, each) in enumerate(units.items(), 1)}


def _part(path: Path) -> tuple[int, int]:
    """The number of one of callgrind's files, and the instructions it counts."""
    found = _PART.search(path.read_text())
    if found is None:
        raise ValueError(f"{path} isn't a file of callgrind's")
    return int(found[1]), int(found[2])


def _in_null_calls(counted: Figures) -> Figures:
    return {f"{name}, in {NULL}s": round(count / counted[NULL], 2) for name, count in counted.items() if name != NULL}


def _figures(command: list[str], folder: str) -> Figures:
    """What a program prints. Hashes are the same each time, and so is the way through every dict."""
    ended = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": "0", "TMPDIR": folder},
        stdout=subprocess.PIPE,
        text=True,
        timeout=TIMEOUT_S,
        check=True,
    )
    return dict(json.loads(ended.stdout))


def _reference() -> dict[str, Figures]:
    return dict(json.loads(REFERENCE.read_text())) if REFERENCE.exists() else {}


def main() -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.hot_path", description=__doc__.partition("\n\n")[0])
    parser.add_argument("--save", action="store_true", help="Make this the reference for this Python.")
    asked = parser.parse_args()
    shown = measure()
    figures = {name: figure for name, figure in shown.items() if not isinstance(figure, str)}
    if asked.save:
        REFERENCE.write_text(json.dumps({**_reference(), PYTHON: figures}, indent=1, sort_keys=True) + "\n")
    for name, figure in shown.items():
        print(f"{name:<55}{figure if isinstance(figure, str) else f'{figure:,}'}")
    return 1 if grown(figures) else 0


if __name__ == "__main__":
    sys.exit(main())
