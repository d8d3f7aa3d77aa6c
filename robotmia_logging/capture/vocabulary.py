"""The names that mean something in a log call, and those that are never properties."""

from __future__ import annotations

import logging
from collections.abc import Container

#: A log call with one of these, in its stated form, is tracked. (`event` only through the standard library.)
TRIGGERS = frozenset({"track", "event", "profile", "alias", "revenue"})

#: The API's special properties: of the message, not of its loose extras.
SPECIAL = frozenset({"token", "distinct_id", "time", "ip"})

#: Not loose extras while they have their stated form.
SHAPED = TRIGGERS | {"ignore_time", "properties"}

#: Attributes that every LogRecord has. Taken from a blank one, for lists kept by hand miss `taskName` and the like;
#: and from the class itself, for what a program's own record factory adds is that program's extra.
BLANK_RECORD = tuple(logging.LogRecord("", logging.NOTSET, "", 0, "", (), None).__dict__)

#: Keys that structlog's processors and its bridge to logging put there.
STRUCTLOG_KEYS = frozenset(
    {"level", "logger", "timestamp", "exc_info", "exception", "stack", "stack_info", "positional_args"}
)

#: Never properties, by whichever door they come. They can be sent under `properties`.
#: A record pickled by Python 3.12 brings its `taskName` to older ones.
NEVER_PROPERTIES = frozenset(BLANK_RECORD) | STRUCTLOG_KEYS | {"message", "asctime", "taskName"}

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


def level_of_method(method_name: object) -> int:
    """The level that a structlog method stands for; INFO for `msg` and other names of no level."""
    if not isinstance(method_name, str):
        return logging.INFO
    level = _LEVELS.get(method_name)
    if level is None:
        custom = logging.getLevelName(method_name.upper())
        level = custom if isinstance(custom, int) else logging.INFO
    return level


def asks(event_dict: Container[str]) -> bool:
    """Whether an event dict may ask for tracking: its `event` is the message, as always."""
    return "track" in event_dict or "profile" in event_dict or "revenue" in event_dict or "alias" in event_dict
