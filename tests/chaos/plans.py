"""What happens in a chaos run, drawn from its seed: series of rounds, and in each the lives of some loggers.

A series is some rounds in a row on one spool folder and one server. Only what is drawn is repeatable: at which of the
instructions of a process a kill strikes is up to the machine.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

ROUNDS_IN_SERIES = 10

CLEAN = ("return", "flush", "close", "error")
"""The endings after which nothing may be left to chance: the process ends by itself, its hooks are run."""
OWN_KILLS = ("_exit", "timer", "timer at a roll", "timer at exit")
"""A process ends itself: without its hooks, or by a timer of the kernel's, within microseconds of something."""
OUTER_KILLS = ("SIGKILL", "SIGTERM", "SIGKILL to all", "SIGKILL amid a request")

KINDS = {
    "plain": 5,
    "small segments": 5,
    "lossy": 4,
    "lossy, small segments": 3,
    "full disk by limit": 3,
    "full disk": 3,
    "overflow": 1,
}
"""The kinds of series, and how often each is drawn."""

STAGES = ("before it is taken", "before the reply", "after the reply")

_SMALLEST_BYTES = 16 * 1024
FULL_DISK_BYTES = 768 * 1024


@dataclass(frozen=True, kw_only=True)
class Life:
    """The life of one process that logs.

    Attributes:
        name: the name of its streams; unique in a run.
        seed: of what it draws itself.
        count: how many log calls it makes.
        users: among how many users they are spread.
        pad_bytes: at most so much is added to a message.
        updates, poison, refused: the shares of profile updates, of events that the server refuses, and of updates that
            are refused in the log call.
        pause_every, pause_s: it pauses so long after so many calls.
        linger_s: it waits so long before its end.
        thread: whether a second thread logs, too.
        interrupted: whether a signal handler breaks in and logs, too.
        closes_at: the call before which it closes its handler.
        squeezed: the calls between which its disk is full, by a limit for the size of files.
        ending: one of `CLEAN` or `OWN_KILLS`; with one of `OUTER_KILLS` it ends by itself if it lives so long.
        ends_at: the call at which it kills itself.
        delay_s: the time that its timer runs.
        forks: at which call, and how, it starts which children.
    """

    name: str
    seed: int
    count: int
    users: int
    pad_bytes: int
    updates: float
    poison: float
    refused: float
    pause_every: int
    pause_s: float
    linger_s: float
    thread: bool
    interrupted: bool
    closes_at: int | None
    squeezed: tuple[int, int] | None
    ending: str
    ends_at: int
    delay_s: float
    forks: tuple[tuple[int, str, Life], ...] = ()

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> Life:
        """A life from what `dataclasses.asdict` and JSON made of it."""
        forks = tuple((at, how, cls.from_json(child)) for at, how, child in fields["forks"])
        return cls(**{**fields, "forks": forks})


@dataclass(frozen=True, kw_only=True)
class Family:
    """A logger, the children it forks, and what is done to it from outside.

    Attributes:
        life: of the first process.
        options: of the handler.
        largest_bytes: of a segment; None for the library's own.
        fresh: whether it gets an interpreter of its own, rather than to be forked from one that is warm.
        starts_at_s: when in its round it starts.
        kill: one of `OUTER_KILLS`, or None.
        kill_at_s: when after its start it is killed.
        kill_request, kill_stage: the request amid which it is killed, and at which of `STAGES`.
        stopped_s: when after its start it is stopped, and for how long.
    """

    life: Life
    options: dict[str, Any]
    largest_bytes: int | None
    fresh: bool
    starts_at_s: float
    kill: str | None
    kill_at_s: float
    kill_request: int
    kill_stage: str
    stopped_s: tuple[float, float] | None


@dataclass(frozen=True, kw_only=True)
class Round:
    """Some families that live at the same time, and the server's temper.

    Attributes:
        number: of the round, in the run.
        families: who lives.
        switches: when the server is stopped or started.
        faults: the shares of requests that meet a fault, by its name.
        latency_s: how long the server takes for a request at most.
    """

    number: int
    families: tuple[Family, ...]
    switches: tuple[tuple[float, str], ...]
    faults: dict[str, float] = field(default_factory=dict)
    latency_s: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Series:
    """Rounds on one spool.

    Attributes:
        number: of the series, in the run.
        kind: one of `KINDS`.
        rounds: what happens.
        drainers: how many processes drain the spool at the end, at once.
    """

    number: int
    kind: str
    rounds: tuple[Round, ...]
    drainers: int

    @property
    def is_lossy(self) -> bool:
        """Whether replies of the server get lost."""
        return self.rounds[0].faults.get("lossy", 0.0) > 0

    @property
    def may_fill(self) -> bool:
        """Whether the disk gets full."""
        return self.kind.startswith("full disk")


def series(seed: int, number: int, rounds: int, mounts: bool) -> Series:
    """Draw a series, of its first so many rounds; where nothing can be mounted a limit takes the full disk's place."""
    rng = Random(f"{seed}/{number}")
    kind = rng.choices(list(KINDS), list(KINDS.values()))[0]
    kind = "full disk by limit" if kind == "full disk" and not mounts else kind
    is_lossy = kind.startswith("lossy") or ("full" in kind and rng.random() < 0.3)
    drawn = tuple(_round(seed, number * ROUNDS_IN_SERIES + index, kind, is_lossy) for index in range(rounds))
    return Series(number=number, kind=kind, rounds=drawn, drainers=rng.choice((1, 1, 2)))


