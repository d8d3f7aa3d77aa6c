"""What is expected of a message beside what was sent: whether it is the same, and if not, how it differs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from robotmia_logging.messages import OPERATIONS, SPECIAL_PROFILE_PROPERTIES, plain, unix_seconds

_MISSING = object()
_TRANSACTIONS = "$transactions"


def is_same(sent: Any, expected: Any) -> bool:
    """Whether a sent value is the expected one: by equality, so that matchers work (`ANY`, `pytest.approx`).

    What is sent in another form, such as a `datetime` or a `Decimal`, may be expected as it was logged.
    """
    if isinstance(sent, bool) and isinstance(expected, int | float) and not isinstance(expected, bool):
        return False  # for Python True is 1; in JSON it isn't
    if isinstance(expected, bool) and not isinstance(sent, bool):
        return False
    return _are_equal(sent, expected) or _are_equal(sent, plain(expected))


def _are_equal(sent: Any, expected: Any) -> bool:
    try:
        return bool(sent == expected)
    except Exception:  # arrays have no single answer; they are compared as they are sent
        return False


def differences(sent: Mapping[str, Any], expected: Mapping[str, Any]) -> list[str]:
    """How the expected properties differ from those sent, a line each; more of them may be sent.

    Args:
        sent: all properties.
        expected: those that must be there.
    """
    lines = []
    for key, wanted in expected.items():
        name = key if isinstance(key, str) else str(key)  # as it is sent
        got = sent.get(name, _MISSING)
        if got is _MISSING:
            lines.append(f"{name}: expected {wanted!r}, but it isn't there{_near(name, sent)}")
        else:
            lines += _value_differences(name, got, _as_time(wanted) if name == "time" else wanted)
    return lines


def _value_differences(name: str, sent: Any, expected: Any) -> list[str]:
    """How a value differs; within objects and lists, the places that do. Those are expected whole."""
    if is_same(sent, expected):
        return []
    if isinstance(sent, dict) and isinstance(expected, Mapping):
        inner = {f"{name}.{key}": value for key, value in expected.items()}
        got = {f"{name}.{key}": value for key, value in sent.items()}
        surplus = [f"{key}: not expected, got {value!r}" for key, value in got.items() if key not in inner]
        return differences(got, inner) + surplus
    if isinstance(sent, list) and isinstance(expected, list | tuple) and len(sent) == len(expected):
        pairs = enumerate(zip(sent, expected, strict=True))
        return [line for place, pair in pairs for line in _value_differences(f"{name}[{place}]", *pair)]
    return [f"{name}: expected {expected!r}, got {sent!r}{_types(sent, expected)}"]


def update_differences(operation: str, sent: Any, expected: Any) -> list[str]:
    """How what is expected of an operation differs from what was sent, a line each.

    Names and values may be some of those sent, and so may the names of `$unset`; `$delete` is the same whatever it is
    given. Of a transaction, its `$time` and whatever else isn't expected is left alone.
    """
    if operation == "$delete":
        return []
    if operation == "$unset" and isinstance(sent, list) and isinstance(expected, Iterable):
        return [f"{name}: isn't unset" for name in expected if name not in sent]
    if not isinstance(sent, Mapping) or not isinstance(expected, Mapping):
        return [] if is_same(sent, expected) else [f"{operation}: expected {expected!r}, got {sent!r}"]
    transaction, wanted = sent.get(_TRANSACTIONS), expected.get(_TRANSACTIONS)
    if operation == "$append" and isinstance(transaction, Mapping) and isinstance(wanted, Mapping):
        rest = {name: value for name, value in expected.items() if name != _TRANSACTIONS}
        return differences(transaction, wanted) + differences(sent, rest)
    return differences(sent, expected)


def operations_of(profile: Mapping[str, Any]) -> dict[str, Any]:
    """A profile as a log call has it, by operations: names without one are `$set`.

    Raises:
        ValueError: it mixes the two, is empty, or has a `$` name that is neither an operation nor a special property.
        TypeError: it is no mapping.
    """
    if not isinstance(profile, Mapping):
        raise TypeError(f"a profile is a mapping, such as {{'$set': {{'plan': 'pro'}}}}, not {profile!r}")
    if not profile:
        raise ValueError("give what must be updated, such as {'$set': {'plan': 'pro'}}")
    known = [name for name in profile if name in OPERATIONS]
    for name in profile:
        if str(name).startswith("$") and name not in OPERATIONS and name not in SPECIAL_PROFILE_PROPERTIES:
            near = nearest(str(name), OPERATIONS)
            raise ValueError(f"there is no operation {name!r}" + (f": did you mean {near!r}?" if near else ""))
    if isinstance(profile.get("$unset"), str):
        raise ValueError(f"$unset takes a list of names, not {profile['$unset']!r}")  # noqa: TRY004 - as of others
    if not known:
        return {"$set": profile}
    if len(known) < len(profile):
        names = ", ".join(repr(name) for name in profile if name not in OPERATIONS)
        raise ValueError(f"{names} stands beside operations: put it into one of them")
    return dict(profile)


def check_name(event: Any) -> None:
    """Refuse what can't be an event's name: an update, which has none, would be taken for it.

    Raises:
        TypeError: it is no string, or empty.
    """
    if not isinstance(event, str) or not event:
        raise TypeError(f"an event's name is a string that isn't empty, not {event!r}")


def as_user(distinct_id: Any) -> str:
    """A user as it is sent.

    Raises:
        TypeError: there is none.
    """
    if distinct_id is None or distinct_id == "":
        raise TypeError(f"a user's distinct_id is a string that isn't empty, not {distinct_id!r}")
    return str(distinct_id)


def _as_time(expected: Any) -> Any:
    return unix_seconds(expected) if isinstance(expected, datetime) else expected


def _types(got: Any, expected: Any) -> str:
    """The types, where values look alike or one is to be mistaken for the other."""
    if type(got) is type(expected) or not (str(got) == str(expected) or got == expected):
        return ""
    return f" ({type(got).__name__}, not {type(expected).__name__})"


def _near(name: str, sent: Mapping[str, Any]) -> str:
    near = nearest(name, sent)
    return f" (there is {near!r})" if near else ""


def nearest(name: str, names: Iterable[str]) -> str | None:
    """The name most like another one, if one is like it at all."""
    import difflib  # noqa: PLC0415  (for a failure only)

    by_letters = {_letters(each): each for each in names}
    close = difflib.get_close_matches(_letters(name), by_letters, 1, 0.75)
    return by_letters[close[0]] if close else None


def _letters(name: str) -> str:
    return "".join(letter for letter in name.casefold() if letter.isalnum()) or name
