"""Has a delivery work in the background, and watches it: until it is over, or has to be."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from robotmia_logging.delivery.delivery import Delivery

YEAR_S = 365 * 24 * 3600.0
_LOOK_S = 0.1


class Ending(Enum):
    """How work ended. Each has the seconds that what is under way gets to end, too."""

    DONE = "done", 5.0
    TIMEOUT = "timeout", 0.5
    STALLED = "stalled", 0.5
    INTERRUPTED = "interrupted", 2.0

    def __init__(self, _name: str, grace_s: float) -> None:
        self.grace_s = grace_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """When to give up, in seconds; None for never.

    Attributes:
        timeout_s: for the whole.
        stall_s: for a time in which no message has its outcome.
    """

    timeout_s: float | None = None
    stall_s: float | None = None


def work(
    delivery: Delivery,
    job: Callable[[threading.Event], object],
    limits: Limits,
    look: Callable[[], object],
    *,
    monotonic: Callable[[], float] = time.monotonic,
) -> Ending:
    """Do a job in a thread of its own, and close the delivery when it is over, or given up.

    Args:
        delivery: what the job is done with.
        job: what to do; given an event that tells it to end.
        limits: when to give up.
        look: called ten times a second. What it raises ends the work.
        monotonic: the clock, in seconds.

    Returns:
        How it ended. Ctrl-C is one of the ways.
    """
    stop = threading.Event()
    under_way = threading.Lock()  # no Event: Ctrl-C amid its `wait` can come out as a RuntimeError
    under_way.acquire()
    errors: list[Exception] = []

    def do() -> None:
        try:
            job(stop)
        except Exception as error:  # a file that can't be read any more
            errors.append(error)
        finally:
            under_way.release()

    watch = _Watch(delivery, limits, monotonic)
    ending: Ending | None = None
    try:
        threading.Thread(target=do, name="robotmia-work", daemon=True).start()
        while ending is None and not under_way.acquire(timeout=_LOOK_S):
            look()
            ending = watch.look()
    except KeyboardInterrupt:
        ending = Ending.INTERRUPTED
    finally:
        stop.set()
        ending = ending or Ending.DONE
        _end(delivery, ending)
    if errors:
        raise errors[0]
    return ending


def _end(delivery: Delivery, ending: Ending) -> None:
    """What waits gets a moment, and what is under way its outcome: else it would be sent once more."""
    try:
        now = delivery.clock.monotonic()
        if ending is not Ending.DONE:
            delivery.settle_until(now + ending.grace_s)
            delivery.stand_still(now + ending.grace_s + sum(delivery.settings.timeout))
        delivery.close(ending.grace_s if ending is Ending.DONE else 0.0)
    except KeyboardInterrupt:  # once more: whoever waits for us has had enough
        delivery.close(0.0)
    delivery.reported_lost = sys.maxsize  # it is our caller who tells of it


class _Watch:
    def __init__(self, delivery: Delivery, limits: Limits, monotonic: Callable[[], float]) -> None:
        self._delivery = delivery
        self._limits = limits
        self._monotonic = monotonic
        self._began_at = self._moved_at = monotonic()
        self._outcomes = 0

    def look(self) -> Ending | None:
        """The reason to give up, if there is one."""
        now, stats = self._monotonic(), self._delivery.stats()
        outcomes = stats.accepted - stats.pending
        if outcomes != self._outcomes:
            self._outcomes, self._moved_at = outcomes, now
        if self._limits.timeout_s is not None and now - self._began_at >= self._limits.timeout_s:
            return Ending.TIMEOUT
        if self._limits.stall_s is not None and now - self._moved_at >= self._limits.stall_s:
            return Ending.STALLED
        return None
