"""What became of messages: counted, told, and let go of where they are kept.

The delivery's lock is held around every call.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from robotmia_logging.delivery.report import Reporter
from robotmia_logging.delivery.settings import DeliverySettings
from robotmia_logging.delivery.spool.link import TORN
from robotmia_logging.delivery.stats import Counters
from robotmia_logging.messages import DeadLetter, Message, Refusal

_TOLD = {
    TORN: "{count} lines of the spool can't be read",
    "before_send_error": "{count} messages dropped by before_send",
    "overflow": "{count} messages dropped, too many wait",
}

_MOST_LETTERS = 10_000

Settled = Callable[[Iterable[Message | Refusal]], object]
"""Told of messages that have their outcome for good: nobody need keep them any more."""


class Outcomes:
    """Keeps the accounts.

    Attributes:
        counters: the numbers behind `stats()`.
        letters: dead letters to be written by whoever holds no lock.
        settled: told of messages with an outcome; of a dead letter once it is written.
    """

    def __init__(self, settings: DeliverySettings, reporter: Reporter, settled: Settled) -> None:
        self._writes_letters = settings.dead_letters is not None
        self._reporter = reporter
        self.settled = settled
        self.counters = Counters()
        self.letters: list[DeadLetter] = []

    def dropped(self, reason: str, count: int, detail: str) -> None:
        """So many messages were dropped, and who kept them knows."""
        if count:
            self.counters.dropped[reason] += count
            if reason not in ("before_send", "sampled"):  # the user's own word
                self._reporter.note(_TOLD.get(reason, f"{{count}} messages dropped ({reason})"), detail, count)

    def refused(self, refusal: Refusal) -> None:
        """A message was refused or dropped in the log call, or is none."""
        if refusal.dropped:
            self.dropped(refusal.reason, 1, refusal.error)
            self.settled([refusal])
        else:
            self.dead_letter(refusal, refusal.reason, refusal.error, 0)

    def dead_letter(self, letter: Message | Refusal, reason: str, error: str, attempts: int) -> None:
        """A message can't be delivered."""
        self.bury(DeadLetter(letter=letter, reason=reason, error=error, attempts=attempts))

    def bury(self, letter: DeadLetter) -> None:
        """Keep a dead letter, if there is a file for them."""
        self.counters.dead_lettered[letter.reason] += 1
        self._reporter.note(f"{{count}} messages can't be delivered ({letter.reason})", letter.error)
        if self._writes_letters:
            self.letters.append(letter)
        else:
            self.settled([letter.letter])

    def written(self, letters: list[DeadLetter]) -> None:
        """These, the first of `letters`, are in the file of dead letters."""
        del self.letters[: len(letters)]
        self.settled([letter.letter for letter in letters])

    def unwritten(self, letters: list[DeadLetter], *, keep: bool) -> None:
        """These, the first of `letters`, can't be written: kept for another time if asked to, but for too many."""
        if not keep or len(self.letters) > _MOST_LETTERS:
            del self.letters[: len(letters)]
