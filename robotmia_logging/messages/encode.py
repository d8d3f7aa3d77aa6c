"""Any Python value as JSON bytes that are always valid.

Two ways through. The fast one hands the message to orjson and helps it over the types it doesn't know. Whatever
that can't do (lone surrogates, keys that are no strings, integers past 64 bits, cycles, depth, values with no JSON
form at all) goes the slow way: a walk that builds a plain copy, which orjson then takes.
"""

from __future__ import annotations

import dataclasses
import math
from collections import deque
from collections.abc import Mapping, Set
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from os import PathLike, fspath
from typing import Any
from uuid import UUID

import orjson

from robotmia_logging.messages.times import date_string

MAX_DEPTH = 64
"""Containers nested deeper than this are cut."""

_OPTIONS = (
    orjson.OPT_PASSTHROUGH_DATETIME
    | orjson.OPT_PASSTHROUGH_DATACLASS
    | orjson.OPT_SERIALIZE_NUMPY
    | orjson.OPT_OMIT_MICROSECONDS
)
_INT64 = range(-(2**63), 2**64)
_TOO_DEEP = "<nested too deeply>"
_CYCLE = "<cycle>"


def encode(value: Any) -> tuple[bytes, int]:
    """JSON bytes for `value`, and how many values in it had no JSON form and were rendered as text."""
    try:
        body = orjson.dumps(value, _simplify, _OPTIONS)
    except (TypeError, ValueError, RecursionError):
        pass
    else:
        # 64 brackets can't nest deeper than 64 levels: only then is the depth worth a walk.
        if body.count(b"{") + body.count(b"[") <= MAX_DEPTH:
            return body, 0
    walk = _Walk(for_json=True)
    return orjson.dumps(walk.plain(value, 0)), walk.rendered


def plain(value: Any) -> Any:
    """A copy of `value` of plain JSON types, which shares nothing with it."""
    return _Walk(for_json=False).plain(value, 0)


def as_text(value: Any) -> str:
    """`value` as a `str`, whatever it is: ids and event names are strings on the wire."""
    if type(value) is str:
        return value
    if isinstance(value, Enum):
        return as_text(value.value)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value).decode("utf-8", "backslashreplace")
    try:
        return str.__str__(str(value))
    except Exception:  # a __str__ that fails, an int of too many digits
        return f"<{type(value).__name__}>"


def _simplify(value: Any) -> Any:
    """One step from a type that JSON lacks to one that it has; TypeError if there is no such step."""
    for types, convert in _STEPS:
        if isinstance(value, types):
            return convert(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if type(value).__module__ == "numpy" and hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError


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
    ((list, tuple, deque, range), list),
    (timedelta, timedelta.total_seconds),
    (BaseException, _exception_text),
    (PathLike, lambda value: as_text(fspath(value))),
)


class _Walk:
    """The slow way: a depth-first copy into plain types. Its `rendered` counts what became text."""

    def __init__(self, *, for_json: bool) -> None:
        self.rendered = 0
        self._for_json = for_json
        self._path: set[int] = set()

    def plain(self, value: Any, depth: int) -> Any:
        try:
            return self._plain(value, depth)
        except Exception:  # a property that raises, a mapping that lies: this value only
            return self._render(as_text(value))

    def _plain(self, value: Any, depth: int) -> Any:
        if value is None or value is True or value is False:
            return value
        if isinstance(value, Enum):
            return self.plain(value.value, depth)
        if isinstance(value, str):
            return self._string(value)
        if isinstance(value, int):
            return self._integer(int(value))
        if isinstance(value, float):
            number = float(value)
            return number if math.isfinite(number) else None
        if isinstance(value, (dict, list, tuple)):
            return self._container(value, depth)
        return self._other(value, depth)

    def _other(self, value: Any, depth: int) -> Any:
        if depth > MAX_DEPTH or id(value) in self._path:
            return self._render(_TOO_DEEP if depth > MAX_DEPTH else _CYCLE)
        self._path.add(id(value))
        try:
            simpler = _simplify(value)
        except Exception:
            return self._render(self._string(as_text(value)))
        else:
            return self.plain(simpler, depth if isinstance(simpler, (dict, list)) else depth + 1)
        finally:
            self._path.discard(id(value))

    def _container(self, value: Any, depth: int) -> Any:
        if depth >= MAX_DEPTH:
            return self._render(_TOO_DEEP)
        if id(value) in self._path:
            return self._render(_CYCLE)
        self._path.add(id(value))
        try:
            if isinstance(value, dict):
                return self._mapping(value, depth)
            return [self.plain(item, depth + 1) for item in list(value)]
        finally:
            self._path.discard(id(value))

    def _mapping(self, value: dict[Any, Any], depth: int) -> dict[str, Any]:
        copy: dict[str, Any] = {}
        for key, item in list(value.items()):
            name = self._string(key) if isinstance(key, str) else self._string(self._key(key))
            if name in copy:  # 1 and "1": only one of them can stay
                self.rendered += 1
            copy[name] = self.plain(item, depth + 1)
        return copy

    @staticmethod
    def _key(key: Any) -> str:
        try:
            return as_text(key if isinstance(key, tuple) else _simplify(key))
        except Exception:
            return as_text(key)

    def _string(self, value: str) -> str:
        value = str.__str__(value)
        if value.isascii():
            return value
        try:
            value.encode()
        except UnicodeEncodeError:  # pairs of surrogates become their character, lone ones U+FFFD
            return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        return value

    def _integer(self, value: int) -> int | float | str:
        if value in _INT64 or not self._for_json:
            return value
        self.rendered += 1
        try:
            return float(value)
        except OverflowError:
            return as_text(value)

    def _render(self, text: str) -> str:
        self.rendered += 1
        return text
