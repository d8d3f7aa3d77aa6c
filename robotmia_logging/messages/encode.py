"""Any Python value as JSON bytes that are always valid.

Two ways through. A message of scalars, dicts, lists and tuples goes to orjson as it is. Everything else is first
copied into these, by a walk that knows dates, cycles, depth and the rest. orjson gets nothing that would call back
into Python: were a dict or list to change under it, by a `__str__` or another thread, the process would crash.
"""

from __future__ import annotations

import dataclasses
import math
from collections import deque
from collections.abc import Container, Iterable, Mapping, Set
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from numbers import Integral, Real
from os import PathLike, fspath
from typing import Any
from uuid import UUID

import orjson

from robotmia_logging.messages.times import date_string

MAX_DEPTH = 64
"""Containers nested deeper than this are cut."""

_SCALARS: frozenset[type] = frozenset({str, int, float, bool, type(None)})
are_scalars = _SCALARS.issuperset
"""Whether all of these types go to orjson as they are."""

_INT64 = range(-(2**63), 2**64)
_TOO_DEEP = "<nested too deeply>"
_CYCLE = "<cycle>"
_type_name = type.__dict__["__name__"].__get__  # a metaclass can hide the attribute


def encode(value: Any) -> tuple[bytes, int]:
    """JSON bytes for `value`, and how many values in it had no JSON form and were rendered as text."""
    try:
        if _is_plain(value.values(), MAX_DEPTH - 1):
            return orjson.dumps(value), 0
        walk = _Walk(_SCALARS)
        return orjson.dumps(walk.plain(value, 0)), walk.rendered
    except Exception:  # no dict; or what orjson refuses (lone surrogates, integers past 64 bits): look at scalars too
        walk = _Walk(())
        return orjson.dumps(walk.plain(value, 0)), walk.rendered


def plain(value: Any) -> Any:
    """A copy of `value` of plain JSON types, which shares nothing with it."""
    return _Walk(()).plain(value, 0)


def as_text(value: Any) -> str:
    """`value` as a `str` that UTF-8 can hold, whatever it is: ids and event names are strings on the wire."""
    if type(value) is str:
        return value if value.isascii() else _without_surrogates(value)
    try:
        if isinstance(value, Enum):
            return as_text(value.value)
        if isinstance(value, (bytes, bytearray, memoryview)):
            return bytes(value).decode("utf-8", "backslashreplace")
        # The characters of a str, not what its class makes of them.
        text = value if issubclass(type(value), str) else str(value)
        return _without_surrogates(str.__str__(text))
    except Exception:  # a __str__ that fails, an int of too many digits, a memoryview that was released
        return _without_surrogates(f"<{_type_name(type(value))}>")


def key_text(key: Any) -> str:
    """What a dict's key is called on the wire."""
    try:
        if type(key) not in _SCALARS and not isinstance(key, str):
            simpler = _simplify(key)
            key = simpler if type(simpler) in _SCALARS else key
    except Exception:  # there is nothing simpler: its own text
        pass
    return as_text(key)


def _without_surrogates(text: str) -> str:
    """The text as it is, unless it has surrogates: pairs become their character, lone ones U+FFFD."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def _is_plain(values: Iterable[Any], depth: int) -> bool:
    """Whether these are scalars, dicts, lists and tuples, nested at most `depth` deep. Keys are orjson's to check."""
    for value in values:
        kind = type(value)
        if kind in _SCALARS:
            continue
        if kind is dict:
            value = value.values()  # noqa: PLW2901
        elif kind is not list and kind is not tuple:
            return False
        if not depth or not _is_plain(value, depth - 1):
            return False
    return True


def _are_names(keys: Iterable[Any]) -> bool:
    try:
        return all(map(str.isascii, keys))
    except TypeError:  # not all are strings
        return False


def _simplify(value: Any) -> Any:
    """One step from a type that JSON lacks towards one that it has; TypeError if there is no such step."""
    for types, convert in _STEPS:
        if isinstance(value, types):
            return convert(value)
    kind = type(value)
    if dataclasses.is_dataclass(kind):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if kind.__module__.partition(".")[0] == "numpy":
        return _from_numpy(value)
    if isinstance(value, Real):
        return int(value) if isinstance(value, Integral) else float(value)
    raise TypeError


def _from_numpy(value: Any) -> Any:
    dtype = value.dtype.kind
    if dtype in "mM":  # counted in nanoseconds they would come out as integers
        value = value.astype(f"{dtype}8[us]")
    elif dtype == "f" and isinstance(value, Real):  # the tolist of a longdouble is a longdouble
        return float(value)
    return value.tolist()


