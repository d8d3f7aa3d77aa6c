"""The arguments of a log call, and the names proposed for them."""

from __future__ import annotations

import ast
import re
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass

from robotmia_logging.capture import SPECIAL
from robotmia_logging.capture.templates import CONVERSION
from robotmia_logging.capture.vocabulary import SHAPED
from robotmia_logging.messages import RESERVED_PREFIX
from robotmia_logging.scan.parsing import source_of

_MAX_NAME = 40
_NO_FIELDS = frozenset({"exc_info", "stack_info", "stacklevel"})


@dataclass(frozen=True, slots=True)
class Argument:
    """What a log call is given beside its template.

    Attributes:
        expression: its source.
        key: what it is called in the call: a keyword, a key of `extra` or of a mapping; None for a position.
        field: what a rule finds it by: a position or a plain name; None if a rule can't.
        name: the name proposed for the property; None if there is no field.
    """

    expression: str
    key: str | None = None
    field: str | None = None
    name: str | None = None

    def __str__(self) -> str:
        return self.expression if self.key is None else f"{self.key}={self.expression}"


class Names:
    """Names for properties: plain identifiers, each given once, none of them with a meaning of its own."""

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._taken = set(taken)

    def propose(self, expression: str) -> str:
        """A name for a value, from its source: ``user.id`` becomes ``user_id``."""
        name = _identifier(expression)
        unique, number = name, 1
        while unique in self._taken:
            number += 1
            unique = f"{name}_{number}"
        self._taken.add(unique)
        return unique


def _identifier(expression: str) -> str:
    words = re.findall(r"[A-Za-z0-9]+", re.sub(r"^(?:self|cls)\.|\b(?:str|repr)\(", "", expression))
    name = ""
    for word in words:
        if name and len(name) + len(word) >= _MAX_NAME:
            break
        name += f"_{word}" if name else word[:_MAX_NAME]
    if not name or name[0].isdigit():
        name = f"field_{name}".rstrip("_")
    if f"{name}_".startswith(RESERVED_PREFIX):  # a number may come behind it
        name = f"field_{name}"
    return f"{name}_value" if has_meaning(name) else name


def has_meaning(name: str) -> bool:
    """Whether a property of that name would be taken for something else."""
    return name in SPECIAL or name in SHAPED


def positional(arguments: list[ast.expr], template: str | None, names: Names) -> Iterator[Argument]:
    """The arguments that fill the template.

    Args:
        arguments: those behind the template.
        template: its text if that is known.
        names: the call's names.
    """
    if len(arguments) == 1:
        keys = _keys(template)
        if keys and not isinstance(arguments[0], ast.Starred):
            yield from _of_mapping(arguments[0], keys)
            return
        if isinstance(arguments[0], ast.Dict) and arguments[0].keys:  # logging takes a lone mapping apart
            yield from _of_dict(arguments[0])
            return
    is_counted = True
    for position, argument in enumerate(arguments):
        expression = source_of(argument)
        is_counted = is_counted and not isinstance(argument, ast.Starred)
        if is_counted:
            yield Argument(expression, None, str(position), names.propose(expression))
        else:
            yield Argument(expression)


def named(keywords: list[ast.keyword], *, is_structlog: bool, skipped: Container[str]) -> Iterator[Argument]:
    """The arguments by name: the keys of `extra`, and structlog's keywords.

    Args:
        keywords: all of the call's.
        is_structlog: whether `extra` is a keyword like any other.
        skipped: keywords that are the template or the level.
    """
    for keyword in keywords:
        if keyword.arg in _NO_FIELDS or keyword.arg in skipped:
            continue
        if keyword.arg is None:
            yield Argument(f"**{source_of(keyword.value)}")
        elif keyword.arg == "extra" and not is_structlog:
            yield from _of_extra(keyword.value)
        else:
            yield _keyed(keyword.arg, source_of(keyword.value))


def _of_extra(value: ast.expr) -> Iterator[Argument]:
    if isinstance(value, ast.Dict):
        yield from _of_dict(value)
    elif (
        isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id == "dict" and not value.args
    ):
        yield from named(value.keywords, is_structlog=True, skipped=())
    else:
        yield Argument(source_of(value), "extra")


def _of_dict(mapping: ast.Dict) -> Iterator[Argument]:
    for key, value in zip(mapping.keys, mapping.values, strict=True):
        if key is None:
            yield Argument(f"**{source_of(value)}")
        elif isinstance(key, ast.Constant) and isinstance(key.value, str):
            yield _keyed(key.value, source_of(value))
        else:
            yield Argument(source_of(value), source_of(key))


def _of_mapping(mapping: ast.expr, keys: list[str]) -> Iterator[Argument]:
    """A mapping that fills named conversions: a dict's own keys, and those that the template names."""
    if isinstance(mapping, ast.Dict):
        yield from _of_dict(mapping)
        keys = [key for key in keys if key not in {getattr(known, "value", None) for known in mapping.keys}]
    source = source_of(mapping)
    yield from (_keyed(key, f"{source}[{key!r}]") for key in keys)


def _keyed(key: str, expression: str) -> Argument:
    if not key.isidentifier() or has_meaning(key):
        return Argument(expression, key)
    name = f"field_{key}" if key.startswith(RESERVED_PREFIX) else key
    return Argument(expression, key, key, name)


def _keys(template: str | None) -> list[str]:
    """The names in a %-template, each once."""
    found = (conversion["key"] for conversion in CONVERSION.finditer(template or ""))
    return list(dict.fromkeys(key for key in found if key))
