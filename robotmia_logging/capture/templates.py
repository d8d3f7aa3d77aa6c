"""Templates read backwards: from a rendered text to the arguments it was made with.

A past log holds `order 17 placed`, where the rule names the template `order %s placed`.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from robotmia_logging.capture.patterns import SEARCHED, Pattern, Tell

CONVERSION = re.compile(
    r"%(?:\((?P<key>[^)]*)\))?(?P<flags>[#0\- +]*)(?P<width>\*|\d+)?(?:\.(?P<precision>\*|\d+))?[hlL]?"
    r"(?P<kind>[diouxXeEfFgGcrsa%])"
)
"""A conversion of a %-template."""


def _of_repr(text: str) -> Any:
    """What a `repr` stands for, if it is a text or a number; else the text."""
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return text
    return value if isinstance(value, (str, int, float)) else text


_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_KINDS: dict[str, tuple[str, Callable[[str], Any]]] = {
    **dict.fromkeys("diu", (r"[+-]?\d+", int)),
    **dict.fromkeys("xX", (r"[+-]?(?:0[xX])?[0-9a-fA-F]+", lambda text: int(text, 16))),
    "o": (r"[+-]?(?:0o)?[0-7]+", lambda text: int(text, 8)),
    **dict.fromkeys("eEfFgG", (rf"(?:{_NUMBER}|[+-]?(?i:inf|nan))", float)),
    **dict.fromkeys("sc", (r"(?s:.*?)", str)),
    **dict.fromkeys("ra", (r"(?s:.*?)", _of_repr)),
}


class Template:
    """A %-template that can be recognized in rendered texts.

    `%d` and `%f` give numbers; `%s` gives text, as short a one as fits.

    Attributes:
        start: the literal text in front of the first field.
        has_fields: whether it has any.
    """

    def __init__(self, template: str) -> None:
        self._position = 0
        self._converters: dict[str, tuple[str, Callable[[str], Any]]] = {}
        pieces, literals, end = [], [""], 0
        self.start = template
        self.has_fields = False
        for conversion in CONVERSION.finditer(template):
            if " " in conversion["flags"] and conversion["kind"] in "rsac":
                continue  # "100% sure": nobody means a conversion
            literals.append(template[end : conversion.start()])
            end = conversion.end()
            pieces.append(re.escape(literals[-1]))
            if conversion["kind"] == "%":
                pieces.append("%")
                continue
            if not self.has_fields:
                self.start = _literal(template[: conversion.start()])
            self.has_fields = True
            pieces.append(self._piece(conversion))
        literals.append(template[end:])
        pieces.append(re.escape(literals[-1]))
        self._longest = max(literals, key=len)
        self._pattern = Pattern(rf"\A{''.join(pieces)}\Z")

    def _piece(self, conversion: re.Match[str]) -> str:
        pattern, convert = _KINDS[conversion["kind"]]
        key = conversion["key"]
        if key is None:
            self._position += (conversion["width"] == "*") + (conversion["precision"] == "*")
            field = str(self._position)
            self._position += 1
        else:
            field = key
        if field in self._converters:
            return rf"\s*{pattern}\s*"
        group = f"field{len(self._converters)}"
        self._converters[field] = group, convert
        padding = r"\s*" if conversion["width"] or " " in conversion["flags"] else ""
        return f"{padding}(?P<{group}>{pattern}){padding}"

    def fields(self, text: str, tell: Tell | None) -> Mapping[str, Any] | None:
        """The arguments by name or position (``"0"``), or None if the text isn't made from this template."""
        if not text.startswith(self.start) or self._longest not in text:  # the quick no
            return None
        if len(text) > SEARCHED:  # of a cut text the last field would be cut, too
            return None
        groups = self._pattern.search(text, tell)
        if groups is None:
            return None
        found = {}
        for field, (group, convert) in self._converters.items():
            with suppress(KeyError, ValueError):
                found[field] = convert(groups[group])
        return found


def _literal(text: str) -> str:
    return text.replace("%%", "%")
