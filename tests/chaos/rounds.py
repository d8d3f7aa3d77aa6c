"""Plays a series of rounds, drains the spool, and gathers the evidence."""

from __future__ import annotations

import heapq
import itertools
import json
import os
import select
import shutil
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

from typing_extensions import Self

from tests.chaos.disks import small_disk
from tests.chaos.families import Nursery, Running
from tests.chaos.logger import EXIT_CODE, allowed_codes
from tests.chaos.plans import CLEAN, Family, Round, Series
from tests.chaos.server import ChaosServer
from tests.chaos.verdict import Account, Ack, Evidence, Verdict

_LONGEST_S = 45.0  # a round takes less than a second
_STACKS_S = 0.5
_FOLDERS = ("spool", "acks", "told", "stderr", "orders")
_SIGNALS = {"SIGKILL": signal.SIGKILL, "SIGTERM": signal.SIGTERM, "SIGKILL to all": signal.SIGKILL}
_CODES = {EXIT_CODE: "_exit", -signal.SIGALRM: "timer"}


@dataclass(kw_only=True)
class Outcome:
    """What a series came to.

    Attributes:
        number: of the series.
        rounds: the numbers of its rounds.
        kind: of the series.
        counts: the numbers of the summary.
        violations: what must not be, a line each.
        folder: where everything is, if there are violations.
    """

    number: int
    rounds: range
    kind: str
    counts: Counter[str]
    violations: list[str]
    folder: str


def play(seed: int, series: Series, root: str, nursery: Nursery) -> Outcome:
    """Play a series; its folder is kept if something is wrong."""
    folder = os.path.join(root, f"series-{series.number:04}")
    for name in _FOLDERS:
        os.makedirs(os.path.join(folder, name))
    with ExitStack() as stack:
        if series.kind == "full disk":
            stack.enter_context(small_disk(os.path.join(folder, "spool")))
        played = _Played(seed, series, folder, nursery)
        evidence = stack.enter_context(played).evidence()
        verdict = Verdict(evidence)
        if verdict.violations:
            _write_down(folder, series, evidence, verdict)
    if not verdict.violations:
        shutil.rmtree(folder)
    first = series.rounds[0].number
    return Outcome(
        number=series.number,
        rounds=range(first, first + len(series.rounds)),
        kind=series.kind,
        counts=verdict.counts + played.counts,
        violations=verdict.violations,
        folder=folder,
    )


