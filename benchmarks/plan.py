"""What is measured: the scenarios, of whom, how often, and with how many messages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from benchmarks.contestants import (
    Contestant,
    Libraries,
    Mixpanel,
    PlainStructlog,
    RawClient,
    RobotmiaSpool,
    RobotmiaStructlog,
)

SIZES = ("tiny", "small", "full")


@dataclass(frozen=True)
class Scenario:
    """Something to measure.

    Attributes:
        repetitions: fresh processes for each contestant, for each of `SIZES`.
        numbers: of calls, messages and turns, by name, for each of `SIZES`.
        concerns: which contestants it is measured of.
        latency_ms: how long the sink waits before each reply.
        more_for_ours: numbers that differ for contestants with several connections.
    """

    repetitions: tuple[int, int, int]
    numbers: Mapping[str, tuple[int, int, int]]
    concerns: Callable[[type[Contestant]], bool]
    latency_ms: float = 0.0
    more_for_ours: Mapping[str, tuple[int, int, int]] = field(default_factory=dict)

    def sized(self, size: str, contestant: type[Contestant]) -> dict[str, int]:
        """The numbers of a size."""
        numbers = {**self.numbers, **(self.more_for_ours if contestant.tracks_what_asks else {})}
        return {name: each[SIZES.index(size)] for name, each in numbers.items()}


def _sends(contestant: type[Contestant]) -> bool:
    return contestant.sends


def _ships(contestant: type[Contestant]) -> bool:
    return contestant.sends and contestant is not RawClient


SCENARIOS: dict[str, Scenario] = {
    "call": Scenario(
        repetitions=(1, 3, 7),
        numbers={
            "turns": (1, 4, 15),
            "calls": (50, 1000, 2000),
            "threads": (2, 8, 8),
            "thread_turns": (1, 3, 5),
            "thread_calls": (25, 400, 1000),
            "untracked_turns": (2, 40, 200),
        },
        concerns=lambda each: each not in (RawClient, Libraries),
    ),
    "drain": Scenario(repetitions=(1, 3, 7), numbers={"messages": (100, 8_000, 100_000)}, concerns=_sends),
    "distance": Scenario(
        repetitions=(1, 1, 3),
        numbers={"messages": (100, 2_000, 20_000)},
        more_for_ours={"messages": (100, 12_000, 60_000)},
        concerns=_ships,
        latency_ms=50,
    ),
    "outage": Scenario(
        repetitions=(1, 1, 2),
        numbers={"messages": (100, 20_000, 200_000), "logging_s": (5, 3, 60), "recovery_s": (5, 5, 60)},
        concerns=_ships,
    ),
    "memory": Scenario(
        repetitions=(1, 1, 3),
        numbers={"messages": (100, 20_000, 100_000)},
        concerns=lambda each: _ships(each) and each is not Mixpanel,  # it holds fifty
    ),
    "spool": Scenario(
        repetitions=(1, 1, 3),
        numbers={"turns": (2, 40, 150), "calls": (20, 250, 250), "fsync_calls": (50, 2_000, 20_000)},
        concerns=lambda each: each is RobotmiaSpool,
    ),
    "import": Scenario(
        repetitions=(1, 3, 25),
        numbers={},
        concerns=lambda each: bool(each.modules) and each not in (PlainStructlog, RobotmiaSpool, RobotmiaStructlog),
    ),
}
