"""The vocabulary of a log call, row by row, through both doors."""

from __future__ import annotations

import json
import logging
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from uuid import UUID

import numpy as np
import pytest
from structlog.contextvars import bound_contextvars

from robotmia_logging.messages import read_line
from tests.doors import StdlibDoor, StructlogDoor, both

WHEN = 1_371_002_000


@both
def test_track_true_names_the_event_by_the_template(opened):
    """`track=True`: the event's name is the message as written, not the rendered text."""
    with opened() as door:
        door.log("Order %s placed", "A1", track=True)
        assert door.event()["event"] == "Order %s placed"


@both
def test_track_text_names_the_event(opened):
    """`track="..."`: that is the event's name."""
    with opened() as door:
        door.log("user 5 signed up", track="Signed Up")
        assert door.event()["event"] == "Signed Up"


@both
def test_empty_name_is_a_dead_letter(opened):
    """An empty event name is refused before it can spoil a batch."""
    with opened() as door:
        door.log("x", track="")
        door.log("", track=True)
        assert door.letters() == {"empty_event_name": 2}


@both
def test_message_that_is_no_text_names_the_event_by_its_text(opened):
    """`log.error(exc, ...)`: the name is the message's text."""
    with opened() as door:
        door.log(ValueError("broken"), track=True)
        assert door.event()["event"] == "broken"


@both
@pytest.mark.parametrize("track", [None, 1, 0, 1.0, b"Signed Up", ["Signed Up"], np.True_])
def test_track_of_another_form_is_somebody_elses(opened, track):
    """Only a bool or a str counts as `track`."""
    with opened() as door:
        door.log("x", track=track)
        assert door.is_quiet()


@both
def test_track_false_beats_triggers_and_rules(opened):
    """`track=False`: never, whatever else the call or a rule says."""
    with opened(rules=[{"message": "x"}]) as door:
        door.log("x", track=False, profile={"a": 1}, revenue=5, distinct_id="u", alias="n")
        assert door.is_quiet()


def test_event_text_names_the_event_in_the_standard_library():
    """stdlib: `event` names the event, and `track=True` beside it changes nothing."""
    with StdlibDoor() as door:
        door.log("x", event="Signed Up")
        door.log("x", event="Left", track=True)
        assert [event["event"] for event in door.events()] == ["Signed Up", "Left"]


def test_track_text_wins_over_event():
    """stdlib: `track="..."` wins over `event`, and neither becomes a property."""
    with StdlibDoor() as door:
        door.log("x", event="One", track="Two")
        assert door.event()["event"] == "Two"
        assert door.properties().keys() == {"token", "time"}


def test_event_object_is_somebody_elses():
    """Amplitude logs `extra={"event": obj}`: only a str is ours; beside a trigger it is a loose extra."""
    with StdlibDoor() as door:
        door.log("x", event=object())
        assert door.is_quiet()
        door.log("x", event={"a": 1}, track="Seen")
        assert door.properties()["event"] == {"a": 1}


def test_structlogs_event_alone_never_triggers():
    """In structlog `event` is the message, as always."""
    with StructlogDoor() as door:
        door.log("Signed Up", plan="pro")
        assert door.is_quiet()


@both
def test_profile_operations_become_updates_in_order(opened):
    """Several operations become several updates, in the order given, each with user, token and time."""
    with opened() as door:
        profile = {"$add": {"n": 1}, "$set": {"plan": "pro"}, "$unset": ["old"], "$union": {"tags": ["a"]}}
        door.log("x", profile=profile, distinct_id="u1", time=WHEN)
        common = {"$token": "T", "$distinct_id": "u1", "$time": WHEN}
        assert door.updates() == [{**common, name: value} for name, value in profile.items()]
        assert not door.events()


@both
def test_profile_without_operation_means_set(opened):
    """A mapping without an operation means `$set`, special properties included."""
    with opened() as door:
        door.log("x", profile={"$email": "a@b.c", "plan": "pro"}, distinct_id="u1")
        assert door.update()["$set"] == {"$email": "a@b.c", "plan": "pro"}


