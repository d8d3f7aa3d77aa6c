"""The server of a chaos run: it fails as a round wants it to, and its journal is what the verdict goes by."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from random import Random
from typing import Any

from typing_extensions import Self

from tests import hostile
from tests.chaos.plans import STAGES, Round

_REPLY = hostile.status(200, body=hostile.OK)
_REFUSAL = hostile.refuse("poison")
_AWAY = hostile.status(503, {"Connection": "close"})
_UNAVAILABLE = (hostile.status(503), hostile.status(429), hostile.status(500))
_LOSSY = (  # what is taken, and not said to be
    hostile.reset_after,
    hostile.truncated,
    hostile.html,
    hostile.status(502, taken=True),
    hostile.close_silently(taken=True),
    hostile.hang(0.25, taken=True),
)
_LOST = (hostile.close_silently(), hostile.hang(0.25))  # what isn't taken: the client can't know
_GRACE_S = 1.0

Strike = Callable[[str, int, str], object]
"""Told how far a family's request is: the family's name, the number of the request, one of `STAGES`."""


@dataclass(eq=False)
class Arrival:
    """A batch that the server took.

    Attributes:
        family: who sent it, or a parent of theirs.
        path: the endpoint.
        messages: the batch.
        replied: whether the whole reply was sent.
        is_last: whether it was the last request of its connection.
    """

    family: str
    path: str
    messages: list[dict[str, Any]]
    replied: bool = False
    is_last: bool = False


class ChaosServer:
    """Serves within a `with` block; what it does follows the round that was set last."""

    def __init__(self, seed: str, strike: Strike) -> None:
        self._random = Random(seed)
        self._strike = strike
        self._server = hostile.HostileServer(lambda _request: hostile.Behaviour("chaos", (self._serve,)))
        self._lock = threading.Lock()
        self._busy = 0
        self._round: Round | None = None
        self._is_leaving = False
        self._counts: Counter[str] = Counter()
        self._arrivals: list[tuple[Arrival, hostile.Request]] = []
        self.restarts = 0

    def __enter__(self) -> Self:
        self._server.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.__exit__()

    def url(self, family: str) -> str:
        """The base URL for a family: it names who asks."""
        return f"{self._server.url}/{family}"

    def begin(self, plan: Round | None) -> None:
        """Go by this round from now on; without one, take everything."""
        self._round = plan
        self.switch("start")

    def switch(self, how: str) -> None:
        """Stop (``stop``: when all under way have their reply; ``cut``: at once), or ``start`` again."""
        if how == "start":
            self._is_leaving = False
            self._server.accept_connections()
            return
        self.restarts += 1
        if how == "stop":
            self._is_leaving = True  # whoever asks now is sent away: nothing is taken
            self._wait_until_idle()
        self._server.refuse_connections()

    def journal(self) -> Iterable[Arrival]:
        """What was taken, in order. To be read when all is quiet."""
        last = {request.connection: request for request in self._server.requests}
        for arrival, request in self._arrivals:
            arrival.is_last = last[request.connection] is request
            yield arrival

    @property
    def violations(self) -> list[str]:
        """Breaches of the API's document."""
        return self._server.violations

    # --- one request

    def _serve(self, connection: hostile.Connection, request: hostile.Request) -> None:
        with self._under_way():
            _, family, path, _ = request.path.split("/")
            with self._lock:
                self._counts[family] += 1
                number = self._counts[family]
                plan = self._round
                pause_s = self._random.uniform(0.0, plan.latency_s) if plan is not None else 0.0
                behaviour, is_taken = self._draw(request, plan)
            self._strike(family, number, STAGES[0])
            if pause_s:
                connection.ended.wait(pause_s)
            arrival = Arrival(family, path, request.messages)
            if is_taken:
                with self._lock:
                    self._arrivals.append((arrival, request))
            self._strike(family, number, STAGES[1])
            for step in behaviour.steps:
                if not connection.ended.is_set():
                    step(connection, request)
            arrival.replied = behaviour is _REPLY and not connection.ended.is_set()
            self._strike(family, number, STAGES[2])

    def _draw(self, request: hostile.Request, plan: Round | None) -> tuple[hostile.Behaviour, bool]:
        """How a request is met, and whether its messages are taken."""
        if self._is_leaving:
            return _AWAY, False
        chance = self._random.random()
        faults = {} if plan is None else plan.faults
        if chance < faults.get("unavailable", 0.0):
            return self._random.choice(_UNAVAILABLE), False
        if any(is_poison(message) for message in request.messages):
            return _REFUSAL, False
        if 1.0 - chance < faults.get("lossy", 0.0):
            behaviour = self._random.choice(_LOSSY + _LOST)
            return behaviour, behaviour in _LOSSY
        return _REPLY, True

    @contextmanager
    def _under_way(self) -> Iterator[None]:
        with self._lock:
            self._busy += 1
        try:
            yield
        finally:
            with self._lock:
                self._busy -= 1

    def _wait_until_idle(self) -> None:
        """Wait until no request is under way; not for ever, for a step may fail before it counts."""
        pause = threading.Event()
        for _ in range(int(_GRACE_S / 0.001)):
            if not self._busy:
                return
            pause.wait(0.001)


def is_poison(message: dict[str, Any]) -> bool:
    """Whether the server refuses a message."""
    return "poison" in message.get("properties", ())
