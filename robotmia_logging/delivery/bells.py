"""Bells: who waits for room hears when there may be some."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager


class Bells:
    """Bells to wait by. A deque's own steps are atomic: no lock that a signal handler could find taken."""

    def __init__(self) -> None:
        self._bells: deque[threading.Lock] = deque()

    def __len__(self) -> int:
        return len(self._bells)

    @contextmanager
    def waiting(self) -> Iterator[threading.Lock]:
        """A bell that `ring` rings: a lock to be acquired, with a timeout. Nobody rings it for longer than this."""
        bell = threading.Lock()
        bell.acquire()
        self._bells.append(bell)
        try:
            yield bell
        finally:
            try:
                self._bells.remove(bell)
            except ValueError:  # it was rung
                pass

    def ring(self) -> None:
        """Wake all who wait."""
        while self._bells:
            try:
                bell = self._bells.popleft()
            except IndexError:  # another rang, or nobody waits any more
                return
            bell.release()
