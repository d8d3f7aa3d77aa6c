"""The decisions of delivery: what goes next, when, where, and what follows from an outcome.

No threads, no I/O, no clock of its own: the delivery's lock is held around every call, and times are given.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from robotmia_logging.delivery.backlog import Backlog, Batch
from robotmia_logging.delivery.outcomes import Outcomes
from robotmia_logging.delivery.report import Reporter
from robotmia_logging.delivery.retry import Gate
from robotmia_logging.delivery.settings import DeliverySettings
from robotmia_logging.delivery.transport import Outcome, Parcel, Verdict
from robotmia_logging.messages import ENGAGE, IMPORT_AGE_S, TRACK, Message

_NEAR_S = 0.003
"""Requests that take less keep a sender busy rather than waiting. Others beside it would wait for the interpreter, like
whoever logs: to get it from a busy thread takes 5 ms."""

_LEARNT = 0.002
"""How much one slower request counts for."""

_FEW = 2
"""So many batches are nothing to start another sender for."""

_BEHIND_S = 0.25
"""More senders start once the backlog would take this long at the pace of one."""


class Dispatch:
    """Decides for all senders of one delivery what of the backlog goes next, and what follows from an outcome."""

    def __init__(
        self,
        settings: DeliverySettings,
        backlog: Backlog,
        outcomes: Outcomes,
        reporter: Reporter,
        random: Callable[[], float],
    ) -> None:
        self._settings = settings
        self._backlog = backlog
        self._outcomes = outcomes
        self._counters = outcomes.counters
        self._reporter = reporter
        self._full = min(settings.capacity, settings.max_pending)
        self._gates = {path: Gate(random) for path in ("track", "import", "engage")}
        self._retries: deque[Batch] = deque()
        self._due_seq = 0
        self._due_at: float | None = None
        self._request_s: float | None = None

    # --- what goes next

    def flush_all(self, now: float) -> None:
        """Everything that waits is due now, and no backoff is waited for."""
        self._due_seq = self._backlog.last_seq
        self._due_at = None
        for gate in self._gates.values():
            gate.hasten(now)

    def hurry(self) -> None:
        """Everything that waits is due now."""
        self._due_seq = self._backlog.last_seq

    def start_interval(self, since: float) -> None:
        """Something waits since `since` at the earliest: it is due one flush interval later."""
        if self._due_at is None and self._backlog.waiting:
            self._due_at = since + self._settings.flush_interval

    def choose(self, now: float, wall: float, *, deep: bool) -> Batch | None:
        """The next batch for a sender, or None if nothing is due or the endpoints are down."""
        for _ in range(len(self._retries)):
            batch = self._retries.popleft()
            if self.may_send(batch, now, wall):
                return batch
            self._retries.append(batch)
        if self._due_at is not None and now >= self._due_at:
            self._due_seq, self._due_at = self._backlog.last_seq, None
        if self._backlog.waiting >= self._full:
            self._due_seq = self._backlog.last_seq
        return self._take(now, wall, deep=deep)

    def _take(self, now: float, wall: float, *, deep: bool) -> Batch | None:
        heads = [head for endpoint in (TRACK, ENGAGE) if (head := self._backlog.next(endpoint)) is not None]
        for head in sorted(heads, key=lambda message: message.seq):
            if head.seq <= self._due_seq and self._gates[_path(head, wall)].is_open(now):
                return self._backlog.take(head.endpoint, self._settings.capacity, deep=deep or self.is_behind())
        return None

    def may_send(self, batch: Batch, now: float, wall: float) -> bool:
        """Whether the endpoint of the batch's next part takes requests."""
        return self._gates[_path(batch.parts[0][0], wall)].is_open(now)

    def parcel(self, batch: Batch, wall: float) -> Parcel:
        """The batch's next part as a parcel: of messages for one endpoint of the API, by their age now."""
        part = batch.parts[0]
        path = part[0].endpoint
        if path == TRACK and wall - min([message.time for message in part]) > IMPORT_AGE_S:
            path, part = _split_by_age(batch, wall)
        self._gates[path].enter()
        batch.attempts += 1
        self._counters.retries += batch.failed
        located = path == ENGAGE and all(message.located for message in part)
        return Parcel(path=path, bodies=[message.body for message in part], located=located)

    def broken_off(self, batch: Batch, parcel: Parcel, started: float) -> None:
        """A request ended without an outcome, by Ctrl-C in the thread that sent it: its part is sent again."""
        batch.failed = True
        self._gates[parcel.path].release(started)
        self._retries.append(batch)

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

    def _has_work(self) -> bool:
        return self._backlog.pending > 0

    def is_behind(self) -> bool:
        """Whether more senders would help: what waits takes one of them too long, or is soon too much."""
        backlog, settings = self._backlog, self._settings
        batches = backlog.waiting / settings.capacity
        if self._request_s is None or batches <= _FEW:
            return False
        if self.is_near:
            return 2 * backlog.waiting > settings.max_pending or 2 * backlog.pending_bytes > settings.max_pending_bytes
        return batches * self._request_s > _BEHIND_S

    @property
    def is_near(self) -> bool:
        """Whether replies come so soon that one sender does as much as several."""
        return self._request_s is not None and self._request_s < _NEAR_S

    def any_down(self) -> bool:
        """Whether an endpoint is down: then more senders would be a storm."""
        return any(gate.is_down for gate in self._gates.values())

    # --- what comes back

    def apply(self, batch: Batch, parcel: Parcel, outcome: Outcome, started: float, now: float, wall: float) -> bool:
        """Draw the conclusions. True: the sender goes on with the batch; False: it is done, or waits for a retry."""
        self._counters.requests += 1
        self._counters.bytes_sent += outcome.bytes_sent
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
        self._backlog.release(batch)
        return False

    def _conclude(self, batch: Batch, parcel: Parcel, outcome: Outcome, wall: float) -> None:
        part = batch.parts[0]
        if outcome.verdict is Verdict.DELIVERED:
            self._counters.delivered += len(part)
            self._counters.last_delivery = wall
            self._outcomes.settled(part)
            self._backlog.settle(part)
            batch.parts.popleft()
            return
        self._counters.last_error = f"/{parcel.path}/: {outcome.error}"
        if len(part) > 1 and outcome.verdict is not Verdict.REJECTED:
            batch.halve()
            return
        for message in part:
            self._outcomes.dead_letter(message, outcome.verdict.value, outcome.error, batch.attempts)
        self._backlog.settle(part)
        batch.parts.popleft()

    def _fail(self, batch: Batch, parcel: Parcel, outcome: Outcome, *, told: bool) -> None:
        if told:
            self._counters.last_error = f"/{parcel.path}/: {outcome.error}"
            self._reporter.note(f"/{parcel.path}/ failed {{count}} times, messages wait", outcome.error)
            self._backlog.went_down()
        if outcome.ambiguous and self._settings.on_ambiguous == "dead_letter":
            self._give_up_unrepeatable(batch, outcome.error)

    def _give_up_unrepeatable(self, batch: Batch, error: str) -> None:
        part = batch.parts.popleft()
        given_up = [message for message in part if not message.repeatable]
        for message in given_up:
            self._outcomes.dead_letter(message, "ambiguous", error, batch.attempts)
        self._backlog.settle(given_up)
        rest = [message for message in part if message.repeatable]
        if rest:
            batch.parts.appendleft(rest)

    def _learn_pace(self, took_s: float) -> None:
        """What a request takes at best, now: not what it waits for the interpreter beside busy threads."""
        known = took_s if self._request_s is None else self._request_s
        self._request_s = min(took_s, known + _LEARNT * (took_s - known))


def _path(message: Message, wall: float) -> str:
    """The endpoint of the API for a message sent now: old events go to `/import/`."""
    if message.endpoint == TRACK and wall - message.time > IMPORT_AGE_S:
        return "import"
    return message.endpoint


def _split_by_age(batch: Batch, wall: float) -> tuple[str, list[Message]]:
    """Cut the batch's next part where the endpoint of the API changes; the endpoint, and the part as it is now."""
    part = batch.parts[0]
    path = _path(part[0], wall)
    length = next((i for i, message in enumerate(part) if _path(message, wall) != path), len(part))
    if length < len(part):
        batch.parts[0] = part[length:]
        batch.parts.appendleft(part[:length])
    return path, batch.parts[0]
