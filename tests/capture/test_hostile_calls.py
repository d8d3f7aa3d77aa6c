"""Whatever is logged: the log call never raises an Exception, and every message is accounted for."""

from __future__ import annotations

import logging
from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.absurd import values
from tests.doors import StdlibDoor, StructlogDoor, both, conserves


class Broken:
    """Fails at whatever is done with it."""

    def __str__(self):
        raise RuntimeError("no text")

    __repr__ = __eq__ = __bool__ = __len__ = __iter__ = __float__ = __int__ = __str__
    __hash__ = None

    @property
    def __class__(self):
        raise RuntimeError("no class")


class BrokenText(str):
    __slots__ = ()

    def __str__(self):
        raise RuntimeError("no text")

    __repr__ = __str__


class BrokenMapping(Mapping):
    def __getitem__(self, key):
        raise RuntimeError("no item")

    __iter__ = __len__ = __contains__ = keys = items = lambda self, *_: 1 / 0


KEYS = (
    "track",
    "event",
    "profile",
    "alias",
    "revenue",
    "distinct_id",
    "token",
    "time",
    "ip",
    "ignore_time",
    "properties",
)


def hostile_values():
    """Made anew for each test: pytest looks at what modules and parameters hold."""
    broken = Broken()
    return [broken, BrokenText("x"), BrokenMapping(), {"$amount": broken}, {Broken: broken}, b"\xff", "\ud800"]


@both
@pytest.mark.parametrize("key", [*KEYS, "loose"])
def test_hostile_values_of_every_key(opened, key):
    """Each key of the vocabulary with values that fail at everything, alone, beside a trigger, and under a rule."""
    if opened is StructlogDoor and key == "event":
        pytest.skip("the message itself")
    with opened(rules=[{"message": "ruled", "event": "{loose} {track}", "properties": {"p": "{profile}"}}]) as door:
        for value in hostile_values():
            door.log("x", **{key: value})
            door.log("x", **{"track": True, "distinct_id": "u", key: value})
            door.log("ruled", **{key: value})
        door.log("fine", track=True)
        assert "fine" in [event["event"] for event in door.events()]
        assert door.door.stats().accepted >= 7


@both
@pytest.mark.parametrize(
    "make",
    [Broken, lambda: BrokenText("x"), lambda: [1], lambda: {"a": [2]}, lambda: b"x", lambda: None, lambda: 5, object],
)
def test_hostile_messages(opened, make):
    """A message that can't be hashed, or has no text, costs at most its name."""
    with opened(rules=[{"event": "Any", "properties": {"m": "{message}"}}]) as door:
        door.log(make(), track=True)
        door.log(make())
        door.log(make(), track="Seen")
        names = [event["event"] for event in door.events()]
        assert names[-2:] == ["Any", "Seen"]


def test_arguments_that_do_not_fit():
    """`"%d" % "x"` is somebody's bug, and no concern of ours."""
    with StdlibDoor(rules=[{"message": "%d", "properties": {"m": "{message}", "n": "{0}"}}]) as door:
        door.log("%d", "x")
        door.log("%d %d", "x", track=True)
        first, second = door.events()
        assert (first["properties"]["m"], first["properties"]["n"]) == ("%d", "x")
        assert second["event"] == "%d %d"


def test_record_that_is_not_what_it_seems():
    """Records with attributes missing, or of strange types, are survived."""
    with StdlibDoor(rules=[{"logger": "x"}]) as door:
        for attributes in (
            {"name": 5},
            {"name": [1]},
            {"levelno": "high"},
            {"created": "now"},
            {"args": 5},
            {"msg": None},
        ):
            door.door.handle(logging.makeLogRecord({"msg": "x", "track": True, **attributes}))
            door.door.handle(logging.makeLogRecord({"msg": "x", **attributes}))
        bare = logging.makeLogRecord({})
        bare.__dict__.clear()
        bare.track = True
        door.door.handle(bare)
        door.log("fine", track=True)
        assert "fine" in [event["event"] for event in door.events()]


