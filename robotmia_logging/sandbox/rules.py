"""What the API document refuses in a message: which fields, of which types, at which endpoint."""

import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Literal

from robotmia_logging.sandbox.wire import Refused

Endpoint = Literal["track", "import", "engage"]
Object = Mapping[str, Any]

MAX_AGE_S = 5 * 24 * 3600
MAX_EVENT_NAME = 255  # the sandbox's own: something only the server can know
_ATTRIBUTES = frozenset({"$token", "$distinct_id", "$ip", "$time", "$ignore_time"})
_DATE = re.compile(r"\d{4}-\d\d-\d\dT([01]\d|2[0-3]):[0-5]\d:[0-5]\d", re.ASCII)


def check(endpoint: Endpoint, message: Any, *, now: float) -> None:
    """Check one message against the document.

    Args:
        endpoint: where it was sent.
        message: any JSON value.
        now: the time of arrival, in unix seconds.

    Raises:
        Refused: with the first thing that is wrong.
    """
    if not isinstance(message, dict):
        raise Refused(f"a message must be a JSON object, not {_show(message)}")
    if endpoint == "engage":
        _check_update(message)
    else:
        _check_event(message)
    if endpoint == "track":
        _check_age(message["properties"], now)


def is_number(value: Any) -> bool:
    """Whether a JSON value is a number; `true` is none, though Python counts it as an int."""
    return isinstance(value, int | float) and not isinstance(value, bool)


# Events


def _check_event(message: Object) -> None:
    if "event" not in message and (
        updates := sorted(key for key in message if key in _ATTRIBUTES | _OPERATIONS.keys())
    ):
        raise Refused(f"a profile update ({updates[0]}) belongs at /engage/, not here")
    name = message.get("event")
    _need(isinstance(name, str) and name != "", "event", "a non-empty string", name)
    if len(str(name)) > MAX_EVENT_NAME:
        raise Refused(f"event name is longer than {MAX_EVENT_NAME} characters")
    properties = message.get("properties")
    if not isinstance(properties, dict):
        raise Refused(f"properties must be an object, not {_show(properties)}")
    _check_properties(properties)
    if name == "$create_alias":
        _need(
            _is_id(properties.get("distinct_id")),
            "distinct_id of an alias",
            "a non-empty string",
            properties.get("distinct_id"),
        )
        _need(_is_id(properties.get("alias")), "alias", "a non-empty string", properties.get("alias"))


def _check_properties(properties: Object) -> None:
    _need(_is_text(properties.get("token")), "token", "a non-empty string", properties.get("token"))
    if "distinct_id" in properties:
        user = properties["distinct_id"]
        _need(isinstance(user, str) or is_number(user), "distinct_id", "a string", user)
    if "time" in properties:
        _need(is_number(properties["time"]), "time", "a number (unix seconds)", properties["time"])
    if "ip" in properties:
        _need(isinstance(properties["ip"], str), "ip", "a string", properties["ip"])
    if reserved := [name for name in properties if name.startswith("mp_")]:
        raise Refused(f'a property\'s name must not begin with "mp_": {_show(reserved[0])}')


def _check_age(properties: Object, now: float) -> None:
    if now - properties.get("time", now) > MAX_AGE_S:
        raise Refused("the event is more than 5 days old: send it to /import/")


# Profile updates


def _check_update(message: Object) -> None:
    operations = [key for key in message if key in _OPERATIONS]
    if "event" in message:
        raise Refused("an event belongs at /track/ or /import/, not here")
    _need(_is_text(message.get("$token")), "$token", "a non-empty string", message.get("$token"))
    _need(_is_id(message.get("$distinct_id")), "$distinct_id", "a non-empty string", message.get("$distinct_id"))
    _check_attributes(message)
    if unknown := [key for key in message if key.startswith("$") and key not in _ATTRIBUTES | _OPERATIONS.keys()]:
        raise Refused(f"{_show(unknown[0])} is neither an operation nor an attribute of an update")
    if len(operations) != 1:
        found = ", ".join(operations) or "none"
        raise Refused(f"an update must have exactly one operation ({', '.join(_OPERATIONS)}), not {found}")
    _OPERATIONS[operations[0]](operations[0], message[operations[0]])


def _check_attributes(message: Object) -> None:
    if "$ip" in message:
        _need(isinstance(message["$ip"], str), "$ip", "a string", message["$ip"])
    if "$time" in message:
        time = message["$time"]
        _need(is_number(time) and time == int(time), "$time", "an integer (unix seconds)", time)
    if "$ignore_time" in message:
        ignore = message["$ignore_time"]
        _need(isinstance(ignore, bool), "$ignore_time", "true or false", ignore)


def _check_object(operation: str, value: Any) -> None:
    _need(isinstance(value, dict), operation, "an object", value)


def _check_add(operation: str, value: Any) -> None:
    _check_object(operation, value)
    for name, amount in value.items():
        _need(is_number(amount), f"{operation} of {_show(name)}", "a number", amount)


def _check_union(operation: str, value: Any) -> None:
    _check_object(operation, value)
    for name, items in value.items():
        _need(isinstance(items, list), f"{operation} of {_show(name)}", "a list", items)


def _check_append(operation: str, value: Any) -> None:
    _check_object(operation, value)
    if "$transactions" in value:
        _check_transaction(value["$transactions"])


def _check_transaction(value: Any) -> None:
    """The document calls both attributes of a transaction required."""
    if not isinstance(value, dict):
        raise Refused(f"a transaction must be an object, not {_show(value)}")
    amount, time = value.get("$amount"), value.get("$time")
    _need(is_number(amount), "$amount of a transaction", "a number", amount)
    _need(_is_date(time), "$time of a transaction", "a date YYYY-MM-DDThh:mm:ss", time)


def _check_unset(operation: str, value: Any) -> None:
    is_names = isinstance(value, list) and all(isinstance(name, str) for name in value)
    _need(is_names, operation, "a list of strings", value)


def _check_delete(operation: str, value: Any) -> None:
    """Nothing to check: the document says the value is ignored."""


_OPERATIONS: Mapping[str, Callable[[str, Any], None]] = {
    "$set": _check_object,
    "$set_once": _check_object,
    "$add": _check_add,
    "$append": _check_append,
    "$union": _check_union,
    "$remove": _check_object,
    "$unset": _check_unset,
    "$delete": _check_delete,
}


# What both share


def _need(holds: bool, name: str, wanted: str, value: Any) -> None:
    if not holds:
        raise Refused(f"{name} must be {wanted}, not {_show(value)}")


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and value != ""


def _is_id(value: Any) -> bool:
    """A number will do: the document treats ids as strings, and has numeric ones in its examples."""
    return _is_text(value) or is_number(value)


def _is_date(value: Any) -> bool:
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        return False
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return False
    return True


def _show(value: Any) -> str:
    """A value as JSON, short enough for an error's text."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else text[:57] + "..."  # noqa: PLR2004 - a length to look at, nothing more
