"""Time zones by name, and the seconds that a time without a zone stands for in one."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from robotmia_logging.errors import ConfigurationError

_ALLOWED = 'give an IANA name such as "Europe/Berlin", "UTC", "local", or an offset such as "+01:00"'
_OFFSET = re.compile(r"([+-])(\d\d):?(\d\d)?", re.ASCII)
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  civil time, whatever the zone
_MINUTES_OF_DAY = 24 * 60


class Instants(NamedTuple):
    """What a civil time stands for, in seconds since 1970.

    Attributes:
        utc: if it is UTC.
        first: in the zone.
        second: when the zone's clocks show it again, an autumn night's hour; else `first`.
    """

    utc: float
    first: float
    second: float


class Zone:
    """Where times without a zone are.

    Args:
        name: an IANA name, "UTC", "local", or an offset.

    Raises:
        ConfigurationError: there is no such zone.
    """

    def __init__(self, name: str) -> None:
        self._zone = _open(name)

    def instants(self, civil: datetime) -> Instants:
        """What a civil time stands for. One that clocks skip in spring counts as if they hadn't yet.

        Raises:
            ValueError, OverflowError, OSError: the system can't say.
        """
        there = civil.replace(tzinfo=self._zone)  # without one it is local, to `timestamp`
        first, second = there.timestamp(), there.replace(fold=1).timestamp()
        return Instants((civil - _EPOCH).total_seconds(), first, max(first, second))


def _open(name: object) -> tzinfo | None:
    if name == "local":
        return None
    try:
        if not isinstance(name, str):
            raise TypeError  # noqa: TRY301  one error for all that is no zone
        offset = _OFFSET.fullmatch(name)
        return ZoneInfo(name) if offset is None else timezone(timedelta(seconds=offset_seconds(name)))
    except Exception:  # KeyError, ValueError, OSError: what zoneinfo makes of "Europe", "../x" or "no/such"
        if name == "UTC":  # where there is no zone database
            return timezone.utc
        raise ConfigurationError("zone", name, _ALLOWED) from None


@lru_cache(maxsize=256)
def offset_seconds(text: str) -> int:
    """The seconds of an offset: ``Z``, ``UTC``, ``+01:00``, ``+0100`` or ``+01``.

    Raises:
        ValueError: a day or more, or no offset.
    """
    if text in {"Z", "z", "UTC", "GMT"}:
        return 0
    match = _OFFSET.fullmatch(text)
    minutes = 0 if match is None else int(match[2]) * 60 + int(match[3] or 0)
    if match is None or minutes >= _MINUTES_OF_DAY:
        raise ValueError(text)
    return minutes * 60 if match[1] == "+" else -minutes * 60
