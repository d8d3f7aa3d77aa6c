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
    """A circuit breaker: lets requests through while the endpoint is up, and one probe at a time while it is down.

    Times are monotonic seconds, given by the caller.
    """

    def __init__(self, random: Callable[[], float]) -> None:
        self._random = random
        self._failures = 0
        self._failed_at = float("-inf")
        self._probing = False
        self._ours_until = float("-inf")
        self._asked_until = float("-inf")

    @property
    def opens_at(self) -> float:
        """When both waits are over, ours and the one that the server asked for."""
        return max(self._ours_until, self._asked_until)

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

    def release(self, started: float) -> None:
        """The request that began at `started` goes out again at once."""
        if self._is_news(started):
            self._probing = False

    def succeed(self, started: float) -> None:
        """The endpoint answered a request that began at `started`."""
        if self._is_news(started):
            self._failures = 0
            self._probing = False

    def fail(self, started: float, now: float, retry_after_s: float | None) -> None:
        """A request that began at `started` failed. Several that fail at once count as one failure."""
        if self._is_news(started):
            self._probing = False
            self._failures += 1
            self._failed_at = now
            self._ours_until = now + backoff_s(self._failures, self._random)
        if retry_after_s is not None:
            self._failures = max(self._failures, 1)
            self._asked_until = max(self._asked_until, now + min(retry_after_s, RETRY_AFTER_CAP_S))

    def hasten(self, now: float) -> None:
        """End a wait of our own making. One that the server asked for is kept."""
        self._ours_until = min(self._ours_until, now)

    def _is_news(self, started: float) -> bool:
        """Whether the request began after the latest failure: those under way before say nothing about now."""
        return started >= self._failed_at
