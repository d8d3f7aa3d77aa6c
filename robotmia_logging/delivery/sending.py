"""The work of the senders: what they take from the buffer, and what they make of an outcome.

The lock is never held while something is sent or waited for.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from robotmia_logging.delivery.backlog import Backlog, Batch
from robotmia_logging.delivery.bells import Bells
from robotmia_logging.delivery.clock import Clock
from robotmia_logging.delivery.dispatch import Dispatch
from robotmia_logging.delivery.guard import Guard
from robotmia_logging.delivery.inbox import Inbox
from robotmia_logging.delivery.intake import Intake
from robotmia_logging.delivery.senders import SENDING, Senders
from robotmia_logging.delivery.settings import DeliverySettings
from robotmia_logging.delivery.transport import Outcome, Parcel, Transport

if TYPE_CHECKING:
    from robotmia_logging.delivery.keeper import Keeper

_LOOK_AGAIN_S = 0.005


class Sending:
    """What the senders of one delivery do; any thread may do it.

    Args:
        settings: the options.
        clock: the times.
        guard: the delivery's lock.
        inbox: where log calls leave messages.
        intake: what takes them over.
        backlog: where they wait.
        dispatch: what decides which go next.
        keeper: the spool, if there is one.
        bells: of those who wait for room.
        tidy: does what must not be done under the lock or in a log call.
        transport: makes a transport for a sender.

    Attributes:
        settings: the options.
        clock: the times.
        make_transport: makes a transport for a sender.
        tidy: does what must not be done under the lock or in a log call.
        senders: the threads.
        stands_still: whether nothing is sent any more, for good.
    """

    def __init__(
        self,
        settings: DeliverySettings,
        *,
        clock: Clock,
        guard: Guard,
        inbox: Inbox,
        intake: Intake,
        backlog: Backlog,
        dispatch: Dispatch,
        keeper: Keeper | None,
        bells: Bells,
        tidy: Callable[[], None],
        transport: Callable[[], Transport],
    ) -> None:
        self.settings = settings
        self.clock = clock
        self.make_transport = transport
        self.tidy = tidy
        self._guard = guard
        self._inbox = inbox
        self._intake = intake
        self._backlog = backlog
        self._dispatch = dispatch
        self._keeper = keeper
        self._bells = bells
        self._hurried = False
        self._under_way = 0  # requests
        self.stands_still = False
        self.senders = Senders(self)

    def hurry(self) -> None:
        """What waits by now is due at the next `take`."""
        self._hurried = True

    # --- what goes next

    def take(self, *, lead: bool) -> tuple[Batch | None, float | None, bool]:
        """A batch, or how long to sleep (None: until woken); and whether another sender would help."""
        hurried, self._hurried = self._hurried, False  # before the sweep: what it was for is in the inbox by now
        with self._guard:
            self._inbox.sweep()
            if hurried:
                self._dispatch.hurry()
            if self._keeper is not None:
                self._intake.refill()
                self._inbox.reckon()
            return self._choose(lead=lead)

    def _choose(self, *, lead: bool) -> tuple[Batch | None, float | None, bool]:
        dispatch, senders, now = self._dispatch, self.senders, self.clock.monotonic()
        dispatch.start_interval(senders.looked_at)
        if lead:
            senders.looked_at = now
        batch = None if self.stands_still else dispatch.choose(now, self.clock.time(), deep=senders.count > 1)
        if batch is not None:
            if lead:
                self._inbox.wake_at(None)
            return batch, 0.0, dispatch.is_behind() and not dispatch.any_down()
        nap = dispatch.nap_s(now)
        if lead:
            senders.asleep = True
            self._inbox.wake_at(self._length_to_wake_at(nap))
        return None, nap, False

    def _length_to_wake_at(self, nap: float | None) -> int | None:
        if nap is None:
            return 1
        if self._dispatch.any_down():
            return None
        return self.settings.capacity - self._backlog.waiting

    def needs_helpers(self) -> bool:
        """For a helper: whether it is of use."""
        return self._dispatch.is_behind() or not self._dispatch.is_near

    # --- for the lead

    def wants_attention(self) -> bool:
        """For the lead about to sleep: whether something came since it looked."""
        return self._hurried or len(self._inbox.items) >= self._inbox.attention or self._intake.has_more

    def may_end(self) -> bool:
        """For the lead told to end: whether nothing is pending."""
        # In the order in which a message goes from one to the next: looked at without the lock, it may count twice.
        return not (self._inbox.items or self._intake.unread or self._backlog.pending)

    def wait_s(self, nap: float | None) -> float:
        """For the lead about to sleep: for how long; -1 for until it is woken."""
        if self._keeper is not None:
            return self._keeper.wait_s(nap)
        return -1 if nap is None else nap

    def awake(self) -> None:
        """The lead is awake: it will look at the inbox without being rung for."""
        with self._guard:
            self._inbox.wake_at(None)

    def ended(self) -> None:
        """The lead has ended: the next message starts a new one."""
        with self._guard:
            self._inbox.wake_at(1)
        if self._keeper is not None:
            self._keeper.do_chores()

    # --- requests

    def deliver(self, batch: Batch, transport: Transport, deadline: float | None = None) -> None:
        """Send a batch, part by part, as far as it goes now, each request ending by `deadline`."""
        guard, inbox, dispatch, clock = self._guard, self._inbox, self._dispatch, self.clock
        going = True
        while going:
            with guard:
                inbox.sweep()
                started, wall = clock.monotonic(), clock.time()
                if self.stands_still or not dispatch.may_send(batch, started, wall):
                    dispatch.put_back(batch)
                    return
                parcel = dispatch.parcel(batch, wall)
                self._under_way += 1
            if deadline is not None:
                parcel = parcel._replace(within_s=deadline - started)
            try:
                outcome = _send(transport, parcel)
            except BaseException:  # Ctrl-C, where threads can't run and the caller sends
                with guard:
                    self._under_way -= 1
                    dispatch.broken_off(batch, parcel, started)
                raise
            with guard:
                inbox.sweep()
                self._under_way -= 1
                going = dispatch.apply(batch, parcel, outcome, started, clock.monotonic(), clock.time())
            self._bells.ring()
            self.tidy()

    def stand_still(self, deadline: float) -> None:
        """Send no more, for good: whoever keeps what waits has it sent by another process.

        Requests that have begun get until `deadline` to end; what is under way after that is sent twice.
        """
        self._guard.run(lambda: setattr(self, "stands_still", True), 1.0)
        while self._under_way and self.clock.monotonic() < deadline:
            self.clock.sleep(_LOOK_AGAIN_S)
        self._guard.run(lambda: None, 1.0)  # under the lock the latest outcome is told


def _send(transport: Transport, parcel: Parcel) -> Outcome:
    me = threading.get_ident()
    SENDING.add(me)
    try:
        return transport.send(parcel)
    finally:
        SENDING.discard(me)
