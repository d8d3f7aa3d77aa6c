"""The sending threads: a lead that keeps the times, and helpers while there is a backlog.

All are daemons: they start with the first message, run during exit, and never keep a process alive.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Protocol

from robotmia_logging.delivery.backlog import Batch
from robotmia_logging.delivery.clock import Clock
from robotmia_logging.delivery.settings import DeliverySettings
from robotmia_logging.delivery.transport import Transport

SENDING: set[int] = set()
"""Threads in the middle of a request: what they log (urllib3's debug lines) must never be tracked."""

THREAD_NAME = "robotmia-sender"
"""The name of the sending threads, by which their records are known behind a queue, too."""

_HELPER_LINGER_S = 0.05


class Work(Protocol):
    """What senders need of their delivery."""

    settings: DeliverySettings

    @property
    def clock(self) -> Clock: ...
    def make_transport(self) -> Transport: ...
    def take(self, *, lead: bool) -> tuple[Batch | None, float | None, bool]: ...
    def needs_helpers(self) -> bool: ...
    def wait_s(self, nap: float | None) -> float: ...
    def wants_attention(self) -> bool: ...
    def may_end(self) -> bool: ...
    def deliver(self, batch: Batch, transport: Transport, deadline: float | None = None) -> None: ...
    def tidy(self) -> None: ...
    def awake(self) -> None: ...
    def ended(self) -> None: ...


class Senders:
    """The threads of one delivery.

    Attributes:
        asleep: whether the lead waits to be woken, or for something to be due.
        looked_at: when the lead last saw the inbox empty, in monotonic seconds.
    """

    def __init__(self, work: Work) -> None:
        self._work = work
        self._bell = threading.Lock()
        self._bell.acquire()
        self._count_lock = threading.Lock()
        self._threads: set[threading.Thread] = set()
        self._transports: list[Transport] = []
        self._ending = False
        self._drained = False
        self._role = threading.Lock()  # held by the lead: there is one at most
        self.asleep = False
        self.looked_at = 0.0

    @property
    def running(self) -> bool:
        """Whether there is a lead."""
        return self._role.locked()

    @property
    def count(self) -> int:
        """How many threads there are."""
        return len(self._threads)

    def ring(self) -> None:
        """Wake the lead. A lock in C, released from anywhere: a signal handler can't deadlock on it."""
        try:
            if self._bell.locked():
                self._bell.release()
        except RuntimeError:  # it has just been rung by another
            pass

    def start_lead(self, start: Callable[[threading.Thread], None]) -> bool:
        """Start the lead, if there is none; False where threads can't run."""
        if self._role.locked():
            return True
        self._ending = False
        self.looked_at = self._work.clock.monotonic()
        return self._start(self._lead, start)

    def stop(self, deadline: float, *, drained: bool) -> None:
        """Have the threads end, and wait for that until `deadline`; if not `drained`, once nothing is pending."""
        self._drained = drained
        self._ending = True
        self.ring()
        me = threading.current_thread()
        for thread in list(self._threads):
            if thread is not me and thread.ident is not None:
                thread.join(max(0.0, deadline - self._work.clock.monotonic()))

    def abandon(self) -> None:
        """In a forked child: the threads are gone, their connections are the parent's."""
        SENDING.clear()
        for transport in self._transports:
            transport.abandon()

    def work_here(self, deadline: float, done: Callable[[], bool]) -> None:
        """Send in this thread, where no other can."""
        self._sending(lambda transport: self._work_until(deadline, done, transport))

    def _work_until(self, deadline: float, done: Callable[[], bool], transport: Transport) -> None:
        clock = self._work.clock
        while not done() and (left := deadline - clock.monotonic()) > 0:
            batch, nap, _ = self._work.take(lead=False)
            if batch is not None:
                self._work.deliver(batch, transport, deadline)
            else:
                clock.sleep(min(left, _HELPER_LINGER_S if nap is None else nap))

    def _start(self, loop: Callable[[Transport], None], start: Callable[[threading.Thread], None]) -> bool:
        thread = threading.Thread(target=self._run, args=(loop,), name=THREAD_NAME, daemon=True)
        self._threads.add(thread)
        try:
            start(thread)
        except RuntimeError:  # too many threads, or the interpreter is ending
            self._threads.discard(thread)
            return False
        return True

    def _run(self, loop: Callable[[Transport], None]) -> None:
        try:
            self._sending(loop)
        finally:
            self._threads.discard(threading.current_thread())

    def _sending(self, loop: Callable[[Transport], None]) -> None:
        transport = self._work.make_transport()
        self._transports.append(transport)
        try:
            loop(transport)
        finally:
            self._transports.remove(transport)
            transport.close()

    def _lead(self, transport: Transport) -> None:
        # Taken here, not by whoever starts us: a signal handler that raises there would leave it taken for good.
        if not self._role.acquire(blocking=False):
            return
        try:
            while not (self._ending and self._end()):
                self._turn(transport)
        except BaseException:
            try:
                self._work.ended()
            finally:
                self._role.release()
            raise

    def _turn(self, transport: Transport) -> None:
        """One turn of the lead: send what is due, or sleep until something is."""
        batch, nap, more = self._work.take(lead=True)
        if batch is not None:
            if more:
                self._help()
            self._work.deliver(batch, transport)
            self.asleep = False
            return
        self._work.tidy()
        if not self._ending and not self._work.wants_attention():
            self._bell.acquire(timeout=self._work.wait_s(nap))
            if nap is None:  # woken by the first message after a silence: its interval begins now
                self.looked_at = self._work.clock.monotonic()
            self._work.awake()
        elif self._ending:
            self._bell.acquire(timeout=_HELPER_LINGER_S)
        self.asleep = False

    def _end(self) -> bool:
        """End the lead, unless something is pending. The next message starts a new one."""
        if self._drained:
            self._work.ended()
            self._role.release()
            if not self._work.may_end():  # logged since: the next thread's
                self.start_lead(threading.Thread.start)
            return True
        if not self._work.may_end():
            return False
        self._work.ended()
        self._role.release()
        # A message that slipped in between has started a new lead, or else finds this one.
        return self._work.may_end() or not self._role.acquire(blocking=False)

    def _help(self) -> None:
        with self._count_lock:
            if len(self._threads) < self._work.settings.senders:
                self._start(self._helper, threading.Thread.start)

    def _helper(self, transport: Transport) -> None:
        while self._work.needs_helpers():
            batch, _, more = self._work.take(lead=False)
            if batch is None:
                self._work.clock.sleep(_HELPER_LINGER_S)  # a lane may open soon
                batch, _, more = self._work.take(lead=False)
            if batch is None:
                break
            if more:
                self._help()
            self._work.deliver(batch, transport)
        self.ring()  # the lead reckons anew: it may sleep while what it waits for was done here
