"""Reads lines from a file, however large: each with the stretch of the file that it takes up."""

from __future__ import annotations

import bisect
from collections.abc import Iterable, Iterator
from typing import IO, NamedTuple, Protocol

from robotmia_logging.messages import MAX_LINE_BYTES, Message, Refusal, given_line, is_blank

Item = Message | Refusal

_REST_BYTES = 1024 * 1024
_MOST_ADDED = 1000


class Stretch(NamedTuple):
    """From where to where a line goes in its file, blank lines in front of it included."""

    start: int
    end: int


class Line(NamedTuple):
    """A line of a file.

    Attributes:
        number: counted from 1.
        stretch: where it is.
        text: itself; only its beginning if it is longer than any message.
    """

    number: int
    stretch: Stretch
    text: bytes


class Passed(NamedTuple):
    """What holds nothing to be sent, and counts as done.

    Attributes:
        place: where it is.
    """

    place: Stretch


class Source(Protocol):
    """What is still to be sent of a file, each item with its place.

    Attributes:
        earlier: lines passed over, for they have their outcome.
        passed_bytes: how much of the file has nothing to be sent any more.
        units: how fine places are counted: so many to a byte.
    """

    earlier: int
    passed_bytes: int
    units: int

    def __iter__(self) -> Iterator[Item | Passed]: ...


def file_lines(file: IO[bytes], *, start: int = 0, number: int = 0) -> Iterator[Line]:
    """The lines of a file that aren't blank. Memory is bounded, whatever the file.

    Args:
        file: where reading goes on.
        start: how many bytes of it were read before.
        number: how many lines these were.
    """
    end = start
    while text := file.readline(MAX_LINE_BYTES + 1):
        number += 1
        end += len(text)
        last = text
        while not last.endswith(b"\n") and (last := file.readline(_REST_BYTES)):
            end += len(last)
        if is_blank(text):
            continue
        yield Line(number, Stretch(start, end), text)
        start = end


class Done:
    """What of a file has its outcome."""

    def __init__(self) -> None:
        # Stretches that touch become one. Lines are sent about in order: few are left, however long the file.
        self._joined: list[Stretch] = []
        self._added: list[Stretch] = []

    def add(self, start: int, end: int) -> None:
        """Another stretch, wherever it is."""
        self._added.append(Stretch(start, end))
        if len(self._added) > len(self._joined) + _MOST_ADDED:
            self._join()

    def stretches(self) -> list[Stretch]:
        """All of it, in order."""
        self._join()
        return list(self._joined)

    def holds(self, stretch: Stretch) -> bool:
        """Whether all of a stretch is done."""
        self._join()
        index = bisect.bisect_right(self._joined, stretch.start, key=_start) - 1
        return index >= 0 and stretch.end <= self._joined[index].end

    def _join(self) -> None:
        if self._added:
            self._joined = joined([*self._joined, *self._added])
            self._added.clear()

    def __bool__(self) -> bool:
        return bool(self._joined or self._added)

    def __repr__(self) -> str:
        return f"<Done {self.stretches()}>"


def joined(stretches: Iterable[Stretch]) -> list[Stretch]:
    """Stretches in order, those that touch or overlap as one."""
    found: list[Stretch] = []
    for stretch in sorted(stretches):
        if found and stretch.start <= found[-1].end:
            found[-1] = Stretch(found[-1].start, max(found[-1].end, stretch.end))
        else:
            found.append(stretch)
    return found


class GivenLines:
    """What is still to be sent of a file.

    Args:
        file: the lines.
        now: seconds since 1970, for messages without a time.
        done: what has its outcome already.
        is_numbered: whether the account of a line that can't be sent says which line it is.

    Attributes:
        earlier: lines passed over, for they have their outcome.
        passed_bytes: how much of the file that is.
        units: places are counted in bytes.
    """

    units = 1

    def __init__(self, file: IO[bytes], now: int, done: Done | None = None, *, is_numbered: bool = True) -> None:
        self._file = file
        self._now = now
        self._done = done or Done()
        self._is_numbered = is_numbered
        self.earlier = 0
        self.passed_bytes = 0

    def raw(self) -> Iterator[Line]:
        """The lines as they are."""
        for line in file_lines(self._file):
            if self._done.holds(line.stretch):
                self.earlier += 1
                self.passed_bytes += line.stretch.end - line.stretch.start
            else:
                yield line

    def __iter__(self) -> Iterator[Item]:
        for line in self.raw():
            item = given_line(line.text, self._now)
            item.place = line.stretch
            if self._is_numbered and isinstance(item, Refusal):
                item.error = f"line {line.number}: {item.error}"
            yield item


def _start(stretch: Stretch) -> int:
    return stretch.start
