"""The one line format: what is written is what is read, and what anybody else wrote is refused, never a crash."""

from __future__ import annotations

import json

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from robotmia_logging.messages import (
    ENGAGE,
    LINE_START,
    TRACK,
    DeadLetter,
    Message,
    Refusal,
    message_line,
    read_line,
    seal_event,
    seal_update,
)
from tests.delivery.fakes import alias, event, update

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
USERS = st.text(min_size=1)
TIMES = st.integers(0, 4_000_000_000)
NAMES = st.text(min_size=1).filter(lambda name: not name.startswith(("mp_", "$")))

EVENTS = st.builds(
    lambda name, user, time, more: seal_event(
        {"event": name, "properties": {**more, "token": "t", "time": time, **({"distinct_id": user} if user else {})}}
    ),
    NAMES,
    st.none() | USERS,
    TIMES,
    st.dictionaries(NAMES, VALUES, max_size=4),
)
UPDATES = st.builds(
    lambda user, time, operation, located: seal_update(
        {"$token": "t", "$distinct_id": user, "$time": time, **operation, **({"$ip": "1.2.3.4"} if located else {})}
    ),
    USERS,
    TIMES,
    st.one_of(
        st.builds(lambda value: {"$set": {"name": value}}, VALUES),
        st.builds(lambda value: {"$append": {"name": value}}, VALUES),
        st.builds(lambda value: {"$add": {"name": value}}, st.integers(-5, 5)),
        st.just({"$unset": ["name"]}),
        st.just({"$delete": ""}),
    ),
    st.booleans(),
)
WORDS = '"},"message":{"a":1}} ,"message": \\ \n \u2028 \x00'


def told(message):
    """All that delivery knows of a message."""
    return {name: getattr(message, name) for name in Message.__slots__ if name not in ("place", "seq", "rendered")}


@given(EVENTS | UPDATES)
@example(event(WORDS, WORDS, **{WORDS: WORDS}))
@example(event("e", None))
@example(update("u", set={",": {"message": WORDS}}))
def test_a_message_is_read_as_it_was_written(message):
    """A line gives back the message: its bytes exactly, and all that delivery has to know of it."""
    line = message_line(message)
    assert line.startswith(LINE_START)
    assert line.endswith(b"}\n")
    assert line.count(b"\n") == 1
    assert b"\0" not in line
    assert told(read_line(line)) == told(message)
    assert json.loads(line) == {
        "endpoint": message.endpoint,
        "user": message.user,
        "time": message.time,
        "message": json.loads(message.body),
    }


def test_what_delivery_needs_to_know_comes_back():
    """An alias is a barrier again, `$add` and `$append` aren't repeatable, an update knows whether it carries an ip."""
    assert read_line(message_line(alias("ada", "countess"))).alias == "countess"
    assert read_line(message_line(event("e"))).alias is None
    kinds = {"set": True, "set_once": True, "union": True, "add": False, "append": False}
    values = {"add": {"n": 1}, "union": {"n": [1]}}
    for kind, repeatable in kinds.items():
        assert read_line(message_line(update("u", **{kind: values.get(kind, {"n": 1})}))).repeatable is repeatable
    wire = {"$token": "t", "$distinct_id": "u", "$time": 5, "$ip": "1.2.3.4", "$set": {"a": 1}}
    assert read_line(message_line(seal_update(wire))).located is True
    assert read_line(message_line(update("u", set={"a": 1}))).located is False


@given(EVENTS | UPDATES, st.permutations(["endpoint", "user", "time", "message", "note"]), st.booleans())
def test_others_may_write_the_keys_in_any_order(message, order, spaced):
    """Key order, white space, escapes and further keys are the writer's affair: the message is the same."""
    fields = {
        "endpoint": message.endpoint,
        "user": message.user,
        "time": message.time,
        "message": json.loads(message.body),
        "note": "mine",
    }
    line = json.dumps({name: fields[name] for name in order}, indent=1 if spaced else None)
    read = read_line(line.encode())
    assert told(read) | {"body": None} == told(message) | {"body": None}
    assert json.loads(read.body) == json.loads(message.body)


@given(EVENTS | UPDATES)
def test_a_line_without_its_newline_is_whole(message):
    """A file that was cut right before a newline has lost nothing."""
    read = read_line(message_line(message)[:-1])
    assert told(read) | {"body": None} == told(message) | {"body": None}
    assert json.loads(read.body) == json.loads(message.body)


@given(EVENTS | UPDATES, st.data())
def test_a_cut_line_is_refused(message, data):
    """A line that ends too early is no line, wherever it was cut."""
    line = message_line(message)
    with pytest.raises(ValueError):
        read_line(line[: data.draw(st.integers(0, len(line) - 2))])


@given(
    EVENTS | UPDATES,
    st.sampled_from(["refused", "too_large", "ambiguous"]),
    st.text(),
    st.integers(0, 10**6),
    TIMES,
)
@example(event("e", WORDS), "refused", WORDS, 1, 5)
@example(event("e"), "refused", "half a pair: \ud800", 1, 5)
def test_a_dead_letter_is_read_as_it_was_written(message, reason, error, attempts, now):
    """A dead letter comes back with its message, reason, words, attempts and time."""
    line = DeadLetter(letter=message, reason=reason, error=error, attempts=attempts).line(now + 0.9)
    assert line.count(b"\n") == 1
    assert b"\0" not in line
    read = read_line(line)
    assert isinstance(read, DeadLetter)
    assert (read.reason, read.attempts, read.at) == (reason, attempts, now)
    assert read.error == error.encode("utf-8", "backslashreplace").decode() or "\ud800" in error
    letter = read.letter
    assert (letter.endpoint, letter.user, letter.time) == (message.endpoint, message.user, message.time)
    assert letter.wire == json.loads(message.body)
    assert read_line(read.line(now + 500)).at == now  # when it was given up, not when it was copied


