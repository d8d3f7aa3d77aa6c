"""Lines that anybody may have written: what is taken, what is refused, and never an exception."""

from __future__ import annotations

import json

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from robotmia_logging.messages import DeadLetter, Message, Refusal, given_line, is_blank, message_line
from robotmia_logging.messages import given as module
from tests.delivery.fakes import WALL, alias, event, update

NOW = 1_800_000_000
EVENT = {"event": "E", "properties": {"token": "t", "distinct_id": "ada", "time": 5}}
UPDATE = {"$token": "t", "$distinct_id": "ada", "$time": 5, "$add": {"n": 1}}


def line(**fields):
    return json.dumps(fields).encode()


def described(message):
    assert isinstance(message, Message), message
    return {name: getattr(message, name) for name in Message.__slots__ if name not in ("place", "seq", "rendered")}


@pytest.mark.parametrize(
    "message", [event("E", "é ", price=1.5), event("E", None), alias("a", "b"), update("u", add={"n": 1})]
)
def test_our_own_lines_come_back_as_they_were(message):
    """A message's line gives the message again, to the byte; so does its dead letter's, whatever the reason."""
    letter = DeadLetter(letter=message, reason="refused", error="no", attempts=3)
    assert described(given_line(message_line(message), NOW)) == described(message)
    assert described(given_line(letter.line(WALL), NOW)) == described(message)


@pytest.mark.parametrize(("wire", "endpoint"), [(EVENT, "track"), (UPDATE, "engage")])
def test_a_message_is_enough(wire, endpoint):
    """Of a line with a message only, endpoint, user and time are the message's."""
    message = given_line(line(message=wire), NOW)
    assert (message.endpoint, message.user, message.time) == (endpoint, "ada", 5)
    assert json.loads(message.body) == wire


@pytest.mark.parametrize("wire", [EVENT, UPDATE])
def test_what_the_message_says_counts(wire):
    """Beside a message that says so itself, user and time of the line count for nothing."""
    message = given_line(line(user="eve", time=7, message=wire), NOW)
    assert (message.user, message.time) == ("ada", 5)


@pytest.mark.parametrize(("fields", "time"), [({}, NOW), ({"time": None}, NOW), ({"time": 7}, 7)])
def test_a_message_without_a_time_has_the_lines_or_is_new(fields, time):
    """A message without a time has that of the line; without one there, too, it counts as happening now."""
    wire = {"event": "E", "properties": {"token": "t"}}
    message = given_line(line(message=wire, **fields), NOW)
    assert message.time == json.loads(message.body)["properties"]["time"] == time
    del (other := dict(UPDATE))["$time"]
    assert json.loads(given_line(line(message=other, **fields), NOW).body)["$time"] == time


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"hello", "no JSON"),
        (b'{"message": {', "no JSON"),
        (b"\xff\xfe", "no JSON"),
        (b"[1]", 'a JSON object with a "message"'),
        (b"17", 'a JSON object with a "message"'),
        (b'{"event": "E"}', 'a JSON object with a "message"'),
        (line(endpoint="import", message=EVENT), "not 'import'"),
        (line(endpoint=["track"], message=EVENT), "the endpoint is"),
        (b"[" * 2000, "no JSON"),
    ],
)
def test_a_line_of_another_form_is_invalid(text, words):
    """What isn't of the format is refused as `invalid_line`, with what is wrong, and kept as the text that it is."""
    refusal = given_line(text, NOW)
    assert (refusal.reason, refusal.dropped) == ("invalid_line", False)
    assert words in refusal.error
    assert json.loads(DeadLetter(letter=refusal, reason="x", error="", attempts=0).line(0))["message"] == refusal.wire


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"message": None}, "invalid_line"),
        ({"message": "hello"}, "invalid_line"),
        ({"message": {}}, "no_token"),
        ({"endpoint": "engage", "message": EVENT}, "no_token"),
        ({"endpoint": "track", "message": UPDATE}, "bad_message"),
        ({"message": {"event": "", "properties": {"token": "t"}}}, "empty_event_name"),
        ({"message": {"event": "E", "properties": {}}}, "no_token"),
        ({"message": {"event": "E", "properties": {"token": "t", "mp_x": 1}}}, "reserved_name"),
        ({"message": {"event": "E", "properties": {"token": "t", "time": 5e12}}}, "bad_time"),
        ({"message": {"event": "E", "properties": {"token": "t"}}, "time": "noon"}, "bad_time"),
        ({"message": {**UPDATE, "$set": {}}}, "bad_operation"),
        ({"message": {**UPDATE, "$add": {"n": "1"}}}, "bad_value"),
    ],
)
def test_what_the_api_would_refuse_is_refused(fields, reason):
    """A message that would spoil its batch is refused, with the same reasons as in a log call."""
    refusal = given_line(line(user="ada", **fields), NOW)
    assert isinstance(refusal, Refusal)
    assert (refusal.reason, refusal.user, refusal.dropped) == (reason, "ada", False)
    assert type(refusal.wire) is type(fields["message"])


def test_a_line_larger_than_any_message_is_refused(monkeypatch):
    """A line or a message past the bound is refused; of the line only the beginning is kept."""
    monkeypatch.setattr(module, "MAX_LINE_BYTES", 200)
    monkeypatch.setattr(module, "_SHOWN_BYTES", 10)
    refusal = given_line(line(message={**EVENT, "x": "x" * 200}), NOW)
    assert (refusal.reason, refusal.wire) == ("too_large", '{"message"')
    grows = line(message={"event": "E", "properties": {"token": "t", "n": []}}).replace(
        b"[]", b"[1e15,1e15,1e15,1e15,1e15,1e15,1e15,1e15]"
    )
    assert len(grows) < 200
    assert given_line(grows, NOW).reason == "too_large"


@pytest.mark.parametrize("surrounded", [b"\0\0\0%b\n", b"  %b\r\n", b"%b", b"%b\n\0\0\0"])
def test_blanks_and_zeros_around_a_line_are_passed_over(surrounded):
    """A line may stand among blanks, and among the zeros of a spool's file that is being written."""
    assert isinstance(given_line(surrounded % line(message=EVENT), NOW), Message)
    assert is_blank(surrounded % b"")
    assert not is_blank(surrounded % b"x")


scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5)
names = st.sampled_from([*EVENT, *UPDATE, "token", "distinct_id", "mp_x", ""])
json_values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(names, inner, max_size=3), max_leaves=5
)
fields = st.dictionaries(st.sampled_from(["endpoint", "user", "time", "message", "reason"]), json_values)


@given(st.binary() | fields.map(lambda value: json.dumps(value).encode()))
def test_any_line_gives_a_message_or_an_account(text):
    """Whatever a line holds, it gives a message whose bytes are JSON, or the account of why there is none."""
    item = given_line(text, NOW)
    if isinstance(item, Message):
        assert isinstance(orjson.loads(item.body), dict)
        assert described(given_line(message_line(item), NOW)) == described(item)
    else:
        assert item.reason
        assert DeadLetter(letter=item, reason=item.reason, error=item.error, attempts=0).line(0).count(b"\n") == 1
