"""Times as logs write them, to seconds since 1970.

Text is taken apart by one regular expression for each shape. The minute is looked up, for lines come by the minute:
what remains is to add the seconds.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any, NamedTuple

from robotmia_logging.errors import ConfigurationError
from robotmia_logging.logs.zones import Instants, Zone, offset_seconds

_MONTHS = {
    name: number
    for number, name in enumerate("Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(), start=1)  # noqa: SIM905
}
_MONTH = f"(?:{'|'.join(_MONTHS)})"
_DAY = "(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)"
_SECOND = r":(\d\d)(?:[.,](\d{1,9})\d*)?"
_ZONE = r"(?: ?(Z|UTC|GMT|[+-]\d\d(?::?\d\d)?))?"

ISO = r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?: ?(?:Z|UTC|[+-]\d\d:?\d\d))?"
"""An ISO 8601 time, for regular expressions."""
CLF = r"\d\d/[A-Z][a-z][a-z]/\d{4}[: ]\d\d:\d\d:\d\d(?: [+-]\d{4})?"
"""A time as web servers write it."""
SYSLOG = r"[A-Z][a-z][a-z] [ \d]\d \d\d:\d\d:\d\d"
"""A time as syslog writes it: without a year."""

_YEAR_1_S = -62_135_596_800
_YEAR_10000_S = 253_402_300_800
_DAY_S = 24 * 3600
_KNOWN_MINUTES = 4096
_LEAP_SECOND = 60
_JITTER_S = 60
"""Lines are out of order by less."""
_YEARS_BACK = 9
"""A 29 February lies no further back."""


class _Shape(NamedTuple):
    """A way to write times.

    Attributes:
        pattern: its groups are the minute, the seconds, their fraction and the zone.
        civil: the minute's text to its time.
    """

    pattern: re.Pattern[str]
    civil: Callable[[str], datetime]


def _iso(text: str) -> datetime:
    return datetime(int(text[:4]), int(text[5:7]), int(text[8:10]), int(text[11:13]), int(text[14:]))  # noqa: DTZ001


def _clf(text: str) -> datetime:
    return datetime(int(text[7:11]), _MONTHS[text[3:6]], int(text[:2]), int(text[12:14]), int(text[15:]))  # noqa: DTZ001


def _mail(text: str) -> datetime:
    day, month, year, clock = text.split()
    return datetime(int(year), _MONTHS[month], int(day), int(clock[:2]), int(clock[3:]))  # noqa: DTZ001


class Times:
    """Reads times.

    An hour that an autumn night has twice is read as the first, unless times read before were later by more than a
    minute: then the clocks have been put back.

    Args:
        zone: where times without a zone are.
        time_format: how times are written, for `strptime`, if not in one of the usual ways.
        latest: seconds since 1970 that no time lies behind by more than a day; what has no year is in the last year
            that holds to this. Without it, what has no year isn't understood.

    Attributes:
        naive: how many times had no zone.

    Raises:
        ConfigurationError: a zone or time format that can't be used.
    """

    def __init__(self, zone: str = "UTC", time_format: str | None = None, latest: float | None = None) -> None:
        self._zone = Zone(zone)
        self._time_format = None if time_format is None else _checked(time_format)
        self._minutes: dict[str, Instants | None] = {}
        self._before = float("-inf")
        self._latest = latest
        self._shapes = [
            _shape(rf"(\d{{4}}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d){_SECOND}{_ZONE}", _iso),
            _shape(rf"\[?(\d\d/{_MONTH}/\d{{4}}[: ]\d\d:\d\d){_SECOND}{_ZONE}\]?", _clf),
            _shape(rf"({_MONTH} [ \d]\d \d\d:\d\d){_SECOND}()", self._yearless),
            _shape(rf"(?:{_DAY}, )?(\d?\d {_MONTH} \d{{4}} \d\d:\d\d){_SECOND}{_ZONE}", _mail),
        ]
        self.naive = 0

    @property
    def latest(self) -> float | None:
        """What no time lies behind, in seconds since 1970: when the log was last written to."""
        return self._latest

    @latest.setter
    def latest(self, seconds: float | None) -> None:
        self._latest = seconds
        self._minutes.clear()

    def read(self, value: Any) -> float | None:
        """Seconds since 1970, or None if that is no time.

        Args:
            value: text in one of the usual shapes or as `time_format` has it, or a number: of seconds, or of
                milliseconds, microseconds or nanoseconds if it is that large.
        """
        seconds = None
        if isinstance(value, str):
            seconds = self._text(value)
        elif isinstance(value, (int, float)) and not isinstance(value, bool):
            seconds = _number(value)
        return seconds if seconds is not None and _YEAR_1_S <= seconds < _YEAR_10000_S else None

    def reason(self, value: Any) -> str:
        """Why a value is no time, in words."""
        shown = repr(value)
        shown = shown if len(shown) <= _SHOWN else shown[:_SHOWN] + "..."
        if isinstance(value, str) and self._latest is None and self._shapes[2].pattern.fullmatch(value):
            return f"the time {shown} has no year, and when the log ended isn't known"
        return f"the time {shown} isn't understood"

    def _text(self, text: str) -> float | None:
        if len(text) > _LONGEST:
            return None
        if self._time_format is not None:
            seconds = self._formatted(text, self._time_format)
            if seconds is not None:
                return seconds
        if text[16:17] == ":" and text[10:11] in _DATE_ENDS:
            seconds = self._iso(text)
            if seconds is not None:
                return seconds
        for shape in self._shapes:
            match = shape.pattern.fullmatch(text)
            if match is not None:
                return self._instant(shape.civil, *match.groups())
        text = text.strip()
        return _number(float(text)) if _NUMBER.fullmatch(text) else None

    def _iso(self, text: str) -> float | None:
        """What the standard library understands, which is quick; how much that is depends on its version."""
        try:
            moment = datetime.fromisoformat(text)
            if moment.tzinfo is not None:
                return moment.timestamp()
        except (ValueError, OverflowError):
            return None
        minute = text[:16]
        instants = self._minutes.get(minute) or self._remember(minute, _iso)
        return None if instants is None else self._in_zone(instants, moment.second + moment.microsecond / 1_000_000)

    def _instant(
        self, civil: Callable[[str], datetime], minute: str, second: str, fraction: str | None, zone: str | None
    ) -> float | None:
        try:
            instants = self._minutes[minute]
        except KeyError:
            instants = self._remember(minute, civil)
        seconds: float = int(second)
        if instants is None or seconds > _LEAP_SECOND:
            return None
        if fraction:
            seconds += int(fraction) / 10 ** len(fraction)
        if not zone:
            return self._in_zone(instants, seconds)
        try:
            return instants.utc + seconds - offset_seconds(zone)
        except ValueError:
            return None

    def _remember(self, minute: str, civil: Callable[[str], datetime]) -> Instants | None:
        try:
            instants = self._zone.instants(civil(minute))
        except (KeyError, ValueError, OverflowError, OSError):  # 31 February
            instants = None
        if len(self._minutes) >= _KNOWN_MINUTES:
            self._minutes.clear()
        self._minutes[minute] = instants
        return instants

    def _in_zone(self, instants: Instants, seconds: float) -> float:
        self.naive += 1
        created = instants.first + seconds
        if instants.second != instants.first:
            shift = instants.second - instants.first
            if _JITTER_S < self._before - created <= 2 * shift:
                created += shift
        self._before = created
        return created

    def _formatted(self, text: str, time_format: str) -> float | None:
        try:
            civil = datetime.strptime(text, time_format)  # noqa: DTZ007  a zone is in the text, or isn't
            if civil.tzinfo is not None:
                return civil.timestamp()
            seconds = civil.second + civil.microsecond / 1_000_000
            return self._in_zone(self._zone.instants(civil.replace(second=0, microsecond=0)), seconds)
        except (ValueError, OverflowError, OSError):
            return None

    def _yearless(self, text: str) -> datetime:
        if self._latest is None:
            raise ValueError(text)
        bound = datetime.fromtimestamp(self._latest + _DAY_S, timezone.utc).replace(tzinfo=None)
        month, day, hour, minute = _MONTHS[text[:3]], int(text[4:6]), int(text[7:9]), int(text[10:])
        for year in range(bound.year, bound.year - _YEARS_BACK, -1):
            try:
                civil = datetime(year, month, day, hour, minute)  # noqa: DTZ001
            except ValueError:  # 29 February
                continue
            if civil <= bound:
                return civil
        raise ValueError(text)


_NUMBER = re.compile(r"-?\d{1,20}(?:\.\d{1,20})?", re.ASCII)
_DATE_ENDS = ("T", " ")
_SHOWN = 60
_LONGEST = 100
_UNITS = ((1e11, 1), (1e14, 1_000), (1e17, 1_000_000), (1e20, 1_000_000_000))
"""Numbers below are seconds, milliseconds, microseconds, nanoseconds: in the years 1973 to 5138."""


def _shape(pattern: str, civil: Callable[[str], datetime]) -> _Shape:
    return _Shape(re.compile(pattern, re.ASCII), civil)


def _number(number: float) -> float | None:
    for below, units in _UNITS:
        if abs(number) < below:
            return number / units
    return None


_SAMPLE = datetime(2026, 11, 25, 13, 14, 15, tzinfo=timezone.utc)


def _checked(time_format: object) -> str:
    allowed = 'give a format for strptime with a date and a year, such as "%d.%m.%Y %H:%M:%S"'
    try:
        if isinstance(time_format, str):
            read = datetime.strptime(_SAMPLE.strftime(time_format), time_format)  # noqa: DTZ007
            if abs(read.replace(tzinfo=timezone.utc) - _SAMPLE) < timedelta(days=2):
                return time_format
    except Exception:  # ValueError, and what a wrong directive makes `re` raise
        pass
    raise ConfigurationError("time_format", time_format, allowed)
