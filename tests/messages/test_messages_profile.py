"""Profile updates: each operation, what it takes and what it refuses; and revenue."""

from __future__ import annotations

import enum
import json
from collections import OrderedDict
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from types import MappingProxyType

import numpy as np
import pytest

from robotmia_logging.messages import Refused, operations, seal_update, transaction
from tests import absurd

NAN = float("nan")


class Coins(enum.Enum):
    MANY = 12
    NONE = None


def update(**content):
    return {"$token": "t", "$distinct_id": "13793", "$time": 1371002000, **content}


def reason(call, *args):
    with pytest.raises(Refused) as caught:
        call(*args)
    assert str(caught.value) == caught.value.error
    return caught.value.reason


def sent(**content):
    return json.loads(seal_update(update(**content)).body)


# operation, what it takes, what arrives
TAKEN = [
    *((operation, {"a": value}, {"a": value})
      for operation in ("$set", "$set_once", "$append", "$remove")
      for value in (1, "text", None, True, [1, {"b": 2}], {"c": 3})),
    ("$set", {}, {}), ("$set", OrderedDict(a=1), {"a": 1}), ("$set", MappingProxyType({"a": 1}), {"a": 1}),
    ("$set", {"$email": "a@b.c", "Age": 5}, {"$email": "a@b.c", "Age": 5}),
    ("$set", {"Joined": datetime(2013, 4, 1, 9, 2)}, {"Joined": "2013-04-01T09:02:00"}),
    ("$add", {"a": 12, "b": -1.5}, {"a": 12, "b": -1.5}), ("$add", {"a": Decimal("0.5")}, {"a": 0.5}),
    ("$add", {"a": np.int64(3), "b": np.float32(0.5)}, {"a": 3, "b": 0.5}), ("$add", {"a": 2**70}, {"a": 2.0**70}),
    ("$add", {"a": Fraction(1, 2), "b": Coins.MANY}, {"a": 0.5, "b": 12}),
    ("$add", {"a": np.longdouble(1.5)}, {"a": 1.5}),
    ("$union", {"a": ["x", "y"], "b": ("z",)}, {"a": ["x", "y"], "b": ["z"]}),
    ("$union", {"c": {1}, "d": frozenset()}, {"c": [1], "d": []}),
    ("$unset", ["a", "$email"], ["a", "$email"]), ("$unset", ("a",), ["a"]), ("$unset", {"a"}, ["a"]),
    ("$unset", [], []), ("$delete", "", ""),
]  # fmt: skip

REFUSED = [
    *((operation, value)
      for operation in ("$set", "$set_once", "$add", "$append", "$union", "$remove")
      for value in (None, 5, "text", ["a"], [("a", 1)])),
    *(("$add", {"a": value}) for value in (
        "5", True, None, NAN, float("inf"), [1], 1j, Decimal("NaN"), Decimal("sNaN"), Decimal("1e400"), 10**400,
        np.bool_(True), np.float64("nan"), np.longdouble("1e4000"), Coins.NONE, datetime(2013, 4, 1),
        absurd.BrokenFloat(),
    )),
    *(("$union", {"a": value}) for value in ("text", 5, None, {"b": 1}, (item for item in [1]))),
    *(("$unset", value) for value in ("a", None, {"a": 1}, ["a", 5], [b"a"])),
]  # fmt: skip


def short(value):
    """A test's id."""
    return ascii(value)[:40] if type(value).__module__ == "builtins" else type(value).__name__


@pytest.mark.parametrize(("operation", "value", "arrives"), TAKEN, ids=short)
def test_operation_takes(operation, value, arrives):
    """Each operation takes what the document says, in any Python type that has that form."""
    assert operations({operation: value}) == [(operation, value)]
    assert sent(**{operation: value}) == update(**{operation: arrives})


