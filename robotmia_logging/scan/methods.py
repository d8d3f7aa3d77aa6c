"""The methods of loggers: which of them log, and at what level."""

from __future__ import annotations

import logging

_LEVELS: dict[str, int | None] = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "warn": logging.WARNING,
    "error": logging.ERROR,
    "exception": logging.ERROR,
    "critical": logging.CRITICAL,
    "fatal": logging.CRITICAL,
    "log": None,
}
_STRUCTLOG_LEVELS: dict[str, int | None] = {
    **{f"a{name}": level for name, level in _LEVELS.items()},
    "msg": logging.INFO,
    "amsg": logging.INFO,
    "err": logging.ERROR,
    "failure": logging.ERROR,
}
_CUSTOM_LEVELS: dict[str, int | None] = dict.fromkeys(("trace", "verbose", "notice", "success"))

LEVEL_OF: dict[str, int | None] = {**_LEVELS, **_STRUCTLOG_LEVELS, **_CUSTOM_LEVELS}
"""The level of each method that logs; None if the call or the program decides it."""

STRUCTLOG_ONLY = frozenset(_STRUCTLOG_LEVELS)
"""Methods that loggers of the standard library don't have."""

LEVEL_FIRST = frozenset({"log", "alog"})
"""Methods whose first argument is the level."""

MODULE_FUNCTIONS = frozenset(_LEVELS)
"""Functions of the module `logging` that log to the root logger."""

SAME_LOGGER = frozenset({"bind", "new", "unbind", "try_unbind"})
"""Methods that give the same logger again, with another context."""
