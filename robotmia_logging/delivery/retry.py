"""When to try again: one gate for each endpoint of the API, closed while that endpoint is down."""

from __future__ import annotations

from collections.abc import Callable

BASE_S = 0.5
CAP_S = 60.0
RETRY_AFTER_CAP_S = 3600.0


def backoff_s(failures: int, random: Callable[[], float]) -> float:
    """The wait after this many failures in a row: exponential with full jitter, at most a minute.

    Args:
        failures: 1 or more.
        random: gives numbers from 0 to 1.
    """
    return random() * min(CAP_S, BASE_S * 2.0 ** min(failures - 1, 30))


class Gate:
    """Lets requests through while the endpoint is up, and one probe at a time while it is down.

    Times are monotonic seconds, given by the caller.
    """

    def __init__(self, random: Callable[[], float]) -> None:
        self._random = random
        self._failures = 0
        self._failed_at = float("-inf")
        self._asked = False
        self._probing = False
        self.opens_at = float("-inf")

    @property
    def is_down(self) -> bool:
        """Whether the last request failed."""
        return self._failures > 0

    def is_open(self, now: float) -> bool:
        """Whether a request may go out."""
        return not self.is_down or (now >= self.opens_at and not self._probing)

    def enter(self) -> None:
        """A request goes out; while the endpoint is down it is the one probe."""
        self._probing = self.is_down

    def release(self) -> None:
        """The probe goes out again at once."""
        self._probing = False

    def succeed(self) -> None:
        """The endpoint answered."""
        self._failures = 0
        self._probing = False
        self._asked = False

    def fail(self, started: float, now: float, retry_after_s: float | None) -> None:
        """A request that began at `started` failed. Several that fail at once count as one failure."""
        self._probing = False
        if started >= self._failed_at:
            self._failures += 1
            self._failed_at = now
            self._asked = False
            self.opens_at = now + backoff_s(self._failures, self._random)
        if retry_after_s is not None:
            self._asked = True
            self.opens_at = max(self.opens_at, now + min(retry_after_s, RETRY_AFTER_CAP_S))

    def hasten(self, now: float) -> None:
        """End a wait of our own making. One that the server asked for is kept."""
        if not self._asked:
            self.opens_at = min(self.opens_at, now)
