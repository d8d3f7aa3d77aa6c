"""RobotmiaProcessor: the door of structlog."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, MutableMapping, Set
from typing import TYPE_CHECKING, Any

from robotmia_logging.capture import (
    Call,
    SeenCopies,
    asks,
    from_event_dict,
    level_of_method,
    logger_name,
)
from robotmia_logging.door import Door

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from robotmia_logging.capture import Explanation
    from robotmia_logging.delivery import Delivery, Stats
    from robotmia_logging.options import Options

__all__ = ["RobotmiaProcessor"]


class RobotmiaProcessor:
    """A structlog processor that turns event dicts with tracking keys, or that match a rule, into robotmia messages.

    Put it behind `structlog.contextvars.merge_contextvars` and before the renderer. It hands the event dict on, less
    the keys that asked for tracking; it never raises and never drops the log line.

    Takes the options of the README's table as keywords, and `delivery`: that of another door, to share.

    Raises:
        ConfigurationError: an option is unknown, or its value isn't allowed (a ValueError).
    """

    def __init__(self, **options: Unpack[Options]) -> None:
        self._door = Door(options)
        self._seen = SeenCopies()

    def __call__(self, logger: Any, method_name: str, event_dict: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        """Track the call if it asks for that, and hand the event dict on."""
        try:
            if self._door.enabled:
                self._track(logger, method_name, event_dict)
        except Exception as error:
            self._door.delivery.trouble("a log call could not be read", error)
        return event_dict

    def _track(self, logger: Any, method_name: str, event_dict: MutableMapping[str, Any]) -> None:
        door = self._door
        if not (asks(event_dict) or "_record" in event_dict or door.composer.has_rules):
            return
        level = level_of_method(method_name)
        if level < door.level:
            return
        if "_record" in event_dict:
            keys = self._track_record(from_event_dict(logger, method_name, event_dict, time.time()))
        else:
            name = logger_name(logger, event_dict)
            match = door.composer.match_event_dict(name, level, event_dict) if door.composer.has_rules else None
            if match is None:
                if not asks(event_dict):
                    return
                plain = door.plain_events
                if plain is not None and (message := plain.of_event_dict(name, event_dict)) is not None:
                    door.send(message, level)
                    del event_dict["track"]
                    return
            keys = door.track(from_event_dict(logger, method_name, event_dict, time.time()), match)
        for key in keys:
            if key != "event":  # an extra that named the event: structlog needs its own
                event_dict.pop(key, None)

    def _track_record(self, call: Call) -> Set[str]:
        """Inside `ProcessorFormatter`: once, however many handlers format the record."""
        record = call.record
        if record is not None and record in self._seen:
            return self._door.composer.asking(call)
        keys = self._door.track(call, self._door.composer.match_call(call))
        if record is not None:
            self._seen.add(record)
        return keys

    def explain(self, logger: Any, method_name: str, event_dict: Mapping[str, Any]) -> Explanation:
        """What would become of a call: which rule matches, what comes of it, or why nothing does.

        Takes what a processor is called with. Nothing is sent or counted, and the event dict stays as it is.
        """
        call = from_event_dict(logger, method_name, dict(event_dict), time.time())
        level = level_of_method(method_name)
        low = f"the processor's level is {logging.getLevelName(self._door.level)}, the call's {method_name}"
        return self._door.explain(call, [low] if level < self._door.level else [])

    def flush(self, timeout: float | None = None) -> bool:
        """Wait until everything accepted before the call has its outcome.

        Args:
            timeout: seconds to wait at most; default `shutdown_timeout`. 0 only starts it.

        Returns:
            Whether all of it has its outcome.
        """
        return self._door.delivery.flush(timeout)

    def close(self) -> None:
        """Deliver what waits, within `shutdown_timeout`; the threads end. The next message starts them again."""
        self._door.delivery.close()

    def stats(self) -> Stats:
        """What became of the messages so far."""
        return self._door.stats()

    @property
    def delivery(self) -> Delivery:
        """The delivery behind this processor, to share with another door."""
        return self._door.delivery

    def __repr__(self) -> str:
        return f"<RobotmiaProcessor {self._door.describe()}>"
