"""The life of the process around us: forks, children of multiprocessing, exits.

We install no signal handlers, and register everything once for all deliveries.
"""

from __future__ import annotations

import atexit
import os
import sys
import time
from collections.abc import Iterable
from typing import Protocol
from weakref import WeakSet

from robotmia_logging.delivery.settings import DeliverySettings

_SAME_SHUTDOWN_S = 0.25
"""`logging.shutdown` closes handlers one right after the other: within this, it is the same shutdown."""


class Delivering(Protocol):
    """What of a delivery matters here."""

    settings: DeliverySettings
    reported_lost: int

    @property
    def at_risk(self) -> int: ...
    @property
    def last_error(self) -> str | None: ...
    @property
    def exit_grace_s(self) -> float: ...
    def settle_until(self, deadline: float) -> bool: ...
    def exiting(self, deadline: float) -> None: ...
    def tell_news_here(self) -> None: ...
    def after_fork_in_child(self) -> None: ...


class _Process:
    """What we know of this process; a forked child starts anew."""

    def __init__(self) -> None:
        self.exit_started: float | None = None
        self.shutdown_started = float("-inf")
        self.shutdown_ended = float("-inf")
        self.has_finalizer = False
        self.awaits_child = False
        self.is_forked = False


_live: WeakSet[Delivering] = WeakSet()
_process = _Process()


def adopt(delivery: Delivering) -> None:
    """Look after a delivery in forks and at exit, for as long as it lives."""
    _live.add(delivery)


def first_message() -> None:
    """Called when a sender starts: in a child of multiprocessing, see to its end, for it runs no atexit hooks.

    Not earlier: multiprocessing clears its registry when a child begins. A child that logs while its main module is
    imported hasn't begun yet; it gets its finalizer when it does.
    """
    if _process.has_finalizer or "multiprocessing.util" not in sys.modules:
        return
    from multiprocessing import parent_process, util  # noqa: PLC0415  (only where it is in use already)

    if parent_process() is not None or _process.is_forked:  # billiard's children, Celery's, don't know their parent
        _finalize_child(_Process)
    elif not _process.awaits_child:
        _process.awaits_child = True
        util.register_after_fork(_Process, _finalize_child)


def _finalize_child(_registered: object) -> None:
    from multiprocessing import util  # noqa: PLC0415

    if not _process.has_finalizer:
        _process.has_finalizer = True
        util.Finalize(None, _at_exit, exitpriority=10)


def shutdown_begins() -> None:
    """Logging begins to close a door: the first of a shutdown, or the next."""
    now = time.monotonic()
    if now - _process.shutdown_ended > _SAME_SHUTDOWN_S:
        _process.shutdown_started = now


def shutdown_ends() -> None:
    """Logging has closed a door."""
    _process.shutdown_ended = time.monotonic()


def shutdown_deadline(timeout: float) -> float:
    """The deadline for a door that logging closes, one for all doors of the same shutdown, in monotonic seconds."""
    started = _process.shutdown_started if _process.exit_started is None else _process.exit_started
    return started + timeout


def closed(delivery: Delivering, *, delivered: bool) -> None:
    """A door was closed: during exit, say what it still holds, for nobody will send it any more."""
    if _process.exit_started is not None:
        _tell_lost([(delivery, delivered)])


def _at_exit() -> None:
    """Deliver what waits or have it spooled, all doors by one deadline, and say in one line what could not be."""
    started = time.monotonic() if _process.exit_started is None else _process.exit_started
    _process.exit_started = started
    deliveries = list(_live)
    try:
        for delivery in deliveries:
            delivery.settle_until(started)  # sets all of them going
        ends = [(d, d.settle_until(started + d.settings.shutdown_timeout - d.exit_grace_s)) for d in deliveries]
    except BaseException:  # Ctrl-C: whoever waits for us has had enough, and logging's own hook comes next
        _process.exit_started = float("-inf")
        ends = [(delivery, False) for delivery in deliveries]
        raise
    finally:
        for delivery in deliveries:
            delivery.exiting(_process.exit_started + delivery.settings.shutdown_timeout)
            delivery.tell_news_here()
        _tell_lost(ends)


def _tell_lost(ends: Iterable[tuple[Delivering, bool]]) -> None:
    lost = 0
    reasons: dict[str, None] = {}
    for delivery, delivered in ends:
        news = delivery.at_risk - delivery.reported_lost
        if news > 0:
            delivery.reported_lost += news
            lost += news
            reasons[_reason(delivery, delivered=delivered)] = None
    if lost:
        messages = "1 message" if lost == 1 else f"{lost} messages"
        try:
            sys.stderr.write(f"robotmia_logging: {messages} not delivered at exit: {'; '.join(reasons)}\n")
            sys.stderr.flush()
        except Exception:  # no stderr (a daemon, pythonw), or it is closed
            return


def _reason(delivery: Delivering, *, delivered: bool) -> str:
    if delivered:
        return "logged by threads that run on while the process ends"
    return delivery.last_error or f"shutdown_timeout={delivery.settings.shutdown_timeout:g} s was over"


def _after_fork_in_child() -> None:
    global _process  # noqa: PLW0603  (the child's own account of itself)
    _process = _Process()
    _process.is_forked = True
    for delivery in list(_live):
        delivery.after_fork_in_child()


atexit.register(_at_exit)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
