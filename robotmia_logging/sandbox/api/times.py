"""The times of messages: unix seconds, also when they were sent as milliseconds."""

from typing import Any

from robotmia_logging.sandbox.api.refused import Refused, need, show
from robotmia_logging.sandbox.api.values import is_number
from robotmia_logging.sandbox.people.dates import as_date

_MILLISECONDS_FROM = 10**11  # in seconds that is past the year 5000, in milliseconds it is 1973
_YEAR_1 = -62_135_596_800
_YEAR_10000 = 253_402_300_800


def read_time(name: str, value: Any, warnings: list[str], *, is_whole: bool = False) -> float:
    """Read the time that a message says it is of.

    Args:
        name: the field, for what is said of it.
        value: what stands there.
        warnings: to add to when the time is in milliseconds, or should be whole and isn't.
        is_whole: whether the document asks for an integer: it does for updates, an event's time is any number.

    Returns:
        Unix seconds; a fraction is kept.

    Raises:
        Refused: it is no number, or in no year from 1 to 9999, neither as seconds nor as milliseconds.
    """
    need(is_number(value), name, "a number (unix seconds)", value)
    in_milliseconds = abs(value) >= _MILLISECONDS_FROM
    time_s: float = value / 1000 if in_milliseconds else value
    if not _YEAR_1 <= time_s < _YEAR_10000:
        raise Refused(f"{name} must be unix seconds in the years 1 to 9999, not {show(value)}")
    if in_milliseconds:
        warnings.append(
            f"{name} is {show(value)}: robotmia expects seconds; read as milliseconds, which is {as_date(time_s)}"
        )
    elif is_whole and time_s != int(time_s):
        warnings.append(f"{name} is {show(value)}: robotmia expects whole seconds")
    return time_s
