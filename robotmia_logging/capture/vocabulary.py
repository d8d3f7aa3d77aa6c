"""The names that mean something in a log call, and those that are never properties."""

from __future__ import annotations

import logging

#: A log call with one of these, in its stated form, is tracked. (`event` only through the standard library.)
TRIGGERS = frozenset({"track", "event", "profile", "alias", "revenue"})

#: The API's special properties: of the message, not of its loose extras.
SPECIAL = frozenset({"token", "distinct_id", "time", "ip"})

#: Attributes that every LogRecord has. Taken from a blank one: lists kept by hand miss `taskName` and the like.
BLANK_RECORD = tuple(logging.makeLogRecord({}).__dict__)

#: Keys that structlog's processors and its bridge to logging put there.
STRUCTLOG_KEYS = frozenset(
    {"level", "logger", "timestamp", "exc_info", "exception", "stack", "stack_info", "positional_args"}
)

#: Never properties, by whichever door they come. They can be sent under `properties`.
NEVER_PROPERTIES = frozenset(BLANK_RECORD) | STRUCTLOG_KEYS | {"message", "asctime"}

_LEVELS = {
    "critical": logging.CRITICAL,
    "fatal": logging.CRITICAL,
    "exception": logging.ERROR,
    "error": logging.ERROR,
    "err": logging.ERROR,
    "failure": logging.ERROR,
    "warn": logging.WARNING,
    "warning": logging.WARNING,
    "info": logging.INFO,
    "debug": logging.DEBUG,
    "notset": logging.NOTSET,
}


def level_of_method(method_name: str) -> int:
    """The level that a structlog method stands for; INFO for `msg` and other names of no level."""
    level = _LEVELS.get(method_name)
    if level is None:
        custom = logging.getLevelName(method_name.upper())
        level = custom if isinstance(custom, int) else logging.INFO
    return level
