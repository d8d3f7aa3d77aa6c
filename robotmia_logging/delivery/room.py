"""Room: `overflow="block"` has log calls wait for it."""

from __future__ import annotations

from collections.abc import Callable

from robotmia_logging.delivery.backlog import Backlog
from robotmia_logging.delivery.bells import Bells
from robotmia_logging.delivery.clock import Clock
from robotmia_logging.delivery.dispatch import Dispatch
from robotmia_logging.delivery.guard import Guard
from robotmia_logging.delivery.inbox import BIG_BYTES, Inbox
from robotmia_logging.delivery.intake import Intake
from robotmia_logging.delivery.settings import DeliverySettings
from robotmia_logging.messages import Message


class Room:
    """Lets messages in one by one while so much waits that there may be no room.

    Args:
        settings: the options.
        clock: the times.
        guard: the delivery's lock.
        inbox: where log calls leave messages.
        intake: what takes them over.
        backlog: where they wait.
        dispatch: told to hurry when there is no room.
        bells: rung when there may be some.
        wake: wakes a sender.
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
        bells: Bells,
        wake: Callable[[], object],
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._guard = guard
        self._inbox = inbox
        self._intake = intake
        self._backlog = backlog
        self._dispatch = dispatch
        self._bells = bells
        self._wake = wake

    def is_scarce(self) -> bool:
        """Whether so much waits that room has to be looked for under the lock."""
        coming, backlog, settings = len(self._inbox.items) + 1, self._backlog, self._settings
        return (
            2 * (backlog.pending + coming) > settings.max_pending
            or 2 * (backlog.pending_bytes + coming * BIG_BYTES) > settings.max_pending_bytes
        )

    def wait_and_put(self, message: Message) -> bool:
        """Wait for room, at most `block_timeout`, and accept the message. False if the lock can't be had."""
        deadline = self._clock.monotonic() + self._settings.block_timeout
        while True:
            left = deadline - self._clock.monotonic()
            accepted: list[bool] = []
            with self._bells.waiting() as bell:
                if not self._guard.run(lambda: accepted.append(self._accept(message, left)), max(0.05, left)):  # noqa: B023
                    return False  # held by the very call we interrupted
                self._wake()
                if accepted[0]:
                    return True
                bell.acquire(timeout=left)

    def _accept(self, message: Message, left_s: float) -> bool:
        """Accept a message if there is room, or if no time is left to wait for it."""
        self._inbox.sweep()
        if left_s <= 0 or self._intake.has_room(message):
            self._intake.accept(message)
            self._inbox.reckon()
            return True
        self._dispatch.hurry()
        return False
