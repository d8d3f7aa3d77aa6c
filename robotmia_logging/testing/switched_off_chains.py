"""structlog's chains that a test switches off: `structlog.testing.capture_logs` takes all processors out.

It puts a `LogCapture` in their place, which ends each call. For the calls that come there to be tracked all the same,
a `LogCapture` remembers the chain that it replaces, and while a capture or a sandbox is active, runs the part of it
that ends with the RobotmiaProcessor, on a copy: what `capture_logs` lists stays as it was logged.

This needs two methods of that class to be wrapped, and before the first `LogCapture` is made, for afterwards nobody
knows the chain; so it is done when `robotmia_logging.testing` is imported. (The configured list can't be watched
instead: it is emptied in place, and bound loggers hold on to it.)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any
from weakref import WeakKeyDictionary

import structlog
from structlog.testing import LogCapture

from robotmia_logging.processor import RobotmiaProcessor
from robotmia_logging.testing.active import is_active

_tracking: WeakKeyDictionary[LogCapture, Sequence[Any]] = WeakKeyDictionary()
"""The processors of the replaced chain, up to the last RobotmiaProcessor."""


def remember_switched_off_chains() -> None:
    """From now on every `LogCapture` remembers the chain that it replaces."""
    if not hasattr(LogCapture.__call__, "__wrapped__"):
        LogCapture.__init__ = _remembering(LogCapture.__init__)  # type: ignore[method-assign]
        LogCapture.__call__ = _tracking_first(LogCapture.__call__)  # type: ignore[method-assign]


def _remembering(init: Callable[..., None]) -> Callable[..., None]:
    @wraps(init)
    def remember(self: LogCapture, *args: Any, **keywords: Any) -> None:
        init(self, *args, **keywords)
        _tracking[self] = _up_to_ours(list(structlog.get_config()["processors"]))

    return remember


def _tracking_first(call: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(call)
    def track(self: LogCapture, logger: Any, method_name: str, event_dict: Any) -> Any:
        if is_active() and not _has_ours(structlog.get_config()["processors"]):
            _run(_tracking.get(self, ()), logger, method_name, dict(event_dict))
        return call(self, logger, method_name, event_dict)

    return track


def _has_ours(chain: Sequence[Any]) -> bool:
    """Whether a chain tracks by itself: `capture_logs(processors=[...])` can leave ours in it."""
    return any(isinstance(step, RobotmiaProcessor) for step in chain)


def _up_to_ours(chain: Sequence[Any]) -> Sequence[Any]:
    ours = [place for place, step in enumerate(chain) if isinstance(step, RobotmiaProcessor)]
    if ours:
        return chain[: ours[-1] + 1]
    within = [step for step in chain if isinstance(step, LogCapture)]  # one `capture_logs` within another
    return _tracking.get(within[-1], ()) if within else ()


def _run(chain: Sequence[Any], logger: Any, method_name: str, event_dict: Any) -> None:
    try:
        for step in chain:
            event_dict = step(logger, method_name, event_dict)
    except structlog.DropEvent:  # a filter in front of ours: the call isn't tracked outside of tests either
        return
