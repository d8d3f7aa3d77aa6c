"""Lines of JSON: each layout is known by its keys and read as the call that was logged."""

from __future__ import annotations

import json
import logging
import time
from datetime import datetime, timezone

import pytest
import structlog

from robotmia_logging.capture import Call, from_event_dict
from robotmia_logging.errors import ConfigurationError
from robotmia_logging.logs import json_lines, open_format
from tests.logs.log_reading import WHEN, assert_as_live, read, record

STAMP = "2026-11-25T13:00:00.125Z"


def structlog_lines(*processors):
    """A logger of structlog's whose lines are kept: each with the live call that a processor of ours would see."""
    kept = []

    def keep(logger, method, event_dict):
        kept.append(from_event_dict(logger, method, dict(event_dict), WHEN))
        return event_dict

    def end(_logger, _method, line):
        kept.append(line)
        raise structlog.DropEvent

    logger = structlog.wrap_logger(
        logging.getLogger("shop.orders"),
        processors=[
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            lambda _logger, _method, event_dict: {**event_dict, "timestamp": STAMP},
            keep,
            *processors,
            structlog.processors.JSONRenderer(),
            end,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    return logger, kept


@pytest.mark.parametrize("method", ["debug", "info", "warning", "error", "critical"])
def test_structlogs_renderer(method):
    """A line has the template, level, logger and all keys of the live call, the vocabulary among them."""
    logger, kept = structlog_lines()
    getattr(logger, method)("Signed Up", track=True, distinct_id="ada", plan="pro", profile={"$set": {"Plan": "pro"}})
    live, line = kept
    assert_same(read(line), live)


def test_structlogs_positional_arguments():
    """They fill the template, as in the live call."""
    logger, kept = structlog_lines()
    logger.info("order %s placed by %s", 17, "ada")
    live, line = kept
    assert_same(read(line), live)
    logger.info("order %(number)s placed", {"number": 17})
    live, line = kept[2:]
    assert_same(read(line), live)


def assert_same(call: Call, live: Call):
    for name in ("logger", "level", "template", "args", "extras", "created"):
        assert getattr(call, name) == getattr(live, name), name
    assert call.rendered() == live.rendered()


def json_formatted(made, *names, **renamed):
    """The line that python-json-logger makes of a record: the attributes named, renamed or not, and the extras."""
    extras = {name: value for name, value in made.__dict__.items() if name not in logging.makeLogRecord({}).__dict__}
    made.message = made.getMessage()
    made.asctime = logging.Formatter().formatTime(made, "%Y-%m-%d %H:%M:%S,125")
    fields = {renamed.get(name, name): getattr(made, name) for name in names}
    return json.dumps({**fields, **extras}, default=str)


@pytest.mark.parametrize(
    "renamed",
    [
        {},
        {"levelname": "level", "name": "logger", "asctime": "timestamp"},
        {"levelname": "severity", "asctime": "time"},
    ],
)
def test_python_json_logger(renamed, monkeypatch):
    """A line has the rendered text and all extras of the live call; its `event` is the vocabulary's, a string."""
    monkeypatch.setattr(logging.Formatter, "converter", time.gmtime)
    made = record(
        "order %s placed", 17, event="Order Placed", distinct_id="ada", profile={"$add": {"Orders": 1}}, total=49.9
    )
    call = read(json_formatted(made, "asctime", "levelname", "name", "message", **renamed))
    live = record("order %s placed", 17)
    assert_as_live(call, live, rendered=True)
    assert call.extras == {
        "event": "Order Placed",
        "distinct_id": "ada",
        "profile": {"$add": {"Orders": 1}},
        "total": 49.9,
    }
    assert call.attribute("message") == "order 17 placed"


def test_msg_and_args_in_the_line():
    """With both of them the template is known."""
    made = record("order %s placed by %s", 17, "ada")
    assert_as_live(read(json_formatted(made, "created", "levelname", "name", "message", "msg", "args")), made)
    mapped = record("order %(number)s placed", {"number": 17})
    assert_as_live(read(json_formatted(mapped, "created", "levelname", "name", "message", "msg", "args")), mapped)


def test_known_templates():
    """The access log of a server is known by its logger in JSON, too."""
    made = record('%s - "%s %s HTTP/%s" %d', "10.0.0.1:5", "GET", "/", "1.1", 200, name="uvicorn.access")
    assert_as_live(read(json_formatted(made, "created", "levelname", "name", "message")), made)


@pytest.mark.parametrize(
    "named",
    [
        {"log.level": "warning", "log": {"logger": "shop.orders", "origin": {"function": "place"}}},
        {"log": {"level": "WARNING", "logger": "shop.orders"}},
        {"log.level": "warning", "log.logger": "shop.orders"},
    ],
)
def test_ecs(named):
    """Level and logger are found flat and nested; labels are extras, and ECS's own fields none."""
    fields = {"@timestamp": STAMP, "message": "order 17 placed", "ecs.version": "1.6.0", **named}
    call = read(json.dumps({**fields, "labels": {"plan": "pro"}, "process": {"pid": 7}, "distinct_id": "ada"}))
    assert_as_live(call, record("order 17 placed", level=logging.WARNING))
    assert call.extras == {"plan": "pro", "distinct_id": "ada"}


@pytest.mark.parametrize(
    "line",
    [
        {"severity": "ERROR", "time": STAMP, "message": "m", "logger": "shop"},
        {"level": "ERROR", "timestamp": STAMP, "message": "m", "logger": "shop"},
        {"level": "error", "ts": WHEN, "msg": "m", "logger": "shop"},
        {"levelno": 40, "created": WHEN, "message": "m", "name": "shop"},
        {"level": "error", "timestamp": STAMP, "event": "m", "logger": "shop"},
        {"level": "ERROR", "@timestamp": STAMP, "@version": "1", "message": "m", "logger_name": "shop"},
    ],
)
def test_other_layouts(line):
    """Google's, AWS's, Logstash's and others have the usual keys."""
    call = read(json.dumps(line))
    assert (call.logger, call.level, call.template, call.created) == ("shop", logging.ERROR, "m", WHEN)
    assert "time" not in call.extras


@pytest.mark.parametrize(
    ("line", "message", "event"),
    [
        ({"event": "m", "message": "x", "level": "info"}, "m", None),
        ({"event": "E", "message": "m", "level": "INFO"}, "m", "E"),
        ({"event": "E", "message": "m", "levelname": "INFO"}, "m", "E"),
        ({"event": "E", "message": "m", "levelname": "INFO", "level": "gold"}, "m", "E"),
        ({"event": "E", "message": "m"}, "m", "E"),
        ({"event": "m"}, "m", None),
        ({"event": "m", "message": None}, "m", None),
        ({"event": None, "message": "m", "level": "info"}, "m", None),
        ({"message": None, "msg": "m"}, "m", None),
    ],
)
def test_event_and_message_in_one_line(line, message, event):
    """Only with structlog's way to write the level is `event` the message then, always."""
    call = read(json.dumps({**line, "timestamp": STAMP}))
    assert call.rendered() == message
    assert call.extras.get("event") == event


def test_what_stands_beside_a_nested_key():
    """It is an extra; ECS's own isn't."""
    line = {"meta": {"ts": WHEN, "user": "ada"}, "message": "m", "log": {"level": "error", "origin": "x"}}
    call = read(json.dumps(line), keys={"time": "meta.ts"})
    assert (call.level, call.extras) == (logging.ERROR, {"meta": {"ts": WHEN, "user": "ada"}})


def test_keys_by_name():
    """Keys that aren't the usual ones are named, nested ones with dots; they are no extras."""
    line = {
        "when": {"ts": WHEN * 1000},
        "lvl": "WARN",
        "src": {"name": "shop"},
        "text": "m",
        "event": "E",
        "plan": "pro",
    }
    keys = {"time": "when.ts", "level": "lvl", "logger": "src.name", "message": "text"}
    call = read(json.dumps(line), "json", keys=keys)
    assert (call.logger, call.level, call.template, call.created) == ("shop", logging.WARNING, "m", WHEN)
    assert call.extras == {"event": "E", "plan": "pro"}


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "not JSON"),
        ("[1]", "it isn't of the format json"),
        ("hello", "it isn't of the format json"),
        ('{"a": 1}', "no message in message or msg or event"),
        ('{"event": null, "level": "info", "time": 1}', "no message in message or msg or event"),
        ('{"message": "m", "time": null}', "no time"),
        ('{"message": "m"}', "no time"),
        ('{"message": "m", "time": "foo"}', "the time 'foo' isn't understood"),
        ('{"message": "m", "time": {}}', "the time {} isn't understood"),
        ('{"message": "m", "time": true}', "the time True isn't understood"),
        ('{"message": "m", "time": ' + "[" * 5000 + "]" * 5000 + "}", "not JSON"),
    ],
)
def test_lines_that_are_none(line, reason):
    """Why a line can't be read is said."""
    assert open_format("json").read(line.encode()).reason == reason


