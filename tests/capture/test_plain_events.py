"""The quick way for plain events says what the careful one says."""

from __future__ import annotations

import logging
from datetime import datetime, timezone
from decimal import Decimal
from enum import Enum

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from structlog.contextvars import bound_contextvars

from robotmia_logging.capture import CaptureSettings, Composer, Privacy, asks, from_event_dict, from_record
from robotmia_logging.messages import Message
from robotmia_logging.messages import event as event_module


class Plan(Enum):
    PRO = "pro"


EXTRAS = {"plan": "pro", "amount": 25.34, "seats": 3, "trial": False, "note": None, "distinct_id": "13793"}
NAMES = st.sampled_from(
    ["track", "event", "profile", "alias", "revenue", "distinct_id", "token", "time", "ip", "ignore_time", "properties",
     "plan", "seats", "user_id", "mp_x", "level", "message", "asctime", "_x", "_logger", "taskName", "é", "\ud800"]
)  # fmt: skip
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.text(max_size=5),
    st.sampled_from(
        ["\ud800", "$create_alias", "Ünï", 2**70, -1, float("nan"), Plan.PRO, Decimal("1.5"), b"x", object]
    ),
    st.integers(),
    st.floats(),
    st.datetimes(),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.sampled_from(["a", "mp_b", "token", "distinct_id", ""]), st.integers() | st.text(), max_size=2),
)
CALLS = st.dictionaries(NAMES, VALUES, max_size=8).map(lambda extras: {"track": True, **extras})
CONTEXTS = st.dictionaries(
    st.sampled_from(["distinct_id", "ip", "user_id", "request_id", "track"]),
    st.none() | st.sampled_from(["", "9", "10.0.0.1"]) | st.integers(),
    max_size=3,
)
SETTINGS = st.builds(
    CaptureSettings,
    token=st.just("T"),
    distinct_id=st.sampled_from([None, "user_id", "level"]),
    properties=st.sampled_from([{}, {"release": "1.2", "plan": "none"}, {"started": datetime(2026, 1, 2)}]),
    privacy=st.builds(
        Privacy,
        include=st.sampled_from([None, frozenset({"plan", "user_id"})]),
        exclude=st.sampled_from([frozenset(), frozenset({"seats", "distinct_id"})]),
    ),
)


def said(message: object) -> tuple[object, ...]:
    """All there is to a message."""
    assert isinstance(message, Message), message
    others = message.alias, message.repeatable, message.located, message.rendered
    return message.endpoint, message.user, message.time, orjson.loads(message.body), others


def record_with(extras: dict[str, object], *, msg: object = "Signed Up") -> logging.LogRecord:
    record = logging.LogRecord("shop", logging.INFO, "f", 1, msg, (), None)
    record.__dict__.update(extras)
    return record


@settings(suppress_health_check=[HealthCheck.too_slow])  # the first text of all takes a while
@given(SETTINGS, CALLS, CONTEXTS)
def test_a_plain_record_says_what_is_composed(options, extras, context):
    """What the quick way makes of a record is the one message that composing it gives."""
    composer, record = Composer(options), record_with(extras)
    with bound_contextvars(**context):
        quick = composer.plain_events.of_record(record) if composer.plain_events else None
        captured, keys = composer.compose(from_record(record), None)
    if quick is not None:
        assert [said(quick)] == [said(message) for message in captured]
        assert keys


@settings(suppress_health_check=[HealthCheck.too_slow])  # the first text of all takes a while
@given(SETTINGS, CALLS, CONTEXTS, st.booleans())
def test_a_plain_event_dict_says_what_is_composed(options, extras, context, is_merged):
    """What the quick way makes of an event dict is the one message that composing it gives."""
    composer = Composer(options)
    event_dict = {**extras, "event": "Signed Up", "level": "info"}
    if is_merged:
        event_dict = {**context, **event_dict}
    with bound_contextvars(**context):
        quick = None
        if composer.plain_events and asks(event_dict):
            quick = composer.plain_events.of_event_dict("shop", event_dict)
        now = 0.9 + (0 if quick is None else quick.time)
        captured, keys = composer.compose(from_event_dict(None, "info", event_dict, now), None)
    if quick is not None:
        assert [said(quick)] == [said(message) for message in captured]
        assert keys == {"track"}


@pytest.mark.parametrize(
    "extras",
    [
        {"track": True},
        {"track": "Named"},
        {"event": "Named"},
        {"track": True, "event": "Named"},
        {"track": True, "message": "formatted by another handler", "asctime": "now"},
        {"track": True, "properties": {"level": 3}},
        {"track": True, "when": datetime(2026, 1, 2, tzinfo=timezone.utc), "tags": ["a"]},
        {"track": True, "note": "\ud800", "huge": 2**70},
    ],
)
def test_common_calls_take_the_quick_way(extras):
    """What programs mostly log needs no closer look."""
    composer = Composer(CaptureSettings(token="T"))
    assert composer.plain_events.of_record(record_with({**EXTRAS, **extras})) is not None


@pytest.mark.parametrize(
    "extras",
    [
        {"track": True, "mp_x": 1},
        {"track": True, "properties": {"mp_x": 1}},
        {"track": True, "properties": {"token": "other"}},
        {"track": "$create_alias"},
        {"track": ""},
        {"track": False},
        {"track": True, "profile": {"plan": "pro"}},
        {"track": True, "time": 5},
        {"revenue": 5},
    ],
)
def test_calls_that_say_more_are_looked_at_closely(extras):
    """What may be refused, or gives more than an event, isn't decided in haste."""
    composer = Composer(CaptureSettings(token="T"))
    assert composer.plain_events.of_record(record_with({**EXTRAS, **extras})) is None


def test_moved_attributes_are_looked_at_closely():
    """An extra in front of a record's own attributes isn't overlooked."""
    composer = Composer(CaptureSettings(token="T"))
    record = record_with({**EXTRAS, "track": True})
    record.__dict__["process"] = record.__dict__.pop("process")
    assert composer.plain_events.of_record(record) is None


def test_there_is_no_quick_way_where_each_event_needs_more():
    """`before_send`, hashes, samples and callables see every call."""
    options = {"before_send": dict, "distinct_id": str, "privacy": Privacy(sample=0.5)}
    for name, value in options.items():
        assert Composer(CaptureSettings(**{"token": "T", name: value})).plain_events is None


@pytest.mark.parametrize("logger", ["robotmia_logging", "urllib3.connectionpool", "requests"])
def test_what_feeds_itself_is_looked_at_closely(logger):
    """Whether our own loggers, and those of what carries requests, are tracked isn't decided in haste."""
    plain_events = Composer(CaptureSettings(token="T")).plain_events
    record = record_with({"track": True})
    record.name = logger
    assert plain_events.of_record(record) is None
    assert plain_events.of_event_dict(logger, {"event": "Signed Up", "track": True}) is None


def test_long_names_are_not_remembered():
    """Texts of any length as event names, or as names of extras, leave no memory taken."""
    composer, heads = Composer(CaptureSettings(token="T")), len(event_module._HEADS)
    for number in range(50):
        name = f"{number} {'x' * 1000}"
        assert composer.plain_events.of_record(record_with({"track": name, name: 1})) is not None
    assert len(event_module._HEADS) == heads
    assert composer.plain_events._names == {"distinct_id"}
