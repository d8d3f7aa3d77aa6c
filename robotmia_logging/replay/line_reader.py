"""A line of a log to messages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from robotmia_logging.capture import Call, Captured, Composer
from robotmia_logging.delivery.resend import Line
from robotmia_logging.logs import Continued, LogFormat, Unread
from robotmia_logging.messages import MAX_LINE_BYTES
from robotmia_logging.replay.account import Account
from robotmia_logging.replay.rejects import UNMATCHED, RejectsFile

_TOO_LONG = Unread(f"it has more than {MAX_LINE_BYTES} bytes")


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A stretch of time, in seconds since 1970; None for no bound.

    Attributes:
        since: from here on.
        until: up to here, this second not included.
    """

    since: float | None = None
    until: float | None = None

    def holds(self, seconds: float) -> bool:
        """Whether it was then."""
        return (self.since is None or seconds >= self.since) and (self.until is None or seconds < self.until)


class Given(NamedTuple):
    """What a line gives.

    Attributes:
        items: messages, and the accounts of those that are none.
        rule: the name of the rule that gave them, if one did.
        is_doubtful: whether it might give some if it were read in another way, and is worth another look.
    """

    items: list[Captured]
    rule: str | None = None
    is_doubtful: bool = False


_NOTHING = Given([])
_DOUBTFUL = Given([], is_doubtful=True)


def read_line(log_format: LogFormat, line: Line) -> Call | Unread | Continued:
    """What a line tells of; nothing, if it is longer than any message."""
    return log_format.read(line.text) if len(line.text) <= MAX_LINE_BYTES else _TOO_LONG


class LineReader:
    """Reads the lines of one log, and counts what becomes of each.

    A line without a time is of the time of the one before. One that goes on with a line that can't be read is as
    doubtful as that: who knows how lines begin there.

    Args:
        log_format: reads lines.
        composer: turns them into messages.
        span: of which time.
        account: where lines are counted.
        rejects: gets lines that give nothing.
    """

    def __init__(
        self, log_format: LogFormat, composer: Composer, span: Span, account: Account, rejects: RejectsFile | None
    ) -> None:
        self._format = log_format
        self._composer = composer
        self._span = span
        self._account = account
        self._counts = account.lines
        self._rejects = rejects
        self._is_inside = span.since is None
        self._is_unread = False

    def read(self, line: Line) -> Given | None:
        """The messages of a line; None if it isn't of the time asked for.

        Raises:
            OSError: rejects can't be written.
        """
        self._counts.read += 1
        call = read_line(self._format, line)
        if isinstance(call, Call):
            self._is_inside = self._span.holds(call.created)
        if not self._is_inside:
            self._counts.outside += 1
            return None
        if isinstance(call, Call):
            self._is_unread = False
            return self._compose(line, call)
        if isinstance(call, Unread):
            self._is_unread = True
            self._counts.cannot_read(call.reason)
            self._reject(line, call.reason)
        else:
            self._counts.continued += 1
        return _DOUBTFUL if self._is_unread else _NOTHING

    def _compose(self, line: Line, call: Call) -> Given:
        match = self._composer.match_call(call)
        items, _ = self._composer.compose(call, match)
        counts = self._counts
        if call.extras.get("track") is False or (match is not None and not match.rule.track and not items):
            counts.muted += 1
        elif match is not None and match.rule.track:
            counts.matched += 1
            return Given(items, match.rule.label)
        elif items:
            counts.asking += 1
        else:
            counts.unmatched += 1
            self._reject(line, UNMATCHED)
            return _DOUBTFUL if self._account.has_slow_pattern else _NOTHING
        return Given(items) if items else _NOTHING

    def _reject(self, line: Line, reason: str) -> None:
        if self._rejects is not None:
            self._rejects.add(line, reason)
