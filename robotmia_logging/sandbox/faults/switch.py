"""The faults in force, and which of them the next request has."""

import threading
from dataclasses import replace
from random import Random

from robotmia_logging.sandbox.faults.faults import Faults


class FaultSwitch:
    """Holds the faults of a running sandbox; may be set from any thread."""

    def __init__(self, faults: Faults | None = None) -> None:
        self._lock = threading.Lock()
        self.set(faults or Faults())

    def __repr__(self) -> str:
        return f"FaultSwitch({self.faults.to_mapping()!r})"

    @property
    def faults(self) -> Faults:
        """Those in force; `times` is what is left of it."""
        with self._lock:
            return replace(self._faults, times=self._left)

    def set(self, faults: Faults) -> None:
        """Put these in force, in place of all others."""
        with self._lock:
            self._faults, self._left = faults, faults.times
            self._random = Random(faults.seed)  # noqa: S311 - which request fails is no secret

    def no_longer_refuse(self) -> None:
        """Connections are accepted again."""
        with self._lock:
            self._faults = replace(self._faults, refuse=0.0)

    def next(self, endpoint: str) -> tuple[Faults, str | int | None]:
        """What a request to `endpoint` meets: the faults, and the one of them it has (a number is a status)."""
        with self._lock:
            faults = self._faults
            if faults.endpoint not in (None, endpoint):
                return Faults(), None
            if self._left is not None:
                self._left -= 1
                if not self._left:
                    self._faults, self._left = Faults(), None
            return faults, self._drawn(faults)

    def _drawn(self, faults: Faults) -> str | int | None:
        point = self._random.random()
        for fault, probability in faults.probabilities():
            if point < probability:
                return fault
            point -= probability
        return None
