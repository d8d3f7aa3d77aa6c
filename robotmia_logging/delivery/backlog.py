"""Everything that waits or is under way, in its order. Pure: the delivery's lock is held around every call."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence

from robotmia_logging.delivery.barriers import Barriers
from robotmia_logging.delivery.lanes import Lanes
from robotmia_logging.messages import ENGAGE, TRACK, Message

_LANES = 64
"""Eight times the default of `senders`: with users spread by hash, all of them find open lanes, however few users."""


class Watcher:
    """Waits for the outcome of everything that was pending when it was made.

    Args:
        patient: whether to wait on while an endpoint is down.
    """

    def __init__(self, *, patient: bool) -> None:
        self._patient = patient
        self._target = 0
        self._remaining: int | None = None  # until it is known which messages it is about
        self._bell = threading.Lock()
        self._bell.acquire()

    @property
    def done(self) -> bool:
        """Whether all of it has its outcome."""
        return self._remaining is not None and self._remaining <= 0

    def watch(self, target: int, remaining: int) -> None:
        """Wait for the messages up to the number `target`, of which so many are `remaining`."""
        self._target = target
        self._remaining = remaining
        if not remaining:
            self._ring()

    def saw(self, messages: Iterable[Message]) -> None:
        """These messages have their outcome."""
        if self._remaining is None:
            return
        seen = sum(message.seq <= self._target for message in messages)
        if seen:
            self._remaining -= seen
            if self._remaining == 0:
                self._ring()

    def gave_up(self) -> None:
        """An endpoint is down."""
        if not self._patient:
            self._ring()

    def wait(self, timeout_s: float) -> bool:
        """Wait for at most so long; whether all is done. For one thread, once."""
        if not self.done:
            self._bell.acquire(timeout=max(0.0, timeout_s))
        return self.done

    def _ring(self) -> None:
        # Rung under the delivery's lock only, and who waits never releases: it can't be open by the next line.
        if self._bell.locked():
            self._bell.release()


class Batch:
    """What one sender holds: parts still to send, in order, and the lanes it keeps closed meanwhile.

    A batch that the server refused is halved into more parts; they are sent one after another by the one sender.

    Attributes:
        endpoint: ``"track"`` or ``"engage"``.
        parts: what is left to send.
        attempts: requests made for it.
        failed: whether the latest of them failed, so that the next is a retry.
        forgiven: whether a stale connection has been forgiven since the last success.
    """

    __slots__ = ("attempts", "endpoint", "failed", "forgiven", "lanes", "parts")

    def __init__(self, endpoint: str, messages: list[Message], lanes: set[int]) -> None:
        self.endpoint = endpoint
        self.parts: deque[list[Message]] = deque([messages])
        self.lanes = lanes
        self.attempts = 0
        self.failed = False
        self.forgiven = False

    def halve(self) -> None:
        """Split the part in front, its left half first."""
        part = self.parts.popleft()
        middle = (len(part) + 1) // 2
        self.parts.extendleft((part[middle:], part[:middle]))

    def __repr__(self) -> str:
        return f"<Batch {self.endpoint} parts={[len(part) for part in self.parts]} attempts={self.attempts}>"


class Backlog:
    """The messages on their way, by endpoint, lane and barrier.

    Attributes:
        pending: how many messages have no outcome yet.
        pending_bytes: the size of their bodies.
        last_seq: the number of the latest message.
    """

    def __init__(self) -> None:
        self._lanes = {TRACK: Lanes(_LANES), ENGAGE: Lanes(_LANES)}
        self._barriers = Barriers()
        self.pending = 0
        self.pending_bytes = 0
        self.last_seq = 0
        self._watchers: list[Watcher] = []

    @property
    def waiting(self) -> int:
        """How many messages could be taken by a sender, now or when their lanes open."""
        return self._lanes[TRACK].waiting + self._lanes[ENGAGE].waiting

    def add(self, message: Message) -> None:
        """A new message, behind all others."""
        self.last_seq += 1
        message.seq = self.last_seq
        self.pending += 1
        self.pending_bytes += len(message.body)
        self._place(message)

    def add_all(self, messages: list[Message], size: int) -> None:
        """New messages, behind all others, `size` bytes together; no alias among them."""
        for seq, message in enumerate(messages, self.last_seq + 1):
            message.seq = seq
        self.last_seq += len(messages)
        self.pending += len(messages)
        self.pending_bytes += size
        if self._barriers:
            for message in messages:
                self._place(message)
        else:
            for endpoint, lanes in self._lanes.items():
                lanes.add_all([message for message in messages if message.endpoint == endpoint])

    def watch(self, watcher: Watcher) -> None:
        """Tell a watcher what becomes of messages; `unwatch` ends that."""
        self._watchers.append(watcher)

    def set_going(self, watcher: Watcher) -> None:
        """Have a watcher wait for what is pending now."""
        watcher.watch(self.last_seq, self.pending)

    def unwatch(self, watcher: Watcher) -> None:
        """Nobody waits for this any more."""
        if watcher in self._watchers:
            self._watchers.remove(watcher)

    def went_down(self) -> None:
        """An endpoint is down: those who don't want to wait for it need not."""
        for watcher in self._watchers:
            watcher.gave_up()

    def next(self, endpoint: str) -> Message | None:
        """The oldest message that a sender could take for this endpoint now."""
        return self._lanes[endpoint].oldest()

    def take(self, endpoint: str, limit: int, *, deep: bool) -> Batch:
        """Take up to `limit` messages for a sender; see `Lanes.take`."""
        return Batch(endpoint, *self._lanes[endpoint].take(limit, deep=deep))

    def release(self, batch: Batch) -> None:
        """All parts of a batch have their outcome: its lanes are free."""
        self._lanes[batch.endpoint].release(batch.lanes)

    def settle(self, messages: Sequence[Message]) -> None:
        """These messages have their outcome, whichever it is."""
        self.pending -= len(messages)
        self.pending_bytes -= sum([len(message.body) for message in messages])
        for watcher in self._watchers:
            watcher.saw(messages)
        if self._barriers:
            for message in messages:
                if message.alias is not None:
                    for held in self._barriers.settled(message):
                        if not self._barriers.holds(held):
                            self._lanes[held.endpoint].add_late(held)

    def drop_oldest(self, count: int = 1) -> list[Message]:
        """Take out the oldest messages that aren't under way, so many if there are."""
        dropped: list[Message] = []
        unsettled: list[Message] = []
        while len(dropped) < count and (oldest := self._take_out_oldest()) is not None:
            dropped.append(oldest)
            unsettled.append(oldest)
            if oldest.alias is not None:  # what waits behind it may be the next oldest
                self.settle(unsettled)
                unsettled = []
        self.settle(unsettled)
        return dropped

    def _take_out_oldest(self) -> Message | None:
        heads = [head for lanes in self._lanes.values() if (head := lanes.oldest(open_only=False)) is not None]
        if not heads:
            return self._barriers.drop_one()
        oldest = heads[0] if len(heads) == 1 or heads[0].seq < heads[1].seq else heads[1]
        self._lanes[oldest.endpoint].drop(oldest)
        return oldest

    def idle(self) -> Iterator[Message]:
        """The messages that aren't under way."""
        for lanes in self._lanes.values():
            yield from lanes
        yield from self._barriers

    def remove_where(self, wanted: Callable[[Message], bool]) -> list[Message]:
        """Take out, of what isn't under way, the messages that are `wanted`."""
        removed = [message for lanes in self._lanes.values() for message in lanes.remove_where(wanted)]
        removed += self._barriers.remove_where(wanted)
        self.settle(removed)
        return removed

    def _place(self, message: Message) -> None:
        if not self._barriers.holds(message):
            self._lanes[message.endpoint].add(message)
