"""From the dead letters in memory to their file."""

from __future__ import annotations

import threading

from robotmia_logging.delivery.clock import Clock
from robotmia_logging.delivery.dead_letters import DeadLetterFile
from robotmia_logging.delivery.guard import Guard
from robotmia_logging.delivery.outcomes import Outcomes
from robotmia_logging.delivery.report import Reporter
from robotmia_logging.delivery.settings import DeliverySettings
from robotmia_logging.messages import DeadLetter


class LetterBox:
    """Writes dead letters where no lock is held.

    Args:
        settings: the options.
        guard: the delivery's lock.
        outcomes: where the letters come from, and who is told of those that are written.
        reporter: told of trouble.
        clock: the time of day.
    """

    def __init__(
        self, settings: DeliverySettings, guard: Guard, outcomes: Outcomes, reporter: Reporter, clock: Clock
    ) -> None:
        self._file = None if settings.dead_letters is None else DeadLetterFile(settings.dead_letters)
        self._is_spooled = settings.spool is not None
        self._guard = guard
        self._outcomes = outcomes
        self._reporter = reporter
        self._clock = clock
        self._writing = threading.Lock()

    def empty(self) -> None:
        """Write what there is to the file.

        Who finds nothing to write waits for what another is writing; a signal handler amid that very writing can't.
        """
        if self._file is None or not self._writing.acquire(timeout=1.0):
            return
        try:
            # They stay there until they are written: broken off by Ctrl-C, they are written twice rather than never.
            letters = list(self._outcomes.letters)
            if letters:
                self._write(self._file, letters)
        finally:
            self._writing.release()

    def _write(self, file: DeadLetterFile, letters: list[DeadLetter]) -> None:
        before = file.given_up
        try:
            file.append(letters, self._clock.time())
        except Exception as error:  # a full disk, no such folder, a path that is none
            self._reporter.note("{count} dead letters can't be written", str(error), len(letters))
            # What is spooled is still in there: it is tried again.
            self._guard.run(lambda: self._outcomes.unwritten(letters, keep=self._is_spooled), 1.0)
        else:
            self._guard.run(lambda: self._outcomes.written(letters), 1.0)
        if file.given_up > before:
            self._reporter.note(
                "{count} dead letters given up, the oldest", f"{file.path}: full", file.given_up - before
            )
