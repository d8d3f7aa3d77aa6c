"""Locks on files (`flock`), which end with the process, whatever ends it."""

from __future__ import annotations

import time
from contextlib import suppress

try:
    import fcntl
except ImportError:  # pragma: no cover - Windows
    fcntl = None  # type: ignore[assignment]

_HAS_LOCKS = fcntl is not None
_LOOK_AGAIN_S = 0.005


def lock(descriptor: int, patience_s: float = 0.0) -> bool:
    """Lock an open file, and wait for that at most so long; whether it could be had.

    Where there are no locks (Windows, some network file systems) it always can.
    """
    deadline = time.monotonic() + patience_s
    while _HAS_LOCKS:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                return False
            time.sleep(_LOOK_AGAIN_S)
        except OSError:
            return True
        else:
            return True
    return True


def unlock(descriptor: int) -> None:
    """Unlock it for all who share it: a child that was forked meanwhile has the descriptor, too, and may keep it."""
    if _HAS_LOCKS:
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_UN)
