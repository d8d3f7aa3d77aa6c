"""What a test finds: messages that were sent, and those that were refused."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from robotmia_logging.messages import ENGAGE, OPERATIONS

_QUIET = frozenset({"token", "time", "distinct_id"})


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class SentMessage:
    """An event or a profile update, as it was sent.

    Attributes:
        endpoint: ``"track"`` or ``"engage"``; in a sandbox also ``"import"``, where old events go.
        message: as it stands on the wire.
        user: whom it landed on, if a sandbox has resolved an alias; else None.
        warnings: what a sandbox has against it, a sentence each.
    """

    endpoint: str
    message: Mapping[str, Any]
    user: str | None = None
    warnings: tuple[str, ...] = ()

    @property
    def event(self) -> str | None:
        """The event's name; None of a profile update."""
        return None if self.endpoint == ENGAGE else self.message["event"]

    @property
    def properties(self) -> Mapping[str, Any]:
        """The event's properties, with `token`, `time`, `distinct_id` and `ip`; none of a profile update."""
        return {} if self.endpoint == ENGAGE else self.message["properties"]

    @property
    def distinct_id(self) -> str | None:
        """The user, as sent."""
        sent: str | None = (
            self.message.get("$distinct_id") if self.endpoint == ENGAGE else self.properties.get("distinct_id")
        )
        return sent

    @property
    def time(self) -> int | None:
        """When it happened, in seconds since 1970."""
        sent: int | None = self.message.get("$time") if self.endpoint == ENGAGE else self.properties.get("time")
        return sent

    @property
    def operation(self) -> str | None:
        """The update's operation, such as ``"$set"``; None of an event."""
        if self.endpoint != ENGAGE:
            return None
        return next((name for name in self.message if name in OPERATIONS), None)

    @property
    def value(self) -> Any:
        """What the operation is given; None of an event."""
        return None if self.operation is None else self.message[self.operation]

    def __repr__(self) -> str:
        if self.endpoint == ENGAGE:
            return f"<update of {self.distinct_id!r}: {self.operation}={self.value!r}>"
        parts = [repr(self.event), *_parts(self.properties)]
        return f"<event {' '.join(parts)}>"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class RefusedMessage:
    """A message that was refused or dropped instead of sent; in a sandbox, one of a request that was refused.

    Attributes:
        reason: the name that `stats()` counts it under; in a sandbox ``"refused"``.
        error: the reason in a sentence.
        endpoint: ``"track"``, ``"engage"`` or ``"import"``.
        event: the event's name, or the update's operation, if it has one.
        distinct_id: the user, if it has one.
        dropped: whether your own word dropped it (`before_send`, `sample`).
        message: as far as it got.
    """

    reason: str
    error: str
    endpoint: str
    event: str | None = None
    distinct_id: str | None = None
    dropped: bool = False
    message: Any = field(default=None, compare=False)

    def __repr__(self) -> str:
        return f"<{'dropped' if self.dropped else 'refused'} {self.what}: {self.error} ({self.reason})>"

    @property
    def what(self) -> str:
        """What it is, in words."""
        kind = "update" if self.endpoint == ENGAGE else "event"
        return kind if self.event is None else f"{kind} {self.event!r}"


def name_of(message: Any) -> str | None:
    """The name of an event, or the operation of an update; None if it has none, or is no message at all."""
    if not isinstance(message, Mapping):
        return None
    names: Iterable[Any] = (message.get("event"), *(name for name in message if name in OPERATIONS))
    return next((name for name in names if isinstance(name, str)), None)


def _parts(properties: Mapping[str, Any]) -> list[str]:
    first = [f"distinct_id={properties['distinct_id']!r}"] if "distinct_id" in properties else []
    return first + [f"{name}={value!r}" for name, value in properties.items() if name not in _QUIET]
