"""What comes in: from log calls, and with a spool from its reader; within bounds.

No threads, no clock: the delivery's lock is held around every call.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from itertools import islice
from typing import TYPE_CHECKING

from robotmia_logging.delivery.backlog import Backlog, Watcher
from robotmia_logging.delivery.outcomes import Outcomes
from robotmia_logging.delivery.settings import DeliverySettings
from robotmia_logging.delivery.spool.link import Arrival, Item
from robotmia_logging.messages import DeadLetter, Message, Refusal

if TYPE_CHECKING:
    from robotmia_logging.delivery.spool.reader import Mark, Reader
    from robotmia_logging.delivery.spool.segment import Segment

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
            self._accept_out_of_turn(self._reader, item)
        else:
            self._outcomes.counters.accepted += 1
            self._take_over(item)

    def accept_some(self, items: list[Message | Refusal]) -> int:
        """Take over the first of what came from log calls: as many at once as can be; gives how many."""
        if self._reader is None:
            self._make_room_for(items)
            count = self._accept_ordinary(items)
        else:
            count = self._accept_in_turn(items)
        if not count:
            self.accept(items[0])
        return count or 1

    def _accept_ordinary(self, items: list[Message | Refusal]) -> int:
        """The fast path: messages in front that fit within the bounds, no alias among them, nothing refused."""
        room, room_bytes = self.room
        ordinary: list[Message] = []
        size = rendered = 0
        for item in islice(items, max(0, room)):
            if not isinstance(item, Message) or item.alias is not None:
                break
            size += len(item.body)
            if size > room_bytes:
                size -= len(item.body)
                break
            rendered += item.rendered
            ordinary.append(item)
        if ordinary:
            self._outcomes.counters.accepted += len(ordinary)
            self._outcomes.counters.rendered += rendered
            self._backlog.add_all(ordinary, size)
        return len(ordinary)

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

    @property
    def room(self) -> tuple[int, int]:
        """How many messages fit within `max_pending`, and how many bytes within `max_pending_bytes`."""
        room = self._settings.max_pending - self._backlog.pending
        room_bytes = self._settings.max_pending_bytes - self._backlog.pending_bytes
        if self._reader is None:
            return room, room_bytes
        return room - self._reader.queued, room_bytes - self._reader.queued_bytes

    def has_room(self, message: Message) -> bool:
        """Whether the message fits within both."""
        room, room_bytes = self.room
        return room > 0 and len(message.body) <= room_bytes

    def _make_room_for(self, items: list[Message | Refusal]) -> None:
        """Drop as many of the oldest as messages come that there is no room for: at once what `_make_room` would."""
        room, settings = self.room[0], self._settings
        if room < len(items) and settings.overflow == "drop_oldest":
            fits = settings.max_pending_bytes
            coming = sum(isinstance(item, Message) and len(item.body) <= fits for item in items)
            coming = min(coming, settings.max_pending)
            if coming > room:
                self._hurry()
                self._drop_oldest(coming - room)

    def _make_room(self, message: Message) -> bool:
        self._hurry()
        if self._settings.overflow != "drop_oldest" or len(message.body) > self._settings.max_pending_bytes:
            return False
        while not self.has_room(message) and self._drop_oldest(1):
            pass
        return self.has_room(message)

    def _drop_oldest(self, count: int) -> int:
        dropped = self._backlog.drop_oldest(count)
        self._outcomes.settled(dropped)
        self._drop(len(dropped))
        return len(dropped)

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
        left = _REFILL
        while left and self._has_window():
            self._in_hand = min(left, reader.unread)  # to those who look without the lock, a message is never nowhere
            items, told = reader.read(min(left, self._window_left), self._window_bytes_left)
            if not items:
                break
            self._outcomes.counters.accepted += len(items) - told
            self._take_over_kept(items)
            left -= len(items)
        else:
            self.has_more = not left
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

    def _accept_in_turn(self, items: Sequence[Message | Refusal]) -> int:
        """Take over, of what came from log calls, the items in front that are kept on disk and simply come in turn.

        Most do: it is told by a look at where each begins and ends. What is anything else is left to `accept`.

        Returns:
            How many they are; 0 if the first is something else.
        """
        reader = self._reader
        if reader is None:
            return 0
        count = 0
        if self._has_window():
            count = reader.arrived_next(islice(items, self._window_left), self._window_bytes_left)
            self._take_over_kept(items[:count])
        if not count and items[0].place is not None:
            count = reader.arrived_behind(items)
        self._outcomes.counters.accepted += count
        self._outcomes.counters.rendered += sum(
            [item.rendered for item in islice(items, count) if isinstance(item, Message)]
        )
        if reader.queued:
            self._shed(reader)
        return count

    def _take_over_kept(self, items: Sequence[Item]) -> None:
        """`_take_over`, of items that the spool keeps: messages at once, but for aliases."""
        ordinary: list[Message] = []
        for item in items:
            if isinstance(item, Message) and item.alias is None:
                ordinary.append(item)
                continue
            self._add_all(ordinary)
            ordinary = []
            self._take_over(item)
        self._add_all(ordinary)

    def _add_all(self, messages: list[Message]) -> None:
        if messages:
            self._backlog.add_all(messages, sum([len(message.body) for message in messages]))

    def _accept_out_of_turn(self, reader: Reader, item: Message | Refusal) -> None:
        arrival = reader.arrived(item, has_room=self._has_window())
        self._outcomes.counters.accepted += arrival is not Arrival.READ
        if arrival is Arrival.NOW:
            self._take_over(item)
        if reader.queued:
            self._shed(reader)

    def _shed(self, reader: Reader) -> None:
        """Keep the bounds of memory, where what waits there is more than the disk takes."""
        backlog, settings, dropped = self._backlog, self._settings, 0
        while reader.queued and (
            reader.queued + backlog.pending > settings.max_pending
            or reader.queued_bytes + backlog.pending_bytes > settings.max_pending_bytes
        ):
            reader.shed(newest=settings.overflow != "drop_oldest")
            dropped += 1
        self._drop(dropped)

    def _has_window(self) -> bool:
        return self._window_left > 0 and self._window_bytes_left > 0

    @property
    def _window_left(self) -> int:
        return self._window - self._backlog.pending

    @property
    def _window_bytes_left(self) -> int:
        return self._window_bytes - self._backlog.pending_bytes

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
