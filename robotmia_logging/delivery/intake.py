"""What comes in: from log calls, and with a spool from its reader; within bounds.

No threads, no clock: the delivery's lock is held around every call.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from robotmia_logging.delivery.backlog import Backlog, Watcher
from robotmia_logging.delivery.outcomes import Outcomes
from robotmia_logging.delivery.settings import DeliverySettings
from robotmia_logging.delivery.spool.link import Arrival, Item
from robotmia_logging.delivery.spool.reader import Mark, Reader
from robotmia_logging.delivery.spool.segment import Segment
from robotmia_logging.messages import DeadLetter, Message, Refusal

_WINDOW, _WINDOW_BYTES = 10_000, 8 * 1024 * 1024
"""What of a spool is in memory at a time: enough for all senders, and soon read."""
_REFILL = 500
"""How much of it is read at a time, for the lock is held meanwhile."""


class Intake:
    """Fills the backlog.

    Args:
        settings: the options.
        backlog: where messages go.
        outcomes: told of those that don't get there.
        hurry: called when room gets scarce: what waits should leave.

    Attributes:
        has_more: whether there is more to be read at once.
    """

    def __init__(
        self, settings: DeliverySettings, backlog: Backlog, outcomes: Outcomes, hurry: Callable[[], None]
    ) -> None:
        self._settings = settings
        self._backlog = backlog
        self._outcomes = outcomes
        self._hurry = hurry
        self._reader: Reader | None = None
        self._marked: list[tuple[Watcher, Mark]] = []
        self.has_more = False
        self._in_hand = 0
        # At most half of the bounds: the rest is for messages that a full disk doesn't take.
        self._window = max(1, min(_WINDOW, settings.max_pending // 2))
        self._window_bytes = max(1, min(_WINDOW_BYTES, settings.max_pending_bytes // 2))

    @property
    def unread(self) -> int:
        """How many messages wait in the spool, and not in the backlog."""
        return 0 if self._reader is None else self._reader.unread + self._in_hand

    def accept(self, item: Message | Refusal) -> None:
        """Take a message over from a log call, or the account of one that was refused there."""
        if isinstance(item, Message):
            self._outcomes.counters.rendered += item.rendered
        if self._reader is not None and item.place is not None:
            self._accept_kept(self._reader, item)
        else:
            self._outcomes.counters.accepted += 1
            self._take_over(item)

    def _take_over(self, item: Item) -> None:
        if isinstance(item, DeadLetter):
            self._outcomes.bury(item)
        elif isinstance(item, Refusal):
            self._outcomes.refused(item)
        elif item.place is not None or self.has_room(item) or self._make_room(item):
            self._backlog.add(item)
        else:
            self._drop(1)

    # --- bounds of memory

    def has_room(self, message: Message) -> bool:
        """Whether the message fits within `max_pending` and `max_pending_bytes`."""
        pending, pending_bytes = self._backlog.pending, self._backlog.pending_bytes
        if self._reader is not None:
            pending, pending_bytes = pending + self._reader.queued, pending_bytes + self._reader.queued_bytes
        settings = self._settings
        return pending < settings.max_pending and pending_bytes + len(message.body) <= settings.max_pending_bytes

    def _make_room(self, message: Message) -> bool:
        self._hurry()
        if self._settings.overflow != "drop_oldest" or len(message.body) > self._settings.max_pending_bytes:
            return False
        dropped = 0
        while not self.has_room(message) and (oldest := self._backlog.drop_oldest()) is not None:
            self._outcomes.settled([oldest])
            dropped += 1
        self._drop(dropped)
        return self.has_room(message)

    def _drop(self, count: int) -> None:
        settings = self._settings
        limits = f"max_pending={settings.max_pending}, max_pending_bytes={settings.max_pending_bytes}"
        last_error = self._outcomes.counters.last_error or "the endpoint is slower than the log calls"
        self._outcomes.dropped("overflow", count, f"{limits}; {last_error}")

    # --- with a spool

    def read_from(self, reader: Reader) -> None:
        """Take what is kept in a spool from its reader, a window of it at a time."""
        self._reader = reader
        self._outcomes.settled = reader.settle

    def adopted(self, count: int) -> None:
        """So many messages were taken over from a dead process."""
        self._outcomes.counters.accepted += count
        self.has_more = True

    def refill(self) -> None:
        """Take from the spool what there is room for."""
        reader = self._reader
        if reader is None:
            return
        self.has_more = False
        for _ in range(_REFILL):
            self._in_hand = 1  # to those who look without the lock, a message is never nowhere
            found = reader.read() if self._has_window() else None
            if found is None:
                break
            item, was_told = found
            self._outcomes.counters.accepted += not was_told
            self._take_over(item)
            self._in_hand = 0
        else:
            self.has_more = True
        self._in_hand = 0
        if self._marked:  # somebody waits for what was just read
            self._hurry()
        marked, self._marked = self._marked, []
        for watcher, mark in marked:
            if reader.is_past(mark):
                self._backlog.set_going(watcher)
            else:
                self._marked.append((watcher, mark))

    def drop_oldest_segment(self) -> Segment | None:
        """Drop the messages of the spool's oldest segment that has none under way, so that it can be deleted."""
        reader = self._reader
        waiting = Counter(message.place.link for message in self._backlog.idle() if message.place is not None)
        segment = None if reader is None else reader.oldest_idle(waiting)
        if reader is None or segment is None:
            return None
        dropped = self._backlog.remove_where(lambda item: item.place is not None and item.place.link is segment)
        reader.settle(dropped)
        count = len(dropped) + reader.give_up(segment)
        self._outcomes.dropped("overflow", count, f"spool_max_bytes={self._settings.spool_max_bytes}")
        return segment

    def _accept_kept(self, reader: Reader, item: Message | Refusal) -> None:
        arrival = reader.arrived(item, has_room=self._has_window())
        self._outcomes.counters.accepted += arrival is not Arrival.READ
        if arrival is Arrival.NOW:
            self._take_over(item)
        backlog, settings, dropped = self._backlog, self._settings, 0
        while reader.queued and (
            reader.queued + backlog.pending > settings.max_pending
            or reader.queued_bytes + backlog.pending_bytes > settings.max_pending_bytes
        ):
            reader.shed(newest=settings.overflow != "drop_oldest")
            dropped += 1
        self._drop(dropped)

    def _has_window(self) -> bool:
        return self._backlog.pending < self._window and self._backlog.pending_bytes < self._window_bytes

    # --- who waits for outcomes

    def watch(self, watcher: Watcher) -> None:
        """Have a watcher wait for what is pending now, in the spool too; `unwatch` ends that."""
        self._backlog.watch(watcher)
        if self._reader is None or not self._reader.unread:
            self._backlog.set_going(watcher)
        else:
            self._marked.append((watcher, self._reader.mark()))

    def unwatch(self, watcher: Watcher) -> None:
        """Nobody waits for this any more."""
        self._backlog.unwatch(watcher)
        self._marked = [(other, mark) for other, mark in self._marked if other is not watcher]
