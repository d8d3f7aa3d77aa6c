"""The guard of the hot path: it reads what callgrind counts, and sees what grew."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys

import pytest

from benchmarks import hot_path
from benchmarks.hot_path_calls import NULL, TRACKED

FILES = {1: 90_000, 2: 10_000, 3: 70_000, 4: 15_500, 5: 1}


def write_parts(folder, parts):
    """Callgrind's files of a run, one for each part; the last has no number in its name."""
    for part, instructions in parts.items():
        suffix = "" if part == max(parts) else f".{part}"
        text = f"version: 1\npid: 7\npart: {part}\n\nevents: Ir\nsummary: {instructions}\n\nfn=(1)\n0 {instructions}\n"
        (folder / f"callgrind{suffix}").write_text(f"{text}\ntotals: {instructions}\n")


def test_hot_path_reads_parts(tmp_path, monkeypatch):
    """The work is every second of callgrind's parts, and is divided by its calls."""

    def run(_command, _folder):
        write_parts(tmp_path, FILES)
        return {NULL: 1_000, TRACKED: 1_000}

    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(hot_path, "_figures", run)
    assert hot_path._instructions(str(tmp_path), "http://nowhere") == {NULL: 10, TRACKED: 16}


def test_hot_path_without_valgrind(tmp_path, monkeypatch):
    """Where valgrind isn't installed that is said, and allocations are counted all the same."""
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    monkeypatch.setattr(hot_path, "REFERENCE", tmp_path / "hot_path.json")
    figures = hot_path.measure()
    assert figures["instructions"] == "not measured: valgrind isn't installed"
    assert figures[f"{TRACKED}: bytes a waiting message holds"] > 100
    assert figures[hot_path.GREW] == f"it has nothing for Python {hot_path.PYTHON}"


def test_hot_path_sees_growth(tmp_path, monkeypatch):
    """What needs over a quarter more than the reference is told, what needs less or is unknown isn't."""
    reference = tmp_path / "hot_path.json"
    reference.write_text(json.dumps({hot_path.PYTHON: {"a": 1000, "b": 1000, "gone": 1}, "2.7": {"b": 1}}))
    monkeypatch.setattr(hot_path, "REFERENCE", reference)
    assert hot_path.grown({"a": 2000, "b": 1200, "new": 9}) == ["a 2,000 instead of 1,000"]


def test_hot_path_reference_is_whole():
    """The committed reference has numbers only, those of allocations among them."""
    for figures in json.loads(hot_path.REFERENCE.read_text()).values():
        assert all(isinstance(figure, (int, float)) for figure in figures.values())
        assert f"{TRACKED}: bytes a waiting message holds" in figures


def test_hot_path_holds_little():
    """A waiting message holds little beside its body of some 220 bytes, and nothing once it is delivered."""
    command = [sys.executable, "-m", "benchmarks.hot_path_calls", "allocations", "http://nowhere"]
    ended = subprocess.run(command, cwd=hot_path.ROOT, capture_output=True, text=True, timeout=50, check=True)
    figures = json.loads(ended.stdout)
    assert figures[f"{TRACKED}: bytes a waiting message holds"] < 600
    assert figures[f"{TRACKED}: bytes left of a delivered message"] < 30


def test_hot_path_wrong_use(monkeypatch, capsys):
    """An option that there isn't is a sentence."""
    monkeypatch.setattr(sys, "argv", ["hot_path", "--nothing"])
    with pytest.raises(SystemExit) as end:
        hot_path.main()
    assert end.value.code == 2
    assert "unrecognized arguments: --nothing" in capsys.readouterr().err
