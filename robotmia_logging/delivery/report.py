"""Trouble, told on a logger at most once a minute for each cause, with counts, and never by a sender.

A sender that logged would wait for logging's locks, which `dictConfig` holds while it waits for the sender. A short
thread of its own says what there is to say.
"""

from __future__ import annotations

import contextlib
import re
import threading
from collections.abc import Callable

INTERVAL_S = 60.0
_COUNT = "{count}"
_PLURAL = re.compile(r"\{count\} ((?:dead )?\w+)s\b")


class _Cause:
    __slots__ = ("count", "detail", "told_at")

    def __init__(self) -> None:
        self.count = 0
        self.detail = ""
        self.told_at = float("-inf")


class Reporter:
    """Collects trouble by cause. `note` only counts; `tell` starts the telling."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._causes: dict[str, _Cause] = {}
        self.has_news = False
        self._telling = threading.Lock()

    def note(self, cause: str, detail: str, count: int = 1) -> None:
        """Count trouble: `cause` in words, with ``{count}`` for how often, and the latest `detail`."""
        known = self._causes.setdefault(cause, _Cause())
        known.count += count
        known.detail = detail
        self.has_news = True

    def lines(self, now: float) -> list[str]:
        """What is to be said now, each cause at most once a minute."""
        if not self._telling.acquire(blocking=False):
            return []
        try:
            return self._lines(now)
        finally:
            self._telling.release()

    def _lines(self, now: float) -> list[str]:
        lines = []
        self.has_news = False
        still_waiting = False
        for cause, known in list(self._causes.items()):
            if not known.count:
                continue
            if now - known.told_at < INTERVAL_S:
                still_waiting = True
                continue
            count = known.count
            lines.append(f"{_counted(cause, count)}: {known.detail}")
            known.count -= count
            known.told_at = now
        self.has_news |= still_waiting
        return lines

    def tell(self, now: float) -> None:
        """Say what is to be said, in a thread of its own: the caller must not wait for logging's locks."""
        if self.has_news and self._is_due(now):
            try:
                threading.Thread(target=self._speak, args=(now,), name="robotmia-report", daemon=True).start()
            except RuntimeError:  # too many threads, or the process ends: it stays to be said
                return

    def _is_due(self, now: float) -> bool:
        return any(known.count and now - known.told_at >= INTERVAL_S for known in list(self._causes.values()))

    def _speak(self, now: float) -> None:
        with contextlib.suppress(Exception):
            for line in self.lines(now):
                self._say(line)


def _counted(cause: str, count: int) -> str:
    if count == 1:
        cause = _PLURAL.sub(r"1 \1", cause.replace(f"{_COUNT} times", "once"))
    return cause.replace(_COUNT, str(count))
