"""The budget of speed: each line as what is allowed, what was measured, and whether that is met."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from benchmarks.contestants import PEERS, Libraries, Robotmia, RobotmiaSpool

Medians = Mapping[str, Mapping[str, Mapping[str, float]]]

OURS, SPOOL = Robotmia.name, RobotmiaSpool.name


class Line(NamedTuple):
    """A line of the budget; `met` is None where it wasn't measured."""

    what: str
    allowed: str
    measured: str
    met: bool | None


def budget(medians: Medians) -> list[Line]:
    """All lines, with what a run measured."""

    def line(what: str, allowed: str, form: str, value: Callable[[], float], met: Callable[[float], bool]) -> Line:
        try:
            measured = value()
        except (KeyError, ValueError):  # a scenario or a contestant wasn't asked for, or isn't installed
            return Line(what, allowed, "not measured", None)
        return Line(what, allowed, form.format(measured), met(measured))

    def of(scenario: str, figure: str, contestant: str = OURS) -> float:
        return medians[scenario][contestant][figure]

    def best_peer() -> str:
        drained = {name: of("drain", "messages_in_a_call", name) for name in PEERS if name in medians["drain"]}
        return max(drained, key=drained.__getitem__)

    def beside_best_peer(figure: str) -> float:
        return of("drain", figure) / of("drain", figure, best_peer())

    def imported(figure: str) -> float:
        return of("import", figure) / of("import", "import_ms", Libraries.name)

    def slower_at_the_end() -> float:
        return of("outage", "last_times") / of("outage", "first_times")

    def spool_drain() -> float:
        return of("drain", "messages_in_a_call", SPOOL) / of("drain", "messages_in_a_call")

    return [
        line("a tracked call, beside a NullHandler's", "<= 1.5 times", "{:.2f} times",
             lambda: of("call", "times"), lambda x: x <= 1.5),
        line("an untracked call, more than a NullHandler's", "<= 0.3 µs", "{:+.2f} µs",
             lambda: of("call", "untracked_us"), lambda x: x <= 0.3),
        line("8 threads: p99, beside a NullHandler's", "<= 10 times", "{:.1f} times",
             lambda: of("call", "threads_times"), lambda x: x <= 10),
        line("drained, beside the best peer", ">= 2.5 times", "{:.2f} times",
             lambda: beside_best_peer("messages_in_a_call"), lambda x: x >= 2.5),
        line("CPU a message, beside the best peer", "<= 0.45 times", "{:.2f} times",
             lambda: beside_best_peer("cpu_in_calls"), lambda x: x <= 0.45),
        line("50 ms away", ">= 6,000 messages/s", "{:,.0f} messages/s",
             lambda: of("distance", "messages_s"), lambda x: x >= 6000),
        line("a spool, more for a call", "<= 3 µs", "{:+.2f} µs",
             lambda: of("spool", "more_us", SPOOL), lambda x: x <= 3),
        line("a spool, more for a call beside a busy thread", "<= 3 µs", "{:+.2f} µs",
             lambda: of("spool", "busy_more_us", SPOOL), lambda x: x <= 3),
        line("drained with a spool, beside without", ">= 0.6 times", "{:.2f} times",
             spool_drain, lambda x: x >= 0.6),
        line("outage: memory it takes", "<= 64 MiB", "{:.0f} MiB",
             lambda: of("outage", "grown_mib"), lambda x: x <= 64),
        line("outage: the last tenth of calls beside the first", "<= 1.25 times", "{:.2f} times",
             slower_at_the_end, lambda x: x <= 1.25),
        line("import, beside its libraries'", "<= 1.15 times", "{:.2f} times",
             lambda: imported("import_ms"), lambda x: x <= 1.15),
        line("import and a first handler, beside the same", "<= 1.15 times", "{:.2f} times",
             lambda: imported("ready_ms"), lambda x: x <= 1.15),
    ]  # fmt: skip
