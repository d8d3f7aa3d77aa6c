"""The document's rules for the operations of profile updates: what each takes."""

from collections.abc import Callable, Mapping
from typing import Any

from robotmia_logging.sandbox.api.dates import DATE_FORM, is_iso_time, nearly_dates
from robotmia_logging.sandbox.api.refused import must_be, need, show
from robotmia_logging.sandbox.api.values import Object, is_number, named
from robotmia_logging.sandbox.people.dates import is_date

_SPECIAL = frozenset({"$first_name", "$last_name", "$name", "$created", "$email", "$phone", "$transactions"})


def check_operation(operation: str, value: Any, warnings: list[str]) -> None:
    """Check what an operation was given.

    Args:
        operation: one of `OPERATIONS`.
        value: what it was given.
        warnings: to add to when the document advises against something in it.

    Raises:
        Refused: with the first thing that is wrong.
    """
    OPERATIONS[operation](operation, value, warnings)


def _check_object(operation: str, value: Any, _warnings: list[str]) -> None:
    need(isinstance(value, dict), operation, "an object", value)


def _check_set(operation: str, value: Any, warnings: list[str]) -> None:
    _check_object(operation, value, warnings)
    _warn_of_names(value, warnings)
    if texts := nearly_dates(value):
        warnings.append(f"{named(texts)}: read as text, not as a date, which has the form {DATE_FORM} (UTC)")


def _check_add(operation: str, value: Any, warnings: list[str]) -> None:
    _check_object(operation, value, warnings)
    for name, amount in value.items():
        if not is_number(amount):
            raise must_be(f"{operation} of {show(name)}", "a number", amount)
    _warn_of_names(value, warnings)


def _check_union(operation: str, value: Any, warnings: list[str]) -> None:
    _check_object(operation, value, warnings)
    for name, items in value.items():
        if not isinstance(items, list):
            raise must_be(f"{operation} of {show(name)}", "a list", items)
    _check_set(operation, value, warnings)


def _check_append(operation: str, value: Any, warnings: list[str]) -> None:
    _check_set(operation, value, warnings)
    if "$transactions" in value:
        _check_transaction(value["$transactions"], warnings)


def _check_transaction(value: Any, warnings: list[str]) -> None:
    """The document calls both attributes required; clients leave the time out, or have forms of their own for it."""
    if not isinstance(value, dict):
        raise must_be("a transaction", "an object", value)
    amount, time = value.get("$amount"), value.get("$time")
    need(is_number(amount), "$amount of a transaction", "a number", amount)
    if "$time" not in value:
        warnings.append(f"a transaction without $time: robotmia requires one, a date {DATE_FORM} (UTC)")
    elif not is_date(time):
        need(is_iso_time(time), "$time of a transaction", f"a date {DATE_FORM}", time)
        warnings.append(f"$time of a transaction is {show(time)}: robotmia expects the form {DATE_FORM} (UTC)")


def _check_unset(operation: str, value: Any, _warnings: list[str]) -> None:
    is_names = isinstance(value, list) and all(isinstance(name, str) for name in value)
    need(is_names, operation, "a list of strings", value)


def _check_delete(_operation: str, _value: Any, _warnings: list[str]) -> None:
    """Nothing to check: the document says the value is ignored."""


def _warn_of_names(properties: Object, warnings: list[str]) -> None:
    if own := [name for name in properties if name.startswith("$") and name not in _SPECIAL]:
        warnings.append(f'{named(own)}: custom properties should not begin with "$", robotmia may give these a meaning')


OPERATIONS: Mapping[str, Callable[[str, Any, list[str]], None]] = {
    "$set": _check_set,
    "$set_once": _check_set,
    "$add": _check_add,
    "$append": _check_append,
    "$union": _check_union,
    "$remove": _check_object,
    "$unset": _check_unset,
    "$delete": _check_delete,
}
"""The operations by name."""