@both
@pytest.mark.parametrize(
    ("profile", "reason"),
    [
        ({"$set": {"a": 1}, "plan": "pro"}, "bad_operation"),
        ({"$email": "a@b.c", "$set": {"a": 1}}, "bad_operation"),
        ({"$frobnicate": {"a": 1}}, "bad_operation"),
        ({"$set": {"a": 1}, "$frobnicate": {}}, "bad_operation"),
        ({"$set": {"a": 1}, "$add": {"n": "x"}}, "bad_value"),
    ],
)
def test_bad_profile_is_refused_whole(opened, profile, reason):
    """A mix, or an unknown `$` key, is refused: the whole mapping, and nothing but it."""
    with opened() as door:
        door.log("x", profile=profile, distinct_id="u1", track="Seen")
        assert door.letters() == {reason: 1}
        assert [endpoint for endpoint, _ in door.messages()] == ["track"]


@both
@pytest.mark.parametrize("profile", [None, "pro", 5, ["$set"], object()])
def test_profile_of_another_form_is_somebody_elses(opened, profile):
    """Only a mapping counts as `profile`."""
    with opened() as door:
        door.log("x", profile=profile, distinct_id="u1")
        assert door.is_quiet()


@both
def test_update_without_user_is_a_dead_letter(opened):
    """A profile update without `distinct_id` is refused, each with its reason."""
    with opened() as door:
        door.log("x", profile={"a": 1}, revenue=5)
        assert door.letters() == {"no_distinct_id": 2}


@both
def test_alias_with_explicit_user_creates_an_alias(opened):
    """`alias` beside an explicit `distinct_id` sends `$create_alias`."""
    with opened() as door:
        door.log("x", alias="new", distinct_id="old", time=WHEN)
        expected = {"token": "T", "distinct_id": "old", "alias": "new", "time": WHEN}
        assert door.event() == {"event": "$create_alias", "properties": expected}


@both
@pytest.mark.parametrize("keys", [{}, {"distinct_id": None}, {"distinct_id": ""}])
def test_alias_without_explicit_user_is_left_alone(opened, keys):
    """Django logs each query with `alias="default"`: that is no alias of the user in the context."""
    with opened(distinct_id=lambda _: "optional") as door, bound_contextvars(distinct_id="bound"):
        door.log("SELECT 1", alias="default", duration=0.1, **keys)
        assert door.is_quiet()
        door.log("SELECT 2", alias="default", track=True, **keys)
        assert door.event()["event"] == "SELECT 2"
        assert door.properties()["alias"] == "default"


@both
@pytest.mark.parametrize("alias", [None, "", 5, UUID(int=5), ["new"]])
def test_alias_of_another_form_is_somebody_elses(opened, alias):
    """Only a non-empty str counts as `alias`."""
    with opened() as door:
        door.log("x", alias=alias, distinct_id="old")
        assert door.is_quiet()


@both
def test_explicit_user_counts_for_an_alias_though_the_context_has_the_same(opened):
    """A `distinct_id` in the call is explicit, be it the very object that the middleware bound."""
    user = "u1"
    with opened() as door, bound_contextvars(distinct_id=user):
        door.log("x", distinct_id=user, alias="new")
        assert door.properties()["alias"] == "new"


def test_user_set_by_a_filter_is_no_explicit_one_for_an_alias():
    """A filter sets the user on every record, Django's queries too: their `alias` stays an extra."""
    with StdlibDoor() as door:

        def identify(record):
            record.distinct_id = "u1"
            return True

        door.door.addFilter(identify)
        door.log("SELECT 1", alias="default")
        assert door.is_quiet()
        door.log("x", track=True, alias="default")
        assert (door.properties()["alias"], door.properties()["distinct_id"]) == ("default", "u1")


