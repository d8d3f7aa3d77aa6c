"""What the benchmarks of scale and of the long run call growth."""

from __future__ import annotations

import pytest

from benchmarks import long_run
from benchmarks.long_run import Look, growth
from benchmarks.scale import power, verdicts

UNITS = (1, 10, 100)


def rows(times, waiting_bytes=(400, 400, 400)):
    return [
        {"times": each, "cpu_in_calls": 3.0, "waiting_bytes": waiting}
        for each, waiting in zip(times, waiting_bytes, strict=True)
    ]


def test_growth_is_a_power():
    """Prices that stay have the power 0, those that grow with the units 1, with their square 2."""
    assert power(UNITS, (7, 7, 7)) == pytest.approx(0)
    assert power(UNITS, (7, 70, 700)) == pytest.approx(1)
    assert power(UNITS, (7, 700, 70_000)) == pytest.approx(2)


def test_growth_faster_than_linear_is_told():
    """A price a call that grows with the number of loggers is told, one that wavers isn't."""
    assert list(verdicts("loggers", UNITS, rows((7, 9, 8)))) == []
    [told] = verdicts("loggers", UNITS, rows((7, 14, 35)))
    assert told.startswith("times grows with the power 0.35 of loggers")
    assert len(list(verdicts("loggers", UNITS, rows((7, 14, 35), (400, 800, 1600))))) == 2


def test_growth_of_memory():
    """Memory grew by what the last quarter has more than the second; the first, when it warms up, doesn't count."""
    resident = [10, 20, 30, 31, 32, 33, 34, 36]
    assert growth([Look(0, 0.0, each, 0) for each in resident]) == 5
    assert growth([Look(0, 0.0, each, 0) for each in [10, 20, 30, 30, 30, 30, 29, 30]]) == 0


@pytest.mark.parametrize("given", ["many", "3", "-200000", ""])
def test_growth_wrong_use(given, monkeypatch, capsys):
    """A number of messages that is none is a sentence."""
    monkeypatch.setenv("MESSAGES", given)
    assert long_run.main() == 2
    assert capsys.readouterr().err == f"MESSAGES is {given!r}: give a whole number of at least 20\n"