@pytest.mark.parametrize(("operation", "value"), REFUSED)
def test_operation_refuses(operation, value):
    """What an operation can't do anything with is refused before it spoils a batch."""
    assert reason(operations, {operation: value}) == "bad_value"
    assert reason(seal_update, update(**{operation: value})) == "bad_value"


@pytest.mark.parametrize("value", [None, "", "text", 5, {"a": 1}], ids=repr)
def test_delete_ignores_its_value(value):
    """`$delete` sends the document's empty string, whatever it was given."""
    assert operations({"$delete": value}) == [("$delete", "")]


def test_several_operations_keep_their_order():
    """Several operations become several updates, in the order given."""
    profile = {"$unset": ["b"], "$add": {"a": 1}, "$set": {"c": 1}}
    assert operations(profile) == list(profile.items())


@pytest.mark.parametrize("profile", [{"Plan": "pro", "$email": "a@b.c"}, {"$transactions": []}, {5: 1}, {}], ids=repr)
def test_mapping_without_operation_is_a_set(profile):
    """Names and values alone mean `$set`, special properties among them."""
    assert operations(profile) == [("$set", profile)]
    assert operations(MappingProxyType(profile)) == [("$set", profile)]


@pytest.mark.parametrize(
    "profile",
    [{"$set": {"a": 1}, "b": 2}, {"b": 2, "$set": {"a": 1}}, {"$increment": {"a": 1}}, {"$sett": {}, "a": 1},
     {"$set": {}, "$email": "a@b.c"}, {"$token": "t"}, {"$distinct_id": "5", "a": 1}, {b"$set": {}}, {"$": 1}],
    ids=repr,
)  # fmt: skip
def test_mapping_that_is_neither(profile):
    """A mix, or a $ key that is neither an operation nor special, is refused whole."""
    assert reason(operations, profile) == "bad_operation"


def test_one_bad_value_refuses_the_mapping():
    """One value that its operation can't take refuses the whole mapping."""
    assert reason(operations, {"$set": {"a": 1}, "$add": {"b": "x"}}) == "bad_value"


def test_message_of_an_update():
    """An update becomes its JSON, with what delivery goes by."""
    message = seal_update(update(**{"$set": {"a": 1}, "$ip": "203.0.113.9", "$ignore_time": True}))
    assert json.loads(message.body) == update(**{"$set": {"a": 1}, "$ip": "203.0.113.9", "$ignore_time": True})
    assert (message.endpoint, message.user, message.time, message.located) == ("engage", "13793", 1371002000, True)


@pytest.mark.parametrize(
    ("operation", "value", "repeatable"),
    [("$set", {}, True), ("$set_once", {}, True), ("$add", {}, False), ("$append", {}, False), ("$union", {}, True),
     ("$remove", {}, True), ("$unset", [], True), ("$delete", "", True)],
)  # fmt: skip
def test_operations_that_count_twice(operation, value, repeatable):
    """`$add` and `$append` count twice when they are sent twice; the others don't."""
    assert seal_update(update(**{operation: value})).repeatable is repeatable


@pytest.mark.parametrize("absent", [None, ""])
def test_update_needs_token_and_user(absent):
    """An update without a token or a user is refused."""
    assert reason(seal_update, update(**{"$set": {}, "$token": absent})) == "no_token"
    assert reason(seal_update, update(**{"$set": {}, "$distinct_id": absent})) == "no_distinct_id"
    assert reason(seal_update, {"$distinct_id": "1", "$time": 1, "$set": {}}) == "no_token"
    assert reason(seal_update, {"$token": "t", "$time": 1, "$set": {}}) == "no_distinct_id"


