"""A clock that stands still until told, a transport that does as it is told, and no threads."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from robotmia_logging.delivery import Clock, Delivery, DeliverySettings, Outcome, Parcel, Verdict
from robotmia_logging.messages import Message, seal_event, seal_update

OK = Outcome(verdict=Verdict.DELIVERED)
DOWN = Outcome(verdict=Verdict.FAILED, error="HTTP 503 Service Unavailable")
REFUSED = Outcome(verdict=Verdict.REFUSED, error="no")

WALL = 1_700_000_000.0


class FakeTime:
    """Seconds that pass only when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.naps: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.naps.append(seconds)
        self.now += seconds

    def clock(self, random: Callable[[], float] = lambda: 1.0) -> Clock:
        return Clock(monotonic=lambda: self.now, time=lambda: WALL + self.now - 1000.0, sleep=self.sleep, random=random)


class FakeTransport:
    """Keeps the parcels it is given, and answers from a script: outcomes, or callables of the parcel."""

    def __init__(self, *script: Any, otherwise: Any = OK) -> None:
        self.script = list(script)
        self.otherwise = otherwise
        self.parcels: list[Parcel] = []
        self.delivered: list[tuple[str, Any]] = []
        self.at: list[float] = []
        self.time: FakeTime | None = None
        self.closed = 0

    def send(self, parcel: Parcel) -> Outcome:
        self.parcels.append(parcel)
        if self.time is not None:
            self.at.append(self.time.now)
        answer = self.script.pop(0) if self.script else self.otherwise
        outcome: Outcome = answer(parcel) if callable(answer) else answer
        if outcome.verdict is Verdict.DELIVERED:
            self.delivered += [(parcel.path, json.loads(body)) for body in parcel.bodies]
        return outcome

    def close(self) -> None:
        self.closed += 1

    def abandon(self) -> None: ...

    @property
    def names(self) -> list[str]:
        """The delivered events by name."""
        return [message["event"] for _path, message in self.delivered if "event" in message]


def no_threads(_thread: object) -> None:
    """Where threads can't run."""
    raise RuntimeError("can't start new thread")


def make(transport: FakeTransport, **options: Any) -> tuple[Delivery, FakeTime]:
    """A delivery without threads, whose time stands still: `flush` sends in the caller."""
    time = FakeTime()
    transport.time = time
    settings = DeliverySettings(**{"shutdown_timeout": 3600.0, **options})
    delivery = Delivery(settings, transport=lambda: transport, clock=time.clock(), start_thread=no_threads)
    return delivery, time


def event(name: str, user: str | None = "u", *, age: float = 0, **properties: Any) -> Message:
    """An event as capture makes it."""
    given = {"token": "t", "time": int(WALL - age), **properties}
    if user is not None:
        given["distinct_id"] = user
    return seal_event({"event": name, "properties": given})


def alias(user: str, new: str) -> Message:
    """An alias as capture makes it."""
    return event("$create_alias", user, alias=new)


def update(user: str, **operation: Any) -> Message:
    """An update as capture makes it: `update("u", add={"n": 1})`."""
    [(name, value)] = operation.items()
    return seal_update({"$token": "t", "$distinct_id": user, "$time": int(WALL), f"${name}": value})


def adds_up(delivery: Delivery) -> bool:
    """Whether every accepted message is accounted for."""
    stats = delivery.stats()
    outcomes = stats.delivered + sum(stats.dropped.values()) + sum(stats.dead_lettered.values())
    return stats.accepted == outcomes + stats.pending
