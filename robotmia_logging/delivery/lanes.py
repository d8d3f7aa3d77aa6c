"""The order of delivery: one user, one lane; one lane, one sender at a time."""

from __future__ import annotations

from bisect import bisect
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from heapq import heapify, heappop, heapreplace
from itertools import chain, islice
from operator import attrgetter

from robotmia_logging.messages import MAX_BATCH, Message

_BATCH_BYTES = 256 * 1024
"""A batch is closed once it holds so much. One that takes too long to upload would be tried for ever; and to encode so
much takes a millisecond, in which no other thread runs."""

_AHEAD = 16
"""So many batches stand in open lanes, if there are: a batch then comes from few lanes, and leaves the others open."""

_seq = attrgetter("seq")


class Lanes:
    """What waits for one endpoint.

    A sender that is alone takes messages from the front of one line, in the order in which they came. When another
    wants some while a batch is out, the front of the line is spread over lanes by user. Senders take messages out of
    some lanes and keep those closed until they know what became of them, so nothing overtakes within a lane, however
    many senders there are.
    """

    def __init__(self, count: int) -> None:
        # Line and lanes are in the order of arrival, and all of the line came after what is spread.
        self._line: deque[Message] = deque()
        self._lanes: list[deque[Message]] = [deque() for _ in range(count)]
        self._spread = 0
        self._closed: set[int] = set()
        # A batch from the line, and its lanes: which they are is found out when another sender comes.
        self._from_line: tuple[list[Message], set[int]] | None = None

    @property
    def waiting(self) -> int:
        """How many messages wait, in closed lanes too."""
        return len(self._line) + self._spread

    def add(self, message: Message) -> None:
        """Put a message behind the others of its user."""
        self._line.append(message)

    def add_all(self, messages: Iterable[Message]) -> None:
        """Put messages behind the others, in their order."""
        self._line.extend(messages)

    def add_late(self, message: Message) -> None:
        """Put a message that was held up where it would stand by now if it had come in its turn."""
        line = self._line
        is_in_line = not self._spread or (bool(line) and line[0].seq < message.seq)
        among = line if is_in_line else self._lanes[self._lane(message)]
        among.insert(bisect(among, message.seq, key=_seq), message)
        self._spread += not is_in_line

    def __iter__(self) -> Iterator[Message]:
        return chain(chain.from_iterable(self._lanes), self._line)

    def oldest(self, *, open_only: bool = True) -> Message | None:
        """The message that waits longest, of those in open lanes or of all."""
        if open_only and not self._all_open:
            self._spread_line()
        elif not self._spread:
            return self._line[0] if self._line else None
        best: Message | None = None
        for index, lane in enumerate(self._lanes):
            if lane and (best is None or lane[0].seq < best.seq) and not (open_only and index in self._closed):
                best = lane[0]
        return best

    def drop(self, message: Message) -> None:
        """Take out `message`, which must be the `oldest` of all."""
        if self._spread:
            self._lanes[self._lane(message)].popleft()
            self._spread -= 1
        else:
            self._line.popleft()

    def remove_where(self, wanted: Callable[[Message], bool]) -> list[Message]:
        """Take out the messages that are `wanted`."""
        removed: list[Message] = []
        for lane in (*self._lanes, self._line):
            kept = [message for message in lane if not wanted(message)]
            if len(kept) < len(lane):
                removed += (message for message in lane if wanted(message))
                lane.clear()
                lane.extend(kept)
        self._spread = sum(map(len, self._lanes))
        return removed

    def take(self, limit: int, *, deep: bool) -> tuple[list[Message], set[int]]:
        """Take up to `limit` messages and close their lanes; `release` opens them again.

        Args:
            limit: how many at most.
            deep: empty one lane before the next, which leaves the others to other senders. Otherwise the messages
                come in the order in which they were logged.

        Returns:
            The messages, and what to `release`.
        """
        if self._all_open and not deep:
            return self._take_from_line(limit)
        self._spread_line()
        return self._take_from_lanes(limit, deep=deep)

    def release(self, lanes: set[int]) -> None:
        """Open lanes again, those of one `take`: what was taken out of them has its outcome."""
        if self._from_line is not None and self._from_line[1] is lanes:
            self._from_line = None
        self._closed -= lanes

    @property
    def _all_open(self) -> bool:
        return not self._closed and self._from_line is None

    def _lane(self, message: Message) -> int:
        return hash(message.user) % len(self._lanes)

    # --- one sender

    def _take_from_line(self, limit: int) -> tuple[list[Message], set[int]]:
        if self._spread:
            self._gather()
        line = self._line
        taken = [line.popleft() for _ in range(self._whole_batch(limit))]
        lanes: set[int] = set()
        if taken:
            self._from_line = taken, lanes
        return taken, lanes

    def _whole_batch(self, limit: int) -> int:
        """How many messages make up the next batch from the line."""
        sizes = [len(message.body) for message in islice(self._line, limit)]
        if sum(sizes) <= _BATCH_BYTES:
            return len(sizes)
        room, count = _BATCH_BYTES, 0
        while room > 0:
            room -= sizes[count]
            count += 1
        return count

    def _gather(self) -> None:
        """Put what is spread back in front of the line, as it came."""
        in_order = sorted(chain.from_iterable(self._lanes), key=_seq)
        self._line.extendleft(reversed(in_order))
        for lane in self._lanes:
            lane.clear()
        self._spread = 0

    # --- several senders

    def _spread_line(self) -> None:
        """Spread the front of the line, till what stands in open lanes is enough for several batches."""
        closed, lanes, line = self._closed, self._lanes, self._line
        if self._from_line is not None:
            messages, their_lanes = self._from_line
            their_lanes.update(map(self._lane, messages))
            closed |= their_lanes
            self._from_line = None
        if not line:
            return
        wanted = _AHEAD * MAX_BATCH - self._spread + sum(len(lanes[index]) for index in closed)
        count = len(lanes)
        while wanted > 0 and line:
            message = line.popleft()
            index = hash(message.user) % count
            lanes[index].append(message)
            self._spread += 1
            wanted -= index not in closed

    def _take_from_lanes(self, limit: int, *, deep: bool) -> tuple[list[Message], set[int]]:
        taken: list[Message] = []
        used: set[int] = set()
        heads = [(lane[0].seq, index) for index, lane in enumerate(self._lanes) if lane and index not in self._closed]
        heapify(heads)
        room = _BATCH_BYTES
        while heads and len(taken) < limit and room > 0:
            index = heads[0][1]
            lane = self._lanes[index]
            used.add(index)
            taken.append(lane.popleft())
            room -= len(taken[-1].body)
            while deep and lane and len(taken) < limit and room > 0:
                taken.append(lane.popleft())
                room -= len(taken[-1].body)
            if lane:
                heapreplace(heads, (lane[0].seq, index))
            else:
                heappop(heads)
        self._closed |= used
        self._spread -= len(taken)
        return taken, used
