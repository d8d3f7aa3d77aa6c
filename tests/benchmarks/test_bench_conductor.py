"""The conductor of the benchmarks, with the tiniest sizes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import bench
from benchmarks.budget import budget
from benchmarks.contestants import CONTESTANTS, Contestant
from benchmarks.plan import SCENARIOS
from benchmarks.table import render

OURS = ("robotmia", "robotmia spool", "robotmia structlog")
pytestmark = pytest.mark.timeout(180)  # one run of the conductor, in some thirty processes
ASKED = (*OURS, "NullHandler", "QueueHandler + requests")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run in a process of its own: the process that ended, and its JSON file."""
    path = tmp_path_factory.mktemp("bench") / "deep" / "bench.json"
    arguments = [
        "--size",
        "tiny",
        "--contestants",
        "robotmia,null,queue",
        "--only",
        ",".join(SCENARIOS),
        "--json",
        path,
    ]
    command = [sys.executable, "-m", "benchmarks.bench", *map(str, arguments)]
    ended = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, timeout=170)
    assert ended.returncode == 0, ended.stderr
    return ended, json.loads(path.read_text())


def test_bench_counts_match(run):
    """Every message of each drain arrives, and nothing fails."""
    _, report = run
    assert report["failed"] == []
    assert report["not_installed"] == {}
    drains = [each for each in report["runs"] if each["scenario"] in ("drain", "distance")]
    assert {each["contestant"] for each in drains} == {*OURS, "QueueHandler + requests"}
    for each in drains:
        figures = each["figures"]
        assert (figures["sent"], figures["arrived"], figures["lost"], figures["unreadable"]) == (100, 100, 0, 0)


def test_bench_outage_is_survived(run):
    """What our contestants log while the server is away arrives when it is back, and they say that it was away."""
    _, report = run
    for name in OURS:
        figures = report["medians"]["outage"][name]
        assert (figures["logged"], figures["lost"], figures["raised"]) == (100, 0, 0)
        assert figures["complaints"] == 1


def test_bench_json_shape(run):
    """The JSON has every repetition, the medians, the budget, and the machine as its cores, load and Python only."""
    _, report = run
    assert set(report["machine"]) == {"cores", "python", "load"}
    assert set(report["medians"]) == set(SCENARIOS)
    assert set(report["medians"]["call"]) == set(ASKED)
    for each in report["runs"]:
        assert set(each) == {"scenario", "contestant", "repetition", "figures"}
        assert all(isinstance(figure, (int, float)) for figure in each["figures"].values())
    assert report["medians"]["call"]["robotmia"]["times"] > 1
    assert {"times", "untracked_us", "rules_us", "threads_times"} <= set(report["medians"]["call"]["robotmia"])
    measured = {line["what"]: line["met"] for line in report["budget"]}
    assert all(met in (True, False) for what, met in measured.items() if "import" not in what)


def test_bench_prints_table(run):
    """The table on stdout is that of the JSON, with a row for each contestant and all lines of the budget."""
    ended, report = run
    assert ended.stdout.rstrip("\n") == render(report)
    for what in (*ASKED, *(line["what"] for line in report["budget"])):
        assert what in ended.stdout


def test_bench_not_installed(monkeypatch):
    """A contestant whose package is missing is listed as not installed."""

    class Absent(Contestant):
        name = "absent"
        modules = ("absent_parent.absent_module",)

    monkeypatch.setitem(CONTESTANTS, "absent", Absent)
    measured = bench.Report("tiny")
    bench.measure(measured, ["drain"], ["absent"])
    report = measured.as_json()
    assert report["not_installed"] == {"absent": ["absent_parent.absent_module"]}
    report["medians"] = {"drain": {}}
    assert "absent                      not installed\n" in render(report)


def test_bench_failure_is_said(monkeypatch):
    """A contestant whose process ends without figures is listed with the reason, and the others are measured."""

    class Broken(Contestant):
        name = "broken"

    monkeypatch.setitem(CONTESTANTS, "broken", Broken)
    report = bench.Report("tiny")
    bench.measure(report, ["drain"], ["broken", "the sink itself"])
    assert [(each["contestant"], each["why"]) for each in report.failed] == [("broken", "KeyError: 'broken'")]
    assert "broken failed in drain: KeyError: 'broken'" in render(report.as_json())
    assert report.medians()["drain"]["the sink itself"]["lost"] == 0


def test_bench_worst_loss_counts():
    """Of what was lost the worst repetition counts, of other figures the median."""
    report = bench.Report("tiny")
    for number, lost in enumerate((0, 5, 0)):
        figures = {"messages_s": number, "lost": lost, "unreadable": 0}
        report.runs.append({"scenario": "drain", "contestant": "robotmia", "repetition": number, "figures": figures})
    assert report.medians() == {"drain": {"robotmia": {"messages_s": 1, "lost": 5, "unreadable": 0}}}
    assert report.lossy_drains() == ["robotmia"]


def test_bench_budget_compares_with_best_peer():
    """The drain is held against the peer that ships most, its processor time against the same peer's."""
    drained = {
        "robotmia": {"messages_in_a_call": 0.5, "cpu_in_calls": 2},
        "mixpanel": {"messages_in_a_call": 0.2, "cpu_in_calls": 5},
        "segment": {"messages_in_a_call": 0.1, "cpu_in_calls": 3},
    }
    lines = {line.what: line for line in budget({"drain": drained})}
    assert lines["drained, beside the best peer"][2:] == ("2.50 times", True)
    assert lines["CPU a message, beside the best peer"][2:] == ("0.40 times", True)
    assert lines["50 ms away"][2:] == ("not measured", None)
    assert budget({})[0].met is None


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--only", "calls"], "there is no scenario 'calls'; give some of call, drain, "),
        (["--contestants", "robotmia,amplitude"], "no contestant has 'amplitude' in its name; they are NullHandler, "),
    ],
)
def test_bench_wrong_use(arguments, words, capsys):
    """A scenario or contestant that there isn't is a sentence that names it and what there is."""
    with pytest.raises(SystemExit) as end:
        bench.main(arguments)
    assert end.value.code == 2
    assert words in capsys.readouterr().err