@both
@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
def test_interrupts_pass(opened, error):
    """KeyboardInterrupt and its like pass through, and the account still holds."""

    class Interrupting:
        def __str__(self):
            raise error

    with opened() as door:
        with pytest.raises(error):
            door.log("x", track=True, distinct_id=Interrupting())
        door.log("fine", track=True)
        assert door.event()["event"] == "fine"


def answer(value):
    return lambda _message: value


def fail(_message):
    raise ValueError("not today")


@both
@pytest.mark.parametrize(
    ("before_send", "reason"),
    [
        (fail, "before_send_error"),
        (answer(None), "before_send"),
        (answer(False), "before_send_error"),
        (answer([]), "before_send_error"),
        (answer("text"), "before_send_error"),
    ],
)
def test_before_send_that_drops_or_fails(opened, before_send, reason):
    """None drops the message; a raise, or anything but a dict, drops it too: each counted under its reason."""
    with opened(before_send=before_send) as door:
        door.log("x", track=True, profile={"a": 1}, distinct_id="u")
        door.door.flush(10)
        assert door.door.stats().dropped == {reason: 2}
        assert door.messages() == []


@both
@pytest.mark.parametrize("junk", [{}, {"event": 5}, {"event": "x"}, {"event": "x", "properties": []}, {5: 6}])
def test_before_send_that_returns_what_is_no_message(opened, junk):
    """What `before_send` returns is checked like any message."""
    with opened(before_send=answer(junk)) as door:
        door.log("x", track=True)
        assert sum(door.letters().values()) == 1
        assert door.messages() == []


@both
def test_before_send_works_on_a_copy(opened):
    """`before_send` may change all it likes: the caller's own objects stay as they are."""

    def redact(message):
        place = message.get("properties") or message["$set"]
        place["cart"]["items"].clear()
        place["card"] = "***"
        place.pop("loud", None)
        return message

    with opened(before_send=redact) as door:
        cart = {"items": [1, 2]}
        door.log("x", track=True, cart=cart, card="4111", loud=1, profile={"cart": cart, "card": 1}, distinct_id="u")
        assert cart == {"items": [1, 2]}
        assert (door.properties()["cart"], door.properties()["card"]) == ({"items": []}, "***")
        assert door.update()["$set"] == {"cart": {"items": []}, "card": "***"}
        assert "loud" not in door.properties()


@both
def test_before_send_sees_the_wire(opened):
    """`before_send` gets events and updates as they will stand on the wire."""
    seen = []
    with opened(before_send=lambda message: seen.append(message) or message) as door:
        door.log("x", track=True, profile={"a": 1}, distinct_id=5, revenue=2, alias="n")
        assert seen == [message for _, message in door.messages()]


@both
def test_before_send_that_logs_does_not_feed_itself(opened):
    """Log calls made by `before_send` are not tracked, by a rule or explicitly."""

    def chat(message):
        door.log("sending", track=True)
        return message

    with opened(before_send=chat, rules=[{"level": "DEBUG"}]) as door:
        door.log("x")
        assert door.event()["event"] == "x"


@pytest.fixture(scope="module", params=[StdlibDoor, StructlogDoor], ids=["handler", "processor"])
def open_door(request):
    rules = [{"message": "ruled", "event": "{loose}", "properties": {"p": "{loose}"}, "profile": {"p": "{loose}"}}]
    with request.param(rules=rules, capacity=50) as door:
        yield door


@given(absurd=values(), key=st.sampled_from([*KEYS, "loose"]), message=st.sampled_from(["x", "ruled"]))
@settings(deadline=None)
def test_absurd_values_of_every_key(open_door, absurd, key, message):
    """Whatever stands under whichever key, alone or beside others: no log call raises, all is accounted for."""
    if isinstance(open_door, StructlogDoor) and key == "event":
        key = "loose"
    open_door.log(message, **{key: absurd.make()})
    open_door.log(message, **{"track": True, "distinct_id": "u", key: absurd.make()})
    assert conserves(open_door.door.stats())
