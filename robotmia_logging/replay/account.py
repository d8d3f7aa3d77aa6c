"""What became of a log's lines, and of what they say."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from robotmia_logging.replay.summary import Summary

_MOST_REASONS = 50
_OTHER = "other reasons"


@dataclass(slots=True)
class LineCounts:
    """Lines: `read == matched + asking + unmatched + muted + continued + outside` and those that are unreadable.

    Attributes:
        read: lines looked at, blank ones aside.
        matched: lines that a rule matches.
        asking: lines that ask for messages themselves, without a rule.
        unmatched: lines that no rule matches.
        muted: lines not to be tracked (`track = false`).
        continued: lines that belong to the one before.
        outside: lines not of the time asked for.
        unreadable: lines that can't be read, by reason.
        earlier: lines dealt with in an earlier run.
    """

    read: int = 0
    matched: int = 0
    asking: int = 0
    unmatched: int = 0
    muted: int = 0
    continued: int = 0
    outside: int = 0
    unreadable: Counter[str] = field(default_factory=Counter)
    earlier: int = 0

    def cannot_read(self, reason: str) -> None:
        """One more that can't be read. Reasons quote the line: only so many are kept apart."""
        known = reason in self.unreadable or len(self.unreadable) < _MOST_REASONS
        self.unreadable[reason if known else _OTHER] += 1


@dataclass(slots=True)
class Account:
    """The account of a replay.

    Attributes:
        lines: what became of lines.
        summary: the messages they gave.
        trouble: what went wrong with rules, by cause, each with its first error.
        naive_times: times without a zone.
    """

    lines: LineCounts = field(default_factory=LineCounts)
    summary: Summary = field(default_factory=Summary)
    trouble: dict[str, Exception] = field(default_factory=dict)
    naive_times: int = 0

    @property
    def has_slow_pattern(self) -> bool:
        """Whether a rule's pattern took too long: lines that no rule matches may be lines that it would match."""
        return any(isinstance(error, TimeoutError) for error in self.trouble.values())

    def note(self, cause: str, error: Exception) -> None:
        """Something went wrong with a rule."""
        self.trouble.setdefault(cause, error)
