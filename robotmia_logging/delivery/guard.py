"""The delivery's lock, held only where nothing can break in.

A signal handler may raise (Ctrl-C) between any two steps of the main thread: a lock taken there could stay taken, a
message be counted and not kept. Handlers run in the main thread only, so what the main thread wants done under the
lock is done by a thread made for it, in some tens of microseconds; and it is seldom.
"""

from __future__ import annotations

import _thread
import sys
import threading
from collections.abc import Callable
from types import TracebackType

_is_finalizing = sys.is_finalizing  # kept by name: modules are emptied while the interpreter ends


class Guard:
    """A lock. Senders hold it in a `with`; others hand it what they want done."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._soon = False

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lock.release()

    def run(self, work: Callable[[], object], timeout_s: float) -> bool:
        """Do `work` under the lock, and wait for that; False if it can't be done within about `timeout_s`.

        The work is to be whole in itself: a caller that is broken off meanwhile never sees what came of it.
        A destructor may ask in the middle of its own thread's work under the lock: it is refused, not deadlocked.
        """
        if _is_finalizing() or threading.get_ident() != threading.main_thread().ident:
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
        # Broken off, the work goes on all the same. And a destructor run amid it may want a lock that we hold.
        done.acquire(timeout=max(0.0, timeout_s) + 1.0)
        return result == [True]

    def run_soon(self, work: Callable[[], object]) -> None:
        """Have `work` done under the lock, without waiting for anything: in this thread if the lock is free.

        The main thread leaves it to another, and goes on: it may be amid a log call that holds a handler's lock.
        """
        if _is_finalizing() or threading.get_ident() != threading.main_thread().ident:
            self._run(work, 0.0)
        elif not self._soon:
            self._soon = True
            try:
                _thread.start_new_thread(self._run_soon, (work,))
            except RuntimeError:
                self._run_soon(work)

    def _run_soon(self, work: Callable[[], object]) -> None:
        self._soon = False
        self._run(work, 1.0)

    def _run(self, work: Callable[[], object], timeout_s: float) -> bool:
        if not self._lock.acquire(timeout=max(0.0, timeout_s)):
            return False
        try:
            work()
        finally:
            self._lock.release()
        return True
