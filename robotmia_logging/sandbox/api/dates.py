"""Dates in properties: the document's one form, and what looks like a date but is read as text."""

import re
from datetime import datetime
from typing import Any

from robotmia_logging.sandbox.api.values import Object

DATE_FORM = "YYYY-MM-DDThh:mm:ss"
_DATE = re.compile(r"\d{4}-\d\d-\d\dT([01]\d|2[0-3]):[0-5]\d:[0-5]\d", re.ASCII)
_NEARLY = re.compile(
    r"(?P<day>\d{4}-\d\d-\d\d)[Tt ](?P<time>\d\d:\d\d(:\d\d)?)([.,]\d{1,9})? ?([Zz]|UTC|[+-]\d\d(:?\d\d)?)?", re.ASCII
)
_SHORTEST, _LONGEST = 16, 40  # of what _NEARLY matches


def is_date(value: Any) -> bool:
    """Whether robotmia takes a value for a date: the document's form, and a day that the calendar has."""
    return isinstance(value, str) and _DATE.fullmatch(value) is not None and _exists(value)


def is_iso_time(value: Any) -> bool:
    """Whether a value is a time in some form of ISO 8601: with fraction, zone or a space, too."""
    found = _NEARLY.fullmatch(value) if isinstance(value, str) else None
    return found is not None and _exists(f"{found['day']}T{found['time']}")


def nearly_dates(properties: Object) -> list[str]:
    """The names of the properties with a value, or an item in a list, that only looks like a date."""
    return [name for name, value in properties.items() if _has_nearly_date(value)]


def _has_nearly_date(value: Any) -> bool:
    if isinstance(value, str):
        return _is_nearly_date(value)
    return isinstance(value, list) and any(isinstance(item, str) and _is_nearly_date(item) for item in value)


def _is_nearly_date(text: str) -> bool:
    # Length and one character first: nearly all strings end here, and all messages pass here.
    if not _SHORTEST <= len(text) <= _LONGEST or text[4] != "-":
        return False
    return _NEARLY.fullmatch(text) is not None and not is_date(text)


def _exists(date: str) -> bool:
    try:
        datetime.fromisoformat(date)
    except ValueError:
        return False
    return True
