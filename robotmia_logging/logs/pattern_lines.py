"""Lines of text in a layout that the user describes by a regular expression."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from robotmia_logging.errors import ConfigurationError
from robotmia_logging.logs.line import PastCall, Unread
from robotmia_logging.logs.text_lines import Parsed, TextLines
from robotmia_logging.logs.times import Times

if TYPE_CHECKING:
    import regex

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
        self._timeouts = 0

    def read(self, text: str, outside: float | None) -> PastCall | Unread | None:
        """The call that a line tells of; None if the pattern isn't found in it.

        Args:
            text: the line.
            outside: its time, as far as that stands in front of it.
        """
        if len(text) > _LONGEST:
            return _TOO_LONG
        if self._timeouts >= _MAX_TIMEOUTS:
            return _GIVEN_UP
        try:
            return self._lines.read(text, outside)
        except TimeoutError:
            self._timeouts += 1
            return _TOO_SLOW

    def _parse(self, text: str) -> Parsed | None:
        match = self._regex.search(text, timeout=_TIMEOUT_S, concurrent=False)
        if match is None:
            return None
        fields: dict[str, Any] = {name: value for name, value in match.groupdict().items() if value is not None}
        fields.setdefault("message", "")
        return fields, None


def _compiled(pattern: object) -> regex.Pattern[str]:
    try:
        import regex  # noqa: PLC0415  an extra's
    except ImportError:
        needed = "patterns need the regex library: pip install 'robotmia_logging[patterns]'"
        raise ConfigurationError("pattern", pattern, needed) from None
    if not isinstance(pattern, str):
        raise ConfigurationError("pattern", pattern, _ALLOWED)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compiled = regex.compile(pattern)
    except Exception as error:  # regex.error; a few malformed patterns raise others
        raise ConfigurationError("pattern", pattern, f"{error}; {_ALLOWED}") from None
    missing = [name for name in ("time", "message") if name not in compiled.groupindex]
    if missing:
        raise ConfigurationError("pattern", pattern, f"it has no group {' and no group '.join(missing)}; {_ALLOWED}")
    return compiled
