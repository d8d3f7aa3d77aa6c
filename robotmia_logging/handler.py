"""RobotmiaHandler: the door of the standard library's logging."""

from __future__ import annotations

import copy
import logging
from typing import TYPE_CHECKING, Any

from robotmia_logging.capture import SeenRecords, asks, from_record, is_wrapped
from robotmia_logging.delivery import lifecycle
from robotmia_logging.door import Door

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from robotmia_logging.capture import Explanation, Match
    from robotmia_logging.delivery import Delivery, Stats
    from robotmia_logging.options import Options

__all__ = ["RobotmiaHandler"]


class RobotmiaHandler(logging.Handler):
    """Turns log records that carry tracking extras, or match a rule, into robotmia events and profile updates.

    Takes the options of the README's table as keywords, all plain values, so that `logging.config.dictConfig` can
    give them. The constructor opens nothing; the sending thread starts with the first message.

    Raises:
        ConfigurationError: an option is unknown, or its value isn't allowed (a ValueError).
    """

    def __init__(self, **options: Unpack[Options]) -> None:
        self._door = Door(options)
        self._plain_events = self._door.plain_events
        self._has_rules = self._door.composer.has_rules
        self._seen = SeenRecords()
        self._unnamed = SeenRecords()
        self._has_own_filter = type(self).filter is not logging.Handler.filter
        self._logging_holds = 0
        super().__init__(self._door.level)

    def handle(self, record: logging.LogRecord) -> bool | logging.LogRecord:  # type: ignore[override]
        """Track the record if it asks for that. Takes no lock, unlike `logging.Handler.handle`, and raises nothing."""
        try:
            if self.filters or self._has_own_filter:
                return self._handle_filtered(record)
            self.emit(record)
        except Exception as error:
            self._door.delivery.trouble("a log call could not be read", error)
            return False
        return True

    def _handle_filtered(self, record: logging.LogRecord) -> bool | logging.LogRecord:
        names = record.__dict__
        if "alias" in names and "distinct_id" not in names:  # Django's; a filter that sets the user doesn't change that
            self._unnamed.add(record)
        passed: Any = self.filter(record)
        if isinstance(passed, logging.LogRecord) and passed is not record:
            self._emit_replacement(record, passed)
        elif passed:
            self.emit(record)
        return passed  # type: ignore[no-any-return]

    def _emit_replacement(self, record: logging.LogRecord, replacement: logging.LogRecord) -> None:
        """From Python 3.12 a filter may replace the record: a new one each time that the record comes by."""
        if record in self._seen:
            return
        if record in self._unnamed:
            self._unnamed.add(replacement)
        self.emit(replacement)
        if replacement in self._seen:
            self._seen.add(record)

    def emit(self, record: logging.LogRecord) -> None:
        """Track the record if it asks for that, or a rule matches it."""
        match = self._door.composer.match_record(record) if self._has_rules else None
        if match is not None:
            self._track(record, match)
            return
        extras = record.__dict__
        if (
            "track" in extras
            or "event" in extras
            or "profile" in extras
            or "revenue" in extras
            or "alias" in extras
            or ("_logger" in extras and is_wrapped(record) and asks(record.msg))
        ):
            self._track(record, None)

    def _track(self, record: logging.LogRecord, match: Match | None) -> None:
        door, plain = self._door, self._plain_events
        if not door.enabled or not self._seen.add(record):
            return
        if match is None and plain is not None and (message := plain.of_record(record)) is not None:
            door.send(message, record.levelno or logging.NOTSET)
        else:
            door.track(from_record(record, named=record not in self._unnamed), match)

    def explain(self, record: logging.LogRecord) -> Explanation:
        """What would become of a record: which rule matches, what comes of it, or why nothing does.

        Levels and the loggers on its way are looked at, too, and filters are asked. Nothing is sent or counted, and the
        record stays as it is.
        """
        from robotmia_logging.capture import on_the_way  # noqa: PLC0415  (for people, and seldom)

        seen = copy.copy(record)  # filters may change it
        obstacles = list(on_the_way(seen, self))
        named = "alias" not in record.__dict__ or "distinct_id" in record.__dict__
        passed: Any = seen
        try:
            passed = self.filter(seen)
            if not passed:
                obstacles.append("a filter of the handler keeps it out")
        except Exception as error:
            obstacles.append(f"a filter of the handler raises {type(error).__name__}")
        if passed is not seen and isinstance(passed, logging.LogRecord):
            seen = passed
        return self._door.explain(from_record(seen, named=named), obstacles)

    def flush(self, timeout: float | None = None) -> bool:  # type: ignore[override]
        """Wait until everything accepted before the call has its outcome.

        Args:
            timeout: seconds to wait at most; default `shutdown_timeout`. 0 only starts it.

        Returns:
            Whether all of it has its outcome.
        """
        if timeout is None and self._logging_holds:
            return self._door.delivery.settle_until(self._shutdown_deadline())
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
        if self._logging_holds == 1:
            lifecycle.shutdown_begins()

    def release(self) -> None:
        """Release the handler's lock."""
        self._logging_holds -= 1
        if not self._logging_holds:
            lifecycle.shutdown_ends()
        super().release()

    def _shutdown_deadline(self) -> float:
        return lifecycle.shutdown_deadline(self._door.delivery.settings.shutdown_timeout)

    def __repr__(self) -> str:
        return f"<RobotmiaHandler ({logging.getLevelName(self.level)}) {self._door.describe()}>"
