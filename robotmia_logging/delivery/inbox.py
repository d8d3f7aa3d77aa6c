"""The inbox: where log calls leave messages without a lock, until somebody who holds it takes them over."""

from __future__ import annotations

from collections import deque

from robotmia_logging.delivery.intake import Intake
from robotmia_logging.delivery.settings import DeliverySettings
from robotmia_logging.messages import Message, Refusal

BIG_BYTES = 16 * 1024
"""A larger message isn't left unaccounted for: the bounds reckon with at most this much for each that is."""

_FAR, _NEAR = 2_000, 256
"""What may be left unaccounted for beside a busy sender, far from the bounds and near them: there it is 4 MiB of the
default 64."""

_HANDFUL = 500
"""How many messages are taken over at once."""


class Inbox:
    """What log calls left, not accounted for yet. They append to it as they are; all else is done under the lock.

    Attributes:
        items: the messages. A deque's own steps are atomic: log calls append without a lock.
        attention: the length at which a log call does more than append.
        sweep_at: the length at which it has the inbox swept.
    """

    __slots__ = ("_intake", "_least", "_most", "_wake_at", "attention", "items", "sweep_at")

    def __init__(self, settings: DeliverySettings, intake: Intake) -> None:
        self.items: deque[Message | Refusal] = deque()
        self._intake = intake
        # Small bounds are kept at every call, large ones by the handful.
        self._least = max(1, min(_NEAR, settings.max_pending // 100, settings.max_pending_bytes // (_NEAR * 1024)))
        self._most = _FAR
        self._wake_at: int | None = 1
        self.reckon()

    def sweep(self) -> None:
        """Have all of it taken over."""
        inbox = self.items
        if not inbox:
            return
        accept = self._intake.accept_some
        items = list(inbox)  # a copy in one step: others append meanwhile
        for start in range(0, len(items), _HANDFUL):
            handful = items[start : start + _HANDFUL]
            while handful:
                count = accept(handful)
                for _ in range(count):  # after they are accounted for: a message is never in neither
                    inbox.popleft()
                del handful[:count]
        self.reckon()

    def reckon(self) -> None:
        """Reckon anew how much may be left in here: less than would fit within the bounds."""
        room, room_bytes = self._intake.room
        self.sweep_at = max(self._least, min(self._most, room, room_bytes // BIG_BYTES))
        self.attention = self.sweep_at if self._wake_at is None else min(self.sweep_at, self._wake_at)

    def wake_at(self, length: int | None) -> None:
        """A sender sleeps, or none runs: a log call that finds so much is to wake it. None: somebody looks anyway."""
        self._wake_at = None if length is None else max(1, length)
        self.reckon()

    def attend_always(self) -> None:
        """From now on every log call looks after its message itself."""
        self._least = self._most = 1
        self.reckon()