@both
@pytest.mark.parametrize("amount", [25.34, 0, -5, Decimal("25.34"), np.float64(25.34), np.int64(7)])
def test_revenue_number_appends_a_transaction(opened, amount):
    """A number `$append`s to `$transactions`, with the call's time."""
    with opened() as door:
        door.log("x", revenue=amount, distinct_id="u1", time=WHEN)
        transaction = door.update()["$append"]["$transactions"]
        assert transaction == {"$time": "2013-06-12T01:53:20", "$amount": pytest.approx(float(amount))}


@both
def test_revenue_mapping_keeps_its_other_keys_and_its_time(opened):
    """A mapping with `$amount` keeps its other keys; its `$time` counts if given."""
    with opened() as door:
        at = datetime(2013, 1, 3, 9, tzinfo=timezone.utc)
        door.log("x", revenue={"$amount": 5, "SKU": "T1", "$time": at}, distinct_id="u1")
        transaction = door.update()["$append"]["$transactions"]
        assert transaction == {"$time": "2013-01-03T09:00:00", "$amount": 5, "SKU": "T1"}


@both
@pytest.mark.parametrize("revenue", [None, True, "5", {"amount": 5}, [5], float("nan"), float("inf")])
def test_revenue_of_another_form_is_somebody_elses(opened, revenue):
    """Only a number, or a mapping with `$amount`, counts as `revenue`."""
    with opened() as door:
        door.log("x", revenue=revenue, distinct_id="u1")
        assert door.is_quiet()


@both
@pytest.mark.parametrize(
    ("revenue", "reason"),
    [({"$amount": "five"}, "bad_value"), ({"$amount": 5, "$time": "soon"}, "bad_time")],
)
def test_bad_revenue_is_a_dead_letter_that_shows_it(opened, revenue, reason, tmp_path):
    """A refused transaction is kept as it was asked for."""
    with opened(dead_letters=str(tmp_path / "letters")) as door:
        door.log("x", revenue=revenue, distinct_id="u1")
        assert door.letters() == {reason: 1}
        door.door.close()
        assert str(next(iter(revenue.values()))) in (tmp_path / "letters").read_text()


def test_refused_profile_is_kept_as_it_was(tmp_path):
    """The dead letter of a refused mapping shows the mapping, as it stood in the call."""
    with StdlibDoor(dead_letters=str(tmp_path / "letters")) as door:
        profile = {"$set": {"a": 1}, "plan": ["pro"]}
        door.log("x", profile=profile, distinct_id="u1")
        profile["plan"].append("later")
        assert door.letters() == {"bad_operation": 1}
        door.door.close()
        assert '"$set":{"a":1},"plan":["pro"]}' in (tmp_path / "letters").read_text()


@both
def test_special_properties_go_to_events_and_updates(opened):
    """`distinct_id`, `token`, `ip` and `time` reach events and updates in the API's names, as text."""
    with opened() as door:
        door.log("x", track=True, profile={"a": 1}, distinct_id=13793, token="other", ip="1.2.3.4", time=WHEN + 0.9)
        properties = {"token": "other", "distinct_id": "13793", "ip": "1.2.3.4", "time": WHEN}
        assert door.properties() == properties
        assert door.update() == {**{f"${name}": value for name, value in properties.items()}, "$set": {"a": 1}}


@both
@pytest.mark.parametrize("absent", [None, ""])
def test_none_and_empty_count_as_absent(opened, absent):
    """`None` and `""` are no user, no address, no token and no alias."""
    with opened() as door:
        door.log("x", track=True, distinct_id=absent, ip=absent, token=absent, alias=absent)
        assert door.properties().keys() == {"token", "time"}
        assert door.properties()["token"] == "T"


@both
def test_vocabulary_that_is_none_is_no_property(opened):
    """A key of the vocabulary that holds None is absent, not a property of that name."""
    with opened() as door:
        door.log("x", track="Seen", profile=None, revenue=None, alias=None, properties=None, ignore_time=None)
        assert door.properties().keys() == {"token", "time"}


