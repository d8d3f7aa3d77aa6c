"""The capture or sandbox that assertions without one are about: the innermost of this process that is active."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from robotmia_logging.diversion import Outlet, diverted
from robotmia_logging.testing.assertions import Assertions
from robotmia_logging.testing.found import SentMessage

_active: list[Assertions] = []


@contextmanager
def active(one: Assertions, outlet: Outlet | None) -> Iterator[None]:
    """For the block, have assertions be about this one, and doors hand their messages to its outlet, if it has one."""
    _active.append(one)
    try:
        with diverted(outlet):
            yield
    finally:
        _active.remove(one)


def is_active() -> bool:
    """Whether there is one."""
    return bool(_active)


def innermost() -> Assertions:
    """The one begun last of those that are active.

    Raises:
        RuntimeError: none is.
    """
    if not _active:
        raise RuntimeError("no capture_messages() and no Sandbox() is active: call this within the block of one")
    return _active[-1]


def assert_tracked(event: str, /, **properties: Any) -> SentMessage:
    """Assert that an event was tracked: see `CapturedMessages.assert_tracked`."""
    __tracebackhide__ = True
    return innermost().assert_tracked(event, **properties)


def assert_tracked_once(event: str, /, **properties: Any) -> SentMessage:
    """Assert that exactly one event has this name and these properties."""
    __tracebackhide__ = True
    return innermost().assert_tracked_once(event, **properties)


def assert_tracked_times(times: int, event: str, /, **properties: Any) -> list[SentMessage]:
    """Assert that exactly so many events have this name and these properties."""
    __tracebackhide__ = True
    return innermost().assert_tracked_times(times, event, **properties)


def assert_not_tracked(event: str, /, **properties: Any) -> None:
    """Assert that no event has this name and these properties."""
    __tracebackhide__ = True
    innermost().assert_not_tracked(event, **properties)


def assert_updated(distinct_id: str, profile: Mapping[str, Any], /) -> list[SentMessage]:
    """Assert that a user's profile was updated: see `CapturedMessages.assert_updated`."""
    __tracebackhide__ = True
    return innermost().assert_updated(distinct_id, profile)


def assert_not_updated(distinct_id: str, profile: Mapping[str, Any] | None = None, /) -> None:
    """Assert that a user's profile wasn't updated at all, or by none of these operations."""
    __tracebackhide__ = True
    innermost().assert_not_updated(distinct_id, profile)


def assert_nothing_sent() -> None:
    """Assert that there is neither an event nor a profile update."""
    __tracebackhide__ = True
    innermost().assert_nothing_sent()
