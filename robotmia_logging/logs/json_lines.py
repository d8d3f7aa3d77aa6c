"""Lines of JSON: structlog's, python-json-logger's, ECS and the like, told apart by their keys."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import orjson

from robotmia_logging.capture.vocabulary import NEVER_PROPERTIES
from robotmia_logging.errors import ConfigurationError
from robotmia_logging.logs.known import as_live
from robotmia_logging.logs.levels import level_of
from robotmia_logging.logs.line import NO_TIME, PastCall, Unread
from robotmia_logging.logs.times import Times
from robotmia_logging.messages import as_text

#: What each part of a call is called, the likeliest name first; a dot is a way into nested objects, or just a dot.
NAMES = {
    "time": ("timestamp", "@timestamp", "asctime", "time", "ts", "datetime", "created"),
    "level": ("levelname", "level", "severity", "log.level", "lvl", "levelno"),
    "logger": ("logger", "name", "log.logger", "logger_name"),
    "message": ("message", "msg"),
}
_STRUCTLOG_NAMES = {
    "time": ("timestamp", "@timestamp", "time", "ts"),
    "level": ("level", "severity", "log.level", "levelname"),
    "logger": ("logger", "logger_name", "log.logger"),
    "message": ("event",),
}
_ECS = ("@timestamp", "@version", "log", "ecs", "process", "error")
_KNOWN_NAMES = 10_000
_LONGEST_LENIENT = 1024 * 1024
_BRACES = ("{", b"{")
NOT_JSON = Unread("not JSON")


class _IsExtra(dict[str, bool]):
    """Whether a field is an extra, and not logging's or structlog's own."""

    def __missing__(self, name: str) -> bool:
        known = name not in NEVER_PROPERTIES and not name.startswith("_")
        if len(self) < _KNOWN_NAMES:
            self[name] = known
        return known


_IS_EXTRA = _IsExtra()


class JsonLines:
    """Reads lines of JSON.

    Args:
        times: reads their times.
        keys: what "time", "level", "logger" and "message" are called, where they are called otherwise.
        logger: the logger of lines that name none.

    Raises:
        ConfigurationError: keys that can't be used.
    """

    name = "json"

    def __init__(self, times: Times, keys: Mapping[str, str], logger: str = "") -> None:
        self._times = times
        named = _checked(keys)
        self._names = {**NAMES, **named}
        self._structlog_names = {**_STRUCTLOG_NAMES, **named}
        self._is_named = "message" in named
        self._logger = logger

    def read(self, text: str | bytes, outside: float | None) -> PastCall | Unread | None:
        """The call that a line tells of; None if it is no JSON object at all, or holds another program's line.

        Args:
            text: the line.
            outside: its time, as far as that stands in front of it.
        """
        if text[:1] not in _BRACES:
            return None
        fields = loads(text)
        if fields is None:
            return NOT_JSON
        return None if is_wrapping(fields) else self._call(fields, outside)

    def _call(self, fields: dict[str, Any], outside: float | None) -> PastCall | Unread:
        is_structlogs = not self._is_named and fields.get("event") is not None and _is_structlogs(fields)
        names = self._structlog_names if is_structlogs else self._names
        used: list[str] = []
        message = _find(fields, names["message"], used)
        if message is None:
            looked_for = names["message"] if self._is_named else (*names["message"], "event")
            return Unread(f"no message in {' or '.join(looked_for)}")
        time = _find(fields, names["time"], used)
        if time is None and outside is None:
            return NO_TIME
        created = outside if time is None else self._times.read(time)
        if created is None:
            return Unread(self._times.reason(time))
        level = _find(fields, names["level"], used)
        logger = _find(fields, names["logger"], used)
        if type(logger) is not str:
            logger = self._logger
        extras = {name: value for name, value in fields.items() if _IS_EXTRA[name]}
        for name in used:
            extras.pop(name, None)
        _read_special(fields, extras)
        if is_structlogs:
            extras.pop("event", None)
            template, args = message, _arguments(fields.get("positional_args", ()))
        else:
            template, args = _template(fields, logger, message, used)
        text = None if is_structlogs and args else as_text(message)
        return PastCall(logger, level_of(level), template, args, extras, fields, created, fields, text)


def loads(text: str | bytes) -> dict[str, Any] | None:
    """The object that a line holds, or None; also what only Python takes for JSON: NaN, lone surrogates."""
    try:
        fields = orjson.loads(text)
    except ValueError:
        if len(text) > _LONGEST_LENIENT:
            return None
        try:
            fields = json.loads(text.decode(errors="replace") if isinstance(text, bytes) else text)
        except (ValueError, RecursionError):
            return None
    return fields if isinstance(fields, dict) else None


def is_wrapping(fields: Mapping[str, Any]) -> bool:
    """Whether this is the line of another program, as Docker keeps it."""
    return "stream" in fields and "time" in fields and type(fields.get("log")) is str


def _is_structlogs(fields: Mapping[str, Any]) -> bool:
    """Whether `event` is the message. With a `message` beside it only if the level is written as structlog does."""
    if fields.get("message") is None:
        return True
    level = fields.get("level")
    return isinstance(level, str) and level.islower() and "levelname" not in fields


def _find(fields: Mapping[str, Any], names: tuple[str, ...], used: list[str]) -> Any:
    """The first value that is there and not null; `used` gets its field, or the one it stands in with nothing else."""
    for name in names:
        found = fields.get(name)
        if found is not None:
            used.append(name)
            return found
        if "." in name:
            found = _inside(fields, name)
            if found is not None:
                outer = name.partition(".")[0]
                if len(fields[outer]) == 1:
                    used.append(outer)
                return found
    return None


def _inside(fields: Mapping[str, Any], name: str) -> Any:
    found: Any = fields
    while name:
        if not isinstance(found, dict):
            return None
        if name in found:
            return found[name]
        step, _, name = name.partition(".")
        found = found.get(step)
    return None


def _template(fields: Mapping[str, Any], logger: str, message: Any, used: list[str]) -> tuple[Any, Any]:
    """The message as written and what it was filled with, if the line says so or it is a known one."""
    if "args" in fields and "msg" in fields and "msg" not in used:
        return fields["msg"], _arguments(fields["args"])
    known = as_live(logger, message) if type(message) is str else None
    return (message, ()) if known is None else known


def _arguments(given: Any) -> Any:
    if isinstance(given, list):
        return given[0] if len(given) == 1 and isinstance(given[0], dict) else tuple(given)
    return given if isinstance(given, (tuple, dict)) else ()


def _read_special(fields: Mapping[str, Any], extras: dict[str, Any]) -> None:
    """What JSON can't say as the live call did: ECS's own fields and labels, and a `datetime` given as `time`."""
    if "ecs.version" in fields or "log.level" in fields or "ecs" in fields or _is_ecs_log(fields.get("log")):
        for name in list(extras):
            if name.partition(".")[0] in _ECS:
                del extras[name]
        labels = extras.pop("labels", None)
        if isinstance(labels, dict):
            for name, value in labels.items():
                extras.setdefault(name, value)
    time = extras.get("time")
    if type(time) is str:
        try:
            extras["time"] = datetime.fromisoformat(re.sub("Z$", "+00:00", time))  # "Z" is known since Python 3.11
        except ValueError:  # somebody else's
            pass


def _is_ecs_log(log: Any) -> bool:
    return isinstance(log, dict) and ("level" in log or "logger" in log)


def _checked(keys: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    for part, name in keys.items():
        if part not in NAMES:
            raise ConfigurationError(f"keys.{part}", name, f"name the keys of {', '.join(NAMES)}")
        if not isinstance(name, str) or not name:
            raise ConfigurationError(f"keys.{part}", name, 'give the key\'s name, a nested one as "outer.inner"')
    return {part: (name,) for part, name in keys.items()}
