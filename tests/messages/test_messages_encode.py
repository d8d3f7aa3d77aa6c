"""What every kind of value becomes on the wire."""

from __future__ import annotations

import collections
import dataclasses
import enum
import json
import pathlib
import threading
import types
import uuid
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from fractions import Fraction

import numpy as np
import orjson
import pytest

from robotmia_logging.messages import as_text, encode, plain, seal_event
from tests import absurd


class Plan(enum.Enum):
    PRO = "pro"
    SINCE = datetime(2013, 4, 1, 13, 20)


class Level(enum.IntEnum):
    LOW = 1


class Text(str):
    __slots__ = ()


@dataclasses.dataclass
class Point:
    x: object
    y: object


Pair = collections.namedtuple("Pair", "left right")  # noqa: PYI024
BERLIN = timezone(timedelta(hours=2))
UUID = uuid.UUID("12345678123456781234567812345678")


def short(value):
    """A test's id."""
    return ascii(as_text(value))[1:-1][:30]


def sent(value):
    """The value as it arrives, and how many were rendered."""
    body, rendered = encode({"value": value})
    return json.loads(body)["value"], rendered


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        # JSON's own
        (None, None), (True, True), (5, 5), (-0.5, -0.5), ("Zürich \U0001f680", "Zürich \U0001f680"), ([], []),
        ({}, {}), (2**64 - 1, 2**64 - 1), (-(2**63), -(2**63)), (Text("t"), "t"), ("\x00\u2028", "\x00\u2028"),
        # dates, in UTC
        (datetime(2013, 4, 1, 13, 20, 5, 999_999), "2013-04-01T13:20:05"),
        (datetime(2013, 4, 1, 1, 20, tzinfo=BERLIN), "2013-03-31T23:20:00"),
        (datetime(2013, 4, 1, tzinfo=timezone.utc), "2013-04-01T00:00:00"),
        (datetime(1, 1, 1, tzinfo=BERLIN), "0001-01-01T00:00:00"),
        (datetime(2013, 4, 1, 9, tzinfo=absurd.NoOffset()), "2013-04-01T09:00:00"),
        (date(1948, 1, 1), "1948-01-01"), (time(9, 5), "09:05:00"), (timedelta(minutes=1.5), 90.0),
        # numbers
        (Decimal("25.34"), 25.34), (Decimal("1E+2"), 100), (Decimal(10**30), 1e30), (Fraction(1, 4), 0.25),
        (float("nan"), None), (float("inf"), None), (float("-inf"), None), (Decimal("NaN"), None),
        (Decimal("sNaN"), None), (Decimal("-Infinity"), None),
        # the standard library's
        (UUID, str(UUID)), (Plan.PRO, "pro"), (Level.LOW, 1), (Plan.SINCE, "2013-04-01T13:20:00"),
        (b"caf\xc3\xa9", "café"), (b"\xff", "\\xff"), (bytearray(b"a"), "a"), (memoryview(b"a"), "a"),
        ({3, 1, 2}, [1, 2, 3]), (frozenset("a"), ["a"]), (Pair(1, 2), [1, 2]), (collections.deque([1]), [1]),
        (Point(1, Point({2}, None)), {"x": 1, "y": {"x": [2], "y": None}}),
        (types.MappingProxyType({"a": 1}), {"a": 1}), (collections.Counter("aab"), {"a": 2, "b": 1}),
        (ValueError("no"), "ValueError: no"), (KeyError(), "KeyError"), (pathlib.PurePosixPath("/a"), "/a"),
        # numpy's
        (np.float32(1.5), 1.5), (np.int64(5), 5), (np.uint8(5), 5), (np.bool_(True), True), (np.float64("nan"), None),
        (np.longdouble(1.5), 1.5), (np.str_("a"), "a"), (np.datetime64("2013-04-01T13:20:00"), "2013-04-01T13:20:00"),
        (np.datetime64("2013-04-01", "ns"), "2013-04-01T00:00:00"), (np.datetime64("NaT", "s"), None),
        (np.timedelta64(90, "s"), 90.0), (np.array([[1, 2], [3, 4]])[:, 1], [2, 4]),
        (np.array([1.0, np.inf]), [1.0, None]),
        (np.array(["2013-04-01"], dtype="datetime64[ns]"), ["2013-04-01T00:00:00"]), (np.array(5), 5),
        (np.array([Plan.PRO, b"x"], dtype=object), ["pro", "x"]), (np.ma.array([1, 2], mask=[0, 1]), [1, None]),
        # surrogates: a pair becomes its character
        ("a\ud800", "a\ufffd"), ("\udfffb", "\ufffdb"), ("\ud83d\ude80", "\U0001f680"), (Text("\udcff"), "\ufffd"),
    ],
    ids=short,
)  # fmt: skip
def test_value_with_a_json_form(value, expected):
    """A value that has a JSON form takes it, alone, in containers and as an item beside others, and isn't counted."""
    assert sent(value) == (expected, 0)
    assert sent([value, (value,), {"in": value}]) == ([expected, [expected], {"in": expected}], 0)
    assert plain(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (2**64, 1.8446744073709552e19), (-(2**63) - 1, -9.223372036854776e18), (10**400, "1" + "0" * 400),
        (10**5000, "<int>"), (1j, "1j"), (..., "Ellipsis"), (int, "<class 'int'>"),
        (range(10**12), f"range(0, {10**12})"),
        (Decimal("1E+400"), "1E+400"), (absurd.BrokenText(), "<BrokenText>"), (absurd.NoText(), "<NoText>"),
        (absurd.Surrogate(), "lone \ufffd"), (absurd.Unfinished(), "<Unfinished>"), (absurd.Own.A, "<Own>"),
    ],
    ids=short,
)  # fmt: skip
def test_value_without_a_json_form(value, expected):
    """A value without a JSON form is rendered, as a number if it can be, else as text, and counted."""
    assert sent(value) == (expected, 1)
    assert sent([value, {"in": value}]) == ([expected, {"in": expected}], 2)


