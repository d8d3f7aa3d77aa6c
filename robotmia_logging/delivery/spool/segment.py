r"""A segment: a file of JSON lines, preallocated and mapped into memory.

A store into the map costs less than a microsecond, keeps the GIL, and outlives `kill -9`, for the page cache does.
What was delivered is blanked in place, so that `jq` shows just what is still to be sent. A file's bytes are::

    {"endpoint": ...}\n             a line to be sent
    spaces, \n                      a line that has its outcome
    zeros                          not written: the rest, or where a writer was killed

JSON has no byte 0, so a line without any is whole.
"""

from __future__ import annotations

import io
import mmap
import os
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from robotmia_logging.delivery.spool.link import NOTHING, TORN, Arrival, Item, Link, Place, Reading
from robotmia_logging.messages import LINE_START, TRACK, DeadLetter, Message, Refusal, read_line

if TYPE_CHECKING:
    from robotmia_logging.delivery.spool.chain import Chain

_PIECE_BYTES = 16 * 1024
_BLANK = b" " * (64 * 1024 - 1) + b"\n"
_FROM_HERE = io.SEEK_CUR
_place = tuple.__new__  # half the price of calling the class, in each log call


class Segment(Link):
    """One file of a chain. Made by `create` or `open`.

    Attributes:
        chain: the chain it belongs to.
        number: its place in there.
        path: the file.
        size: the file's size in bytes.
        position: up to where it has been read.
        unread: lines known to be there that haven't been read.
        unsettled: lines that were read and have no outcome yet.
        is_cut: whether what was never written was cut off.
        synced_bytes: up to where it survives a power loss.
    """

    def __init__(self, chain: Chain, number: int, path: str, *, is_own: bool) -> None:
        super().__init__()
        self.chain = chain
        self.number = number
        self.path = path
        self.size = 0
        self.position = 0
        self.unsettled = 0
        self._is_own = is_own
        self._arrived_bytes = 0
        self._sealed_at: int | None = None
        self._holes: list[tuple[int, int]] = []
        self._early = 0  # lines that were read before their writers told of them
        self.is_cut = False
        self.synced_bytes = 0
        self._map: mmap.mmap | None = None
        # seek() moves on and says where to, in one call of C: an atomic fetch-and-add, for threads, signal handlers
        # and destructors alike. No lock could be taken here: a handler may raise, or log, at any step.
        self._cursor = io.BytesIO()

    @classmethod
    def create(cls, chain: Chain, number: int, path: str, size: int) -> Segment:
        """Make a file of `size` bytes, readable by its owner only, to append to.

        Raises:
            OSError: it can't be made; a full disk shows here, not as a crash at the store.
        """
        segment = cls(chain, number, path, is_own=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            _allocate(descriptor, size)
            segment._map = mmap.mmap(descriptor, size)
            segment.size = size
        except BaseException:
            os.unlink(path)
            raise
        finally:
            os.close(descriptor)
        return segment

    @classmethod
    def open(cls, chain: Chain, number: int, path: str) -> Segment:
        """Open a file that a dead process left, and count its lines.

        Raises:
            OSError: it can't be read and written.
        """
        segment = cls(chain, number, path, is_own=False)
        segment.map()
        segment.unread = segment.count_lines()
        return segment

    # --- the writer's side

    def append(self, line: bytes) -> Place | None:
        """Write a line; None if there is no room: then there never will be again."""
        count = len(line)
        end = self._cursor.seek(count, _FROM_HERE)
        start = end - count
        if end <= self.size:
            self._map[start:end] = line  # type: ignore[index]  # a segment that takes lines is mapped
            return _place(Place, (self, start, end))
        if start <= self.size:
            self._sealed_at = start
        return None

    def seal(self) -> None:
        """Let nothing more in."""
        beyond = self.size + 1
        start = self._cursor.seek(beyond, _FROM_HERE) - beyond
        if start <= self.size:
            self._sealed_at = start

    @property
    def is_sealed(self) -> bool:
        """Whether nothing more gets in."""
        return not self._is_own or self._cursor.tell() > self.size

    @property
    def is_complete(self) -> bool:
        """Whether no writer is amid a line: the reader was told of all that was ever let in."""
        return not self._is_own or self._arrived_bytes == self._sealed_at

    @property
    def used_bytes(self) -> int:
        """Up to where there may be lines."""
        if not self._is_own:
            return self.size
        return self._sealed_at if self._sealed_at is not None else min(self._cursor.tell(), self.size)

    # --- the reader's side

    @property
    def is_read(self) -> bool:
        """Whether all that it will ever give was read; lines still to be written where the reader was come told."""
        return self.is_sealed and self.position >= self.used_bytes

    @property
    def is_done(self) -> bool:
        """Whether all of it has its outcome, for good."""
        return self.is_read and self.is_complete and not self.unsettled

    @property
    def is_abandoned(self) -> bool:
        """Whether nothing in it is to be sent, though a writer was amid a line once."""
        return self.is_read and not self.unsettled and not self.unread and not self.count_lines()

    def arrived(self, item: Message | Refusal, *, next_up: bool) -> Arrival:
        """The reader is told of a line: the very next one, one written late where it has been already, or another?"""
        _, start, end = item.place
        self._arrived_bytes += end - start
        if next_up and start == self.position:
            self.position = end
        elif start >= self.position or not self._is_in_hole(start):
            return self._count_told(may_be_read=start < self.position)
        self.unsettled += 1
        return Arrival.NOW

    def arrived_next(self, items: Iterable[Message | Refusal], most_bytes: int) -> int:
        """Take those in front that are the very next lines."""
        begin = end = self.position
        stop = begin + most_bytes
        count = 0
        for item in items:
            place = item.place
            if place is None or place[0] is not self or place[1] != end or end >= stop:
                break
            end = place[2]
            count += 1
        self.position = end
        self._arrived_bytes += end - begin
        self.unsettled += count
        return count

    def arrived_behind(self, items: Iterable[Message | Refusal]) -> int:
        """Count those in front that stand here, behind what was read."""
        count = length = 0
        position = self.position
        for item in items:
            place = item.place
            if place is None or place[0] is not self or place[1] < position:
                break
            length += place[2] - place[1]
            count += 1
        self._arrived_bytes += length
        self.unread += count
        return count

    def _count_told(self, *, may_be_read: bool) -> Arrival:
        """Of lines on disk only the numbers told of and read are known, and suffice: each is both, in the end."""
        if may_be_read and self._early:
            self._early -= 1
            return Arrival.READ
        self.unread += 1
        return Arrival.LATER

    def read(self, most: int, most_bytes: int) -> Reading:
        """The next lines. What is no line yet, and so passed over, is remembered: its writer will tell of it."""
        if self._map is None:
            return NOTHING
        stop = self.position + most_bytes
        items = self._read_plain(self._map, most, stop) or self._read_any(self._map, most, stop)
        told = min(self.unread, len(items))
        self.unread -= told
        self._early += len(items) - told
        self.unsettled += len(items)
        return Reading(items, told)

    def _read_plain(self, data: mmap.mmap, most: int, stop: int) -> list[Item]:
        """The lines that follow each other from here on, each whole: the fast path, and nearly always all there is."""
        items: list[Item] = []
        end = self.position
        piece = data[end : min(stop, end + _PIECE_BYTES, self.used_bytes)]
        for text in piece.split(b"\n", most)[:-1]:
            if not text.startswith(LINE_START) or b"\0" in text:
                break
            start, end = end, end + len(text) + 1
            items.append(_item(text + b"\n", _place(Place, (self, start, end))))
        self.position = end
        return items

    def _read_any(self, data: mmap.mmap, most: int, stop: int) -> list[Item]:
        """The next lines, whatever stands between them."""
        is_sealed, is_final = self.is_sealed, self.is_sealed and self.is_complete
        limit = self.used_bytes
        items: list[Item] = []
        while len(items) < most and self.position < min(stop, limit):
            found = _next_line(data, self.position, limit, is_final=is_final)
            if found is None:
                if is_sealed:
                    self._pass_over(limit)
                break
            start, end, line = found
            self._pass_over(start)
            self.position = end
            items.append(_item(line, _place(Place, (self, start, end))))
        return items

    @property
    def tail(self) -> int:
        """Up to where there may be lines now."""
        return self.used_bytes

    def is_past(self, tail: int) -> bool:
        """Whether it was read up to there."""
        return self.position >= tail

    def settle(self, places: Collection[Place]) -> None:
        """These lines have their outcome: take them out, neighbours in one store."""
        begin = end = 0
        for _, start, after in places:
            if start != end:
                self._blank(begin, end)
                begin = start
            end = after
        self._blank(begin, end)
        self.unsettled -= len(places)

    def _blank(self, start: int, end: int) -> None:
        length = end - start
        if length:
            data: Any = self._map
            data[start:end] = _BLANK[-length:] if length <= len(_BLANK) else b" " * (length - 1) + b"\n"

    def give_up_unread(self) -> int:
        """Read no more of it; how many lines that leaves."""
        left, self.unread = self.unread, 0
        self.position = self.used_bytes
        return left

    def count_lines(self) -> int:
        """How many lines there are still to be sent."""
        return 0 if self._map is None else sum(1 for _ in live_lines(self._map, self.used_bytes))

    def _pass_over(self, to: int) -> None:
        if self._is_own and to > self.position:
            self._holes.append((self.position, to))
        self.position = to

    def _is_in_hole(self, start: int) -> bool:
        return any(low <= start < high for low, high in self._holes)

    # --- the file

    def map(self) -> None:
        """Map the file into memory, if it isn't.

        Raises:
            OSError: it can't be: deleted under our feet, perhaps.
        """
        if self._map is not None:
            return
        descriptor = os.open(self.path, os.O_RDWR | os.O_CLOEXEC)
        try:
            size = os.fstat(descriptor).st_size
            if size:
                self._map = mmap.mmap(descriptor, size)
            self.size = size
        finally:
            os.close(descriptor)

    def unmap(self) -> None:
        """Let go of memory and descriptor."""
        if self._map is not None:
            self._map.close()
            self._map = None

    def cut(self) -> None:
        """Cut off what was never written, for `jq` reads no zeros; only once nobody writes any more.

        Raises:
            OSError: the file isn't there, or can't be written.
        """
        if self._is_own and self.is_complete and self._sealed_at is not None and not self.is_cut:
            self.is_cut = True
            os.truncate(self.path, self._sealed_at)

    def sync(self) -> None:
        """Have what was written survive a power loss. Waits for the disk, if anything came since the last time.

        Raises:
            OSError: it can't be.
        """
        used = self.used_bytes
        if used == self.synced_bytes:
            return
        descriptor = os.open(self.path, os.O_RDWR | os.O_CLOEXEC)
        try:
            getattr(os, "fdatasync", os.fsync)(descriptor)
        finally:
            os.close(descriptor)
        self.synced_bytes = used

    def delete(self) -> None:
        """Remove the file.

        Raises:
            OSError: it can't be removed.
        """
        self.unmap()
        with suppress(FileNotFoundError):
            os.unlink(self.path)

    @property
    def is_mapped(self) -> bool:
        """Whether it is in memory."""
        return self._map is not None

    def __repr__(self) -> str:
        state = "own" if self._is_own else "adopted"
        return f"<Segment {self.path} {state}, {self.unread} unread, {self.unsettled} unsettled>"


def _item(line: bytes, place: Place) -> Item:
    """What a line says, with its place."""
    item: Item
    try:
        item = read_line(line)
    except ValueError as error:
        item = Refusal(TORN, f"a line of the spool can't be read: {error}", TRACK, dropped=True)
    if isinstance(item, DeadLetter):
        item.letter.place = place
    else:
        item.place = place
    return item


def live_lines(data: bytes | mmap.mmap, limit: int) -> Iterator[bytes]:
    """The lines still to be sent in a segment's bytes, up to `limit`; damaged ones too."""
    position = 0
    while (found := _next_line(data, position, limit, is_final=True)) is not None:
        _, position, line = found
        yield line


def _next_line(data: bytes | mmap.mmap, position: int, limit: int, *, is_final: bool) -> tuple[int, int, bytes] | None:
    """The next line from `position` on: its start, its end, itself. Passes over what is blank or not written.

    Others may be writing: what is looked at twice is a copy. Once nobody is (`is_final`), what stands at the end
    without a newline is a line cut short, and comes too: it can't be read, and is counted.
    """
    while (end := data.find(b"\n", position, limit) + 1) > 0:
        line = data[position:end]
        line = line[: line.find(b"\n") + 1]  # a hole in front may have been filled since
        end = position + len(line)
        if line.startswith(LINE_START) and b"\0" not in line:
            return position, end, line
        zeros = line.rfind(b"\0") + 1  # what precedes the last of them is a torn line, or none
        line = line[zeros:]
        if not line.isspace():
            return position + zeros, end, line
        position = end
    rest = data[position:limit].strip(b"\0 ") if is_final else b""
    return (position, limit, rest) if rest else None


def _allocate(descriptor: int, size: int) -> None:
    """Have the disk set the file's bytes aside: a store to a hole of a sparse file on a full disk is a SIGBUS.

    And have them in memory: the first store to a page that isn't costs 10 µs, one to a page of zeros less than 1.
    """
    if hasattr(os, "posix_fallocate"):  # not on macOS
        os.posix_fallocate(descriptor, 0, size)
    left = size
    while left:
        left -= os.write(descriptor, bytes(min(left, 1 << 20)))
