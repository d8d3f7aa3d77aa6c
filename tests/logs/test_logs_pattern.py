"""Lines in a layout that the user describes by a pattern."""

from __future__ import annotations

import logging
import signal
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robotmia_logging.errors import ConfigurationError
from robotmia_logging.logs import Continued, open_format
from robotmia_logging.logs import pattern_lines as module
from tests.logs.log_reading import WHEN, read

PATTERN = r"^(?P<time>\S+) (?P<level>\w+) (?P<logger>\S+) user=(?P<distinct_id>\w+)?;(?P<plan>\w+)? (?P<message>.*)"


def test_groups_are_the_parts_of_a_call():
    """Time, level, logger and message; the others are extras if they took part."""
    call = read("2026-11-25T13:00:00.125Z WARN shop user=ada; order placed", pattern=PATTERN)
    assert (call.logger, call.level, call.template, call.args) == ("shop", logging.WARNING, "order placed", ())
    assert call.extras == {"distinct_id": "ada"}
    assert call.created == WHEN


def test_level_and_logger_may_be_missing():
    """Then the level is INFO, and the logger the one that the caller names."""
    call = read(
        "25.11.2026 13:00:00 | order placed",
        pattern=r"(?P<time>.+) \| (?P<message>.+)",
        time_format="%d.%m.%Y %H:%M:%S",
        logger="shop",
    )
    assert (call.logger, call.level) == ("shop", logging.INFO)
    assert call.created == int(WHEN)


def test_lines_that_do_not_match():
    """They are said to; indented ones belong to the line before."""
    log = open_format(pattern=PATTERN)
    assert log.name == "pattern"
    assert log.read(b"hello").reason == "it doesn't match the pattern"
    assert log.read(b"  hello") == Continued()
    assert log.read(b"yesterday INFO shop user=; m").reason == "the time 'yesterday' isn't understood"
    assert open_format(pattern="(?P<time>x)?(?P<message>m)?").read(b"m").reason == "no time"


def test_a_catastrophic_pattern_does_not_hang(monkeypatch):
    """It takes a bounded time for a line, and after some lines it is given up."""
    monkeypatch.setattr(module, "_TIMEOUT_S", 0.001)
    log = open_format(pattern=r"^(?P<time>(?:a|aa)+)(?P<message>=)$")
    reasons = [log.read(b"a" * 200 + b"=!=").reason for _ in range(25)]
    assert reasons[0].startswith("the pattern took more than")
    assert reasons[-1] == "the pattern isn't tried any more: it took too long on 20 lines"
    assert len(set(reasons)) == 2


def test_an_alarm_is_the_programs_own(monkeypatch):
    """A TimeoutError that a signal's handler raises amid a search isn't taken for a slow pattern."""

    def ring(_signal, _frame):
        raise TimeoutError("time is up")

    monkeypatch.setattr(module, "_TIMEOUT_S", 50)
    log = open_format(pattern=r"^(?P<time>(?:a|aa)+)(?P<message>=)$")
    before = signal.signal(signal.SIGVTALRM, ring)
    try:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0.01)
        with pytest.raises(TimeoutError, match="time is up"):
            log.read(b"a" * 200 + b"=!=")
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
    monkeypatch.undo()
    assert log.read(b"aa=").reason == "the time 'aa' isn't understood"


def test_very_long_lines():
    """Of them the message would be cut: that is said instead."""
    log = open_format(pattern=r"(?P<time>\S+) (?P<message>.*)")
    assert log.read(b"2026-11-25T13:00:00Z " + b"x" * 70_000).reason.startswith("it is longer than the 65,536")


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("(", "missing )"),
        (r"(?P<time>.*)", "it has no group message"),
        (r"(?P<message>.*)", "it has no group time"),
        (".*", "it has no group time and no group message"),
        ("", "it has no group time and no group message"),
        (r"(?P<time>.*)(?P<message>\p{Nonsense})", "unknown property"),
        (7, "give a regular expression"),
    ],
)
def test_patterns_that_can_not_be_used(pattern, words):
    """The error says what is wrong, and what is allowed."""
    with pytest.raises(ConfigurationError) as caught:
        open_format(pattern=pattern)
    assert words in str(caught.value)
    assert caught.value.option == "pattern"
    assert "(?P<time>...)" in caught.value.allowed


@given(st.text())
def test_any_pattern_can_be_used_or_is_refused(pattern):
    """Nothing else happens, whatever it is."""
    try:
        open_format(pattern=pattern)
    except ConfigurationError:
        pass


def test_without_the_regex_library(monkeypatch):
    """A pattern needs it, and the error says how to get it; other formats don't."""
    monkeypatch.setitem(sys.modules, "regex", None)
    with pytest.raises(ConfigurationError, match=r"pip install 'robotmia_logging\[patterns\]'"):
        open_format(pattern=PATTERN)
    assert read('{"event": "m", "timestamp": 1795611600}').template == "m"
