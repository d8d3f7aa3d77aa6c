"""What is still to be replayed of a log."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import IO

from robotmia_logging.delivery.resend import Done, Item, Line, Passed, Stretch, file_lines
from robotmia_logging.messages import MAX_LINE_BYTES
from robotmia_logging.replay.account import Account
from robotmia_logging.replay.line_reader import LineReader
from robotmia_logging.replay.places import PARTS, place_of, split
from robotmia_logging.replay.rejects import RejectsFile

_BLOCK_BYTES = 1024 * 1024
_MOST_PASSED = 500
_MOST_GAPS = 10_000
"""Places that are left for another look: each parts what is done in two, in the journal and in memory."""


class LogLines:
    """The messages of a log, with their places, and what is passed over.

    Lines out of the time asked for stay undone: another run may ask for them. So do those that can't be read, for it
    may read them in another way; but only in so many places, so that memory doesn't grow with the log.

    Args:
        file: the log, at its beginning.
        reader: turns lines into messages.
        done: what has its outcome already.
        account: where messages are counted.
        rejects: written before the lines in it count as done.
        takes_last: asked at the end whether a last line without its end is complete.

    Attributes:
        earlier: lines passed over, for they have their outcome.
        passed_bytes: how much of the log has nothing to be sent any more.
        error: why it can't be read to its end.
        is_last_left: whether its last line was left for another time.
        has_gaps_closed: whether there were too many places to be left for another look.
        units: how fine places are counted: so many to a byte.
    """

    units = PARTS

    def __init__(
        self,
        file: IO[bytes],
        reader: LineReader,
        done: Done,
        account: Account,
        *,
        rejects: RejectsFile | None = None,
        takes_last: Callable[[], bool] = lambda: True,
    ) -> None:
        self._file = file
        self._reader = reader
        self._done = done
        self._done_until = max((stretch.end for stretch in done.stretches()), default=0)
        self._account = account
        self._rejects = rejects
        self._takes_last = takes_last
        self.earlier = 0
        self.passed_bytes = 0
        self.error: OSError | None = None
        self.is_last_left = False
        self.has_gaps_closed = False
        self._gaps = 0
        self._gap_end = -1

    def __iter__(self) -> Iterator[Item | Passed]:
        passed: list[Stretch] = []
        for line in self._lines():
            place = place_of(line.stretch)
            may_be_done = place.start < self._done_until
            if may_be_done and self._done.holds(place):
                if passed:
                    yield self._passed(passed)
                self._pass_over(line)
                continue
            given = self._reader.read(line)
            is_left = given is None or (given.is_doubtful and self._leave(place))
            is_passed = not is_left and given is not None and not given.items
            if is_passed:
                passed.append(place)
            if passed and (not is_passed or len(passed) >= _MOST_PASSED):
                yield self._passed(passed)
            if given is not None and given.items:
                for item, part in zip(given.items, split(place, len(given.items)), strict=True):
                    if not (may_be_done and self._done.holds(part)):
                        item.place = part
                        self._account.summary.add(item, given.rule)
                        yield item
        if passed:
            yield self._passed(passed)

    def _leave(self, place: Stretch) -> bool:
        """Leave a line for another look, unless that would be too many; lines one behind another are one gap."""
        if place.start != self._gap_end:
            if self._gaps >= _MOST_GAPS:
                self.has_gaps_closed = True
                return False
            self._gaps += 1
        self._gap_end = place.end
        return True

    def _lines(self) -> Iterator[Line]:
        """Lines, as far as the log can be read."""
        try:
            start, number = self._skip()
        except OSError as error:
            self.error = error
            return
        lines = file_lines(self._file, start=start, number=number)
        while True:
            try:
                line = next(lines, None)
            except OSError as error:
                self.error = error
                return
            if line is None:
                return
            if not line.text.endswith(b"\n") and len(line.text) <= MAX_LINE_BYTES and not self._takes_last():
                self.is_last_left = True
                return
            yield line

    def _skip(self) -> tuple[int, int]:
        """Pass over the lines at the beginning that are done; gives how many bytes that are, and how many lines."""
        stretches = self._done.stretches()
        if not stretches or stretches[0].start > 0:
            return 0, 0
        size = stretches[0].end // PARTS
        position = lines_end = 0
        while position < size and (block := self._file.read(min(_BLOCK_BYTES, size - position))):
            self.earlier += block.count(b"\n")
            lines_end = position + block.rfind(b"\n") + 1 if b"\n" in block else lines_end
            position += len(block)
        if position != lines_end:  # a part of the next line is done, too
            self._file.seek(lines_end)
        self.passed_bytes = lines_end
        self._account.lines.earlier += self.earlier
        return lines_end, self.earlier

    def _pass_over(self, line: Line) -> None:
        self.earlier += 1
        self._account.lines.earlier += 1
        self.passed_bytes += line.stretch.end - line.stretch.start

    def _passed(self, passed: list[Stretch]) -> Passed:
        """What was passed, as one, for the lines stand one behind another."""
        place = Stretch(passed[0].start, passed[-1].end)
        passed.clear()
        self.passed_bytes += (place.end - place.start) // PARTS
        if self._rejects is not None:
            self._rejects.flush()
        return Passed(place)
