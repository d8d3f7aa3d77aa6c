"""RobotmiaHandler: the door of the standard library's logging."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Any
from weakref import ref

from robotmia_logging.capture import from_record, is_wrapped
from robotmia_logging.delivery import lifecycle
from robotmia_logging.door import Door

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from robotmia_logging.delivery import Delivery, Stats
    from robotmia_logging.options import Options

__all__ = ["RobotmiaHandler"]


class _Seen(threading.local):
    """The record that this thread tracked last: propagation brings it by again."""

    record: Any = staticmethod(lambda: None)


class RobotmiaHandler(logging.Handler):
    """Turns log records that carry tracking extras, or match a rule, into robotmia events and profile updates.

    Takes the options of the README's table as keywords, all plain values, so that `logging.config.dictConfig` can
    give them. The constructor opens nothing; the sending thread starts with the first message.

    Raises:
        ConfigurationError: an option is unknown, or its value isn't allowed (a ValueError).
    """

    def __init__(self, **options: Unpack[Options]) -> None:
        self._door = Door(options)
        self._seen = _Seen()
        self._logging_holds = 0
        super().__init__(self._door.level)

    def handle(self, record: logging.LogRecord) -> bool | logging.LogRecord:  # type: ignore[override]
        """Track the record if it asks for that. Unlike `logging.Handler.handle` it takes no lock, and raises nothing."""
        try:
            passed: Any = self.filter(record) if self.filters else True
            if isinstance(passed, logging.LogRecord):  # from 3.12 a filter may replace the record
                record = passed
            if passed:
                self.emit(record)
        except Exception as error:
            self._door.delivery.trouble("a log call could not be read", error)
            return False
        return passed  # type: ignore[no-any-return]

    def emit(self, record: logging.LogRecord) -> None:
        """Track the record if it asks for that."""
        door = self._door
        if not door.enabled:
            return
        extras = record.__dict__
        if (
            "track" in extras
            or "event" in extras
            or "profile" in extras
            or "revenue" in extras
            or "alias" in extras
            or door.composer.concerns(record.name, record.levelno)
            or is_wrapped(record)
        ) and self._seen.record() is not record:
            door.track(from_record(record))
            self._seen.record = ref(record)

    def flush(self, timeout: float | None = None) -> bool:  # type: ignore[override]
        """Wait until everything accepted before the call has its outcome.

        Args:
            timeout: seconds to wait at most; default `shutdown_timeout`. 0 only starts it.

        Returns:
            Whether all of it has its outcome.
        """
        if timeout is None and self._logging_holds:
            return self._door.delivery.flush_until(self._shutdown_deadline())
        return self._door.delivery.flush(timeout)

    def close(self) -> None:
        """Deliver what waits, within `shutdown_timeout`; the threads end once nothing is pending.

        A handler that is still attached to a logger works on: the next message starts it again.
        """
        if self._logging_holds:
            self._door.delivery.close_by(self._shutdown_deadline())
        else:
            self._door.delivery.close()
        super().close()

    def stats(self) -> Stats:
        """What became of the messages so far."""
        return self._door.stats()

    @property
    def delivery(self) -> Delivery:
        """The delivery behind this handler, to share: `RobotmiaProcessor(delivery=handler.delivery)`."""
        return self._door.delivery

    def acquire(self) -> None:
        """Take the handler's lock. `handle` doesn't: only `logging.shutdown` does, around `flush` and `close`."""
        super().acquire()
        self._logging_holds += 1

    def release(self) -> None:
        """Release the handler's lock."""
        self._logging_holds -= 1
        if not self._logging_holds:
            lifecycle.shutdown_used()
        super().release()

    def _shutdown_deadline(self) -> float:
        return lifecycle.shutdown_deadline(self._door.delivery.settings.shutdown_timeout)

    def __repr__(self) -> str:
        return f"<RobotmiaHandler ({logging.getLevelName(self.level)}) {self._door.describe()}>"
