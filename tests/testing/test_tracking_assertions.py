"""The assertions: what passes, and what they say when it doesn't."""

from __future__ import annotations

import logging
import re
from datetime import datetime, timezone
from decimal import Decimal
from unittest.mock import ANY

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robotmia_logging import RobotmiaHandler
from robotmia_logging.testing import CapturedMessages, capture_messages


@pytest.fixture
def log():
    """A log function, captured; `log.messages` is what was captured."""
    logger = logging.Logger("shop")
    logger.addHandler(RobotmiaHandler(enabled=False))

    def log(event=None, **extras):
        logger.info("x", extra=extras if event is None else {"event": event, **extras})

    with capture_messages() as messages:
        log.messages = messages
        yield log


@pytest.fixture
def says(log):
    """Checks that an assertion fails, and gives its lines."""

    def says(method, *args, **properties):
        with pytest.raises(AssertionError) as failed:
            getattr(log.messages, method)(*args, **properties)
        return str(failed.value).splitlines()

    return says


def test_some_of_the_properties_are_enough(log):
    """There may be more; the message is given back."""
    log("Signed Up", distinct_id="13793", plan="pro", seats=3)
    assert log.messages.assert_tracked("Signed Up", distinct_id="13793", plan="pro") is log.messages[0]


def test_the_first_that_matches_is_found(log):
    """Among others of the same name."""
    for plan in ("free", "pro", "pro"):
        log("Signed Up", plan=plan)
    assert log.messages.assert_tracked("Signed Up", plan="pro") is log.messages[1]


def test_names_may_be_any(log):
    """Names with blanks, and those of the assertion's own parameters."""
    strange = {"Referred By": "Friend", "self": 1, "event": 2, "times": 3}
    log("Signed Up", properties=strange)
    log.messages.assert_tracked("Signed Up", **strange)
    log.messages.assert_tracked_once("Signed Up", **strange)
    log.messages.assert_tracked_times(1, "Signed Up", **strange)


def test_matchers_work(log):
    """Equality is asked."""
    log("Paid", total=0.1 + 0.2, id="a-7")
    log.messages.assert_tracked("Paid", total=pytest.approx(0.3), id=ANY)


def test_values_may_be_expected_as_they_were_logged(log):
    """A datetime, a Decimal, a tuple, an array are sent in another form."""
    numpy = pytest.importorskip("numpy")
    when = datetime(2013, 1, 15, tzinfo=timezone.utc)
    values = {"when": when, "total": Decimal("49.90"), "pair": (1, "a"), "array": numpy.array([1, 2])}
    log("Paid", **values, time=when)
    log.messages.assert_tracked("Paid", **values, time=when)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(min_size=1).map("p_{}".format), JSON, max_size=5))
def test_what_was_logged_is_always_found(properties):
    """Whatever properties a call has, an assertion with the same ones passes."""
    handler = RobotmiaHandler(enabled=False)
    with capture_messages() as messages:
        handler.handle(logging.makeLogRecord({"msg": "A", "track": True, "properties": properties}))
    messages.assert_tracked("A", **properties)
    handler.close()


def test_true_is_not_one(log):
    """Python says they are equal; JSON doesn't."""
    log("A", on=True, count=1)
    for wrong in ({"on": 1}, {"count": True}):
        with pytest.raises(AssertionError):
            log.messages.assert_tracked("A", **wrong)


def test_each_difference_is_said(log, says):
    """What is missing, what is different, and types where values look alike."""
    log("Signed Up", distinct_id=13793, plan="free", Seats=3)
    assert says("assert_tracked", "Signed Up", distinct_id=13793, plan="pro", seats=3, via="ad") == [
        "no event 'Signed Up' with distinct_id=13793, plan='pro', seats=3, via='ad' was tracked",
        "there is one event 'Signed Up'; it differs:",
        "  distinct_id: expected 13793, got '13793' (str, not int)",
        "  plan: expected 'pro', got 'free'",
        "  seats: expected 3, but it isn't there (there is 'Seats')",
        "  via: expected 'ad', but it isn't there",
    ]


def test_differences_are_looked_for_within_values(log, says):
    """The place that differs is named, not the whole value."""
    log("Paid", cart={"items": [{"id": 1}, {"id": 2}], "open": True})
    lines = says("assert_tracked", "Paid", cart={"items": [{"id": 1}, {"id": 3}]})
    assert lines[2:] == ["  cart.items[1].id: expected 3, got 2", "  cart.open: not expected, got True"]


