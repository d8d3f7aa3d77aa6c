"""The decisions of delivery: what goes next, when, where, and what follows from an outcome.

No threads, no I/O, no clock of its own: the delivery's lock is held around every call, and times are given.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable

from robotmia_logging.delivery.backlog import Backlog, Batch, Watcher
from robotmia_logging.delivery.report import Reporter
from robotmia_logging.delivery.retry import Gate
from robotmia_logging.delivery.settings import DeliverySettings
from robotmia_logging.delivery.spool.link import Held, Item
from robotmia_logging.delivery.spool.reader import Mark, Reader
from robotmia_logging.delivery.spool.segment import TORN, Segment
from robotmia_logging.delivery.stats import Counters
from robotmia_logging.delivery.transport import Outcome, Parcel, Verdict
from robotmia_logging.messages import ENGAGE, IMPORT_AGE_S, TRACK, DeadLetter, Message, Refusal

_LANES = 16
"""Twice the default of `senders`: with users spread by hash, all of them find an open lane."""
_BEHIND_S = 0.25
"""More senders start once the backlog would take this long at the pace of one."""
_WINDOW, _WINDOW_BYTES = 10_000, 8 * 1024 * 1024
"""What of a spool is in memory at a time: enough for all senders, and soon read."""
_REFILL = 500
"""How much of it is read at a time, for the lock is held meanwhile."""


class Dispatch:
    """Decides for all senders of one delivery.

    Attributes:
        backlog: what is on its way.
        counters: the numbers behind `stats()`.
        letters: dead letters to be written by whoever holds no lock.
    """

    def __init__(
        self,
        settings: DeliverySettings,
        reporter: Reporter,
        random: Callable[[], float],
        settled: Callable[[Iterable[Message | Refusal]], object] = lambda _items: None,
    ) -> None:
        self._settings = settings
        self._reporter = reporter
        self._settle_kept = settled
        self._reader: Reader | None = None
        self._marked: list[tuple[Watcher, Mark]] = []
        self._window = min(_WINDOW, settings.max_pending)
        self._window_bytes = min(_WINDOW_BYTES, settings.max_pending_bytes)
        self.backlog = Backlog(_LANES)
        self.counters = Counters()
        self.letters: list[DeadLetter] = []
        self._full = min(settings.capacity, settings.max_pending)
        self._gates = {path: Gate(random) for path in ("track", "import", "engage")}
        self._retries: deque[Batch] = deque()
        self._due_seq = 0
        self._due_at: float | None = None
        self._request_s: float | None = None

    # --- what comes in

    def accept(self, item: Message | Refusal) -> None:
        """Take a message over from a log call, or the account of one that was refused there."""
        self.counters.accepted += 1
        self.counters.rendered += 0 if isinstance(item, Refusal) else item.rendered
        reader = self._reader
        if reader is None or item.place is None or reader.arrived(item, has_room=self._has_window()):
            self._take_over(item)
        elif isinstance(item.place.link, Held):
            self._bound(item.place.link)

    def _take_over(self, item: Item) -> None:
        if isinstance(item, DeadLetter):
            self._bury(item)
        elif isinstance(item, Refusal):
            self._account_refusal(item)
        elif _is_on_disk(item) or self.has_room(item) or self._make_room(item):
            self.backlog.add(item)
        else:
            self._settle_kept([item])
            self._drop(1)

    # --- with a spool

    def read_from(self, reader: Reader) -> None:
        """Take what is kept in a spool from its reader, a window of it at a time."""
        self._reader = reader
        self._settle_kept = reader.settle

    def adopted(self, count: int) -> None:
        """So many messages were taken over from a dead process."""
        self.counters.accepted += count

    def refill(self) -> None:
        """Take from the spool what there is room for."""
        reader = self._reader
        if reader is None:
            return
        for _ in range(_REFILL):
            item = reader.read() if self._has_window() else None
            if item is None:
                break
            self._take_over(item)
        marked, self._marked = self._marked, []
        for watcher, mark in marked:
            if reader.is_past(mark):
                self.backlog.set_going(watcher)
            else:
                self._marked.append((watcher, mark))

    def lost_from_spool(self, reason: str, count: int, detail: str) -> None:
        """Messages that the spool no longer has."""
        self.counters.dropped[reason] += count
        self._reporter.note(f"{{count}} messages dropped ({reason})", detail, count)

    def drop_oldest_segment(self) -> Segment | None:
        """Drop the messages of the spool's oldest segment that has none under way, so that it can be deleted."""
        reader = self._reader
        waiting = Counter(message.place.link for message in self.backlog.idle() if message.place is not None)
        segment = None if reader is None else reader.oldest_idle(waiting)
        if reader is None or segment is None:
            return None
        dropped = self.backlog.remove_where(lambda message: message.place is not None and message.place.link is segment)
        self._settle_kept(dropped)
        self._drop(len(dropped) + reader.give_up(segment))
        return segment

    def settle_letters(self, letters: Iterable[DeadLetter]) -> None:
        """These are in the file of dead letters: nobody else need keep them."""
        self._settle_kept(letter.letter for letter in letters)

    def _has_window(self) -> bool:
        return self.backlog.pending < self._window and self.backlog.pending_bytes < self._window_bytes

    def _bound(self, link: Held) -> None:
        """Keep what waits in memory, for want of a disk, within `max_pending` and `max_pending_bytes`."""
        settings, backlog, reader = self._settings, self.backlog, self._reader
        dropped = 0
        while (
            reader is not None
            and link.unread
            and (
                link.unread + backlog.pending > settings.max_pending
                or link.queued_bytes + backlog.pending_bytes > settings.max_pending_bytes
            )
        ):
            reader.shed(link, newest=settings.overflow != "drop_oldest")
            dropped += 1
        self._drop(dropped)

    # --- bounds

    def has_room(self, message: Message) -> bool:
        """Whether the message fits within `max_pending` and `max_pending_bytes`."""
        backlog, settings = self.backlog, self._settings
        return (
            backlog.pending < settings.max_pending
            and backlog.pending_bytes + len(message.body) <= settings.max_pending_bytes
        )

    def _make_room(self, message: Message) -> bool:
        self.hurry()
        if self._settings.overflow != "drop_oldest" or len(message.body) > self._settings.max_pending_bytes:
            return False
        dropped = 0
        while not self.has_room(message) and (oldest := self.backlog.drop_oldest()) is not None:
            self._settle_kept([oldest])
            dropped += 1
        self._drop(dropped)
        return self.has_room(message)

    def _drop(self, count: int) -> None:
        if count:
            self.counters.dropped["overflow"] += count
            settings = self._settings
            limits = f"max_pending={settings.max_pending}, max_pending_bytes={settings.max_pending_bytes}"
            last_error = self.counters.last_error or "the endpoint is slower than the log calls"
            self._reporter.note("{count} messages dropped, too many wait", f"{limits}; {last_error}", count)

    def _account_refusal(self, refusal: Refusal) -> None:
        if refusal.dropped:
            self.counters.dropped[refusal.reason] += 1
            self._settle_kept([refusal])
            if refusal.reason == TORN:
                self._reporter.note("{count} lines of the spool can't be read", refusal.error)
            elif refusal.reason != "before_send":
                self._reporter.note("{count} messages dropped by before_send", refusal.error)
        else:
            self._dead_letter(refusal, refusal.reason, refusal.error, 0)

    def take_letters(self) -> list[DeadLetter]:
        """Dead letters to be written, handed over."""
        letters, self.letters = self.letters, []
        return letters

    # --- what goes next

    def watch(self, *, patient: bool) -> Watcher:
        """A watcher of what is pending now, in the spool too; `unwatch` ends it."""
        watcher = Watcher(patient=patient)
        self.backlog.watch(watcher)
        if self._reader is None or not self._reader.unread:
            self.backlog.set_going(watcher)
        else:
            self._marked.append((watcher, self._reader.mark()))
        return watcher

    def unwatch(self, watcher: Watcher) -> None:
        """Nobody waits for this any more."""
        self.backlog.unwatch(watcher)
        self._marked = [(other, mark) for other, mark in self._marked if other is not watcher]

    def flush_all(self, now: float) -> None:
        """Everything that waits is due now, and no backoff is waited for."""
        self._due_seq = self.backlog.last_seq
        self._due_at = None
        for gate in self._gates.values():
            gate.hasten(now)

    def hurry(self) -> None:
        """Everything that waits is due now."""
        self._due_seq = self.backlog.last_seq

    def start_interval(self, since: float) -> None:
        """Something waits since `since` at the earliest: it is due one flush interval later."""
        if self._due_at is None and self.backlog.waiting:
            self._due_at = since + self._settings.flush_interval

    def choose(self, now: float, wall: float, *, deep: bool) -> Batch | None:
        """The next batch for a sender, or None if nothing is due or the endpoints are down."""
        for _ in range(len(self._retries)):
            batch = self._retries.popleft()
            if self.may_send(batch, now, wall):
                return batch
            self._retries.append(batch)
        if self._due_at is not None and now >= self._due_at:
            self._due_seq, self._due_at = self.backlog.last_seq, None
        if self.backlog.waiting >= self._full:
            self._due_seq = self.backlog.last_seq
        return self._take(now, wall, deep=deep)

    def _take(self, now: float, wall: float, *, deep: bool) -> Batch | None:
        heads = [head for endpoint in (TRACK, ENGAGE) if (head := self.backlog.next(endpoint)) is not None]
        for head in sorted(heads, key=lambda message: message.seq):
            if head.seq <= self._due_seq and self._gates[_path(head, wall)].is_open(now):
                return self.backlog.take(head.endpoint, self._settings.capacity, deep=deep or self.is_behind())
        return None

    def may_send(self, batch: Batch, now: float, wall: float) -> bool:
        """Whether the endpoint of the batch's next part takes requests."""
        return self._gates[_path(batch.parts[0][0], wall)].is_open(now)

    def parcel(self, batch: Batch, wall: float) -> Parcel:
        """The batch's next part as a parcel: of messages for one endpoint of the API, by their age now."""
        part = batch.parts[0]
        path = _path(part[0], wall)
        length = next((i for i, message in enumerate(part) if _path(message, wall) != path), len(part))
        if length < len(part):
            batch.parts[0] = part[length:]
            batch.parts.appendleft(part[:length])
        self._gates[path].enter()
        batch.attempts += 1
        self.counters.retries += batch.failed
        part = batch.parts[0]
        return Parcel(
            path=path, bodies=[message.body for message in part], located=all(message.located for message in part)
        )

    def put_back(self, batch: Batch) -> None:
        """The endpoint is down: the batch waits for it, its lanes closed."""
        self._retries.append(batch)

    def nap_s(self, now: float) -> float | None:
        """How long a sender with nothing to do may sleep; None if nothing will be due by itself."""
        times = [gate.opens_at for gate in self._gates.values() if gate.is_down and self._has_work()]
        if self._due_at is not None:
            times.append(self._due_at)
        future = [at - now for at in times if at > now]
        return min(future, default=None if not self._has_work() else 1.0)

    @property
    def pending(self) -> int:
        """How many messages have no outcome yet, those in the spool included."""
        return self.backlog.pending + (0 if self._reader is None else self._reader.unread)

    def _has_work(self) -> bool:
        return self.pending > 0

    def is_behind(self) -> bool:
        """Whether one sender would need too long for what waits."""
        batches = self.backlog.waiting / self._settings.capacity
        return self._request_s is not None and batches > 2 and batches * self._request_s > _BEHIND_S  # noqa: PLR2004

    def any_down(self) -> bool:
        """Whether an endpoint is down: then more senders would be a storm."""
        return any(gate.is_down for gate in self._gates.values())

    # --- what comes back

    def apply(self, batch: Batch, parcel: Parcel, outcome: Outcome, started: float, now: float, wall: float) -> bool:
        """Draw the conclusions. True: the sender goes on with the batch; False: it is done, or waits for a retry."""
        self.counters.requests += 1
        self.counters.bytes_sent += outcome.bytes_sent
        gate = self._gates[parcel.path]
        batch.failed = outcome.verdict is Verdict.FAILED
        if batch.failed:
            stale = outcome.stale and not batch.forgiven
            self._fail(batch, parcel, outcome, told=not stale)
            if not batch.parts:
                gate.fail(started, now, outcome.retry_after_s)
            elif stale:
                batch.forgiven = True
                gate.release(started)
                return True
            else:
                gate.fail(started, now, outcome.retry_after_s)
                self._retries.append(batch)
                return False
        else:
            gate.succeed(started)
            batch.forgiven = False
            self._learn_pace(now - started)
            self._conclude(batch, parcel, outcome, wall)
        if batch.parts:
            return True
        self.backlog.release(batch)
        return False

    def _conclude(self, batch: Batch, parcel: Parcel, outcome: Outcome, wall: float) -> None:
        part = batch.parts[0]
        if outcome.verdict is Verdict.DELIVERED:
            self.counters.delivered += len(part)
            self.counters.last_delivery = wall
            self._settle_kept(part)
            self.backlog.settle(part)
            batch.parts.popleft()
            return
        self.counters.last_error = f"/{parcel.path}/: {outcome.error}"
        if len(part) > 1 and outcome.verdict is not Verdict.REJECTED:
            batch.halve()
            return
        for message in part:
            self._dead_letter(message, outcome.verdict.value, outcome.error, batch.attempts)
        self.backlog.settle(part)
        batch.parts.popleft()

    def _fail(self, batch: Batch, parcel: Parcel, outcome: Outcome, *, told: bool) -> None:
        if told:
            self.counters.last_error = f"/{parcel.path}/: {outcome.error}"
            self._reporter.note(f"/{parcel.path}/ failed {{count}} times, messages wait", outcome.error)
            self.backlog.went_down()
        if outcome.ambiguous and self._settings.on_ambiguous == "dead_letter":
            self._give_up_unrepeatable(batch, outcome.error)

    def _give_up_unrepeatable(self, batch: Batch, error: str) -> None:
        part = batch.parts.popleft()
        given_up = [message for message in part if not message.repeatable]
        for message in given_up:
            self._dead_letter(message, "ambiguous", error, batch.attempts)
        self.backlog.settle(given_up)
        rest = [message for message in part if message.repeatable]
        if rest:
            batch.parts.appendleft(rest)

    def _dead_letter(self, letter: Message | Refusal, reason: str, error: str, attempts: int) -> None:
        self._bury(DeadLetter(letter=letter, reason=reason, error=error, attempts=attempts))

    def _bury(self, letter: DeadLetter) -> None:
        self.counters.dead_lettered[letter.reason] += 1
        self._reporter.note(f"{{count}} messages can't be delivered ({letter.reason})", letter.error)
        if self._settings.dead_letters is not None:
            self.letters.append(letter)
        else:
            self._settle_kept([letter.letter])

    def _learn_pace(self, took_s: float) -> None:
        self._request_s = took_s if self._request_s is None else 0.7 * self._request_s + 0.3 * took_s  # a smoothed mean


def _is_on_disk(message: Message) -> bool:
    return message.place is not None and message.place.link.is_durable


def _path(message: Message, wall: float) -> str:
    """The endpoint of the API for a message sent now: old events go to `/import/`."""
    if message.endpoint == TRACK and wall - message.time > IMPORT_AGE_S:
        return "import"
    return message.endpoint
