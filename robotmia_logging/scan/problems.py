"""What of a code base can't be read, and why."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that wasn't scanned.

    Attributes:
        place: the file or folder, with the line if there is one.
        reason: why, in words.
    """

    place: str
    reason: str


class UnreadableError(Exception):
    """A file can't be read or parsed.

    Attributes:
        reason: why, in words.
        line: where in the file, if that is known.
    """

    def __init__(self, reason: str, line: int | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.line = line
