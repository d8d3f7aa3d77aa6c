"""Time and chance, passed in: no test waits for either."""

from __future__ import annotations

import time as system
from collections.abc import Callable
from random import SystemRandom
from typing import NamedTuple

_chance = SystemRandom()
"""Not the module's own generator: a program that seeds it would get other numbers with us than without us; and
forked children would all draw the same."""


class Clock(NamedTuple):
    """Where delivery gets its times, its sleep and its jitter from.

    Attributes:
        monotonic: seconds that never go back.
        time: seconds since 1970.
        sleep: waits so many seconds.
        random: a number from 0 to 1.
    """

    monotonic: Callable[[], float] = system.monotonic
    time: Callable[[], float] = system.time
    sleep: Callable[[float], None] = system.sleep
    random: Callable[[], float] = _chance.random
