"""Strings, keys and tables as TOML."""

from __future__ import annotations

import re
from collections.abc import Iterable

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def has_toml_form(text: str) -> bool:
    """Whether a text can be told in TOML: one with a lone surrogate can't."""
    return not any("\ud800" <= char <= "\udfff" for char in text)


def toml_string(text: str) -> str:
    """A string on one line; one with backslashes or quotes as it is, if that can be.

    Raises:
        ValueError: it holds a lone surrogate, which TOML has no form for.
    """
    if not has_toml_form(text):
        raise ValueError("TOML has no form for a lone surrogate")
    if ("\\" in text or '"' in text) and "'" not in text and text.isprintable():
        return f"'{text}'"
    return '"' + "".join(_escaped(char) for char in text) + '"'


def _escaped(char: str) -> str:
    if char in _ESCAPES:
        return _ESCAPES[char]
    if char.isprintable():
        return char
    return f"\\u{ord(char):04X}" if ord(char) <= 0xFFFF else f"\\U{ord(char):08X}"  # noqa: PLR2004 - of four digits


def toml_key(name: str) -> str:
    """A key, quoted if it has to be."""
    return name if _BARE.fullmatch(name) else toml_string(name)


def toml_table(items: Iterable[tuple[str, str]]) -> str:
    """A table of strings on one line."""
    return "{ " + ", ".join(f"{toml_key(name)} = {toml_string(value)}" for name, value in items) + " }"
