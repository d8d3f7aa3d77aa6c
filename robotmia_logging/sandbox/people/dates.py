"""Dates: the document's form, which is UTC, and the forms that clients have for a transaction's time."""

import re
from datetime import datetime, timedelta, timezone
from typing import Any

_DATE = re.compile(r"\d{4}-\d\d-\d\dT([01]\d|2[0-3]):[0-5]\d:[0-5]\d", re.ASCII)
_TIME = re.compile(
    r"(?P<day>\d{4}-\d\d-\d\d)([Tt ](?P<time>\d\d:\d\d(:\d\d)?)(?P<fraction>[.,]\d{1,9})?"
    r" ?(?P<zone>[Zz]|UTC|(?P<sign>[+-])(?P<hours>\d\d):?(?P<minutes>\d\d)?)?)?",
    re.ASCII,
)
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def is_date(value: Any) -> bool:
    """Whether robotmia takes a value for a date: the form YYYY-MM-DDThh:mm:ss, and a day that the calendar has."""
    return isinstance(value, str) and _DATE.fullmatch(value) is not None and read_time(value) is not None


def as_date(time_s: float) -> str:
    """Unix seconds in the document's form."""
    return (_EPOCH + timedelta(seconds=time_s)).isoformat(timespec="seconds")[:19]


def read_time(value: Any) -> float | None:
    """The unix seconds of a date in some form of ISO 8601, UTC unless it says otherwise; None when it is none."""
    found = _TIME.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        return None
    try:
        date = datetime.fromisoformat(f"{found['day']}T{found['time'] or '00:00'}+00:00")
    except ValueError:
        return None
    fraction_s = float(f"0.{found['fraction'][1:]}") if found["fraction"] else 0.0
    east_s = int(found["hours"]) * 3600 + int(found["minutes"] or 0) * 60 if found["sign"] else 0
    return (date - _EPOCH).total_seconds() + fraction_s - (east_s if found["sign"] == "+" else -east_s)
