"""The order of delivery: one user, one lane; one lane, one sender at a time."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from heapq import heapify, heappop, heapreplace
from itertools import chain

from robotmia_logging.messages import Message

_BATCH_BYTES = 1024 * 1024
"""A batch is closed once it holds so much: one that takes too long to upload would be tried for ever."""


class Lanes:
    """What waits for one endpoint, spread over lanes by user.

    A sender takes messages out of some lanes and keeps those closed until it knows what became of them, so nothing
    overtakes within a lane, however many senders there are.
    """

    def __init__(self, count: int) -> None:
        self._lanes: list[deque[Message]] = [deque() for _ in range(count)]
        self._closed: set[int] = set()
        self.waiting = 0

    def add(self, message: Message) -> None:
        """Put a message behind the others of its user."""
        self._lanes[hash(message.user) % len(self._lanes)].append(message)
        self.waiting += 1

    def __iter__(self) -> Iterator[Message]:
        return chain.from_iterable(self._lanes)

    def oldest(self, *, open_only: bool = True) -> Message | None:
        """The message that waits longest, of those in open lanes or of all."""
        best: Message | None = None
        for index, lane in enumerate(self._lanes):
            if lane and (best is None or lane[0].seq < best.seq) and not (open_only and index in self._closed):
                best = lane[0]
        return best

    def drop(self, message: Message) -> None:
        """Take out `message`, which must be the first of its lane."""
        self._lanes[hash(message.user) % len(self._lanes)].popleft()
        self.waiting -= 1

    def remove_where(self, wanted: Callable[[Message], bool]) -> list[Message]:
        """Take out the messages that are `wanted`."""
        removed: list[Message] = []
        for lane in self._lanes:
            kept = [message for message in lane if not wanted(message)]
            if len(kept) < len(lane):
                removed += (message for message in lane if wanted(message))
                lane.clear()
                lane.extend(kept)
        self.waiting -= len(removed)
        return removed

    def take(self, limit: int, *, deep: bool) -> tuple[list[Message], set[int]]:
        """Take up to `limit` messages and close their lanes; `release` opens them again.

        Args:
            limit: how many at most.
            deep: empty one lane before the next, which leaves the others to other senders. Otherwise the messages
                come in the order in which they were logged.
        """
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
        self.waiting -= len(taken)
        return taken, used

    def release(self, lanes: Iterable[int]) -> None:
        """Open lanes again: what was taken out of them has its outcome."""
        self._closed.difference_update(lanes)