@both
@pytest.mark.parametrize(
    "time",
    [
        WHEN,
        WHEN + 0.5,
        datetime.fromtimestamp(WHEN, timezone.utc),
        datetime.fromtimestamp(WHEN, timezone(timedelta(hours=5))),
        datetime.fromtimestamp(WHEN, timezone.utc).replace(tzinfo=None),
    ],
)
@pytest.mark.parametrize("before_send", [None, lambda message: message])
def test_time_takes_seconds_or_a_datetime(opened, time, before_send):
    """`time` is seconds or a datetime (naive ones in UTC), with and without `before_send`."""
    with opened(before_send=before_send) as door:
        door.log("x", track=True, profile={"a": 1}, time=time, distinct_id="u1")
        assert door.properties()["time"] == WHEN
        assert door.update()["$time"] == WHEN


@both
def test_time_that_is_none_is_a_dead_letter(opened):
    """A time that is no time is refused, with the reason."""
    with opened() as door:
        door.log("x", track=True, revenue=5, distinct_id="u1", time="yesterday")
        assert door.letters() == {"bad_time": 2}


def test_time_is_the_records_own():
    """By default the time is the record's creation, in whole seconds."""
    with StdlibDoor() as door:
        record = logging.LogRecord("x", logging.INFO, "f", 1, "Seen", (), None)
        record.created, record.track = WHEN + 0.7, True
        door.door.handle(record)
        assert door.properties()["time"] == WHEN


@both
@pytest.mark.parametrize("flag", [True, False])
def test_ignore_time_marks_updates_only(opened, flag):
    """`ignore_time=True` sets `$ignore_time` of updates, and is no property of events."""
    with opened() as door:
        door.log("x", track=True, profile={"a": 1}, revenue=5, distinct_id="u", ignore_time=flag)
        assert [update.get("$ignore_time", False) for update in door.updates()] == [flag, flag]
        assert "ignore_time" not in door.properties()


@both
def test_properties_win_over_loose_extras(opened):
    """`properties` win over loose extras of the same name, and take names that logging refuses."""
    with opened() as door:
        door.log("x", track=True, plan="free", seats=3, properties={"plan": "pro", "name": "Ann", "distinct_id": 7})
        properties = door.properties()
        assert (properties["plan"], properties["seats"]) == ("pro", 3)
        assert (properties["name"], properties["distinct_id"]) == ("Ann", "7")


@both
def test_properties_of_another_form_are_a_loose_extra(opened):
    """`properties` that are no mapping are somebody's extra of that name."""
    with opened() as door:
        door.log("x", track=True, properties=["a"], ignore_time="soon")
        assert (door.properties()["properties"], door.properties()["ignore_time"]) == (["a"], "soon")


@both
def test_options_properties_are_on_every_event_and_the_call_wins(opened):
    """The `properties=` option stands on every event, under what the call says; not on updates."""
    with opened(properties={"release": "1.0", "plan": "none"}, rules=[{"message": "ruled"}]) as door:
        door.log("x", track=True, plan="pro", profile={"a": 1}, distinct_id="u")
        door.log("ruled")
        first, second = (event["properties"] for event in door.events())
        assert (first["release"], first["plan"]) == ("1.0", "pro")
        assert (second["release"], second["plan"]) == ("1.0", "none")
        assert door.update()["$set"] == {"a": 1}


@both
def test_include_and_exclude_narrow_loose_extras(opened):
    """`include` and `exclude` name loose extras; `properties` and special ones aren't narrowed."""
    keys = {"track": True, "a": 1, "b": 2, "c": 3, "alias": "x", "distinct_id": "u", "properties": {"d": 4}}
    keys["alias"] = 5  # not of its form: loose
    with opened(include=["a", "b"], exclude=["b"]) as door:
        door.log("x", **keys)
        assert door.properties().keys() == {"token", "time", "distinct_id", "a", "d"}


