"""Lines of text in a layout that the user describes by a regular expression."""

from __future__ import annotations

from robotmia_logging.capture.patterns import BoundedRegex, TooSlowError
from robotmia_logging.errors import ConfigurationError
from robotmia_logging.logs.line import PastCall, Unread
from robotmia_logging.logs.text_lines import Parsed, TextLines
from robotmia_logging.logs.times import Times

_LONGEST = 64 * 1024
"""Characters of a line that a pattern is tried on: of a cut one the message would be cut, too."""
_TIMEOUT_S = 0.1
"""Seconds of the processor's time that one line may take."""
_MAX_TIMEOUTS = 20
"""Lines that took too long before the pattern is given up."""
_ALLOWED = (
    "give a regular expression with the named groups (?P<time>...) and (?P<message>...); "
    "(?P<level>...) and (?P<logger>...) count too, and others become extras"
)
_TOO_LONG = Unread(f"it is longer than the {_LONGEST:,} characters that a pattern is tried on")
_TOO_SLOW = Unread(f"the pattern took more than {_TIMEOUT_S} s on it")
_GIVEN_UP = Unread(f"the pattern isn't tried any more: it took too long on {_MAX_TIMEOUTS} lines")


class PatternLines:
    """Reads lines that a pattern is found in.

    Args:
        pattern: the regular expression.
        times: reads their times.
        logger: the logger of lines that name none.

    Raises:
        ConfigurationError: it can't be used.
    """

    name = "pattern"

    def __init__(self, pattern: str, times: Times, logger: str = "") -> None:
        self._regex = _compiled(pattern)
        self._lines = TextLines(self.name, self._parse, times, logger)

    def read(self, text: str, outside: float | None) -> PastCall | Unread | None:
        """The call that a line tells of; None if the pattern isn't found in it.

        Args:
            text: the line.
            outside: its time, as far as that stands in front of it.
        """
        if len(text) > _LONGEST:
            return _TOO_LONG
        if self._regex.is_given_up:
            return _GIVEN_UP
        try:
            return self._lines.read(text, outside)
        except TooSlowError:
            return _TOO_SLOW

    def _parse(self, text: str) -> Parsed | None:
        groups = self._regex.groups(text)
        return None if groups is None else ({"message": "", **groups}, None)


def _compiled(pattern: object) -> BoundedRegex:
    if not isinstance(pattern, str):
        raise ConfigurationError("pattern", pattern, _ALLOWED)
    try:
        compiled = BoundedRegex(pattern, searched=_LONGEST, timeout_s=_TIMEOUT_S, max_timeouts=_MAX_TIMEOUTS)
    except ValueError as error:
        raise ConfigurationError("pattern", pattern, f"{error}; {_ALLOWED}") from None
    missing = [name for name in ("time", "message") if name not in compiled.names]
    if missing:
        raise ConfigurationError("pattern", pattern, f"it has no group {' and no group '.join(missing)}; {_ALLOWED}")
    return compiled
