"""Values that no one should log, and someone will: a hypothesis strategy of them.

@given(values())
def test_survives(absurd):
    value = absurd.make()
"""

from __future__ import annotations

import collections
import dataclasses
import enum
import pathlib
import types
from collections.abc import Callable
from datetime import datetime, timedelta, timezone, tzinfo
from decimal import Decimal
from fractions import Fraction
from functools import partial
from typing import Any

import numpy as np
import orjson
from hypothesis import strategies as st


class Broken(Exception):
    """What broken objects raise."""


def _raise(*_: Any, **__: Any) -> Any:
    raise Broken("on purpose")


# Those that object creation, hypothesis and the interpreter itself need stay whole.
_SPARED = {
    "__class__", "__del__", "__dict__", "__init__", "__init_subclass__", "__new__", "__slots__", "__subclasshook__",
    "__getattribute__", "__setattr__", "__delattr__", "__doc__", "__module__", "__weakref__",
}  # fmt: skip
_DUNDERS = {
    name
    for kind in (object, int, float, complex, str, bytes, list, dict, set, types.GeneratorType, BaseException)
    for name in dir(kind)
    if name.startswith("__") and name not in _SPARED and callable(getattr(kind, name))
} | {"__bool__", "__float__", "__index__", "__bytes__", "__fspath__", "__format__", "__complex__"}
_ALL_BROKEN: dict[str, Any] = dict.fromkeys(_DUNDERS, _raise)


def _broken(*bases: type, **more: Any) -> type:
    return type(f"Broken{bases[0].__name__.title()}" if bases else "BrokenObject", bases, {**_ALL_BROKEN, **more})


BrokenObject = _broken()
BrokenInt = _broken(int)
BrokenFloat = _broken(float)
BrokenStr = _broken(str)
BrokenBytes = _broken(bytes)
BrokenList = _broken(list)
BrokenTuple = _broken(tuple)
BrokenDict = _broken(dict, items=_raise, keys=_raise, values=_raise, copy=_raise)
BrokenSet = _broken(set)
BrokenDecimal = _broken(Decimal)
BrokenError = _broken(Exception)
BrokenAttributes = type("BrokenAttributes", (), {**_ALL_BROKEN, "__getattribute__": _raise})
BrokenClass = type("BrokenClass", (), {**_ALL_BROKEN, "__class__": property(_raise)})


class BrokenMeta(type):
    """A class that can't be hashed, compared, named or printed."""

    __hash__ = __eq__ = __repr__ = __str__ = _raise
    __name__ = property(_raise)  # type: ignore[assignment]


def _of_broken_meta(*bases: type) -> type:
    return types.new_class("OfBrokenMeta", bases, {"metaclass": BrokenMeta})


def _made_of(base: type) -> Any:
    return _of_broken_meta(base)()


class BrokenText:
    def __str__(self) -> str:
        raise Broken

    __repr__ = __str__


class Surrogate:
    def __str__(self) -> str:
        return "lone \udcff"


class NoText:
    def __str__(self) -> str:
        return 5  # type: ignore[return-value]  # noqa: PLE0307


class Liar(str):  # noqa: SLOT000
    def __str__(self) -> str:
        return "something else"

    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = str.__hash__


class FickleHash:
    """Hashes once, to get into a dict, and never again."""

    hashed = False

    def __hash__(self) -> int:
        if self.hashed:
            raise Broken
        self.hashed = True
        return 1


class LyingMapping(collections.abc.Mapping):
    def __init__(self, inner: dict[Any, Any]) -> None:
        self.inner = inner

    def __len__(self) -> int:
        return 10**6

    def __iter__(self) -> Any:
        return iter([*self.inner, "no such key"])

    def __getitem__(self, key: Any) -> Any:
        return self.inner[key]


class Lazy:
    """A proxy that claims another class, as Django's and werkzeug's do."""

    def __init__(self, value: Any) -> None:
        self.value = value

    __class__ = property(lambda self: type(self.value))  # type: ignore[assignment]

    def __str__(self) -> str:
        return str(self.value)

    def __iter__(self) -> Any:
        return iter(self.value)


class Grows(dict):  # type: ignore[type-arg]
    """Whoever asks for its items changes it."""

    def items(self) -> Any:
        for item in super().items():
            self[len(self)] = self
            yield item


