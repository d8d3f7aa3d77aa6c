"""Times as the API wants them: whole unix seconds for `time`, `YYYY-MM-DDThh:mm:ss` in UTC for dates."""

from __future__ import annotations

import math
from datetime import datetime, timedelta, timezone
from typing import Any

from robotmia_logging.messages.message import Refused
from robotmia_logging.messages.numbers import is_number

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_YEAR_1_S = -62_135_596_800
YEAR_10000_S = 253_402_300_800


def unix_seconds(value: Any) -> int:
    """Whole seconds since 1970 for a number of seconds or a `datetime` (a naive one counts as UTC).

    Raises:
        Refused: it is neither, isn't finite, or lies past the year 9999 (milliseconds, most likely).
    """
    if isinstance(value, datetime):
        aware = value if value.utcoffset() is not None else value.replace(tzinfo=timezone.utc)
        return (aware - _EPOCH) // timedelta(seconds=1)
    if not is_number(value):
        raise Refused("bad_time", f"time is no number of seconds ({type(value).__name__}) and no datetime")
    seconds = math.floor(value)
    if not _YEAR_1_S <= seconds < YEAR_10000_S:
        raise Refused("bad_time", f"time is {value}, outside the years 1 to 9999: it counts seconds, not milliseconds")
    return int(seconds)


def date_string(value: datetime) -> str:
    """A `datetime` as robotmia's date string, in UTC (Dates in robotmia updates)."""
    if value.tzinfo is not None and value.utcoffset():
        try:
            value = value.astimezone(timezone.utc)
        except (OverflowError, ValueError):  # year 1 or 9999: no room left to shift
            pass
    return value.isoformat(timespec="seconds")[:19]


def whole_seconds(value: Any) -> int:
    """`unix_seconds`, quick for what already is."""
    return value if type(value) is int and 0 <= value < YEAR_10000_S else unix_seconds(value)
