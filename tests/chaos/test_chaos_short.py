"""A short run of chaos; `make chaos` plays long ones."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("fcntl", reason="a spool needs file locks")


def test_chaos_loses_nothing(tmp_path):
    """Processes that spool are killed and forked, their server fails: nothing is lost, and users keep their order."""
    command = [sys.executable, "-m", "tests.chaos", "--rounds", "20", "--seed", "4", "--keep", str(tmp_path / "kept")]
    done = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, timeout=55)
    assert done.returncode == 0, done.stdout + done.stderr
    counts = {line[:36].strip(): int(line[36:].replace(",", "")) for line in done.stdout.splitlines()}
    assert counts["rounds"] == 20
    assert counts["logged"] > 1000
    assert (counts["lost"], counts["order violations"], counts["series with violations"]) == (0, 0, 0)
