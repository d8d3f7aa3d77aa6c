"""A Formatter's format, read backwards: what it writes is read as it was logged."""

from __future__ import annotations

import logging
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robotmia_logging import ConfigurationError
from robotmia_logging.logs import Continued, PastCall, open_format

FORMATS = [
    ("%(asctime)s %(levelname)s %(name)s %(message)s", "%"),
    ("%(asctime)s.%(msecs)03d|%(levelname)-8s|%(name)20s|%(message)s", "%"),
    ("[%(levelname)s] (%(process)d/%(threadName)s) %(asctime)s %(name)s:%(lineno)d %(funcName)s: %(message)s", "%"),
    ("100%% %(created)f %(name)s %(levelname)s -> %(message)s <-", "%"),
    ("{asctime} {levelname:<8} {name} {message}", "{"),
    ("$asctime ${levelname} $name: $message $$", "$"),
]


def written(log_format, style, message, name="shop", level=logging.WARNING, **extras):
    formatter = logging.Formatter(log_format, style=style)
    formatter.converter = time.gmtime
    record = logging.LogRecord(name, level, "shop.py", 7, message, (), None, "sell")
    record.__dict__.update(extras)
    return formatter.format(record).encode(), record


@pytest.mark.parametrize(("log_format", "style"), FORMATS)
def test_what_a_formatter_writes_is_read(log_format, style):
    """Time, level, logger and message come back, an undotted logger too."""
    line, record = written(log_format, style, "order 17 placed: a b")
    call = open_format(log_format=log_format).read(line)
    assert (call.logger, call.level, call.template) == ("shop", logging.WARNING, "order 17 placed: a b")
    assert abs(call.created - record.created) < 1


@pytest.mark.parametrize(("log_format", "style"), FORMATS)
def test_levels_without_a_name(log_format, style):
    """What is called "Level 27" is a level, and its number no part of the message."""
    line, _ = written(log_format, style, "order 17 placed", level=27)
    call = open_format(log_format=log_format).read(line)
    assert (call.level, call.template) == (27, "order 17 placed")


@pytest.mark.parametrize(
    "log_format", ["%(asctime)s %(levelname)s %(message)s", "%(asctime)s %(levelname)-8s%(message)s"]
)
def test_levels_of_ones_own(log_format):
    """One that begins like another isn't that one."""
    line, _ = written(log_format, "%", "order 17 placed", levelname="ERROR2")
    call = open_format(log_format=log_format).read(line)
    assert (call.level, call.attribute("level"), call.template) == (logging.INFO, "ERROR2", "order 17 placed")


def test_other_fields():
    """A program's own fields become extras; the record's attributes can be looked up, and are none."""
    log_format = "%(asctime)s %(request_id)s %(funcName)s %(message)s"
    line, _ = written(log_format, "%", "x", request_id="r1")
    call = open_format(log_format=log_format).read(line)
    assert (call.extras, call.attribute("funcName"), call.level) == ({"request_id": "r1"}, "sell", logging.INFO)


@given(st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1))
def test_any_message(message):
    """Whatever was said on one line is read."""
    log_format = FORMATS[0][0]
    line, _ = written(log_format, "%", message)
    assert open_format(log_format=log_format).read(line).template == message


@pytest.mark.parametrize(
    "log_format", [FORMATS[0][0], FORMATS[1][0], "%(levelname)8s %(asctime)s %(message)s", "%(asctime)s %(message)s"]
)
def test_tracebacks(log_format):
    """They belong to the line before, though their words could be a time, a level and a message."""
    log = open_format(log_format=log_format)
    line, _ = written(log_format, "%", "order failed")
    traceback = [
        "Traceback (most recent call last):",
        '  File "shop.py", line 7, in sell',
        "ValueError: no more of them",
    ]
    kinds = [type(log.read(text)) for text in (line, *(text.encode() for text in traceback), line)]
    assert kinds == [PastCall, Continued, Continued, Continued, PastCall]
    assert log.read(b"INFO 25.11.2026 order failed").reason.endswith(("isn't understood", "doesn't match the pattern"))


@pytest.mark.parametrize(
    ("log_format", "why"),
    [
        ("%(levelname)s %(message)s", "it has no asctime"),
        ("%(asctime)s %(levelname)s", "it has no message"),
        ("", "it has no asctime"),
        ("{asctime} {message", "expected '}'"),
        ("python", "it has no asctime"),
        ("%(asctime)s %(levlname)s %(message)s", "did you mean 'levelname' by 'levlname'"),
    ],
)
def test_format_that_does_not_do(log_format, why):
    """A format without time or message, or none at all, is an error that says what to give."""
    with pytest.raises(ConfigurationError, match=why) as caught:
        open_format(log_format=log_format)
    assert caught.value.option == "log_format"


@pytest.mark.parametrize("other", [{"pattern": "x"}, {"name": "json"}, {"keys": {"time": "ts"}}])
def test_a_format_stands_alone(other):
    """It is one way to say how a log is written, and excludes the others."""
    with pytest.raises(ConfigurationError, match="give it alone"):
        open_format(log_format="%(asctime)s %(message)s", **other)
