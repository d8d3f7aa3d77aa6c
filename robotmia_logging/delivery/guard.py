"""The delivery's lock, held only where nothing can break in.

A signal handler may raise (Ctrl-C) between any two steps of the main thread: a lock taken there could stay taken, a
message be counted and not kept. Handlers run in the main thread only, so what the main thread wants done under the
lock is done by a thread made for it, in some tens of microseconds; and it is seldom.
"""

from __future__ import annotations

import _thread
import threading
from collections.abc import Callable
from types import TracebackType


class Guard:
    """A lock. Senders hold it in a `with`; others hand it what they want done."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lock.release()

    def run(self, work: Callable[[], object], timeout_s: float = 0.0) -> bool:
        """Do `work` under the lock; False if the lock can't be had within `timeout_s`.

        A destructor may ask in the middle of its own thread's work under the lock: it is refused, not deadlocked.
        """
        if threading.get_ident() != threading.main_thread().ident:
            return self._run(work, timeout_s)
        done = _thread.allocate_lock()
        done.acquire()
        result: list[bool] = []

        def run_and_tell() -> None:
            try:
                result.append(self._run(work, timeout_s))
            finally:
                done.release()

        try:
            _thread.start_new_thread(run_and_tell, ())
        except RuntimeError:  # at exit no thread starts any more
            return self._run(work, timeout_s)
        done.acquire()  # broken off, the work goes on all the same
        return result == [True]

    def _run(self, work: Callable[[], object], timeout_s: float) -> bool:
        if not self._lock.acquire(timeout=max(0.0, timeout_s)):
            return False
        try:
            work()
        finally:
            self._lock.release()
        return True
