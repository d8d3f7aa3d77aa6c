"""Levels as logs write them."""

from __future__ import annotations

import logging
from typing import Any

#: What has no number in the standard library has the one that is customary: loguru's, verboselogs'.
_NUMBERS = {
    "notset": logging.NOTSET,
    "trace": 5,
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "notice": 25,
    "success": 25,
    "warn": logging.WARNING,
    "warning": logging.WARNING,
    "err": logging.ERROR,
    "error": logging.ERROR,
    "exception": logging.ERROR,
    "fatal": logging.CRITICAL,
    "critical": logging.CRITICAL,
    "alert": logging.CRITICAL,
    "emerg": logging.CRITICAL,
    "emergency": logging.CRITICAL,
}

LEVEL = "(?:" + "|".join(name.upper() for name in sorted(_NUMBERS, key=len, reverse=True)) + r"|Level \d{1,9})"
"""A level's name as a LogRecord has it, for regular expressions."""


def level_of(value: Any) -> int:
    """A level's number from its name, in any case, or number; INFO for what is neither, as in structlog."""
    number = _known.get(value) if type(value) is str else None
    if number is not None:
        return number
    if isinstance(value, str):
        return _read(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else logging.INFO


def _read(name: str) -> int:
    name = name.strip()
    number = _NUMBERS.get(name.lower())
    if number is None:
        digits = name.removeprefix("Level ")
        number = int(digits) if digits.isascii() and digits.isdigit() and len(digits) < _DIGITS else None
    if number is None:
        custom = logging.getLevelName(name.upper())
        number = custom if isinstance(custom, int) else logging.INFO
    return number


_DIGITS = 10
_known = {form: number for name, number in _NUMBERS.items() for form in (name, name.upper(), name.title())}
