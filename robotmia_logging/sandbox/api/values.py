"""JSON values as the rules see them: numbers, texts, ids, names in a sentence."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeGuard

from robotmia_logging.sandbox.api.refused import need, show

Object = Mapping[str, Any]

_NAMED = 3
_EXACT = 2**53  # beyond it a double has no ones any more


def is_number(value: Any) -> TypeGuard[float]:
    """Whether a JSON value is a number; `true` is none, though Python counts it as an int."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def is_text(value: Any) -> bool:
    """Whether a JSON value is a string with something in it."""
    return isinstance(value, str) and value != ""


def read_id(name: str, value: Any, warnings: list[str]) -> str:
    """Read an id; a number is taken with a warning, as the document has numeric ids in its examples.

    Raises:
        Refused: it is neither a non-empty string nor a number.
    """
    if isinstance(value, str) and value:
        return value
    need(is_number(value), name, "a non-empty string", value)
    text = number_text(value)
    warnings.append(f"{name} is the number {text}: robotmia expects a string, and treats it as {show(text)}")
    return text


def number_text(number: float) -> str:
    """A number as an id: 13793.0 is 13793, since JSON has one kind of number."""
    return str(int(number)) if number == round(number) and abs(number) < _EXACT else str(number)


def named(names: Sequence[str]) -> str:
    """Names for a sentence: the first few, and how many more there are."""
    more = len(names) - _NAMED
    shown = ", ".join(show(name) for name in names[:_NAMED])
    return f"{shown} and {more} more" if more > 0 else shown