def test_the_nearest_is_shown(log, says):
    """Of several events of the name, the one that differs least."""
    for plan, seats in (("free", 1), ("pro", 2), ("free", 3)):
        log("Signed Up", plan=plan, seats=seats)
    assert says("assert_tracked", "Signed Up", plan="pro", seats=3, distinct_id="a")[1:] == [
        "there are 3 events 'Signed Up'; the nearest differs:",
        "  seats: expected 3, got 2",
        "  distinct_id: expected 'a', but it isn't there",
    ]


@pytest.mark.parametrize("near", ["signed up", "SignedUp", "signed_up", "Signed Op"])
def test_a_name_that_is_nearly_right_is_suggested(log, says, near):
    """Beside what was sent."""
    log("Signed Up")
    log("Paid")
    log("Paid")
    assert says("assert_tracked", near) == [
        f"no event {near!r} was tracked",
        "did you mean 'Signed Up'?",
        "what was sent: 'Paid' (2 times), 'Signed Up'",
    ]


def test_a_refused_event_is_said_first(log, says):
    """It is why the event isn't there."""
    log("Signed Up", mp_plan="pro")
    refused, *rest = says("assert_tracked", "Signed Up")[1:]
    assert re.fullmatch(r"an event 'Signed Up' was refused: .*mp_plan.* \(reserved_name\)", refused)
    assert rest[0] == "nothing was sent at all"


def test_nothing_at_all_is_said(says):
    """And what it may be for."""
    lines = says("assert_tracked", "Signed Up")
    assert lines[1] == "nothing was sent at all"
    assert "track=True" in lines[2]


def test_without_a_door_that_is_said(monkeypatch):
    """The commonest reason for nothing in a test."""
    monkeypatch.setattr("robotmia_logging.testing.captured.doors", list)
    with capture_messages() as messages, pytest.raises(AssertionError, match="there is no RobotmiaHandler"):
        messages.assert_tracked("Signed Up")


def test_counts(log, says):
    """Exactly so many: fewer, more and none are said."""
    log("Paid", total=1)
    log("Paid", total=2)
    assert len(log.messages.assert_tracked_times(2, "Paid")) == 2
    assert log.messages.assert_tracked_once("Paid", total=2) is log.messages[1]
    assert log.messages.assert_tracked_times(0, "Refunded") == []
    head, *listed = says("assert_tracked_once", "Paid")
    assert head == "event 'Paid' was expected once, but there are 2:"
    assert listed == ["  <event 'Paid' total=1>", "  <event 'Paid' total=2>"]
    assert says("assert_tracked_times", 3, "Paid", total=1)[0].endswith("expected 3 times, but there is one:")
    assert says("assert_tracked_once", "Refunded")[0] == "no event 'Refunded' was tracked"


def test_not_tracked(log, says):
    """Other events, and the same with other properties, don't matter."""
    log("Paid", total=1)
    log.messages.assert_not_tracked("Refunded")
    log.messages.assert_not_tracked("Paid", total=2)
    assert says("assert_not_tracked", "Paid") == [
        "event 'Paid' was expected never, but there is one:",
        "  <event 'Paid' total=1>",
    ]


def test_nothing_sent(log, says):
    """Neither events nor updates."""
    log.messages.assert_nothing_sent()
    log(profile={"plan": "pro"}, distinct_id="ada")
    assert says("assert_nothing_sent")[1:] == ["  <update of 'ada': $set={'plan': 'pro'}>"]


UPDATES = {
    "$set": {"plan": "pro", "seats": 3},
    "$set_once": {"via": "ad"},
    "$add": {"logins": 1},
    "$append": {"codes": "A7"},
    "$union": {"lists": ["news", "offers"]},
    "$remove": {"lists": "old"},
    "$unset": ["address", "phone"],
}


@pytest.mark.parametrize("operation", UPDATES)
def test_updates_are_expected_as_they_are_logged(log, says, operation):
    """Each operation; nothing else of the same user passes for it."""
    log(profile=UPDATES, distinct_id="ada")
    (update,) = log.messages.assert_updated("ada", {operation: UPDATES[operation]})
    assert (update.operation, update.value) == (operation, UPDATES[operation])
    wrong = ["city"] if operation == "$unset" else {"city": 1}
    assert f"{operation}={wrong!r}" in says("assert_updated", "ada", {operation: wrong})[0]
    assert "distinct_id: expected 'bob', got 'ada'" in says("assert_updated", "bob", {operation: wrong})[2]