class Changes:
    """Changes the container that it is in, as soon as it is looked at."""

    def __init__(self, container: Any) -> None:
        self.container = container

    def __str__(self) -> str:
        for _ in range(3):
            self.container.clear()
            if isinstance(self.container, dict):
                self.container.update({str(number): [number] for number in range(100)})
            else:
                self.container.extend(range(100))
        return "changed"


class Own(enum.Enum):
    """Its value is itself."""

    A = 1

    @property
    def value(self) -> Any:
        return self


class Nested(enum.Enum):
    OBJECT = object()
    NAN = float("nan")
    LIST = ("a", ("b", Decimal(1)))


class NoOffset(tzinfo):
    def utcoffset(self, _: Any) -> Any:
        return None

    dst = tzname = utcoffset


class BrokenZone(tzinfo):
    utcoffset = dst = tzname = _raise  # type: ignore[assignment]


@dataclasses.dataclass
class Point:
    x: Any
    y: Any = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class Unfinished:
    x: Any = dataclasses.field(init=False)


def _released() -> memoryview:
    view = memoryview(b"gone")
    view.release()
    return view


def _changing(container: Any) -> Any:
    if isinstance(container, dict):
        container["changes"] = Changes(container)
    else:
        container.append(Changes(container))
    return container


def cycle() -> list[Any]:
    """A list that holds itself twice, and a dict that holds it."""
    ring: list[Any] = []
    ring += [ring, {"ring": ring}, ring]
    return ring


def deep(levels: int) -> Any:
    """A value inside of so many containers."""
    value: Any = "bottom"
    for level in range(levels):
        value = [value] if level % 2 else {"in": value}
    return value


class Absurd:
    """How to make an absurd value: hypothesis prints and compares what it draws, and must not see these."""

    def __init__(self, text: str, make: Callable[[], Any]) -> None:
        self._text = text
        self.make = make

    def __repr__(self) -> str:
        return self._text


def _sane(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Absurd]:
    return strategy.map(lambda value: Absurd(ascii(value), lambda: value))


def _odd(**makers: Callable[[], Any]) -> list[Absurd]:
    return [Absurd(name, make) for name, make in makers.items()]


def _in(kind: Callable[[Any], Any], value: Any) -> Absurd:
    return Absurd(f"{kind.__name__}({value!a})", lambda: kind(_opened(value)))


def _in_filled(kind: Callable[[Any], Any], pairs: Any) -> Absurd:
    return Absurd(f"{kind.__name__}({pairs!a})", lambda: _filled_as(kind, _opened(pairs)))


def _opened(value: Any) -> Any:
    if isinstance(value, Absurd):
        return value.make()
    return [_opened(item) for item in value] if isinstance(value, (list, tuple)) else value


def _filled(pairs: list[Any]) -> dict[Any, Any]:
    filled: dict[Any, Any] = {}
    for key, value in pairs:
        try:
            filled[key] = value
        except Exception:  # a FickleHash used again, or compared with another key
            continue
    return filled


def _filled_as(kind: Callable[[Any], Any], pairs: list[Any]) -> Any:
    try:
        return kind(_filled(pairs))
    except Broken:  # a FickleHash again
        return _filled(pairs)


def _zoned(moment: Any) -> datetime:
    return moment[0].replace(tzinfo=moment[1])


def _nanoseconds(count: int) -> Any:
    return np.datetime64(count, "ns")


