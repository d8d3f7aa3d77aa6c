"""Users: dates, revenue, and what is known of a user."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from storing import alias, event, keep, update

from robotmia_logging.sandbox.people.dates import as_date, is_date, read_time
from robotmia_logging.sandbox.people.numbers import total
from robotmia_logging.sandbox.people.person import Person
from robotmia_logging.sandbox.people.revenue import revenue, transactions
from robotmia_logging.sandbox.store.records import Filters
from robotmia_logging.sandbox.store.store import Store


@pytest.mark.parametrize(
    ("value", "is_one"),
    [
        ("2013-04-01T13:20:00", True),
        ("2012-02-29T23:59:59", True),
        ("2013-02-29T00:00:00", False),
        ("2013-04-01T24:00:00", False),
        ("2013-04-01T13:20:00Z", False),
        ("2013-04-01T13:20:00\n", False),
        ("2013-04-01 13:20:00", False),
        ("2013-04-01", False),
        ("٢013-04-01T13:20:00", False),
        (20130401, False),
        (None, False),
    ],
)
def test_dates(value, is_one):
    """A date has the document's form, and a day that the calendar has."""
    assert is_date(value) is is_one


@pytest.mark.parametrize(
    ("text", "time_s"),
    [
        ("2013-01-03T09:00:00", 1357203600),
        ("2013-01-03T09:00:00.250Z", 1357203600.25),
        ("2013-01-03T10:00:00+01:00", 1357203600),
        ("2013-01-03 08:30:00 -0030", 1357203600),
        ("2013-01-03T09:00", 1357203600),
        ("2013-01-03", 1357171200),
        ("2013-13-03", None),
        ("yesterday", None),
        (7, None),
    ],
)
def test_times_of_transactions(text, time_s):
    """A transaction's time is read in the forms of ISO 8601 that clients have for it."""
    assert read_time(text) == time_s


@given(st.integers(-62_135_596_800, 253_402_300_799))
def test_dates_round_trip(time_s):
    """Every second of the years 1 to 9999 has a date, which is read as that second."""
    assert is_date(as_date(time_s))
    assert read_time(as_date(time_s)) == time_s


def test_revenue():
    """Revenue is the sum of the amounts; transactions come by time, those whose time can't be read last."""
    bought = [
        {"$amount": 1, "$time": "?"},
        {"$amount": 0.1, "$time": "2013-01-03T09:00:00"},
        {"$amount": "7", "sku": "text"},
        {"$amount": 0.2, "$time": "2013-01-03T09:30:00+01:00"},
        "no transaction",
        {"$amount": True},
    ]
    by_time = transactions({"$transactions": bought})
    assert by_time == [bought[3], bought[1], bought[0], bought[2], bought[5]]
    assert revenue(by_time) == 1.3
    assert transactions({}) == transactions({"$transactions": {"$amount": 1}}) == []


def test_totals():
    """A sum is rounded once, stays whole for whole numbers, and never leaves what JSON can hold."""
    assert total([0.1] * 10) == 1.0
    assert repr(total([2**70, 1])) == repr(2**70 + 1)
    assert total([1.7e308, 1.7e308]) == total([10**308, 1.7e308, 0.5]) == 1.7976931348623157e308
    assert repr(total([])) == "0"


def test_person():
    """A user has the profile, the aliases, the revenue, and the events by the time they occurred."""
    with Store() as store:
        bought = {"$amount": 5, "$time": "2013-01-03T09:00:00"}
        joined = {"joined": "2013-04-01T13:20:00", "plan": "pro"}
        keep(store, "engage", update("$set", joined, ip="1.2.3.4", **{"$ignore_time": False}), arrived=1e9)
        keep(store, "engage", update("$append", {"$transactions": bought}))
        keep(store, "track", event("later", time=9.0), event("sooner", time=2.0), alias("new", "u"))
        keep(store, "import", event("soonest", "new", time=-1.0))
        person = store.person("new")
        assert person is not None
        assert [sent["event"] for sent in person.events] == ["soonest", "$create_alias", "sooner", "later"]
        assert person == Person(
            distinct_id="u",
            aliases=["new"],
            properties={**joined, "Last Seen": "2001-09-09T01:46:40", "$transactions": [bought]},
            dates=["joined", "Last Seen"],
            ip="1.2.3.4",
            last_seen="2001-09-09T01:46:40",
            revenue=5,
            transactions=[bought],
            events=person.events,
            event_count=4,
        )


def test_who_is_known():
    """A user is who has a profile, events or aliases: not one whose profile is deleted, or who was only refused."""
    with Store() as store:
        keep(store, "track", event(user="seen"), event(user=None))
        keep(store, "engage", update("$set", {}, "kept"), update("$set", {}, "gone"), update("$unset", [], "void"))
        keep(store, "engage", update("$delete", "", "gone"))
        assert [person.distinct_id for person in store.people(Filters())] == ["seen", "kept"]
        assert [store.person(user) for user in ("gone", "void", "nobody", "")] == [None] * 4
