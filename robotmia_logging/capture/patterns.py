"""Regexes in rules: searched in the rendered text, within bounds, so that none can hang the application.

They need the `regex` library: unlike the standard one it can give up.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import Any

SEARCHED = 8_192
"""Characters of a text that are searched; a longer one is cut."""

TIMEOUT_S = 0.05
"""Seconds of the processor's time that one search may take."""

MAX_TIMEOUTS = 3
"""Searches that took too long before a pattern is given up."""

Tell = Callable[[str, Exception], None]
"""Told of trouble: what happened, and the error."""

_TIMED_OUT = ("regex timed out",)
"""What `regex` says when it gives up."""

NEEDED = "patterns need the regex library: pip install 'robotmia_logging[patterns]'"


class TooSlowError(Exception):
    """A regex took too long on a text."""


class BoundedRegex:
    """A compiled regex that gives up: on a text after some time, and for good after some such texts.

    Args:
        text: the regex, in the syntax of `re`.
        searched: characters of a text that are searched.
        timeout_s: seconds of the processor's time that one search may take.
        max_timeouts: searches that took too long before it is given up.

    Attributes:
        names: its named groups.

    Raises:
        ValueError: it is no regex, or the `regex` library is missing; the text says so.
    """

    def __init__(self, text: str, *, searched: int, timeout_s: float, max_timeouts: int) -> None:
        self._regex = _compiled(text)
        self.names: tuple[str, ...] = tuple(self._regex.groupindex)
        self._searched = searched
        self._timeout_s = timeout_s
        self._timeouts_left = max_timeouts

    @property
    def is_given_up(self) -> bool:
        """Whether it took too long too often."""
        return self._timeouts_left <= 0

    def groups(self, text: str, *, is_counted: bool = True) -> dict[str, str] | None:
        """The named groups that took part; None if it isn't found.

        Args:
            text: what is searched.
            is_counted: whether a search that takes too long counts against the regex.

        Raises:
            TooSlowError: the search took too long.
        """
        try:
            # Not `concurrent`: to give up the interpreter for a microsecond costs up to 5 ms beside a busy thread.
            found = self._regex.search(text, endpos=self._searched, timeout=self._timeout_s, concurrent=False)
        except TimeoutError as error:
            if error.args != _TIMED_OUT:  # an alarm of the program's own
                raise
            self._timeouts_left -= is_counted
            raise TooSlowError from None
        if found is None:
            return None
        return {name: value for name, value in found.groupdict().items() if value is not None}


class Pattern(BoundedRegex):
    """The regex of a rule.

    Args:
        text: the regex, in the syntax of `re`.

    Attributes:
        text: as given.
        names: its named groups.

    Raises:
        ValueError: it is no regex, or the `regex` library is missing; the text says so.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        super().__init__(text, searched=SEARCHED, timeout_s=TIMEOUT_S, max_timeouts=MAX_TIMEOUTS)

    def search(self, text: str, tell: Tell | None) -> Mapping[str, str] | None:
        """The named groups that took part, if the pattern is found in the text's first `SEARCHED` characters.

        Args:
            text: the rendered message.
            tell: told if the text was cut, or the search took too long, which counts as not found. Without it nothing
                is told, or counted against the pattern.
        """
        if self.is_given_up:
            return None
        if len(text) > SEARCHED and tell is not None:
            too_long = f"of {len(text):,} characters the first {SEARCHED:,} are searched"
            tell("a message is too long for the patterns of rules", ValueError(too_long))
        try:
            return self.groups(text, is_counted=tell is not None)
        except TooSlowError:
            if tell is not None:
                self._tell_too_slow(tell)
            return None

    def miss(self, text: str) -> str:
        """Why it doesn't match, in words, where `search` finds nothing."""
        if self.is_given_up:
            return f"is given up, {MAX_TIMEOUTS} searches took more than {TIMEOUT_S} s: it isn't tried on"
        try:
            self.groups(text, is_counted=False)
        except TooSlowError:
            return f"takes more than {TIMEOUT_S} s on"
        return "isn't found in" if len(text) <= SEARCHED else f"isn't found in the first {SEARCHED:,} characters of"

    def _tell_too_slow(self, tell: Tell) -> None:
        what = f"{self.text!r} takes more than {TIMEOUT_S} s"
        if self.is_given_up:
            what += f"; after {MAX_TIMEOUTS} such searches its rule matches nothing any more"
        tell("the pattern of a rule is too slow", TimeoutError(what))

    def __repr__(self) -> str:
        return f"<Pattern {self.text!r}>"


class Text:
    """What a log call says, rendered at most once, and only if a pattern wants to know.

    Without a lock, as `cached_property` has one up to Python 3.11: another thread's rendering would be waited for, and
    in a forked child for ever.

    Args:
        render: gives the rendered message.
    """

    __slots__ = ("_render", "_rendered")

    def __init__(self, render: Callable[[], str]) -> None:
        self._render = render
        self._rendered: str | None = None

    @property
    def rendered(self) -> str:
        """The rendered message."""
        if self._rendered is None:
            self._rendered = self._render()
        return self._rendered


def _compiled(text: str) -> Any:
    try:
        import regex  # noqa: PLC0415 - an extra, and needed only by those who write patterns
    except ImportError:
        raise ValueError(NEEDED) from None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of syntax to come
            return regex.compile(text)
    except Exception as error:  # regex.error, RecursionError; a few malformed ones raise others
        raise ValueError(f"it is no regular expression: {error}") from None
