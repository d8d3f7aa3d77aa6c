"""One log call, as both doors see it."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from itertools import islice
from typing import Any

from robotmia_logging.capture.vocabulary import BLANK_RECORD, NEVER_PROPERTIES, level_of_method

_BLANK_COUNT = len(BLANK_RECORD)


class Call:
    """A log call, read from a LogRecord or from a structlog event dict.

    Attributes:
        logger: the logger's name.
        level: its numeric level.
        template: the message as written, not the rendered text.
        args: what the template is filled with, a tuple or a mapping.
        extras: the call's own keys: the vocabulary and loose extras, nothing of logging's or structlog's.
        attributes: what rules may look up last: the record's attributes, or the event dict.
        created: when, in seconds since 1970.
        source: the record or event dict itself, for the user's callables.
    """

    __slots__ = ("args", "attributes", "created", "extras", "level", "logger", "source", "template")

    def __init__(
        self,
        logger: str,
        level: int,
        template: Any,
        args: Any,
        extras: dict[str, Any],
        attributes: Mapping[str, Any],
        created: float,
        source: Any,
    ) -> None:
        self.logger = logger
        self.level = level
        self.template = template
        self.args = args
        self.extras = extras
        self.attributes = attributes
        self.created = created
        self.source = source


def from_record(record: logging.LogRecord) -> Call:
    """Read a LogRecord; one whose `msg` is structlog's event dict is read as that."""
    attributes = record.__dict__
    if is_wrapped(record):
        event_dict: dict[str, Any] = record.msg  # type: ignore[assignment]
        return _call(record.name, record.levelno, event_dict, record.created, record)
    # A record's own attributes come first in its __dict__, extras behind them. A subclass may do as it likes.
    skip = _BLANK_COUNT if type(record) is logging.LogRecord else 0
    extras = {
        name: value
        for name, value in islice(attributes.items(), skip, None)
        if name not in NEVER_PROPERTIES and name[:1] != "_"
    }
    return Call(record.name, record.levelno, record.msg, record.args, extras, attributes, record.created, record)


def from_event_dict(logger: Any, method_name: str, event_dict: Mapping[str, Any], now: float) -> Call:
    """Read a structlog event dict as a processor gets it, inside `ProcessorFormatter` too."""
    record = event_dict.get("_record")
    if isinstance(record, logging.LogRecord):
        call = _call(record.name, record.levelno, event_dict, record.created, event_dict)
        if not event_dict.get("_from_structlog"):
            call.template = record.msg  # the event is the rendered text of a foreign record
        return call
    name = event_dict.get("logger")
    if type(name) is not str:
        name = getattr(logger, "name", None)
    return _call(name if type(name) is str else "", level_of_method(method_name), event_dict, now, event_dict)


def is_wrapped(record: logging.LogRecord) -> bool:
    """Whether structlog's `wrap_for_formatter` made this record: its `msg` is an event dict."""
    return type(record.msg) is dict and "_logger" in record.__dict__


def _call(logger: str, level: int, event_dict: Mapping[str, Any], created: float, source: Any) -> Call:
    extras = {
        name: value
        for name, value in event_dict.items()
        if name != "event" and name not in NEVER_PROPERTIES and name[:1] != "_"
    }
    args = event_dict.get("positional_args", ())
    return Call(logger, level, event_dict.get("event", ""), args, extras, event_dict, created, source)
