"""Dates in properties: the document's one form, and what looks like a date but is read as text."""

import re
from typing import Any

from robotmia_logging.sandbox.api.values import Object
from robotmia_logging.sandbox.people.dates import is_date, read_time

DATE_FORM = "YYYY-MM-DDThh:mm:ss"
_NEARLY = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d)?([.,]\d{1,9})? ?([Zz]|UTC|[+-]\d\d(:?\d\d)?)?", re.ASCII)
_SHORTEST, _LONGEST = 16, 40  # of what _NEARLY matches


def is_iso_time(value: Any) -> bool:
    """Whether a value is a time in some form of ISO 8601: with fraction, zone or a space, or a day alone."""
    return read_time(value) is not None


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