class _Played:
    """A series, played when it is entered."""

    def __init__(self, seed: int, series: Series, folder: str, nursery: Nursery) -> None:
        self._series = series
        self._folder = folder
        self._nursery = nursery
        self._server = ChaosServer(f"{seed}/{series.number}", self._strike_amid)
        self._agenda: list[tuple[float, int, Callable[[], object]]] = []
        self._ticket = itertools.count()
        self._alive: dict[int, Running] = {}
        self._all: dict[str, Running] = {}
        self._hanging: set[str] = set()
        self.counts: Counter[str] = Counter()

    def __enter__(self) -> Self:
        with self._server:
            for plan in self._series.rounds:
                self._play_round(plan)
            self._drain()
        return self

    def __exit__(self, *_: object) -> None:
        for running in self._alive.values():
            running.strike(signal.SIGKILL, everybody=True)

    # --- a round

    def _play_round(self, plan: Round) -> None:
        self._server.begin(plan)
        for at_s, how in plan.switches:
            self._in(at_s, partial(self._server.switch, how))
        for family in plan.families:
            self._in(family.starts_at_s, partial(self._start, family))
        self._run(len(plan.families))
        self.counts["rounds"] += 1
        self.counts["rounds with a full disk"] += self._series.may_fill

    def _drain(self) -> None:
        self._server.begin(None)
        for number in range(self._series.drainers):
            self._launch(f"drain.{number}", None)
        self._run(0)

    def _in(self, delay_s: float, act: Callable[[], object]) -> None:
        heapq.heappush(self._agenda, (time.monotonic() + delay_s, next(self._ticket), act))

    def _run(self, coming: int) -> None:
        """Do what is on the agenda until `coming` families more were started, and all are gone."""
        deadline = time.monotonic() + _LONGEST_S
        expected = len(self._all) + coming
        while self._alive or len(self._all) < expected:
            now = time.monotonic()
            if now > deadline:
                self._end_hanging()
            while self._agenda and self._agenda[0][0] <= now:
                heapq.heappop(self._agenda)[2]()
            wait_s = self._agenda[0][0] - time.monotonic() if self._agenda else deadline - now
            for descriptor in select.select(list(self._alive), (), (), max(0.0, wait_s))[0]:
                self._alive.pop(descriptor).bury()
        self._agenda.clear()

    def _end_hanging(self) -> None:
        for running in self._alive.values():
            self._hanging.add(running.name)
            running.strike(signal.SIGCONT, everybody=True)
            running.strike(signal.SIGUSR1, everybody=True)  # they say where, on stderr
        time.sleep(_STACKS_S)
        for running in self._alive.values():
            running.strike(signal.SIGKILL, everybody=True)

    def _start(self, family: Family) -> None:
        running = self._launch(family.life.name, family)
        if family.kill in _SIGNALS:
            everybody = family.kill == "SIGKILL to all"
            self._in(family.kill_at_s, partial(running.strike, _SIGNALS[family.kill], everybody=everybody))
        if family.stopped_s is not None:
            at_s, for_s = family.stopped_s
            self._in(at_s, partial(running.strike, signal.SIGSTOP, everybody=True))
            self._in(at_s + for_s, partial(running.strike, signal.SIGCONT, everybody=True))

    def _launch(self, name: str, family: Family | None) -> Running:
        options = {"url": self._server.url(name), "spool": os.path.join(self._folder, "spool")}
        order = {
            "family": name,
            "folder": self._folder,
            "stderr": os.path.join(self._folder, "stderr", name),
            "may_fill": self._series.may_fill,
            "largest_bytes": None if family is None else family.largest_bytes,
            "options": options if family is None else {**family.options, **options},
            "life": None if family is None else asdict(family.life),
        }
        running = self._nursery.start(order, family, self._folder)
        self._alive[running.alive] = self._all[name] = running
        return running

    def _strike_amid(self, name: str, number: int, stage: str) -> None:
        """A family's request is so far: is it killed now?"""
        running = self._all.get(name)
        plan = None if running is None else running.plan
        if running is None or plan is None or plan.kill != "SIGKILL amid a request":
            return
        if (number, stage) == (plan.kill_request, plan.kill_stage):
            running.strike(signal.SIGKILL)

    # --- the evidence

    def evidence(self) -> Evidence:
        """All that the series left."""
        self.counts["server restarts"] = self._server.restarts
        return Evidence(
            acks={name: _acks(path) for name, path in self._files("acks")},
            arrivals=list(self._server.journal()),
            letters=_letters(os.path.join(self._folder, "spool"), torn=self._series.may_fill),
            accounts={name: self._account(running) for name, running in self._all.items()},
            is_lossy=self._series.is_lossy,
            overflows=self._series.kind == "overflow",
            left=[name for name, _ in self._files("spool") if not name.startswith("dead-letters.jsonl")],
            breaches=self._server.violations,
        )

    def _account(self, running: Running) -> Account:
        plan = running.plan
        told = _lines(os.path.join(self._folder, "told", running.name))
        account = Account(
            senders=8 if plan is None else plan.options["senders"],
            may_fill=self._series.may_fill,
            told=told,
            stderr=_lines(os.path.join(self._folder, "stderr", running.name)),
            fate=self._fate(running, told),
        )
        kills = self._kills(running, told)
        account.kills = sum(kills.values())
        self.counts.update({f"kills: {kind}": count for kind, count in kills.items()})
        self.counts["processes"] += len([line for line in told if line.startswith("born")])
        return account

    def _kills(self, running: Running, told: Iterable[str]) -> Counter[str]:
        """How the processes of a family were killed; of children it is known only how they were to end."""
        kills: Counter[str] = Counter()
        births = [line.removeprefix("born ") for line in told if line.startswith("born ")]
        for ending in births[1:] if running.plan is not None else ():
            everybody = running.was_struck and running.plan.kill == "SIGKILL to all"
            kills["SIGKILL to all" if ending in CLEAN else ending] += ending not in CLEAN or everybody
        if running.plan is not None and running.was_struck:
            kills[running.plan.kill or "SIGKILL"] += 1
        elif running.plan is not None and running.code in _CODES:
            kills[running.plan.life.ending] += 1
        return kills

    def _fate(self, running: Running, told: list[str]) -> str:
        if running.name in self._hanging:
            return f"hangs: see stderr/{running.name}"
        if running.plan is None:
            return "" if "flushed True" in told and running.code == 0 else f"it couldn't drain the spool: {told}"
        allowed = allowed_codes(running.plan.life)
        allowed |= {-signal.SIGKILL, -signal.SIGTERM} if running.was_struck else set()
        return "" if running.code in allowed else f"it ended with {running.code}"

    def _files(self, folder: str) -> Iterable[tuple[str, str]]:
        parent = os.path.join(self._folder, folder)
        return [(name, os.path.join(parent, name)) for name in sorted(os.listdir(parent))]


def _acks(path: str) -> list[Ack]:
    return [Ack(int(line.rstrip("x?")), not line.endswith("?"), "x" in line) for line in _lines(path)]


def _letters(folder: str, *, torn: bool) -> list[dict[str, Any]]:
    """The dead letters; a full disk may have cut some short, which come again."""
    letters = []
    for name in ("dead-letters.jsonl.1", "dead-letters.jsonl"):
        for line in _lines(os.path.join(folder, name)):
            try:
                letters.append(json.loads(line))
            except ValueError:
                if not torn:
                    raise
    return letters


def _lines(path: str) -> list[str]:
    try:
        with open(path, encoding="utf-8") as file:
            return file.read().splitlines()
    except FileNotFoundError:
        return []


def _write_down(folder: str, series: Series, evidence: Evidence, verdict: Verdict) -> None:
    """Leave what a person needs who looks into it."""
    if series.kind == "full disk":  # which goes with its mount
        shutil.copytree(os.path.join(folder, "spool"), os.path.join(folder, "spool-as-left"))
    with open(os.path.join(folder, "plan.json"), "w", encoding="utf-8") as file:
        json.dump(asdict(series), file, indent=1)
    with open(os.path.join(folder, "journal.jsonl"), "w", encoding="utf-8") as file:
        file.writelines(json.dumps(asdict(arrival)) + "\n" for arrival in evidence.arrivals)
    with open(os.path.join(folder, "verdict.txt"), "w", encoding="utf-8") as file:
        file.write("\n".join(verdict.violations) + "\n")
