"""One log call, as both doors see it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from robotmia_logging.capture.fields import MISSING
from robotmia_logging.capture.vocabulary import BLANK_RECORD, NEVER_PROPERTIES, level_of_method
from robotmia_logging.messages import as_text

BLANK_COUNT = len(BLANK_RECORD)
LAST_BLANK = BLANK_RECORD[-1]
_KNOWN_NAMES, _LONG = 10_000, 250


class _IsExtra(dict[Any, bool]):
    """Whether a key is an extra, and not logging's or structlog's own; remembered, for programs use the same ones."""

    def __missing__(self, name: Any) -> bool:
        known = isinstance(name, str) and name not in NEVER_PROPERTIES and not name.startswith("_")
        if len(self) < _KNOWN_NAMES and isinstance(name, str) and len(name) < _LONG:
            self[name] = known
        return known


IS_EXTRA = _IsExtra()


class Call:
    """A log call, read from a LogRecord or from a structlog event dict.

    Attributes:
        logger: the logger's name.
        level: its numeric level.
        template: the message as written, not the rendered text.
        args: what the template is filled with, a tuple or a mapping.
        extras: the call's own keys: the vocabulary and loose extras, nothing of logging's or structlog's.
        keys: all keys there were, in order: the record's attributes, or the event dict.
        created: when, in seconds since 1970.
        source: the record or event dict itself, for the user's callables.
        record: the LogRecord, if there is one.
        named: False if the `distinct_id` was put there on the way (by a handler's filter): that is no explicit one.
    """

    __slots__ = ("args", "created", "extras", "keys", "level", "logger", "named", "record", "source", "template")

    def __init__(
        self,
        logger: str,
        level: int,
        template: Any,
        args: Any,
        extras: dict[str, Any],
        keys: Mapping[str, Any],
        created: float,
        source: Any,
        record: logging.LogRecord | None,
        named: bool = True,
    ) -> None:
        self.logger = logger
        self.level = level
        self.template = template
        self.args = args
        self.extras = extras
        self.keys = keys
        self.created = created
        self.source = source
        self.record = record
        self.named = named

    def attribute(self, name: str) -> Any:
        """What a rule may look up last: an attribute of the record, or what structlog has in its place."""
        if name == "message":
            return self.rendered()
        if name in self.keys:
            return self.keys[name]
        if self.record is not None:
            return self.record.__dict__.get(name, MISSING)
        if name == "levelname":
            return logging.getLevelName(self.level)
        own = {"name": self.logger, "levelno": self.level, "msg": self.template, "created": self.created}
        return own.get(name, MISSING)

    def rendered(self) -> str:
        """The message with its arguments filled in; as written if they don't fit."""
        if self.record is None:
            return rendered_event(self.template, self.args)
        if self.keys is self.record.__dict__:
            return rendered_record(self.record)  # its own `message` is there only once a handler has formatted it
        event = self.keys.get("event", "")
        return rendered_event(event, self.args if event is self.template else ())


def rendered_record(record: logging.LogRecord) -> str:
    """What a record says."""
    try:
        return as_text(record.getMessage())
    except Exception:  # "%d" % "x"
        return as_text(record.msg)


def rendered_event(event: Any, args: Any) -> str:
    """What a structlog event says, its positional arguments filled in if no processor has done that yet."""
    try:
        return as_text(event % args if args and isinstance(event, str) else event)
    except Exception:  # they don't fit
        return as_text(event)


def message_of_record(record: logging.LogRecord) -> tuple[Any, Callable[[], str]]:
    """The message of a record as written, and what renders it."""
    return message_of_event(record.msg) if is_wrapped(record) else (record.msg, partial(rendered_record, record))  # type: ignore[arg-type]


def message_of_event(event_dict: Mapping[str, Any]) -> tuple[Any, Callable[[], str]]:
    """The event of a structlog call as written, and what renders it."""
    event = event_dict.get("event")
    return event, partial(rendered_event, event, positional_args(event_dict))


def from_record(record: logging.LogRecord, *, named: bool = True) -> Call:
    """Read a LogRecord; one whose `msg` is structlog's event dict is read as that."""
    if is_wrapped(record):
        event_dict: dict[str, Any] = record.msg  # type: ignore[assignment]
        return _call(*name_and_level(record), event_dict, record.created, record, record)
    keys = record.__dict__
    names = list(keys)  # at once: another handler's thread may be formatting the record
    # A record's own attributes come first in its __dict__, extras behind them, unless somebody has moved them.
    if len(names) >= BLANK_COUNT and names[BLANK_COUNT - 1] == LAST_BLANK:
        del names[:BLANK_COUNT]
    extras = {name: keys[name] for name in names if IS_EXTRA[name]}
    name, level = name_and_level(record)
    return Call(name, level, record.msg, record.args, extras, keys, record.created, record, record, named)


def name_and_level(record: logging.LogRecord) -> tuple[str, int]:
    """The record's logger and level; `makeLogRecord` leaves both None."""
    name, level = record.name, record.levelno
    return name if isinstance(name, str) else "", level if isinstance(level, int) else logging.NOTSET


def from_event_dict(logger: Any, method_name: str, event_dict: Mapping[str, Any], now: float) -> Call:
    """Read a structlog event dict as a processor gets it, inside `ProcessorFormatter` too."""
    record = event_dict.get("_record")
    if not isinstance(record, logging.LogRecord):
        name = logger_name(logger, event_dict)
        return _call(name, level_of_method(method_name), event_dict, now, event_dict, None)
    call = _call(*name_and_level(record), event_dict, record.created, event_dict, record)
    if not event_dict.get("_from_structlog"):  # a foreign record: its event is the rendered text
        call.template = record.msg
        named = record.__dict__.get("event", MISSING)
        if event_dict.get("event") is named:  # ExtraAdder put the extra `event` in the message's place
            call.extras["event"] = named
    return call


def logger_name(logger: Any, event_dict: Mapping[str, Any]) -> str:
    """The name that rules know a structlog logger by: what `add_logger_name` found, or the wrapped logger's own."""
    name = event_dict.get("logger")
    if type(name) is not str:
        name = getattr(logger, "name", None)
    return name if type(name) is str else ""


def is_wrapped(record: logging.LogRecord) -> bool:
    """Whether structlog's `wrap_for_formatter` made this record: its `msg` is an event dict."""
    return "_logger" in record.__dict__ and type(record.msg) is dict


def _call(
    logger: str,
    level: int,
    event_dict: Mapping[str, Any],
    created: float,
    source: Any,
    record: logging.LogRecord | None,
) -> Call:
    extras = {name: value for name, value in event_dict.items() if IS_EXTRA[name] and name != "event"}
    args = positional_args(event_dict)
    return Call(logger, level, event_dict.get("event", ""), args, extras, event_dict, created, source, record)


def positional_args(event_dict: Mapping[str, Any]) -> Any:
    """The positional arguments of a structlog call; a single mapping as that, as logging has it: "%(name)s"."""
    args = event_dict.get("positional_args", ())
    return args[0] if isinstance(args, tuple) and len(args) == 1 and isinstance(args[0], Mapping) else args
