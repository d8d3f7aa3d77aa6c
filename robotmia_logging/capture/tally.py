"""How often something happened, counted by any thread without a lock."""

from __future__ import annotations

import os
from itertools import count


class Tally:
    """Counts from zero; in a forked child from zero again.

    `next` on a counter is one step for the interpreter: no thread and no signal handler comes between.
    """

    __slots__ = ("_counter", "_process")

    def __init__(self) -> None:
        self._counter = count()
        self._process = os.getpid()

    def add(self) -> None:
        """It happened once more."""
        self._own()
        next(self._counter)

    @property
    def value(self) -> int:
        """How often it happened."""
        self._own()
        return int(repr(self._counter)[len("count(") : -1])  # the one way to look without counting

    def _own(self) -> None:
        if self._process != os.getpid():
            self._counter, self._process = count(), os.getpid()