@pytest.mark.parametrize(
    ("key", "name"),
    [
        (1, "1"), (1.5, "1.5"), (None, "None"), (True, "True"), (b"a", "a"), (Plan.PRO, "pro"), (Level.LOW, "1"),
        (UUID, str(UUID)), (date(2013, 4, 1), "2013-04-01"), ((1, "a"), "(1, 'a')"), (np.int64(3), "3"),
        (Text("t"), "t"), (absurd.Liar("real"), "real"), ("\udcff", "\ufffd"), (absurd.BrokenText(), "<BrokenText>"),
    ],
    ids=short,
)  # fmt: skip
def test_key_that_is_no_plain_string(key, name):
    """Any key becomes a name."""
    assert sent({key: 1, "a key": 2}) == ({name: 1, "a key": 2}, 0)


@pytest.mark.parametrize("value", [{1: "int", "1": "str"}, {"1": "str", 1: "int"}])
def test_two_keys_of_one_name(value):
    """Of two keys with one name the string stays, in whatever order, and the loss is counted."""
    assert sent(value) == ({"1": "str"}, 1)


def test_cycles():
    """A container inside of itself is cut where it comes again; the same container twice is no cycle."""
    ring = absurd.cycle()
    assert sent(ring) == (["<cycle>", {"ring": "<cycle>"}, "<cycle>"], 3)
    point = Point(1, None)
    point.y = [point]
    assert sent(point) == ({"x": 1, "y": ["<cycle>"]}, 1)
    twice = [1]
    assert sent({"a": twice, "b": twice, "c": {2}}) == ({"a": [1], "b": [1], "c": [2]}, 0)


@pytest.mark.parametrize(("levels", "rendered"), [(1, 0), (62, 0), (63, 0), (64, 1), (65, 1), (100_000, 1)])
@pytest.mark.parametrize("beside", ["plain", {1}], ids=["as it is", "by a walk"])
def test_depth(levels, rendered, beside):
    """64 levels of containers are sent, `{"value": ...}` among them; what is deeper is cut and counted."""
    body, count = encode({"value": absurd.deep(levels), "beside": beside})
    assert count == rendered
    assert (b"bottom" in body, b"<nested too deeply>" in body) == (not rendered, bool(rendered))
    json.loads(body)


