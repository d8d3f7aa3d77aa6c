"""The format of a `logging.Formatter`, read backwards: from what the program's configuration says to a pattern."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from string import Formatter

from robotmia_logging.capture.vocabulary import BLANK_RECORD
from robotmia_logging.errors import ConfigurationError
from robotmia_logging.logs.levels import LEVEL

#: What a line's parts are called by a LogRecord.
_PARTS = {"asctime": "time", "created": "time", "levelname": "level", "name": "logger", "message": "message"}
_NUMBERS = ("created", "msecs", "lineno", "process", "thread", "relativeCreated", "levelno")
_ASCTIME = r"(?:\d{4}-\d\d-\d\d \d[\d:.,]*\d|\S.*?)"  # as it is without a `datefmt`, with a blank in it; or any other
_LEVEL = rf"(?:{LEVEL}\b|\w+)"  # one without a name is "Level 25", with a blank in it
_KINDS = {"asctime": _ASCTIME, "levelname": _LEVEL, "level": _LEVEL, **dict.fromkeys(_NUMBERS, r"[-+\d.]+")}
_PERCENT = re.compile(r"%\((\w+)\)([#\d\- +]*(?:\.\d+)?)[a-zA-Z]|%%")
_DOLLAR = re.compile(r"\$(?:\{(\w+)\}|(\w+)|\$)")
_ATTRIBUTES = frozenset(BLANK_RECORD) | {"asctime", "message", "taskName"}
_ALLOWED = "give the `format` of your logging configuration, such as '%(asctime)s %(levelname)s %(name)s %(message)s'"


def formatter_pattern(log_format: str) -> str:
    """A pattern, with groups as `open_format` wants them, for what a Formatter writes.

    Args:
        log_format: its format, in any of the styles ``%``, ``{`` and ``$``.

    Raises:
        ConfigurationError: it is none, or it writes no time or no message.
    """
    try:
        pieces = list(_pieces(log_format))
    except (ValueError, TypeError) as error:
        raise ConfigurationError("log_format", log_format, f"{error}; {_ALLOWED}") from None
    for _, field, _ in pieces:
        close = difflib.get_close_matches(field or "", _ATTRIBUTES, 1, 0.8)
        if close and field not in _ATTRIBUTES:  # an extra of one's own is hardly called so
            raise ConfigurationError("log_format", log_format, f"did you mean {close[0]!r} by {field!r}?")
    seen: set[str] = set()
    pattern = "".join(re.escape(literal) + _group(field, padded, seen) for literal, field, padded in pieces)
    for part, name in (("time", "asctime"), ("message", "message")):
        if part not in seen:
            raise ConfigurationError("log_format", log_format, f"it has no {name}; {_ALLOWED}")
    return f"^{pattern}$"


def _pieces(log_format: str) -> Iterator[tuple[str, str | None, bool]]:
    """Literal text, the field behind it, and whether that is padded."""
    if "%(" in log_format:
        yield from _found(_PERCENT, log_format, "%")
    elif "{" in log_format and "${" not in log_format:
        for literal, field, form, _ in Formatter().parse(log_format):
            yield literal, field, bool(form)
    else:
        yield from _found(_DOLLAR, log_format, "$")


def _found(fields: re.Pattern[str], log_format: str, sign: str) -> Iterator[tuple[str, str | None, bool]]:
    end = 0
    for field in fields.finditer(log_format):
        literal = log_format[end : field.start()]
        end = field.end()
        if field.group() == sign * 2:
            yield literal + sign, None, False
        else:
            name = field[1] or field[2]
            yield literal, name, sign == "%" and bool(field[2])
    yield log_format[end:], None, False


def _group(field: str | None, padded: bool, seen: set[str]) -> str:
    if field is None:
        return ""
    part = _PARTS.get(field, field)
    kind = _KINDS.get(field, ".*?")
    if part in seen or not field.isidentifier():
        return kind
    seen.add(part)
    return rf"\s*(?P<{part}>{kind})\s*" if padded else f"(?P<{part}>{kind})"
