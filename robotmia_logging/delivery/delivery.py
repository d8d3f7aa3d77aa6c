"""Delivery: takes messages from log calls without making them wait, and accounts for every one.

The way of a message::

    log call -> put -> Inbox (a deque: no lock, no wake-up)
                         | swept by a sender, under the lock
                       Intake (bounds) -> Backlog (order) -> Dispatch (due times, retries: no I/O)
                         | a batch
                       Sending, in a thread of Senders -> Transport -> an Outcome -> Dispatch

With a spool, `put` writes the message to disk before it goes into the inbox.

A log call takes the lock only to keep the bounds, and never waits for it: whoever holds it looks at the inbox again.
The lock is never held while something is sent or waited for.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from robotmia_logging.delivery.backlog import Backlog, Watcher
from robotmia_logging.delivery.bells import Bells
from robotmia_logging.delivery.clock import Clock
from robotmia_logging.delivery.dispatch import Dispatch
from robotmia_logging.delivery.guard import Guard
from robotmia_logging.delivery.inbox import BIG_BYTES, Inbox
from robotmia_logging.delivery.intake import Intake
from robotmia_logging.delivery.letter_box import LetterBox
from robotmia_logging.delivery.lifecycle import adopt, closed, first_message
from robotmia_logging.delivery.outcomes import Outcomes, Settled
from robotmia_logging.delivery.report import Reporter
from robotmia_logging.delivery.room import Room
from robotmia_logging.delivery.senders import SENDING
from robotmia_logging.delivery.sending import Sending
from robotmia_logging.delivery.settings import DeliverySettings
from robotmia_logging.delivery.stats import Stats
from robotmia_logging.delivery.transport import Transport
from robotmia_logging.messages import Message, Refusal, as_text

if TYPE_CHECKING:
    from robotmia_logging.delivery.keeper import Keeper

_YEAR_S = 365 * 24 * 3600.0
_is_finalizing = sys.is_finalizing
_GRACE_S = 0.5  # what requests get to end at exit, though an endpoint is down


class Delivery:
    """Buffers messages and delivers them in the background; shared by the doors that are given it.

    Args:
        settings: the options.
        transport: makes a transport for a sender.
        clock: times, sleep and jitter.
        say: tells trouble, a line at a time.
        start_thread: starts a thread; raises RuntimeError where none can be.
        settled: told, under the lock, of messages that have their outcome for good; a dead letter once it is written.
    """

    def __init__(
        self,
        settings: DeliverySettings,
        *,
        transport: Callable[[], Transport] | None = None,
        clock: Clock | None = None,
        say: Callable[[str], None] = lambda _line: None,
        start_thread: Callable[[threading.Thread], None] = threading.Thread.start,
        settled: Settled = lambda _items: None,
    ) -> None:
        self.settings = settings
        self._make_transport, self._warm_loggers = (transport, _do_nothing) if transport else _over_http(settings)
        self._clock = clock or Clock()
        self._say = say
        self._start_thread = start_thread
        self._settled = settled
        self._begin()
        adopt(self)

    def _begin(self) -> None:
        """An empty buffer, new locks, no threads: at the start, and again in a forked child."""
        settings, clock = self.settings, self._clock
        self._guard = Guard()
        self._bells = Bells()
        self._reporter = Reporter(self._say)
        self._backlog = Backlog()
        self._outcomes = Outcomes(settings, self._reporter, self._settled)
        self._letter_box = LetterBox(settings, self._guard, self._outcomes, self._reporter, clock)
        self._dispatch = Dispatch(settings, self._backlog, self._outcomes, self._reporter, clock.random)
        self._intake = Intake(settings, self._backlog, self._outcomes, self._dispatch.hurry)
        self._inbox = Inbox(settings, self._intake)
        self._keeper = self._open_spool()
        self._sending = Sending(
            settings,
            clock=clock,
            guard=self._guard,
            inbox=self._inbox,
            intake=self._intake,
            backlog=self._backlog,
            dispatch=self._dispatch,
            keeper=self._keeper,
            bells=self._bells,
            tidy=self.tidy,
            transport=self._make_transport,
        )
        self._senders = self._sending.senders
        self._room = self._guard_room()
        self._looks_first = self._keeper is not None or self._room is not None
        self._exit_deadline: float | None = None
        self.reported_lost = 0

    def _open_spool(self) -> Keeper | None:
        if self.settings.spool is None:
            return None
        from robotmia_logging.delivery.keeper import Keeper  # noqa: PLC0415  (not imported without a spool)

        return Keeper(
            self.settings.spool,
            self.settings,
            clock=self._clock,
            guard=self._guard,
            intake=self._intake,
            outcomes=self._outcomes,
            reporter=self._reporter,
            sweep=self._inbox.sweep,
        )

    def _guard_room(self) -> Room | None:
        if self.settings.overflow != "block":
            return None
        return Room(
            self.settings,
            clock=self._clock,
            guard=self._guard,
            inbox=self._inbox,
            intake=self._intake,
            backlog=self._backlog,
            dispatch=self._dispatch,
            bells=self._bells,
            wake=self._wake,
        )

    # --- for log calls

    def put(self, message: Message) -> None:
        """Take a message over. Appends to a deque; once in a while it wakes a sender or keeps the bounds."""
        if self._looks_first and not self._is_let_in(message):
            return
        inbox = self._inbox
        items = inbox.items
        items.append(message)
        if len(items) >= inbox.attention or len(message.body) > BIG_BYTES:
            self._attend(big=len(message.body) > BIG_BYTES)

    def _is_let_in(self, message: Message) -> bool:
        """Have the message spooled, and look for room. False if it is in the backlog by then, or dropped."""
        keeper, room = self._keeper, self._room
        if keeper is not None and not self._keep(keeper, message):
            return False
        if room is None or (keeper is not None and keeper.is_on_disk):
            return True
        return not room.is_scarce() or not room.wait_and_put(message)

    def account(self, refusal: Refusal) -> None:
        """Take over the account of a message that was refused or dropped in the log call."""
        if self._keeper is not None and not refusal.dropped and not self._keep(self._keeper, refusal):
            return
        self._inbox.items.append(refusal)
        if len(self._inbox.items) >= self._inbox.attention:
            self._attend()

    def hurry(self) -> None:
        """What waits is due now: a record of `flush_level` came. Quick, and no storm: senders finish what they do."""
        self._sending.hurry()
        self._wake()

    def _keep(self, keeper: Keeper, item: Message | Refusal) -> bool:
        """Have an item kept in the spool; False if that is full, and the item dropped."""
        try:
            if keeper.keep(item):
                return True
        except Exception as error:  # a defect: the message is sent all the same
            self.trouble("a message can't be spooled", error)
            return True
        full = f"spool_max_bytes={self.settings.spool_max_bytes}, or other processes have it filled"
        self.account(Refusal("overflow", full, item.endpoint, dropped=True))
        return False

    def _attend(self, *, big: bool = False) -> None:
        if big or len(self._inbox.items) >= self._inbox.sweep_at:
            self._guard.run_soon(self._inbox.sweep)
        if self._senders.asleep or not self._senders.running:
            self._wake()
        if _is_finalizing():  # no thread runs any more: nobody will send it
            closed(self, delivered=False)
        elif self._exit_deadline is not None and not threading.current_thread().daemon:
            self.close_by(self._exit_deadline)  # logged after our last hook: nobody will look again

    def _wake(self) -> bool:
        """Wake the lead, or start one; False where no thread can run."""
        if _is_finalizing():  # a thread started now would never run, nor would its start return
            return False
        if self._senders.running:
            self._senders.ring()
            return True
        started = self._senders.start_lead(self._start_thread)
        first_message()
        return started

    # --- for people

    def flush(self, timeout: float | None = None) -> bool:
        """Wait until everything accepted before the call has its outcome.

        Ends a backoff's wait. Where threads can't run, the caller sends.

        Args:
            timeout: seconds to wait at most; default `shutdown_timeout`. 0 only starts it.

        Returns:
            Whether all of it has its outcome.
        """
        timeout = self.settings.shutdown_timeout if timeout is None else min(timeout, _YEAR_S)
        return self.flush_until(self._clock.monotonic() + timeout)

    def flush_until(self, deadline: float) -> bool:
        """`flush` with a deadline in monotonic seconds."""
        keeper = self._keeper
        if keeper is None:
            return self._drain(deadline, patient=True)
        self._adopt(keeper, deadline)
        while True:
            adopted = keeper.adopted
            if not self._drain(deadline, patient=True) or not self._adopt(keeper, deadline):
                return False
            if keeper.adopted == adopted:  # neither we nor a sender found anything since
                return not keeper.may_adopt_more

    def settle_until(self, deadline: float) -> bool:
        """Like `flush_until`, for an exit or a reload: what is spooled needn't wait for an endpoint that is down."""
        return self._drain(deadline, patient=False)

    def _drain(self, deadline: float, *, patient: bool) -> bool:
        if self._sending.stands_still:
            return not self.pending
        if not self.pending and not self._outcomes.letters:
            self.tidy()
            return True
        may_leave = not patient and not self.at_risk  # once an endpoint is down: the rest is on disk
        watcher = Watcher(patient=not may_leave)
        self._warm_loggers()
        try:
            if not self._guard.run(lambda: self._watch(watcher), deadline - self._clock.monotonic()):
                return False
            threads_run = self._wake()
            if threading.get_ident() in SENDING:  # asked from within a delivery: it would wait for itself
                return watcher.done
            if not threads_run:
                self._senders.work_here(deadline, lambda: watcher.done or (may_leave and self._dispatch.any_down()))
            elif not (may_leave and self._dispatch.any_down()):
                watcher.wait(deadline - self._clock.monotonic())
        finally:
            self._guard.run(lambda: self._intake.unwatch(watcher), 1.0)
        self.tidy()
        return watcher.done

    def _watch(self, watcher: Watcher) -> None:
        self._inbox.sweep()
        self._dispatch.flush_all(self._clock.monotonic())
        self._intake.watch(watcher)

    def close(self, timeout: float | None = None) -> bool:
        """Drain like `flush`; the threads end. The next message starts anew."""
        timeout = self.settings.shutdown_timeout if timeout is None else min(timeout, _YEAR_S)
        return self.close_by(self._clock.monotonic() + timeout)

    def close_by(self, deadline: float) -> bool:
        """`close` with a deadline in monotonic seconds."""
        done = self.settle_until(deadline)
        # What is spooled may go on being delivered, and nobody need wait for that.
        self._senders.stop(deadline if done or self.at_risk else self._clock.monotonic(), drained=done)
        if done and self.pending and self._exit_deadline is None:  # logged since: the next thread's
            self._wake()
        if self._keeper is not None:
            self._keeper.leave()
        closed(self, delivered=done)
        return done

    def stats(self) -> Stats:
        """What became of the messages so far."""
        taken: list[Stats] = []
        # Asked by a destructor amid this thread's own work under the lock, the numbers are those of that moment.
        if not self._guard.run(lambda: taken.append(self._snapshot()), 1.0):
            return self._outcomes.counters.snapshot(self._backlog.pending + self._intake.unread)
        return taken[0]

    def _snapshot(self) -> Stats:
        self._inbox.sweep()
        return self._outcomes.counters.snapshot(self._backlog.pending + self._intake.unread)

    @property
    def pending(self) -> int:
        """How many messages have no outcome yet."""
        # In the order in which a message goes from one to the next: looked at without the lock, it may count twice.
        return len(self._inbox.items) + self._intake.unread + self._backlog.pending

    @property
    def at_risk(self) -> int:
        """How many of them are lost when the process ends now."""
        if self._keeper is None:
            return self.pending
        unswept = sum(1 for item in list(self._inbox.items) if item.place is None or not item.place.link.is_durable)
        return min(self.pending, self._keeper.in_memory + unswept)

    @property
    def last_error(self) -> str | None:
        """The latest trouble in delivery."""
        return self._outcomes.counters.last_error

    def __repr__(self) -> str:
        state = "running" if self._senders.running else "idle"
        return f"<Delivery to {self.settings.url} {state}, {self.pending} pending>"

    # --- beside senders

    def tidy(self) -> None:
        """Write dead letters and tell trouble: what must not be done under the lock or in a log call."""
        self._letter_box.empty()
        if self._keeper is not None:
            self._keeper.tidy()
        self._reporter.tell(self._clock.monotonic())

    def _adopt(self, keeper: Keeper, deadline: float) -> bool:
        """Take over what dead processes left in the spool; False if there was no time to look."""
        return keeper.do_chores(adopt=True, timeout_s=deadline - self._clock.monotonic())

    def trouble(self, cause: str, error: Exception) -> None:
        """Trouble in a door: counted, and told by a sender. Threads may count at once: the count may be low."""
        self._reporter.note(cause, f"{type(error).__name__}: {as_text(error)}")
        self._wake()

    @property
    def clock(self) -> Clock:
        """The clock this delivery goes by."""
        return self._clock

    # --- forks and exits

    def after_fork_in_child(self) -> None:
        """The child starts empty: the parent's messages are the parent's, and so are its connections."""
        senders = self._senders
        self._begin()
        senders.abandon()

    def exiting(self, deadline: float) -> None:
        """The process ends: what is logged from now on is delivered in the log call, until `deadline`."""
        self._exit_deadline = deadline
        if not self._guard.run(self._inbox.attend_always, 1.0):
            self._inbox.attend_always()  # a thread is stuck: better than never
        if self._keeper is not None:
            self._keeper.stop_adopting()
            if self.pending:
                self.stand_still(min(deadline, self._clock.monotonic() + self.exit_grace_s))
            self._keeper.leave()

    @property
    def exit_grace_s(self) -> float:
        """What requests that have begun get to end at exit, the last of `shutdown_timeout`."""
        return 0.0 if self._keeper is None else min(_GRACE_S, self.settings.shutdown_timeout / 4)

    def stand_still(self, deadline: float) -> None:
        """Send no more, for good: whoever keeps what waits has it sent by another process.

        Requests that have begun get until `deadline` to end; what is under way after that is sent twice.
        """
        self._sending.stand_still(deadline)

    def tell_news_here(self) -> None:
        """At exit: say what is left to say, in this thread."""
        for line in self._reporter.lines(float("inf")):  # the last minute's, too
            self._say(line)


def _over_http(settings: DeliverySettings) -> tuple[Callable[[], Transport], Callable[[], None]]:
    """What makes transports, and what is to be done before senders are waited for."""
    # With requests this is most of what there is to import: who sends nothing does without it.
    from robotmia_logging.delivery.http import HttpTransport, warm_urllib3_loggers  # noqa: PLC0415

    return lambda: HttpTransport(settings), warm_urllib3_loggers


def _do_nothing() -> None:
    pass


def switched_off() -> Transport:
    """In place of a transport, where there is nothing to send."""
    raise RuntimeError("delivery is switched off")