def _round(seed: int, number: int, kind: str, is_lossy: bool) -> Round:
    rng = Random(f"{seed}/{number}/{kind}")
    weather = rng.choice(("calm", "calm", "calm", "down", "restarts", "restarts", "failing", "failing"))
    faults = {"lossy": rng.choice((0.1, 0.3, 0.6))} if is_lossy else {}
    if weather == "failing":
        faults["unavailable"] = rng.choice((0.1, 0.4))
    return Round(
        number=number,
        families=tuple(_family(rng, f"{number}.{index}", kind) for index in range(rng.choice((1, 2, 2, 3, 3, 4)))),
        switches=_switches(rng, weather, is_lossy),
        faults=faults,
        latency_s=rng.choice((0.0, 0.0, 0.002, 0.02)),
    )


def _switches(rng: Random, weather: str, is_lossy: bool) -> tuple[tuple[float, str], ...]:
    stop = "cut" if is_lossy else "stop"  # cut off amid requests, or when each has its reply
    if weather == "down":
        return ((0.0, stop),)
    if weather == "restarts":
        at = rng.uniform(0.0, 0.15)
        return (at, stop), (at + rng.uniform(0.01, 0.15), "start")
    return ()


def _family(rng: Random, name: str, kind: str) -> Family:
    ending = rng.choice((*CLEAN[:3], *OWN_KILLS, *OWN_KILLS, *OUTER_KILLS, *OUTER_KILLS))
    ending = "error" if ending == "return" and rng.random() < 0.2 else ending
    fresh = rng.random() < 0.04
    life = _life(rng, name, kind, ending=ending, depth=2)
    alive_s = 0.02 + life.count * 3e-5 + life.count / life.pause_every * life.pause_s + life.linger_s
    start_s = 0.4 if fresh else 0.0
    stops = rng.random() < 0.08
    return Family(
        life=life,
        options=_options(rng, kind),
        largest_bytes=rng.choice((_SMALLEST_BYTES, 4 * _SMALLEST_BYTES)) if "small" in kind else None,
        fresh=fresh,
        starts_at_s=rng.uniform(0.0, 0.05),
        kill=ending if ending in OUTER_KILLS else None,
        kill_at_s=start_s + rng.uniform(0.0, 1.2 * alive_s),
        kill_request=rng.choice((1, 1, 2, rng.randint(1, 20))),
        kill_stage=rng.choice(STAGES),
        stopped_s=(start_s + rng.uniform(0.0, alive_s), rng.uniform(0.05, 0.3)) if stops else None,
    )


def _life(rng: Random, name: str, kind: str, *, ending: str, depth: int) -> Life:
    squeezable = kind == "full disk by limit"
    count = int(2 ** rng.uniform(0, 11)) if rng.random() < 0.8 else 300
    count = min(count, 1500) if squeezable else count
    thread, interrupted = rng.random() < 0.15, rng.random() < 0.1
    closes = rng.random() < 0.08 and not thread and not interrupted  # or their streams would have two lives
    squeezed = sorted((rng.randrange(count), rng.randrange(2 * count))) if squeezable and rng.random() < 0.8 else None
    return Life(
        name=name,
        seed=rng.getrandbits(32),
        count=count,
        users=rng.choice((1, 3, 30)),
        pad_bytes=rng.choice((0, 100, 100, 3000)),
        updates=rng.choice((0.0, 0.0, 0.3)),
        poison=rng.choice((0.0, 0.0, 0.0, 0.01)),
        refused=rng.choice((0.0, 0.0, 0.0, 0.02)),
        pause_every=rng.choice((1, 10, 100)),
        pause_s=min(rng.choice((0.0, 0.0, 0.001, 0.01)), 0.2 / count),
        linger_s=rng.choice((0.0, 0.0, rng.uniform(0.0, 0.15))),
        thread=thread,
        interrupted=interrupted,
        closes_at=rng.randrange(count) if closes else None,
        squeezed=(squeezed[0], squeezed[1]) if squeezed else None,
        ending=ending,
        ends_at=rng.randrange(count),
        delay_s=10 ** rng.uniform(-6, -1.5 if ending == "timer at exit" else -3),
        forks=_forks(rng, name, kind, count, depth),
    )


def _forks(rng: Random, name: str, kind: str, count: int, depth: int) -> tuple[tuple[int, str, Life], ...]:
    if depth == 0 or rng.random() > 0.2:
        return ()
    forks = []
    for number in range(rng.choice((1, 1, 2))):
        ending = rng.choice(("return", "flush", *OWN_KILLS))
        child = _life(rng, f"{name}c{number}", kind, ending=ending, depth=depth - 1)
        forks.append((rng.randrange(count), rng.choice(("fork", "fork", "multiprocessing")), child))
    return tuple(forks)


def _options(rng: Random, kind: str) -> dict[str, Any]:
    options: dict[str, Any] = {
        "flush_interval": rng.choice((0.02, 0.2, 2.0)),
        "capacity": rng.choice((50, 50, 50, 7)),
        "senders": rng.choice((8, 8, 1)),
        # With a small one most of an outage's messages are left on disk, and read again when their turn comes.
        "max_pending": rng.choice((100_000, 100_000, 1_000, 30)),
        "shutdown_timeout": 2.0,
        # A reply that is only late must not look lost where none is lost; that of a server that hangs, soon.
        "timeout": (3.0, rng.choice((0.1, 1.0)) if kind.startswith("lossy") else 30.0),
        "spool_fsync": rng.choice((None, None, None, 0.05)),
    }
    if kind == "overflow":
        options["spool_max_bytes"] = rng.choice((64 * 1024, 256 * 1024, 1024 * 1024))
        options["overflow"] = rng.choice(("drop_oldest", "drop_oldest", "drop_newest", "block"))
        options["block_timeout"] = 0.002
    return options
