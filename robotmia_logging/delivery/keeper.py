"""A delivery's spool as its log calls and its senders see it."""

from __future__ import annotations

import os
from collections.abc import Callable

from robotmia_logging.delivery.bells import Bells
from robotmia_logging.delivery.clock import Clock
from robotmia_logging.delivery.guard import Guard
from robotmia_logging.delivery.intake import Intake
from robotmia_logging.delivery.outcomes import Outcomes
from robotmia_logging.delivery.report import Reporter
from robotmia_logging.delivery.settings import DeliverySettings
from robotmia_logging.delivery.spool.spool import Spool
from robotmia_logging.messages import DeadLetter, Message, Refusal, message_line

_PATIENCE_S = 60.0  # who does chores waits for the lock: it is never held long
_LOOK_AGAIN_S = 0.1  # other processes make room too, and ring no bell of ours


class Keeper:
    """Keeps messages in the spool, and sees to the chores.

    Args:
        folder: the spool.
        settings: the options.
        clock: the times.
        guard: the delivery's lock.
        intake: what reads the spool.
        outcomes: told of what is lost from it.
        reporter: told of trouble.
        sweep: has the intake told of all that was logged so far; called with the lock held.
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        settings: DeliverySettings,
        *,
        clock: Clock,
        guard: Guard,
        intake: Intake,
        outcomes: Outcomes,
        reporter: Reporter,
        sweep: Callable[[], None],
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._guard = guard
        self._intake = intake
        self._sweep = sweep
        self._desk = Guard()  # of the one who does the chores, without the other lock
        self._bells = Bells()
        self._none_until = float("-inf")
        self._spool = Spool(
            os.fspath(folder),
            settings.spool_max_bytes,
            settings.spool_fsync,
            clock=clock,
            note=reporter.note,
            drop=outcomes.dropped,
            adopted=intake.adopted,
        )
        self._writer = self._spool.writer
        intake.read_from(self._spool.reader)

    # --- for log calls

    def keep(self, item: Message | Refusal) -> bool:
        """Keep a message, or the account of one that was refused: when this returns, it survives the process.

        Returns:
            False if the spool is full, and stays so by what `overflow` says: the item must be dropped.
        """
        line = message_line(item) if isinstance(item, Message) else self._letter_line(item)
        # In each log call, so by the shortest way: nearly always there is a segment, and room in it.
        place = self._writer.last.append(line)
        if place is None:
            return self._keep_further(item, line)
        item.place = place
        return True

    @property
    def is_on_disk(self) -> bool:
        """Whether what is kept now goes to disk."""
        return self._spool.is_on_disk

    def _letter_line(self, refusal: Refusal) -> bytes:
        letter = DeadLetter(letter=refusal, reason=refusal.reason, error=refusal.error, attempts=0)
        return letter.line(self._clock.time())

    def _make_room(self) -> bool:
        """`overflow="drop_oldest"`: delete the oldest segment; False if there is none to delete, or another policy."""
        now = self._clock.monotonic()
        if self._settings.overflow != "drop_oldest" or now < self._none_until:
            return False
        dropped: list[bool] = []
        self._guard.run(lambda: dropped.append(self._drop_oldest_segment()), 1.0)
        if not any(dropped):
            self._none_until = now + _LOOK_AGAIN_S  # not at each log call
            self._spool.look_soon()
            return False
        self._spool.remove()
        return True

    def _drop_oldest_segment(self) -> bool:
        self._sweep()  # a segment with lines that nobody was told of can't go
        segment = self._intake.drop_oldest_segment()
        if segment is not None:
            self._spool.give_up(segment)
        return segment is not None

    def _keep_further(self, item: Message | Refusal, line: bytes) -> bool:
        """Keep the item in a new segment, or else in memory; False if it must be dropped."""
        if len(line) > self._settings.spool_max_bytes:  # nobody else makes room for it in vain
            return False
        item.place = self._spool.keep(line)
        if item.place is None:
            self._keep_where_room(item, line)
        return item.place is not None

    def _keep_where_room(self, item: Message | Refusal, line: bytes) -> None:
        """Do as `overflow` says, and keep the item if that made room."""
        while item.place is None and self._make_room():
            item.place = self._spool.keep(line)
        if self._settings.overflow != "block":
            return
        deadline = self._clock.monotonic() + self._settings.block_timeout
        while item.place is None and (left := deadline - self._clock.monotonic()) > 0:
            with self._bells.waiting() as bell:
                bell.acquire(timeout=min(left, _LOOK_AGAIN_S))  # rung when a file was deleted
            self.do_chores()
            item.place = self._spool.keep(line)

    # --- for senders

    def wait_s(self, nap: float | None) -> float:
        """For how long a sender with nothing to do may sleep, where it could for `nap` seconds; None: for ever."""
        chores = max(0.0, self._spool.chores_due_at(idle=nap is None) - self._clock.monotonic())
        return chores if nap is None else min(nap, chores)

    def tidy(self) -> None:
        """Do the chores, if it is time; and what can't wait for that when log calls come fast."""
        if self._clock.monotonic() >= self._spool.chores_due_at(idle=False):
            self.do_chores()
        elif self._writer.is_running_out:
            self._desk.run(self._writer.prepare, 0.0)
        self._bells.ring()

    @property
    def adopted(self) -> int:
        """How many messages of dead processes were found so far."""
        return self._spool.adopted

    @property
    def may_adopt_more(self) -> bool:
        """Whether more may be there: the last look ended early, for there was enough to do."""
        return self._spool.may_adopt_more

    def do_chores(self, *, adopt: bool = False, timeout_s: float = 0.0) -> bool:
        """Look after the files, unless another does.

        Args:
            adopt: look for what dead processes left, though it is not time yet.
            timeout_s: how long to wait for another who does it.

        Returns:
            Whether it was done here.
        """
        done = self._desk.run(lambda: self._spool.chores(self._locked, adopt=adopt), timeout_s)
        self._bells.ring()
        return done

    def _locked(self, work: Callable[[], object]) -> None:
        self._guard.run(work, _PATIENCE_S)

    # --- exits

    @property
    def in_memory(self) -> int:
        """How many messages without an outcome are in memory only."""
        return self._spool.reader.in_memory

    def stop_adopting(self) -> None:
        """The process ends: what is found now would be under way when it has ended, and be sent twice."""
        self._desk.run(self._spool.stop_adopting, 1.0)

    def leave(self) -> None:
        """Leave the files as another process would like to find them. The next message begins new ones."""
        self._desk.run(lambda: self._spool.close(self._locked), 1.0)
