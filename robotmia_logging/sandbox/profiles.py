"""What a profile is: its updates, folded in `$time` order. Pure: no clock, no store, no HTTP."""

import math
import sys
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

Properties = dict[str, Any]

LAST_SEEN = "Last Seen"
_SEEN_BY = ("$set", "$append", "$add")  # the document names these three
_CREATES = (
    "$set",
    "$set_once",
    "$add",
    "$append",
    "$union",
)  # the others have nothing to put in a new profile


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """An accepted update: the message, when it arrived (unix seconds), its number in arrival order."""

    message: Mapping[str, Any]
    arrived: float
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A profile's properties, and when an update last showed its user (unix seconds)."""

    properties: Properties
    last_seen: float | None = None


def fold(updates: Iterable[Update]) -> Profile | None:
    """Apply updates in `$time` order, arrival time when absent, ties in arrival order.

    Returns:
        The profile, or None when no update created one or the last word was `$delete`.
    """
    profile = None
    for update in sorted(updates, key=_order):
        profile = apply(profile, update)
    return profile


def apply(profile: Profile | None, update: Update) -> Profile | None:
    """The profile after one update; neither the profile nor the update is changed."""
    operation = next(name for name in update.message if name in _OPERATIONS)
    if operation == "$delete" or (profile is None and operation not in _CREATES):
        return None
    properties = dict(profile.properties) if profile else {}
    seen = profile.last_seen if profile else None
    _OPERATIONS[operation](properties, update.message[operation])
    if operation in _SEEN_BY and update.message.get("$ignore_time") is not True:
        # The current time, not $time: an old update that arrives late is still news of the user,
        # and an update applied later because of its $time doesn't take the property back.
        seen = max(update.arrived, seen if seen is not None else update.arrived)
        properties[LAST_SEEN] = as_date(seen)
    return Profile(properties=properties, last_seen=seen)


def as_date(time_s: float) -> str:
    """Unix seconds in the document's date format, UTC."""
    return datetime.fromtimestamp(time_s, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S")


def _order(update: Update) -> tuple[float, int]:
    return update.message.get("$time", update.arrived), update.number


# The operations change the dict they are given, never a value in it: those belong to the messages. Where a
# property has a type the operation can't work with (the document doesn't say), it is left as it is.


def _set(properties: Properties, values: Properties) -> None:
    properties.update(values)


def _set_once(properties: Properties, values: Properties) -> None:
    for name, value in values.items():
        properties.setdefault(name, value)


def _add(properties: Properties, amounts: Properties) -> None:
    for name, amount in amounts.items():
        old = properties.get(name, 0)
        if isinstance(old, int | float) and not isinstance(old, bool):
            properties[name] = _sum(old, amount)


def _append(properties: Properties, values: Properties) -> None:
    for name, value in values.items():
        old = properties.get(name, [])
        if isinstance(old, list):
            properties[name] = [*old, value]


def _union(properties: Properties, lists: Properties) -> None:
    for name, values in lists.items():
        old = properties.get(name, [])
        if isinstance(old, list):
            # Equal values of the merged list: the first one stays.
            firsts: dict[Hashable, Any] = {}
            for value in [*old, *values]:
                firsts.setdefault(_identity(value), value)
            properties[name] = list(firsts.values())


def _remove(properties: Properties, values: Properties) -> None:
    for name, value in values.items():
        old = properties.get(name)
        if isinstance(old, list):
            properties[name] = [item for item in old if _identity(item) != _identity(value)]


def _unset(properties: Properties, names: list[str]) -> None:
    for name in names:
        properties.pop(name, None)


def _delete(properties: Properties, _value: Any) -> None:
    properties.clear()


_OPERATIONS: Mapping[str, Callable[[Properties, Any], None]] = {
    "$set": _set,
    "$set_once": _set_once,
    "$add": _add,
    "$append": _append,
    "$union": _union,
    "$remove": _remove,
    "$unset": _unset,
    "$delete": _delete,
}


def _sum(old: float, amount: float) -> float:
    """The sum, held within what a JSON number can be read back as: doubles overflow to infinity."""
    try:
        total = old + amount
        if math.isfinite(total):
            return total
    except OverflowError:  # an int that no double can hold
        pass
    return math.copysign(sys.float_info.max, 1 if old > 0 else -1)


def _identity(value: Any) -> Hashable:
    """A key that is equal for equal JSON values; to Python `true` equals 1, to JSON it doesn't."""
    if isinstance(value, bool):
        return ("bool", value)
    if isinstance(value, list):
        return ("list", tuple(_identity(item) for item in value))
    if isinstance(value, dict):
        return ("object", frozenset((name, _identity(item)) for name, item in value.items()))
    return value  # type: ignore[no-any-return]
