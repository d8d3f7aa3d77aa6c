"""Profiles: what the eight operations do, Last Seen, the address."""

import json

import pytest

from robotmia_logging.sandbox.people.profiles import Profile, Update, fold

DATE = "2001-09-09T01:46:40"  # 1e9


def update(operation, value, **attributes):
    return Update(operation=operation, value=value, **{"arrived": 1e9, "ignore_time": True, **attributes})


def folded(*operations):
    """The properties after these (operation, value) pairs, in this order, without Last Seen."""
    profile = fold(None, [update(*operation) for operation in operations])
    return None if profile is None else profile.properties


@pytest.mark.parametrize(
    ("operations", "properties"),
    [
        ([("$set", {"a": 1, "b": 1}), ("$set", {"a": 2})], {"a": 2, "b": 1}),
        ([("$set_once", {"a": 1}), ("$set_once", {"a": 2, "b": 2})], {"a": 1, "b": 2}),
        ([("$set", {"a": None}), ("$set_once", {"a": 1})], {"a": None}),
        ([("$add", {"a": 12}), ("$add", {"a": -2.5})], {"a": 9.5}),
        ([("$add", {"a": 2**70}), ("$add", {"a": 1})], {"a": 2**70 + 1}),
        ([("$add", {"a": 1.7e308}), ("$add", {"a": 1.7e308})], {"a": 1.7976931348623157e308}),
        ([("$set", {"a": 0}), ("$add", {"a": -(10**400)})], {"a": -1.7976931348623157e308}),
        ([("$set", {"a": "text", "b": True}), ("$add", {"a": 1, "b": 1})], {"a": "text", "b": True}),
        ([("$append", {"a": 1}), ("$append", {"a": 1, "b": [2]})], {"a": [1, 1], "b": [[2]]}),
        ([("$set", {"a": "text"}), ("$append", {"a": 1})], {"a": "text"}),
        ([("$union", {"a": [1, 1, 2]}), ("$union", {"a": [2, 3]})], {"a": [1, 2, 3]}),
        ([("$union", {"a": [1]}), ("$append", {"a": 1}), ("$union", {"a": [2]})], {"a": [1, 2]}),
        ([("$union", {"a": [1]}), ("$append", {"a": 2}), ("$union", {"a": [2]})], {"a": [1, 2]}),
        ([("$union", {"a": [1]}), ("$remove", {"a": 1}), ("$union", {"a": [1]})], {"a": [1]}),
        ([("$union", {"a": [1, True, 1.0, "1", [1], [True]]})], {"a": [1, True, "1", [1], [True]]}),
        ([("$union", {"a": [{"x": 1, "y": 2}, {"y": 2, "x": 1}]})], {"a": [{"x": 1, "y": 2}]}),
        ([("$union", {"a": []})], {"a": []}),
        ([("$set", {"a": "text"}), ("$union", {"a": [1]})], {"a": "text"}),
        ([("$set", {"a": [1, 2, 1, True]}), ("$remove", {"a": 1, "b": 1})], {"a": [2, True]}),
        ([("$set", {"a": "text"}), ("$remove", {"a": "text"})], {"a": "text"}),
        ([("$set", {"a": 1, "b": 1}), ("$unset", ["a", "c", "a"])], {"b": 1}),
        ([("$set", {"a": 1}), ("$delete", "")], None),
        ([("$set", {"a": 1}), ("$delete", ""), ("$set", {"b": 1})], {"b": 1}),
        ([("$set", {"": 1, "$name": "Ada", "é": [{}]})], {"": 1, "$name": "Ada", "é": [{}]}),
        ([("$unset", ["a"])], None),
        ([("$remove", {"a": 1})], None),
        ([], None),
    ],
)
def test_operations(operations, properties):
    """Each operation does to a profile what the document says."""
    assert json.dumps(folded(*operations)) == json.dumps(properties)  # as JSON: to Python, True equals 1


@pytest.mark.parametrize(
    ("operation", "is_seen"),
    [("$set", True), ("$append", True), ("$add", True), ("$set_once", False), ("$union", False)],
)
def test_last_seen(operation, is_seen):
    """$set, $append and $add note the time of arrival as Last Seen, unless $ignore_time is true."""
    profile = fold(None, [update(operation, {}, ignore_time=False)])
    assert profile == Profile(properties={"Last Seen": DATE} if is_seen else {}, last_seen=1e9 if is_seen else None)
    assert fold(None, [update(operation, {})]) == Profile(properties={})


def test_last_seen_never_goes_back():
    """An update that arrived earlier but counts later, by its time, leaves Last Seen as it is."""
    seen = [update("$set", {}, arrived=1e9, ignore_time=False), update("$set", {}, arrived=1.0, ignore_time=False)]
    assert fold(None, seen) == Profile(properties={"Last Seen": DATE}, last_seen=1e9)


def test_address():
    """A profile has the address of the last update that has one, and none any more once it is deleted."""
    updates = [update("$set", {}, ip="1.1.1.1"), update("$unset", [], ip="2.2.2.2"), update("$set", {})]
    assert fold(None, updates) == Profile(properties={}, ip="2.2.2.2")
    assert fold(None, [*updates, update("$delete", ""), update("$set", {})]) == Profile(properties={})


def test_nothing_is_changed():
    """Folding changes no value of an update, nor of the profile it starts from."""
    start = Profile(properties={"old": ["x"]})
    tags = ["a"]
    operations = [("$set", {"tags": tags}), ("$append", {"tags": "b", "old": "y"}), ("$remove", {"tags": "a"})]
    profile = fold(start, [update(*operation) for operation in operations])
    assert profile == Profile(properties={"old": ["x", "y"], "tags": ["b"]})
    assert (start.properties, tags) == ({"old": ["x"]}, ["a"])


def test_long_lists():
    """Appending and merging one by one takes no longer for each than for all."""
    updates = [update(("$append", "$union")[n % 2], {"a": (n, [n])[n % 2]}) for n in range(20_000)]
    profile = fold(None, updates)
    assert profile is not None
    assert profile.properties == {"a": list(range(20_000))}
