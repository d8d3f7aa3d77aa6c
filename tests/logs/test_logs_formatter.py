"""A Formatter's format, read backwards: what it writes is read as it was logged."""

from __future__ import annotations

import logging
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robotmia_logging import ConfigurationError
from robotmia_logging.logs import open_format

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
    ("log_format", "why"),
    [
        ("%(levelname)s %(message)s", "it has no asctime"),
        ("%(asctime)s %(levelname)s", "it has no message"),
        ("", "it has no asctime"),
        ("{asctime} {message", "expected '}'"),
        ("python", "it has no asctime"),
    ],
)
def test_format_that_does_not_do(log_format, why):
    """A format without time or message, or none at all, is an error that says what to give."""
    with pytest.raises(ConfigurationError, match=why) as caught:
        open_format(log_format=log_format)
    assert caught.value.option == "log_format"
    assert "give the `format` of your logging configuration" in str(caught.value)


@pytest.mark.parametrize("other", [{"pattern": "x"}, {"name": "json"}, {"keys": {"time": "ts"}}])
def test_a_format_stands_alone(other):
    """It is one way to say how a log is written, and excludes the others."""
    with pytest.raises(ConfigurationError, match="give it alone"):
        open_format(log_format="%(asctime)s %(message)s", **other)