def test_long_lists_are_no_depth():
    """Many containers beside each other are sent whole."""
    rows = [{"id": number, "tags": ["a", "b"]} for number in range(200)]
    assert sent(rows) == (rows, 0)


def test_brackets_in_texts_are_no_depth():
    """Text full of brackets is sent as it is."""
    assert sent("[{" * 100) == ("[{" * 100, 0)


def test_fragment_is_no_way_in():
    """orjson's ready-made fragments can't put broken JSON into a message."""
    fragment = orjson.Fragment(b"{no JSON")
    for value in (fragment, [fragment], {"a": [fragment]}):
        assert sent(value)[1] == 1


def test_snapshot():
    """What the caller changes after the call doesn't show."""
    basket = {"items": [1], "of": {"user": 1}}
    message = seal_event({"event": "E", "properties": {"token": "t", "time": 1, "basket": basket}})
    before = message.body
    basket["items"].append(2)
    basket["of"].clear()
    assert message.body is before
    assert json.loads(before)["properties"]["basket"] == {"items": [1], "of": {"user": 1}}


def test_plain_shares_nothing():
    """A plain copy can be changed without a trace in the original."""
    original = {"items": [1, {"a": 1}], "texts": ("a",)}
    copy = plain(original)
    copy["items"][1]["a"] = 2
    copy["items"].append(3)
    assert original == {"items": [1, {"a": 1}], "texts": ("a",)}


@pytest.mark.parametrize("container", [{}, []], ids=["dict", "list"])
def test_container_changed_by_its_own_value(container):
    """A `__str__` that changes the dict or list it is in can't crash the process: what was there first is sent."""
    changes = absurd.Changes(container)
    first = [changes, *["text"] * 1000]
    container.update(enumerate(first)) if isinstance(container, dict) else container.extend(first)
    arrived, rendered = sent(container)
    assert (len(arrived), rendered) == (1001, 1)


def test_container_changed_by_another_thread():
    """Dicts and lists that other threads change meanwhile are sent as they were at some moment, and nothing crashes."""
    shared = {"list": [], "enum": Plan.PRO, "date": datetime(2013, 4, 1)}
    done = threading.Event()

    def churn():
        while not done.is_set():
            for number in range(50):
                shared[f"key{number}"] = shared["list"].append(datetime(2013, 4, 1))
            shared["list"].clear()
            for number in range(50):
                shared.pop(f"key{number}", None)

    threads = [threading.Thread(target=churn) for _ in range(2)]
    try:
        for thread in threads:
            thread.start()
        for _ in range(300):
            assert json.loads(encode({"shared": shared})[0])["shared"]["enum"] == "pro"
    finally:
        done.set()
        for thread in threads:
            thread.join()


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, SystemExit], ids=["KeyboardInterrupt", "SystemExit"])
def test_interruption_passes(interruption):
    """Ctrl-C in the middle of an encoding isn't swallowed."""

    class Interrupts:
        def __str__(self):
            raise interruption

    with pytest.raises(interruption):
        encode({"value": [Interrupts()]})


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a", "a"), (5, "5"), (UUID, str(UUID)), (Plan.PRO, "pro"), (b"a\xff", "a\\xff"), (None, "None"), (1.5, "1.5"),
        (absurd.BrokenText(), "<BrokenText>"), (absurd.Liar("real"), "real"), ("\ud800", "\ufffd"), (10**5000, "<int>"),
    ],
    ids=short,
)  # fmt: skip
def test_text_of_an_id(value, text):
    """Ids of any type become text."""
    assert as_text(value) == text


def test_each_value_is_asked_once():
    """The walk asks each object for its text once, however many there are."""
    calls = []

    class Counted:
        def __str__(self):
            calls.append(1)
            return "counted"

    encode({"rows": [{"a": Counted()} for _ in range(100)]})
    assert len(calls) == 100