def test_a_refusal_of_any_objects_is_a_line():
    """What was refused in the log call may hold anything; its line is JSON all the same, and can be read."""
    refusal = Refusal("bad_value", "no", ENGAGE, {"$add": {"n": object()}, 5: {1, 2}}, user=None, time=None)
    line = DeadLetter(letter=refusal, reason="bad_value", error="no", attempts=0).line(7.0)
    read = read_line(line)
    assert isinstance(read, DeadLetter)
    assert read.reason == "bad_value"
    assert read.letter.endpoint == ENGAGE
    assert set(read.letter.wire) == {"$add", "5"}


def test_a_dead_letter_is_no_message():
    """Whatever its reason is, a line with one is never sent."""
    fields = {"endpoint": "track", "user": "u", "time": 5, "message": {"event": "e"}}
    letter = {"error": "e", "attempts": 1, "at": 5}
    assert isinstance(read_line(json.dumps(fields).encode()), Message)
    assert isinstance(read_line(json.dumps({**fields, "reason": "r", **letter}).encode()), DeadLetter)
    for bad in ({"reason": None}, {"reason": "r", "error": 5}, {"reason": "r", "attempts": "1"}, {"reason": "r"}):
        with pytest.raises(ValueError):
            read_line(json.dumps({**fields, **bad}).encode())


BAD = [
    b"",
    b"\n",
    b"{}\n",
    b"null\n",
    b"[]\n",
    b"5\n",
    b'"text"\n',
    b'{"endpoint":"track"}\n',
    b'{"endpoint":"track","user":"u","time":5}\n',
    b'{"endpoint":"track","user":"u","time":5,"message":null}\n',
    b'{"endpoint":"track","user":"u","time":5,"message":[]}\n',
    b'{"endpoint":"track","user":"u","time":5,"message":"m"}\n',
    b'{"endpoint":"track","user":"u","time":5.5,"message":{}}\n',
    b'{"endpoint":"track","user":"u","time":true,"message":{}}\n',
    b'{"endpoint":"track","user":"u","time":"5","message":{}}\n',
    b'{"endpoint":"track","user":"u","message":{}}\n',
    b'{"endpoint":"track","user":"u","time":99999999999999999999999,"message":{}}\n',
    b'{"endpoint":"track","user":"","time":5,"message":{}}\n',
    b'{"endpoint":"track","user":5,"time":5,"message":{}}\n',
    b'{"endpoint":"track","user":["u"],"time":5,"message":{}}\n',
    b'{"endpoint":"engage","user":null,"time":5,"message":{}}\n',
    b'{"endpoint":"import","user":"u","time":5,"message":{}}\n',
    b'{"endpoint":["track"],"user":"u","time":5,"message":{}}\n',
    b'{"endpoint":"track","user":"u","time":5,"message":{}}{}\n',
    b'{"endpoint":"track","user":"u","time":5,"message":{}},"message":{}}\n',
    b'{"endpoint":"track","user":"u","time":5,"message":{"a":1}\0}\n',
    b'{"endpoint":"track","user":"\xff","time":5,"message":{}}\n',
    b'{"endpoint":"track","user":"\\ud800","time":5,"message":{}}\n',
    b'{"endpoint":"track","user":"u","time":5,"message":{"a":NaN}}\n',
    b'{"endpoint":"track","user":"u","time":5,"message":{"a":' + b"[" * 300 + b"]" * 300 + b"}, }\n",
    b'{"endpoint": "track", "user": "u", "time": 5, "message": {"a": ' + b"[" * 300 + b"]" * 300 + b"}}\n",
    b"[" * 100_000,
    b'{"endpoint":"track","user":"u","time":5,"message":' + b"{" * 100_000,
]


@pytest.mark.parametrize("line", BAD, ids=range(len(BAD)))
def test_what_is_no_line_is_refused(line):
    """Lines of other shapes, types or encodings are a ValueError, nothing worse."""
    with pytest.raises(ValueError):
        read_line(line)


@given(
    st.binary()
    | st.builds(lambda middle: LINE_START + middle + b"}\n", st.binary())
    | st.builds(
        lambda fields: orjson.dumps(fields) + b"\n",
        st.fixed_dictionaries(
            {},
            optional={
                "endpoint": st.sampled_from([TRACK, ENGAGE, "import", None, 5]) | VALUES,
                "user": VALUES,
                "time": VALUES,
                "message": VALUES,
                "reason": VALUES,
                "error": VALUES,
                "attempts": VALUES,
                "at": VALUES,
            },
        ),
    )
)
def test_hostile_lines_do_no_harm(line):
    """Any bytes at all give a message, a dead letter or a ValueError; what they give can be written again."""
    try:
        read = read_line(line)
    except ValueError:
        return
    again = read_line(message_line(read) if isinstance(read, Message) else read.line(5.0))
    assert type(again) is type(read)
