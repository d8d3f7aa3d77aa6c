"""Where doors hand messages over: to their delivery, or for the time of a test to somebody who captures them.

A door reads where from an attribute of its own, so that a log call costs the same whether or not there is such a thing
as a diversion: one begins by setting that attribute in every door there is.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol
from weakref import WeakValueDictionary

from robotmia_logging.messages import Message, Refusal


class Outlet(Protocol):
    """What a door hands its messages to."""

    def put(self, message: Message) -> None: ...
    def account(self, refusal: Refusal) -> None: ...
    def hurry(self) -> None: ...


class Diverted(Protocol):
    """What of a door matters here."""

    def divert(self, outlet: Outlet | None) -> None: ...
    def flush(self, timeout_s: float, url: str) -> bool: ...
    def describe(self) -> str: ...


class Nowhere:
    """The outlet of a door that is switched off."""

    def put(self, message: Message) -> None:
        """Forget a message."""

    def account(self, refusal: Refusal) -> None:
        """Forget a refusal."""

    def hurry(self) -> None:
        """Nothing waits."""


_doors: WeakValueDictionary[int, Diverted] = WeakValueDictionary()
_outlets: list[Outlet | None] = []


def adopt(door: Diverted) -> None:
    """A door was made: an active diversion is its, too."""
    _doors[id(door)] = door
    told = None
    while (outlet := _innermost()) is not told:  # again, if another thread began or ended a diversion meanwhile
        door.divert(outlet)
        told = outlet


def doors() -> list[Diverted]:
    """The doors of this process."""
    # `valuerefs` copies in one step, whatever other threads make meanwhile.
    return [door for reference in _doors.valuerefs() if (door := reference()) is not None]


@contextmanager
def diverted(outlet: Outlet | None) -> Iterator[None]:
    """Have all doors of the process, those made meanwhile too, hand their messages to an outlet.

    Of several at a time the one begun last counts, in whichever order they end.

    Args:
        outlet: gets the messages, from any thread; None: all doors deliver as they are set up to.
    """
    _outlets.append(outlet)  # before the doors are told: one that is made just now looks for itself
    _tell_doors()
    try:
        yield
    finally:
        _remove_last(outlet)
        _tell_doors()


def _remove_last(outlet: Outlet | None) -> None:
    for place in reversed(range(len(_outlets))):
        if _outlets[place] is outlet:
            del _outlets[place]
            return


def _innermost() -> Outlet | None:
    return (_outlets[-1:] or [None])[0]  # looked at once: another thread may end the last


def _tell_doors() -> None:
    outlet = _innermost()
    for door in doors():
        door.divert(outlet)