def test_what_only_python_takes_for_json():
    """NaN, as `json.dumps` writes it, and lone surrogates are read all the same; so are undecodable bytes."""
    line = json.dumps({"message": "m", "time": STAMP, "x": float("nan"), "y": "\ud800"})
    call = read(line)
    assert call.extras["x"] != call.extras["x"]
    assert read(b'{"message": "caf\xe9", "time": "2026-11-25T13:00:00Z"}').rendered() == "caf\ufffd"


def test_a_datetime_given_as_time():
    """A `datetime` that JSON made text of is one again, for the vocabulary takes no text."""
    given = "2026-11-24T10:00:00+00:00"
    call = read(json.dumps({"event": "m", "timestamp": STAMP, "time": given}))
    assert call.extras["time"].isoformat() == given


def test_a_datetime_in_utc_in_any_python(monkeypatch):
    """Python 3.10 doesn't know the "Z" that orjson and Django write; it is read all the same."""

    class Old(datetime):
        @classmethod
        def fromisoformat(cls, text):
            if text.endswith("Z"):
                raise ValueError(text)
            return datetime.fromisoformat(text)

    monkeypatch.setattr(json_lines, "datetime", Old)
    call = read(json.dumps({"event": "m", "timestamp": STAMP, "time": "2026-11-24T10:00:00.125Z"}))
    assert call.extras["time"] == datetime(2026, 11, 24, 10, 0, 0, 125_000, timezone.utc)


@pytest.mark.parametrize("keys", [{"tme": "x"}, {"time": ""}, {"time": 1}])
def test_keys_that_are_none(keys):
    """A wrong name is refused, with those that are allowed."""
    with pytest.raises(ConfigurationError, match="keys"):
        open_format("json", keys=keys)


def test_keys_go_with_json():
    """They mean nothing in text."""
    with pytest.raises(ConfigurationError, match="the format is python"):
        open_format("python", keys={"time": "t"})
    assert read('{"t": 1795611600.125, "message": "m"}', keys={"time": "t"}).created == WHEN