def test_some_of_an_update_are_enough(log):
    """Names and values without an operation are of `$set`; several operations are several updates."""
    log(profile=UPDATES, distinct_id="ada")
    log.messages.assert_updated("ada", {"plan": "pro"})
    log.messages.assert_updated("ada", {"$unset": ["phone"]})
    assert len(log.messages.assert_updated("ada", {"$set": {"seats": 3}, "$add": {"logins": ANY}})) == 2


def test_deletions_and_revenue(log, says):
    """A transaction's time needn't be said."""
    log(profile={"$delete": True}, revenue=49.9, distinct_id="ada")
    log.messages.assert_updated("ada", {"$delete": ""})
    log.messages.assert_updated("ada", {"$append": {"$transactions": {"$amount": 49.9}}})
    lines = says("assert_updated", "ada", {"$append": {"$transactions": {"$amount": 50}}})
    assert lines[-1] == "  $amount: expected 50, got 49.9"


def test_not_updated(log, says):
    """At all, or by an operation."""
    log(profile={"$set": {"plan": "pro"}}, distinct_id="ada")
    log.messages.assert_not_updated("bob")
    log.messages.assert_not_updated("ada", {"$set": {"plan": "free"}})
    assert says("assert_not_updated", "ada")[0] == "an update of 'ada' was expected never, but there is one:"
    assert len(says("assert_not_updated", "ada", {"plan": "pro"})) == 2


def test_a_refused_update_is_said(log, says):
    """It is why the update isn't there."""
    log(profile={"$add": {"logins": "one"}}, distinct_id="ada")
    assert re.match(r"an update '\$add' was refused: .* \(bad_value\)", says("assert_updated", "ada", {"$add": {}})[1])


@pytest.mark.parametrize("profile", [{}, {"$set": {"a": 1}, "b": 2}])
def test_a_profile_that_is_none_is_no_assertion(profile):
    """It is a mistake in the test, and doesn't pass."""
    with pytest.raises(ValueError, match=r"give what must be updated|'b' stands beside operations"):
        CapturedMessages().assert_updated("ada", profile)


def test_what_is_no_name_or_user_is_refused(log):
    """None would be the event of every update, and the user of none."""
    log("changed", profile={"$set": {"Plan": "pro"}}, distinct_id="u")
    for wrong in (None, "", 7):
        for assertion in ("assert_tracked", "assert_not_tracked", "assert_tracked_once"):
            with pytest.raises(TypeError, match="an event's name is a string"):
                getattr(log.messages, assertion)(wrong)
    for assertion in ("assert_updated", "assert_not_updated"):
        with pytest.raises(TypeError, match="a user's distinct_id is a string"):
            getattr(log.messages, assertion)(None, {"Plan": "pro"})


def test_users_are_sent_as_strings(log):
    """A user that was logged as a number may be asked for as one."""
    log("changed", profile={"Plan": "pro"}, distinct_id=7)
    assert len(log.messages.assert_updated(7, {"Plan": "pro"})) == 1
    with pytest.raises(AssertionError):
        log.messages.assert_not_updated(7)


@pytest.mark.parametrize(
    ("profile", "error"),
    [
        ({"$sett": {"Plan": "pro"}}, r"there is no operation '\$sett': did you mean '\$set'\?"),
        ({"$set": {"Plan": "pro"}, "$ad": {"n": 1}}, r"there is no operation '\$ad'"),
        ({"$unset": "Plan"}, r"\$unset takes a list of names, not 'Plan'"),
        ("Plan", "a profile is a mapping, such as .*, not 'Plan'"),
    ],
)
def test_what_is_no_profile_is_refused(log, profile, error):
    """What a log call would refuse can't be asserted, nor that it didn't happen."""
    log("changed", profile={"$set": {"Plan": "pro"}}, distinct_id="u")
    for assertion in ("assert_updated", "assert_not_updated"):
        with pytest.raises((ValueError, TypeError), match=error):
            getattr(log.messages, assertion)("u", profile)


def test_names_that_are_no_strings(log):
    """They are sent as strings, and may be asserted as they were logged."""
    log("changed", profile={"$set": {1: 2}}, distinct_id="u")
    log.messages.assert_updated("u", {"$set": {1: 2}})
    with pytest.raises(AssertionError, match="1: expected 3, got 2"):
        log.messages.assert_updated("u", {"$set": {1: 3}})
