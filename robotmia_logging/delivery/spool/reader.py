"""The reader's side of the spool: gives out what was kept, each item once, in order, and knows when it is done.

What arrives while the reader is up to date is taken from memory; else it is left on disk, and read when its turn comes.
The delivery's lock is held around every call.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

from robotmia_logging.delivery.spool.chain import Chain
from robotmia_logging.delivery.spool.link import NOTHING, Arrival, Held, Item, Link, Reading, item_bytes
from robotmia_logging.delivery.spool.segment import Segment
from robotmia_logging.messages import Message, Refusal

_link_of = itemgetter(0)  # a place's

LOST = "spool_lost"
"""The reason under which messages are dropped whose file was deleted under our feet."""


class Mark(NamedTuple):
    """A moment: the last link of our own and how far it went, and the adopted segments that were still to be read."""

    last: Link
    tail: int
    adopted: tuple[Segment, ...]


class Reader:
    """Reads the links of one writer, and the chains adopted from dead processes.

    Args:
        first: the link to begin with.
        drop: told how many messages are dropped: the reason, how many, the details.

    Attributes:
        unread: items that were left on disk, or in the queue of a disk that takes none, and are still to be read.
        in_memory: items that are in memory only and have no outcome yet.
        queued: those of them that are still to be read...
        queued_bytes: ...and the size of their messages.
    """

    def __init__(self, first: Link, drop: Callable[[str, int, str], None]) -> None:
        self._front = first
        self._drop = drop
        self._left: list[Segment] = []  # read, and not done yet
        self._adopted: deque[Segment] = deque()
        self.unread = 0
        self.in_memory = 0
        self.queued = 0
        self.queued_bytes = 0

    # --- what is there

    def arrived(self, item: Message | Refusal, *, has_room: bool) -> Arrival:
        """A log call tells of an item that it kept.

        Args:
            item: what came.
            has_room: whether it may be handled now.
        """
        self._advance()
        link: Link = item.place.link
        arrival = link.arrived(item, next_up=has_room and link is self._front)
        self.in_memory += not link.is_durable
        if arrival is Arrival.LATER:
            self.unread += 1
            if not link.is_durable:
                self._count_queued([item], 1)
        return arrival

    def arrived_next(self, items: Iterable[Message | Refusal], most_bytes: int) -> int:
        """Log calls tell of items that they kept: `arrived`, for those in front that are the very next lines on disk.

        Args:
            items: what came.
            most_bytes: how much of it may be handled now.

        Returns:
            How many they are: all of them are to be handled now.
        """
        self._advance()
        return self._front.arrived_next(items, most_bytes)

    def arrived_behind(self, items: Sequence[Message | Refusal]) -> int:
        """Log calls tell of items that they kept: `arrived`, for those in front that wait on disk for their turn.

        Only while there is something to be read before them, or no room.

        Returns:
            How many they are: the reader will come to all of them.
        """
        link: Link = items[0].place.link
        count = link.arrived_behind(items)
        self.unread += count
        return count

    def adopt(self, chain: Chain) -> None:
        """Read the segments of a chain, too."""
        self._adopted.extend(chain.segments)
        self.unread += sum(segment.unread for segment in chain.segments)

    def read(self, most: int, most_bytes: int) -> Reading:
        """The next items of one link that are still to be read, none if there are none now.

        Our own come first: what is logged now isn't held up by what was found.

        Args:
            most: how many at most, 1 or more.
            most_bytes: where to stop: the item that reaches so much is the last.
        """
        reading = self._read_own(most, most_bytes)
        return reading if reading.items else self._read_adopted(most, most_bytes)

    def shed(self, *, newest: bool) -> None:
        """Give up the newest or the oldest of what is queued in memory."""
        queues = [link for link in self._links() if isinstance(link, Held) and link.unread]
        item = queues[-1 if newest else 0].shed(newest=newest)
        self.unread -= 1
        self._count_queued([item], -1)
        self.settle([item])

    def _read_own(self, most: int, most_bytes: int) -> Reading:
        while True:
            front = self._front
            reading = self._read(front, most, most_bytes)
            if reading.items or front.successor is None:
                return reading
            self._write_off(front)
            self._advance()
            if self._front is front:  # a writer is amid its last lines
                return NOTHING

    def _read_adopted(self, most: int, most_bytes: int) -> Reading:
        while self._adopted:
            reading = self._read(self._adopted[0], most, most_bytes)
            if reading.items:
                return reading
            self._leave_adopted()
        return NOTHING

    def _leave_adopted(self) -> None:
        """Go on to the next adopted segment: behind the last line of this one there are zeros at most."""
        segment = self._adopted.popleft()
        self._write_off(segment)
        segment.give_up_unread()
        self._left.append(segment)

    def _read(self, link: Link, most: int, most_bytes: int) -> Reading:
        if isinstance(link, Segment) and link.unread and not self._opened(link):
            return NOTHING
        reading = link.read(most, most_bytes)
        self.unread -= reading.told
        if not link.is_durable:
            self._count_queued(reading.items, -1)
        return reading

    def _opened(self, segment: Segment) -> bool:
        try:
            segment.map()
        except OSError as error:
            self._lose(segment, str(error))
            return False
        return True

    def _write_off(self, link: Link) -> None:
        """All of a segment was read: lines that were there and aren't any more are lost."""
        if isinstance(link, Segment) and link.unread and link.is_complete:
            self._lose(link, f"{link.path} was cut short")

    def _lose(self, segment: Segment, detail: str) -> None:
        count = segment.give_up_unread()
        self.unread -= count
        self._drop(LOST, count, f"a file of the spool is gone: {detail}")

    def _count_queued(self, items: Sequence[Item], sign: int) -> None:
        self.queued += sign * len(items)
        self.queued_bytes += sign * sum(map(item_bytes, items))

    def _advance(self) -> None:
        """Go on to the link where there may be something to read."""
        while (after := self._front.successor) is not None and self._front.is_read:
            front, self._front = self._front, after
            front.leave()
            if isinstance(front, Segment):
                self._left.append(front)

    # --- what becomes of it

    def settle(self, items: Iterable[Item]) -> None:
        """These have their outcome: they need not be kept any more."""
        places = [place for item in items if (place := item.place) is not None]
        for link, here in groupby(places, _link_of):
            together = list(here)
            link.settle(together)
            if not link.is_durable:
                self.in_memory -= len(together)

    def take_done(self, *, is_last: bool = False) -> list[Segment]:
        """The segments that are done, handed over to be deleted.

        Args:
            is_last: nobody will look again, so a log call that was broken off amid its line is waited for no longer.
        """
        self._advance()
        while self._adopted and not self._adopted[0].unread:
            self._leave_adopted()
        done = [segment for segment in self._left if segment.is_done or (is_last and segment.is_abandoned)]
        if done:
            self._left = [segment for segment in self._left if segment not in done]
        return [segment for segment in done if _is_taken_out(segment)]

    def rest(self) -> None:
        """Let go of the memory of what needn't be there now: what is to be read much later."""
        for segment in (*self._adopted, *self._links()):
            if segment is self._front or not isinstance(segment, Segment):
                continue
            if segment.is_sealed and segment.is_complete and not segment.unsettled:
                segment.unmap()

    def oldest_idle(self, waiting: Mapping[Segment, int]) -> Segment | None:
        """The oldest segment none of whose messages is under way.

        Args:
            waiting: by segment, how many of its messages are in memory and not under way.
        """
        for link in (*self._adopted, *self._left, *self._links()):
            if isinstance(link, Segment) and _can_go(link) and link.unsettled == waiting.get(link, 0):
                return link
        return None

    def give_up(self, segment: Segment) -> int:
        """Read no more of a segment; gives how many lines that leaves."""
        count = segment.give_up_unread()
        self.unread -= count
        _is_taken_out(segment)
        return count

    def mark(self) -> Mark:
        """What there is to be read now."""
        *_, last = self._links()
        return Mark(last, last.tail, tuple(self._adopted))

    def is_past(self, mark: Mark) -> bool:
        """Whether all of that was read."""
        if any(segment in mark.adopted for segment in self._adopted):
            return False
        return all(link is not mark.last for link in self._links()) or (
            self._front is mark.last and (not mark.last.unread or mark.last.is_past(mark.tail))
        )

    def _links(self) -> Iterator[Link]:
        """Our own links from the reader on."""
        link: Link | None = self._front
        while link is not None:
            yield link
            link = link.successor


def _can_go(segment: Segment) -> bool:
    return segment.is_sealed and segment.is_complete and segment in segment.chain.segments


def _is_taken_out(segment: Segment) -> bool:
    """Take a segment out of its chain; False if it was already."""
    segments = segment.chain.segments
    if segment not in segments:
        return False
    segments.remove(segment)
    return True
