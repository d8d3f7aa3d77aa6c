"""Profile updates: the eight operations of `/engage/` and revenue (Storing user profiles; Tracking revenue)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Set
from datetime import datetime, timezone
from typing import Any

from robotmia_logging.messages.encode import as_text, encode
from robotmia_logging.messages.limits import NOT_REPEATABLE, OPERATIONS, SPECIAL_PROFILE_PROPERTIES
from robotmia_logging.messages.message import ENGAGE, Message, Refused
from robotmia_logging.messages.numbers import is_number
from robotmia_logging.messages.special import RESERVED, refuse_reserved, settle_texts
from robotmia_logging.messages.times import date_string, unix_seconds, whole_seconds

_TEXTS = ("$token", "$distinct_id", "$ip")
_ATTRIBUTES = frozenset({*_TEXTS, "$time", "$ignore_time"})


def operations(profile: Mapping[Any, Any]) -> list[tuple[str, Any]]:
    """The updates that a `profile` mapping asks for: (operation, value), in the order given.

    A mapping without an operation means `$set`.

    Raises:
        Refused: operations and properties are mixed, a `$` key is neither an operation nor a special property
            that the document names (`bad_operation`), or a value hasn't the type its operation takes (`bad_value`).
    """
    named = [key for key in profile if key in OPERATIONS]
    if not named:
        unknown = [key for key in profile if as_text(key).startswith("$") and key not in SPECIAL_PROFILE_PROPERTIES]
        if unknown:
            raise Refused("bad_operation", f"{as_text(unknown[0])!r} is neither an operation nor a special property")
        return [("$set", dict(profile))]
    others = [key for key in profile if key not in OPERATIONS]
    if others:
        raise Refused(
            "bad_operation",
            f"the operation {named[0]!r} stands beside {as_text(others[0])!r}, which is none",
        )
    return [(operation, _CHECKS[operation](operation, profile[operation])) for operation in named]


def transaction(revenue: Any, time: int) -> dict[str, Any]:
    """The `$transactions` entry for a number, or for a mapping with `$amount` (Tracking revenue).

    Raises:
        Refused: the amount isn't a finite number (`bad_value`), or its `$time` no time (`bad_time`).
    """
    details = dict(revenue) if isinstance(revenue, Mapping) else {"$amount": revenue}
    if not is_number(details["$amount"]):
        raise Refused("bad_value", f"the revenue's $amount is {as_text(details['$amount'])!r}, not a number")
    given = details.pop("$time", None)
    return {"$time": _transaction_time(time if given is None else given), **details}


def seal_update(wire: dict[str, Any]) -> Message:
    """Check a profile update as it stands on the wire and encode it.

    Args:
        wire: `$token`, `$distinct_id`, the optional `$ip`, `$time`, `$ignore_time`, and one operation.

    Raises:
        Refused: the API would refuse it (`no_token`, `no_distinct_id`, `bad_operation`, `bad_value`,
            `reserved_name`, `bad_time`).
    """
    operation = check_update(wire)
    wire["$time"] = whole_seconds(wire.get("$time"))
    body, rendered = encode(wire)
    if RESERVED in body and isinstance(wire[operation], Mapping):
        refuse_reserved(wire[operation])
    return Message(
        ENGAGE,
        wire["$distinct_id"],
        wire["$time"],
        body,
        repeatable=operation not in NOT_REPEATABLE,
        located="$ip" in wire,
        rendered=rendered,
    )


def check_update(wire: dict[str, Any]) -> str:
    """Refuse what the API would refuse in an update, property names aside; bring ids to text.

    Returns:
        Its operation.

    Raises:
        Refused: see `seal_update`.
    """
    settle_texts(wire, _TEXTS)
    if "$token" not in wire:
        raise Refused("no_token", "a profile update needs a $token")
    if "$distinct_id" not in wire:
        raise Refused("no_distinct_id", "a profile update needs a $distinct_id")
    named = [key for key in wire if key not in _ATTRIBUTES]
    if len(named) != 1:
        raise Refused("bad_operation", f"an update has one operation, and this one has {len(named)}")
    operation = named[0]
    if operation not in _CHECKS:
        raise Refused("bad_operation", f"{as_text(operation)!r} is no operation: {', '.join(OPERATIONS)} are")
    _CHECKS[operation](operation, wire[operation])
    return operation


def _transaction_time(value: Any) -> str:
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value.replace("Z", "+00:00"))
        except ValueError:
            raise Refused("bad_time", f"the revenue's $time is {value!r}: a date is YYYY-MM-DDThh:mm:ss") from None
    if isinstance(value, datetime):
        return date_string(value)
    return date_string(datetime.fromtimestamp(unix_seconds(value), timezone.utc))


def _names_and_values(operation: str, value: Any) -> Any:
    if not isinstance(value, Mapping):
        raise Refused("bad_value", f"{operation} takes names and values, not {type(value).__name__}")
    return value


def _numbers(operation: str, value: Any) -> Any:
    for name, item in _names_and_values(operation, value).items():
        if not is_number(item):
            raise Refused("bad_value", f"{operation} takes numbers, and {as_text(name)!r} is {as_text(item)!r}")
    return value


def _lists(operation: str, value: Any) -> Any:
    for name, item in _names_and_values(operation, value).items():
        if not isinstance(item, (list, tuple, Set)):
            raise Refused("bad_value", f"{operation} takes lists, and {as_text(name)!r} is {type(item).__name__}")
    return value


def _property_names(operation: str, value: Any) -> Any:
    if not isinstance(value, (list, tuple, Set)) or not all(isinstance(name, str) for name in value):
        raise Refused("bad_value", f"{operation} takes a list of property names")
    return value


def _ignored(_operation: str, _value: Any) -> str:
    return ""  # "The value is ignored": the document sends an empty string


_CHECKS: dict[str, Callable[[str, Any], Any]] = {
    "$set": _names_and_values,
    "$set_once": _names_and_values,
    "$add": _numbers,
    "$append": _names_and_values,
    "$union": _lists,
    "$remove": _names_and_values,
    "$unset": _property_names,
    "$delete": _ignored,
}
