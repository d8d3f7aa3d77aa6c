"""Lines of text in the usual layouts of Python programs and servers. No line is of two of them."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from typing import Any

from robotmia_logging.capture.vocabulary import NEVER_PROPERTIES
from robotmia_logging.logs.known import Known, access, as_live, django, task, uvicorn
from robotmia_logging.logs.levels import LEVEL, level_of
from robotmia_logging.logs.line import NO_TIME, PastCall, Unread
from robotmia_logging.logs.times import CLF, ISO, Times

Parsed = tuple[dict[str, Any], Known | None]
"""The fields of a line, `message` among them, and the template and arguments if the message is a known one."""

Parse = Callable[[str], Parsed | None]
"""Takes a line apart; None if it isn't of this layout."""

_PARTS = frozenset({"time", "level", "logger", "message"})
_NOT_EXTRAS = NEVER_PROPERTIES | _PARTS
_FIRST_WARNING = 400
_FIRST_ERROR = 500

_NAME = r"[A-Za-z_][\w.\-]{0,200}"  # bounded, for a line of nothing else may be of any length
_DOTTED_NAME = r"(?:[A-Za-z_]\w{0,100}(?:\.[A-Za-z_]\w{0,100}){1,20}|root|__main__)"
_TIME = rf"\[?(?P<time>{ISO})\]?(?: - | \| | ?: ?|,? +)"
_LEVEL = rf"(?:(?P<level>{LEVEL})|\[(?P<boxed_level>(?i:{LEVEL})) *\])"
_AFTER = r"(?: +- +| +\| +|: *| +)"
#: Where no two runs of blanks stand behind each other: to try all ways to share blanks out would take for ever.
_BETWEEN = r"(?: *[:-] *| +\| +| +)"
#: uvicorn's `levelprefix` and a blank: ten columns.
_PREFIX = r"(?:INFO:     |DEBUG:    |ERROR:    |TRACE:    |WARNING:  )(?! )"
#: A logger is set apart by brackets, a colon or a dash, or has a dotted name; else the first word is the message's.
_LOGGER = (
    rf"(?:\[(?P<boxed_logger>{_NAME})\]:? +|(?P<logger>{_NAME})(?:: +| +- +| +\| +)"
    rf"|(?P<dotted_logger>{_DOTTED_NAME}) +)"
)


def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.ASCII | re.DOTALL)


_LEVEL_FIRST = _compiled(
    rf"(?:{_TIME})?(?!{_PREFIX}){_LEVEL}"
    rf"(?::(?P<closed_logger>{_NAME}):| in (?P<module>{_NAME}): |{_AFTER}{_LOGGER}?)(?P<message>.*)"
)
_LOGGER_FIRST = _compiled(
    rf"{_TIME}(?:\[(?P<boxed_logger>{_NAME})\]|(?P<logger>{_NAME})){_BETWEEN}"
    rf"(?!{_PREFIX}){_LEVEL}{_AFTER}(?P<message>.*)"
)
_UVICORN = _compiled(
    rf"(?:{_TIME})?(?:(?:\[(?P<boxed_logger>{_NAME})\]|(?P<logger>{_NAME})) (?:- )?)?(?={_PREFIX})"
    rf"(?P<level>[A-Z]+): +(?P<message>.*)"
)
_GUNICORN = _compiled(rf"\[(?P<time>{ISO})\] \[(?P<process>\d{{1,10}})\] \[(?P<level>{LEVEL})\] (?P<message>.*)")
_DJANGO = _compiled(rf"\[(?P<time>{CLF})\] (?P<message>.*)")
_CELERY = _compiled(
    rf"\[(?P<time>{ISO}): (?P<level>{LEVEL})/(?P<processName>[^\]]+)\] "
    r"(?:(?P<task_name>[^\s\[\]]+)\[(?P<task_id>[^\s\[\]]+)\]: )?(?P<message>.*)"
)


class TextLines:
    """Reads lines of one layout.

    Args:
        name: the layout's.
        parse: takes a line apart.
        times: reads their times.
        logger: the logger of lines that name none.
    """

    def __init__(self, name: str, parse: Parse, times: Times, logger: str = "") -> None:
        self.name = name
        self._parse = parse
        self._times = times
        self._logger = logger

    def read(self, text: str, outside: float | None) -> PastCall | Unread | None:
        """The call that a line tells of; None if it isn't of this layout.

        Args:
            text: the line.
            outside: its time, as far as that stands in front of it.
        """
        parsed = self._parse(text)
        if parsed is None:
            return None
        fields, known = parsed
        time = fields.get("time")
        created = outside if time is None else self._times.read(time)
        if created is None:
            return NO_TIME if time is None else Unread(self._times.reason(time))
        message, level = fields["message"], fields.get("level")
        logger = fields.get("logger") or self._logger
        template, args = known or as_live(logger, message) or (message, ())
        extras = {name: value for name, value in fields.items() if name not in _NOT_EXTRAS}
        number = logging.INFO if level is None else level_of(level)
        return PastCall(logger, number, template, args, extras, fields, created, text, message)


def python(text: str) -> Parsed | None:
    """What `logging.Formatter` writes: the time, then level and logger in either order, or no time at all."""
    match = _LEVEL_FIRST.fullmatch(text) or _LOGGER_FIRST.fullmatch(text)
    return None if match is None else (_fields(match), None)


def uvicorn_lines(text: str) -> Parsed | None:
    """What uvicorn's formatters write."""
    match = _UVICORN.fullmatch(text)
    if match is None:
        return None
    fields = _fields(match)
    known = uvicorn(fields["message"])
    if known is not None:
        fields["logger"] = "uvicorn.access"
    return fields, known


def gunicorn(text: str) -> Parsed | None:
    """The error log of gunicorn."""
    match = _GUNICORN.fullmatch(text)
    if match is None:
        return None
    fields = match.groupdict()
    return {**fields, "process": int(fields["process"])}, None


def access_lines(text: str) -> Parsed | None:
    """The access log of gunicorn, which has the Combined Log Format, or the Common one."""
    known = access(text)
    return None if known is None else ({"time": known[1]["t"], "logger": "gunicorn.access", "message": text}, known)


def django_server(text: str) -> Parsed | None:
    """What Django's runserver writes, with the level that it takes from the status."""
    match = _DJANGO.fullmatch(text)
    if match is None:
        return None
    fields: dict[str, Any] = {**match.groupdict(), "logger": "django.server", "server_time": match["time"]}
    known = django(fields["message"])
    if known is not None and known[1][1].isdigit():
        status = fields["status_code"] = int(known[1][1])
        fields["level"] = "ERROR" if status >= _FIRST_ERROR else "WARNING" if status >= _FIRST_WARNING else "INFO"
    return fields, known


def celery(text: str) -> Parsed | None:
    """What Celery's workers write; only of a few messages the logger is known."""
    match = _CELERY.fullmatch(text)
    if match is None:
        return None
    fields = {name: value for name, value in match.groupdict().items() if value is not None}
    found = task(fields["message"])
    if found is None:
        return fields, None
    fields["logger"], known = found
    return fields, known


def _fields(match: re.Match[str]) -> dict[str, Any]:
    """The groups that took part, under their parts' names: ``boxed_logger`` is the logger."""
    return {name.rpartition("_")[2]: value for name, value in match.groupdict().items() if value is not None}