def test_ids_are_texts_and_absent_addresses_stay_away():
    """The user is sent as text, 0 too; an absent `$ip` isn't sent, and doesn't count as the update's own."""
    message = seal_update(update(**{"$set": {}, "$distinct_id": 0, "$ip": None}))
    assert json.loads(message.body) == update(**{"$set": {}, "$distinct_id": "0"})
    assert (message.user, message.located) == ("0", False)
    assert sent(**{"$set": {}, "$ip": "0"})["$ip"] == "0"


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"$set": {}, "$add": {}},
        {"$sett": {}},
        {"$set": {}, "Plan": "pro"},
        {"$set": {}, 5: 1},
        {absurd.Liar("x"): 1},
    ],
    ids=ascii,
)
def test_update_has_one_operation(content):
    """An update with no operation, with two, or with anything beside it is refused."""
    assert reason(seal_update, {**update(), **content}) == "bad_operation"


@pytest.mark.parametrize("name", ["mp_name", b"mp_name"])
@pytest.mark.parametrize("operation", ["$set", "$set_once", "$append", "$remove"])
def test_reserved_names(operation, name):
    """mp_ names are refused in profiles too."""
    assert reason(seal_update, update(**{operation: {name: 1}})) == "reserved_name"


def test_unset_of_a_reserved_name():
    """A property that is there already may be removed, whatever it is called."""
    assert sent(**{"$unset": ["mp_name"]})["$unset"] == ["mp_name"]


@pytest.mark.parametrize("time", [None, "now", 1371002000_000, NAN])
def test_bad_time(time):
    """An update whose time is none is refused."""
    assert reason(seal_update, update(**{"$set": {}, "$time": time})) == "bad_time"


@pytest.mark.parametrize("time", [1371002000.7, Decimal(1371002000), datetime(2013, 6, 12, 1, 53, 20)], ids=repr)
def test_time_is_whole_seconds(time):
    """`$time` is an integer on the wire."""
    assert sent(**{"$set": {}, "$time": time})["$time"] == 1371002000


@pytest.mark.parametrize("amount", [25.34, 25, -5, 0, Decimal("25.34"), np.float64(25.34), Fraction(1, 2)], ids=repr)
def test_revenue_of_a_number(amount):
    """A number becomes a transaction at the record's time."""
    assert transaction(amount, 1357203600) == {"$time": "2013-01-03T09:00:00", "$amount": amount}


@pytest.mark.parametrize(
    "time",
    ["2013-01-03T09:00:00", "2013-01-03 09:00:00", "2013-01-03T09:00:00Z", "2013-01-03T10:00:00+01:00",
     datetime(2013, 1, 3, 9), datetime(2013, 1, 3, 9, 0, 0, 5, timezone.utc),
     datetime(2013, 1, 3, 10, tzinfo=timezone(timedelta(hours=1))), 1357203600, 1357203600.5, Decimal(1357203600)],
    ids=str,
)  # fmt: skip
def test_revenue_with_its_own_time(time):
    """A transaction's `$time` may have any form; it is sent as a date in UTC, and other keys go along."""
    given = {"$amount": 5, "$time": time, "SKU": "shirt"}
    assert transaction(given, 0) == {"$time": "2013-01-03T09:00:00", "$amount": 5, "SKU": "shirt"}
    assert given["$time"] is time


def test_revenue_without_a_time():
    """A `$time` of None counts as not given."""
    assert transaction({"$amount": 5, "$time": None}, 1357203600)["$time"] == "2013-01-03T09:00:00"


@pytest.mark.parametrize("amount", ["25.34", None, True, NAN, float("inf"), Decimal("sNaN"), 10**400, [1]], ids=short)
def test_revenue_that_is_no_number(amount):
    """An amount that is no number on the wire is refused."""
    assert reason(transaction, amount, 0) == reason(transaction, {"$amount": amount}, 0) == "bad_value"


@pytest.mark.parametrize("time", ["yesterday", "", 1357203600_000, -(10**11), NAN, True, [1]], ids=repr)
def test_revenue_at_no_time(time):
    """A `$time` that is none is refused."""
    assert reason(transaction, {"$amount": 5, "$time": time}, 0) == "bad_time"
