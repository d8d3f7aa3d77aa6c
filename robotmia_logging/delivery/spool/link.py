"""What the spool is strung of: segments on disk, and what takes their place where there is none.

Every link gets its successor once, by whoever comes first, without a lock. Log calls follow the links to the last
one; the reader comes behind, in the same order.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Sequence
from enum import Enum
from typing import Any, NamedTuple

from robotmia_logging.messages import DeadLetter, Message, Refusal

TORN = "torn"
"""The reason under which lines are dropped that can't be read."""

Item = Message | Refusal | DeadLetter
"""What the reader comes upon. A `Refusal` stands for a line that can't be read."""


class Arrival(Enum):
    """What the reader does about an item that it is told of."""

    NOW = "now"
    """It is to be handled now."""
    LATER = "later"
    """The reader will come to it."""
    READ = "read"
    """The reader had it already, and counted it."""


class Place(NamedTuple):
    """Where an item is kept."""

    link: Link
    start: int
    end: int


class Reading(NamedTuple):
    """What was read: none if there is nothing yet.

    Attributes:
        items: what was read, in order.
        told: of how many of them the reader was told before.
    """

    items: Sequence[Item]
    told: int


NOTHING = Reading((), 0)


class Link:
    """One of the spool's links. By itself it is a seam between two chains, and keeps nothing.

    The writer's side, `append` and `follow_with`, is for any thread at any time. The rest is the reader's: the
    delivery's lock is held.

    Attributes:
        unread: items that were told of and haven't been read.
    """

    is_durable = True
    chain: Any = None

    def __init__(self) -> None:
        self.unread = 0
        self._successors: dict[str, Link] = {}

    @property
    def successor(self) -> Link | None:
        """What comes behind; once there is one, nothing more gets in here."""
        return self._successors.get("")

    def follow_with(self, link: Link) -> Link:
        """Have `link` follow, unless one does already; gives the one that does. Atomic."""
        return self._successors.setdefault("", link)

    def append(self, line: bytes) -> Place | None:  # noqa: ARG002
        """Keep a line; None if nothing more gets in."""
        return None

    @property
    def is_read(self) -> bool:
        """Whether there is no more to be read, once something follows."""
        return True

    def leave(self) -> None:
        """The reader goes on to what follows."""

    def arrived(self, item: Message | Refusal, *, next_up: bool) -> Arrival:  # noqa: ARG002
        """The reader is told of an item.

        Args:
            item: what came.
            next_up: whether the reader stands at this link and has room.
        """
        return Arrival.NOW

    def arrived_next(self, items: Iterable[Message | Refusal], most_bytes: int) -> int:  # noqa: ARG002
        """The reader, which stands here, is told of items: takes those in front that are the very next ones.

        `arrived`, for a run of items.

        Args:
            items: what came.
            most_bytes: how much of it may be handled now.

        Returns:
            How many they are: all of them are to be handled now.
        """
        return 0

    def arrived_behind(self, items: Iterable[Message | Refusal]) -> int:  # noqa: ARG002
        """The reader is told of items: counts those in front that stand here, behind what was read.

        `arrived`, for a run of items that can't be handled now.

        Returns:
            How many they are: the reader will come to all of them.
        """
        return 0

    def read(self, most: int, most_bytes: int) -> Reading:  # noqa: ARG002
        """The next items.

        Args:
            most: how many at most, 1 or more.
            most_bytes: where to stop: the item that reaches so much is the last.
        """
        return NOTHING

    @property
    def tail(self) -> int:
        """Where its latest item ends."""
        return 0

    def is_past(self, tail: int) -> bool:  # noqa: ARG002
        """Whether everything up to there was read."""
        return True

    def settle(self, places: Collection[Place]) -> None:
        """The items in these places have their outcome."""


def item_bytes(item: Item) -> int:
    """What an item takes in memory, by the bytes of its message."""
    return len(item.body) if isinstance(item, Message) else 0


class Held(Link):
    """Items that are in memory only, for the disk can't take them."""

    is_durable = False

    def __init__(self) -> None:
        super().__init__()
        self._queue: deque[Message | Refusal] = deque()
        self._is_passed = False
        self._came = 0

    def append(self, line: bytes) -> Place | None:  # noqa: ARG002
        """There is room here; the item itself comes with `arrived`."""
        return None if self.successor is not None else Place(self, 0, 0)

    @property
    def is_read(self) -> bool:
        """Whether the queue is empty."""
        return not self._queue

    def leave(self) -> None:
        """What still arrives, of log calls that found no successor yet, is given at once."""
        self._is_passed = True

    def arrived(self, item: Message | Refusal, *, next_up: bool) -> Arrival:
        """Give it at once, if it is its turn or that of later ones; else queue it."""
        if self._is_passed or (next_up and not self._queue):
            return Arrival.NOW
        self._queue.append(item)
        self._came += 1
        self.unread += 1
        return Arrival.LATER

    def read(self, most: int, most_bytes: int) -> Reading:
        """The oldest of the queue."""
        items: list[Item] = []
        while self._queue and len(items) < most and most_bytes > 0:
            item = self.shed(newest=False)
            most_bytes -= item_bytes(item)
            items.append(item)
        return Reading(items, len(items))

    def shed(self, *, newest: bool) -> Message | Refusal:
        """Take out the newest or the oldest of the queue."""
        item = self._queue.pop() if newest else self._queue.popleft()
        self.unread -= 1
        self._came -= newest  # who waits for the older ones doesn't count it
        return item

    @property
    def tail(self) -> int:
        """How many were queued so far."""
        return self._came

    def is_past(self, tail: int) -> bool:
        """Whether so many have left the queue."""
        return self._came - len(self._queue) >= tail