_TEXTS = st.text(st.characters(), max_size=8)  # surrogates too
_OFFSETS = st.sampled_from([None, timezone.utc, timezone(timedelta(hours=-23, minutes=-59)), NoOffset(), BrokenZone()])
_HASHABLE = st.one_of(
    _sane(st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), _TEXTS, st.binary(max_size=4), st.uuids(), st.dates(),
        st.tuples(st.integers(), _TEXTS), st.times(), st.timedeltas(), st.complex_numbers(), st.datetimes(),
        st.sampled_from(["mp_x", b"mp_x", Decimal(3), frozenset({1}), *Nested]),
    )),
    st.builds(_in, st.just(Liar), _TEXTS),
    st.sampled_from(_odd(
        fickle=FickleHash, surrogate=Surrogate, broken_text=BrokenText, broken_meta=lambda: _of_broken_meta()(),
        error=lambda: ValueError("mp_x"), path=lambda: pathlib.PurePosixPath("mp_x"),
    )),
)  # fmt: skip
_BROKEN = (
    BrokenObject, BrokenInt, BrokenFloat, BrokenStr, BrokenBytes, BrokenList, BrokenTuple, BrokenDict, BrokenSet,
    BrokenDecimal, BrokenError, BrokenAttributes, BrokenClass, BrokenText, NoText, Surrogate, Unfinished, object,
)  # fmt: skip
ODD = _odd(
    **{kind.__name__: kind for kind in _BROKEN},
    **{f"broken_meta_{base.__name__}": partial(_made_of, base) for base in (int, str, dict, list, Exception)},
    **{f"deep_{levels}": partial(deep, levels) for levels in (63, 64, 65, 300, 5000)},
    # numbers
    int_64=lambda: 2**64 - 1, int_65=lambda: 2**64, int_65_negative=lambda: -(2**63) - 1,
    int_of_400_digits=lambda: 10**400, int_of_5000_digits=lambda: -(10**5000),
    snan=lambda: Decimal("sNaN"), decimal_huge=lambda: Decimal("1e999999"),
    third=lambda: Fraction(1, 3), fraction_huge=lambda: Fraction(10**400),
    # numpy
    nat=lambda: np.datetime64("NaT", "s"), true=lambda: np.bool_(True), masked=lambda: np.ma.masked,
    objects=lambda: np.array([b"x", None, 1j], dtype=object), longdouble=lambda: np.longdouble("1e4000"),
    complex=lambda: np.clongdouble(1), structured=lambda: np.array([(1, 2.0)], dtype=[("a", int), ("b", float)]),
    # what else there is
    cycle=cycle, lazy_text=lambda: Lazy("text"), released=_released, bytes=lambda: bytearray(b"\xff"),
    own=lambda: Own.A, ellipsis=lambda: ..., type=lambda: int, builtin=lambda: len, function=lambda: _raise,
    generator=lambda: (number for number in range(3)), huge_range=lambda: range(10**12),
    fragment=lambda: orjson.Fragment(b"{no JSON"),
)  # fmt: skip
_COMMON = st.one_of(
    _HASHABLE,
    _sane(st.decimals(allow_nan=True, allow_infinity=True)),
    st.builds(_in, st.just(_zoned), st.tuples(st.datetimes(), _OFFSETS)),
    st.builds(_in, st.just(np.float32), st.floats(width=32)),
    st.builds(_in, st.just(_nanoseconds), st.integers(-(2**62), 2**62)),
    st.builds(_in, st.just(np.array), st.lists(st.floats(), max_size=3)),
)


# Not one more branch of `one_of`, which would choose among all of them alike.
_LEAVES = st.booleans().flatmap(lambda odd: st.sampled_from(ODD) if odd else _COMMON)

_OF_LISTS = (list, list, tuple, collections.deque, BrokenList, _changing, Lazy, Point, Exception)
_OF_DICTS = (dict, dict, LyingMapping, collections.OrderedDict, types.MappingProxyType, Grows, BrokenDict, _changing)
_OF_KEYS = (set, frozenset, dict.keys)


def _containers(inner: st.SearchStrategy[Absurd]) -> st.SearchStrategy[Absurd]:
    lists = st.lists(inner, min_size=1, max_size=4)
    pairs = st.lists(st.tuples(_HASHABLE, inner), min_size=1, max_size=4)
    return st.one_of(
        st.builds(_in, st.sampled_from(_OF_LISTS), lists),
        st.builds(_in_filled, st.sampled_from(_OF_DICTS), pairs),
        st.builds(_in_filled, st.sampled_from(_OF_KEYS), st.lists(st.tuples(_HASHABLE, st.none()), max_size=3)),
    )


def values() -> st.SearchStrategy[Absurd]:
    """Any Python value, the worst of them more often than life has them: each drawn one is to be made first."""
    return st.recursive(_LEAVES, _containers, max_leaves=6)


def properties() -> st.SearchStrategy[Absurd]:
    """A dict of such values, under names as they are and as they shouldn't be."""
    names = _HASHABLE | _sane(st.text("abc", min_size=1, max_size=3))
    return st.builds(_in_filled, st.just(dict), st.lists(st.tuples(names, values()), max_size=4))