def _number(value: Decimal) -> int | float | None:
    if not value.is_finite():
        return None
    if value == value.to_integral_value() and value.adjusted() < 18:  # noqa: PLR2004  (fits 64 bits)
        return int(value)
    number = float(value)
    if math.isinf(number):
        raise TypeError
    return number


def _exception_text(error: BaseException) -> str:
    words = as_text(error)
    return f"{type(error).__name__}: {words}" if words else type(error).__name__


def _in_order(values: Set[Any]) -> list[Any]:
    """A set as a list, sorted where that can be: the same set gives the same bytes."""
    try:
        return sorted(values)
    except Exception:
        return list(values)


# In this order: a datetime is a date, an enum may be a str or an int.
_STEPS: tuple[tuple[Any, Any], ...] = (
    (Enum, lambda value: value.value),
    (datetime, date_string),
    ((date, time), lambda value: value.isoformat()),
    (Decimal, _number),
    (UUID, str),
    ((bytes, bytearray, memoryview), as_text),
    (Mapping, dict),
    (Set, _in_order),
    (deque, list),
    (timedelta, timedelta.total_seconds),
    (BaseException, _exception_text),
    (PathLike, lambda value: as_text(fspath(value))),
)


# The commonest of them, found by their very type.
_LEAVES: dict[type, Any] = {
    datetime: date_string,
    date: date.isoformat,
    Decimal: _number,
    UUID: str,
    bytes: as_text,
    timedelta: timedelta.total_seconds,
}


class _Walk:
    """A depth-first copy into plain types. Its `rendered` counts what became text.

    Values of the `kept` types are taken over unseen, which saves a call for each, and it gives up on the first value
    that fails. With none it looks at everything, and survives everything.
    """

    def __init__(self, kept: Container[type]) -> None:
        self.rendered = 0
        self._kept = kept
        self._path: set[int] = set()

    def plain(self, value: Any, depth: int) -> Any:
        """A copy of `value`, which is inside of `depth` containers."""
        try:
            kind = type(value)
            if kind in _LEAVES:
                return _LEAVES[kind](value)
            if issubclass(kind, (dict, list, tuple)):
                return self._container(value, depth)
            return self._scalar(value, depth)
        except Exception:  # a property that raises, a mapping that lies: this value only
            if self._kept:  # a class that can't be looked up in `kept` would cost the whole container
                raise
            return self._render(as_text(value))

    def _container(self, value: Any, depth: int) -> Any:
        if depth >= MAX_DEPTH:
            return self._render(_TOO_DEEP)
        if id(value) in self._path:
            return self._render(_CYCLE)
        self._path.add(id(value))
        try:
            if isinstance(value, dict):
                return self._mapping(value, depth + 1)
            kept = self._kept
            return [item if type(item) in kept else self.plain(item, depth + 1) for item in list(value)]
        finally:
            self._path.discard(id(value))

    def _mapping(self, value: dict[Any, Any], depth: int) -> dict[str, Any]:
        copy = dict.copy(value)  # at once: others may be changing it
        kept = self._kept
        if not kept or not _are_names(copy):
            copy = self._named(copy)
        for name, item in copy.items():
            if type(item) not in kept:
                copy[name] = self.plain(item, depth)
        return copy

    def _named(self, value: dict[Any, Any]) -> dict[str, Any]:
        named: dict[str, Any] = {}
        for key, item in value.items():
            name = key_text(key)
            if type(key) is str or name not in named:  # of 1 and "1" the string stays
                named[name] = item
        self.rendered += len(value) - len(named)
        return named

    def _scalar(self, value: Any, depth: int) -> Any:
        kind = type(value)
        if value is None or kind is bool:
            return value
        if issubclass(kind, Enum):
            return self.plain(value.value, depth)
        if issubclass(kind, str):
            return as_text(str.__str__(value))
        if issubclass(kind, int):
            return self._integer(int.__int__(value))
        if issubclass(kind, float):
            number = float.__float__(value)
            return number if math.isfinite(number) else None
        return self._other(value, depth)

    def _integer(self, value: int) -> int | float | str:
        if value in _INT64:
            return value
        self.rendered += 1
        try:
            return float(value)
        except OverflowError:
            return as_text(value)

    def _other(self, value: Any, depth: int) -> Any:
        if depth > MAX_DEPTH or id(value) in self._path:
            return self._render(_TOO_DEEP if depth > MAX_DEPTH else _CYCLE)
        self._path.add(id(value))
        try:
            simpler = _simplify(value)
        except Exception:
            return self._render(as_text(value))
        else:
            return self.plain(simpler, depth if isinstance(simpler, (dict, list)) else depth + 1)
        finally:
            self._path.discard(id(value))

    def _render(self, text: str) -> str:
        self.rendered += 1
        return text
