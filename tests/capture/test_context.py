"""The context: who the user is, and never a reason to track."""

from __future__ import annotations

import pytest
from structlog.contextvars import bound_contextvars

from tests.doors import StdlibDoor, StructlogDoor, both


@both
def test_bound_user_and_address_count(opened):
    """What a middleware bound with `bind_contextvars` counts for both doors, in events and updates."""
    with opened() as door, bound_contextvars(distinct_id=13793, ip="1.2.3.4"):
        door.log("x", track=True, profile={"a": 1})
        assert (door.properties()["distinct_id"], door.properties()["ip"]) == ("13793", "1.2.3.4")
        assert (door.update()["$distinct_id"], door.update()["$ip"]) == ("13793", "1.2.3.4")


@both
def test_call_wins_over_context(opened):
    """What stands in the call wins over the context, unless it is absent."""
    with opened() as door, bound_contextvars(distinct_id="bound", ip="1.1.1.1"):
        door.log("a", track=True, distinct_id="said", ip="2.2.2.2")
        door.log("b", track=True, distinct_id=None, ip="")
        users = [(e["properties"]["distinct_id"], e["properties"]["ip"]) for e in door.events()]
        assert users == [("said", "2.2.2.2"), ("bound", "1.1.1.1")]


@both
@pytest.mark.parametrize(
    "bound",
    [{"track": True}, {"track": "Seen"}, {"profile": {"a": 1}}, {"revenue": 5}, {"alias": "n"}, {"event": "Seen"}],
    ids=lambda bound: next(iter(bound)),
)
def test_context_never_triggers(opened, bound):
    """Bound tracking keys trigger nothing, though `merge_contextvars` puts them into the event dict."""
    with opened() as door, bound_contextvars(distinct_id="u", **bound):
        door.log("x", plan="pro")
        assert door.is_quiet()


def test_call_triggers_though_the_context_has_the_same():
    """`track=True` in the call counts, also where somebody bound it."""
    with StructlogDoor() as door, bound_contextvars(track=True):
        door.log("x", track=True)
        assert door.event()["event"] == "x"


def test_merged_context_is_loose_extras_of_structlog_events():
    """What `merge_contextvars` puts into the event dict are properties; the handler takes only user and address."""
    with bound_contextvars(request_id="r1"):
        with StructlogDoor() as door:
            door.log("x", track=True)
            assert door.properties()["request_id"] == "r1"
        with StdlibDoor() as door:
            door.log("x", track=True)
            assert "request_id" not in door.properties()


USER_PLACES = [
    ({"distinct_id": "call"}, True, True, "call"),
    ({}, True, True, "rule"),
    ({}, False, True, "context"),
    ({}, False, False, "option"),
]


@both
@pytest.mark.parametrize(("keys", "ruled", "bound", "expected"), USER_PLACES, ids=lambda value: str(value))
@pytest.mark.parametrize("named", [True, False], ids=["name", "callable"])
def test_user_is_looked_up_in_order(opened, keys, ruled, bound, expected, named):
    """The user: from the call, the rule, the context, the `distinct_id` option, a name or a callable."""
    rules = [{"message": "x", "distinct_id": "{who}"}] if ruled else []
    option = "user_id" if named else lambda _source: "option"
    with (
        opened(rules=rules, distinct_id=option) as door,
        bound_contextvars(**{"distinct_id": "context"} if bound else {}),
    ):
        door.log("x", track=True, who="rule", user_id="option", **keys)
        assert door.properties()["distinct_id"] == expected


@both
def test_option_may_name_a_context_key(opened):
    """`distinct_id="user_id"` finds what django-structlog binds; an absent extra of that name doesn't hide it."""
    with opened(distinct_id="user_id") as door, bound_contextvars(user_id=42):
        door.log("a", track=True)
        door.log("b", track=True, user_id=None)
        assert [event["properties"]["distinct_id"] for event in door.events()] == ["42", "42"]


def test_callable_gets_the_record():
    """stdlib: the callable given as `distinct_id` gets the LogRecord."""
    with StdlibDoor(distinct_id=lambda record: record.user["id"]) as door:
        door.log("x", track=True, user={"id": 5})
        assert door.properties()["distinct_id"] == "5"


def test_callable_gets_the_event_dict():
    """structlog: it gets the event dict."""
    with StructlogDoor(distinct_id=lambda event_dict: event_dict["user"]["id"]) as door:
        door.log("x", track=True, user={"id": 5})
        assert door.properties()["distinct_id"] == "5"


@both
def test_callable_that_fails_costs_the_user_not_the_event(opened):
    """A callable that raises, or finds nobody, leaves the event without a user."""
    with opened(distinct_id=lambda source: 1 / 0) as door:
        door.log("x", track=True)
        assert "distinct_id" not in door.properties()


@both
def test_callable_that_logs_does_not_feed_itself(opened):
    """Log calls made by the user's callables are not tracked."""

    def identify(_source):
        door.log("who?", track=True)
        return "u1"

    with opened(distinct_id=identify) as door:
        door.log("x", track=True)
        assert door.event()["event"] == "x"
        assert door.properties()["distinct_id"] == "u1"