@both
def test_exclude_takes_strange_vocabulary_too(opened):
    """Django's `alias` can be excluded, like any loose extra."""
    with opened(exclude=["alias"]) as door:
        door.log("x", track=True, alias="default", sql="SELECT")
        assert door.properties().keys() == {"token", "time", "sql"}


@both
def test_messages_leave_in_their_order(opened):
    """One call's messages leave in this order: alias, event, updates, revenue."""
    with opened() as door:
        door.log(
            "Bought",
            revenue=5,
            profile={"$set": {"a": 1}, "$add": {"n": 1}},
            track=True,
            alias="new",
            distinct_id="old",
            plan="pro",
        )
        messages = [message for _, message in door.messages()]
        kinds = [
            message.get("event") or next(k for k in ("$set", "$add", "$append") if k in message) for message in messages
        ]
        assert kinds == ["$create_alias", "Bought", "$set", "$add", "$append"]
        assert "plan" not in messages[0]["properties"]
        assert messages[1]["properties"]["plan"] == "pro"
        assert not {"plan", "alias", "revenue"} & messages[2].keys()


@both
def test_reserved_names_are_refused_wherever_they_come_from(opened):
    """A property named `mp_...` is refused: loose, under `properties`, in a profile."""
    with opened() as door:
        door.log("x", track=True, mp_lib="a")
        door.log("x", track=True, properties={"mp_lib": "a"})
        door.log("x", profile={"mp_lib": "a"}, distinct_id="u")
        assert door.letters() == {"reserved_name": 3}


def test_logging_s_and_structlog_s_own_keys_are_no_properties():
    """LogRecord's attributes (`taskName` too) and structlog's keys never become properties."""
    with StdlibDoor() as door:
        own = {"taskName": "t", "level": "info", "logger": "l", "timestamp": "now", "stack": "s", "positional_args": ()}
        record = logging.makeLogRecord({"msg": "Seen", "track": True, "plan": "pro", "_private": 1, **own})
        logging.Formatter("%(asctime)s %(message)s").format(record)
        door.door.handle(record)
        assert door.properties().keys() == {"token", "time", "plan"}


def test_structlog_s_own_keys_are_no_properties():
    """structlog's keys and underscored ones never become properties."""
    with StructlogDoor() as door:
        own = ("level", "logger", "timestamp", "exception", "stack", "stack_info", "_private", "taskName", "lineno")
        door.log("Seen", track=True, plan="pro", **dict.fromkeys(own, "x"))
        assert door.properties().keys() == {"token", "time", "plan"}


def test_extras_of_a_record_whose_attributes_were_moved():
    """A record that lost an attribute on the way keeps all of its extras."""
    with StdlibDoor() as door:
        record = logging.makeLogRecord({"msg": "Seen", "track": True, "plan": "pro"})
        del record.exc_text
        record.exc_text = None
        door.door.handle(record)
        assert door.properties()["plan"] == "pro"


def test_extras_of_a_record_class_of_ones_own():
    """What a program's own record class adds is an extra."""

    class Record(logging.LogRecord):
        def __init__(self, *args, **kwargs):
            self.region = "eu"
            super().__init__(*args, **kwargs)

    with StdlibDoor() as door:
        record = Record("x", logging.INFO, "f", 1, "Seen", (), None)
        record.track = True
        door.door.handle(record)
        assert door.properties()["region"] == "eu"


def test_refused_profile_stands_in_its_dead_letter_as_an_update(tmp_path):
    """A profile that mixes operations and properties is kept as the update it was to be: put right, it can be sent."""
    letters = tmp_path / "dead-letters.jsonl"
    with StdlibDoor(dead_letters=str(letters)) as door:
        door.log("x", profile={"$set": {"a": 1}, "b": 2}, distinct_id="u1")
        door.door.flush()
    letter = json.loads(letters.read_text())
    assert letter["reason"] == "bad_operation"
    del letter["message"]["b"], letter["reason"]
    message = read_line(json.dumps(letter).encode())
    assert (message.endpoint, message.user) == ("engage", "u1")
    assert json.loads(message.body)["$set"] == {"a": 1}
