"""The figures of a run as text: the contestants' table, in two halves, and the budget."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from benchmarks.contestants import CONTESTANTS

NAME_WIDTH, WIDTH = 26, 8
MET = {None: "", True: "met", False: "NOT met"}


class Column(NamedTuple):
    """A column: what stands above it (its group, two lines), where its figure is, and its form."""

    group: str
    head: tuple[str, str]
    scenario: str
    figure: str
    form: str = "{:,.0f}"


HALVES: tuple[tuple[Column, ...], ...] = (
    (
        Column("a call", ("median", "µs"), "call", "call_us", "{:.1f}"),
        Column("a call", ("floor", "µs"), "call", "floor_us", "{:.1f}"),
        Column("a call", ("times", "floor"), "call", "times", "{:.2f}"),
        Column("a call", ("p99", "µs"), "call", "p99_us"),
        Column("8 threads", ("p99", "µs"), "call", "threads_p99_us"),
        Column("8 threads", ("times", "floor"), "call", "threads_times", "{:,.1f}"),
        Column("8 threads", ("p99.9", "µs"), "call", "threads_p999_us"),
        Column("untracked, +µs", ("no", "rules"), "call", "untracked_us", "{:+.2f}"),
        Column("untracked, +µs", ("100", "rules"), "call", "rules_us", "{:+.2f}"),
        Column("drain", ("msgs/s", ""), "drain", "messages_s"),
        Column("drain", ("CPU", "µs"), "drain", "cpu_us", "{:.1f}"),
        Column("drain", ("CPU", "calls"), "drain", "cpu_in_calls", "{:.1f}"),
        Column("drain", ("lost", ""), "drain", "lost"),
        Column("50 ms away", ("msgs/s", ""), "distance", "messages_s"),
        Column("50 ms away", ("lost", ""), "distance", "lost"),
    ),
    (
        Column("the server is away", ("logged", ""), "outage", "logged"),
        Column("the server is away", ("first", "µs"), "outage", "first_us", "{:,.1f}"),
        Column("the server is away", ("last", "µs"), "outage", "last_us", "{:,.1f}"),
        Column("the server is away", ("slowest", "µs"), "outage", "slowest_us"),
        Column("the server is away", ("memory", "MiB"), "outage", "grown_mib", "{:.1f}"),
        Column("the server is away", ("lost", ""), "outage", "lost"),
        Column("the server is away", ("raised", ""), "outage", "raised"),
        Column("the server is away", ("warned", ""), "outage", "complaints"),
        Column("import", ("ms", ""), "import", "import_ms"),
        Column("import", ("ready", "ms"), "import", "ready_ms"),
        Column("import", ("MiB", ""), "import", "resident_mib", "{:.1f}"),
        Column("waiting", ("bytes", "a msg"), "memory", "pending_bytes"),
    ),
)


def render(report: Mapping[str, Any]) -> str:
    """A run as text.

    Args:
        report: what the JSON file holds.
    """
    machine = report["machine"]
    title = (
        f"Python {machine['python']} on {machine['cores']} cores, load {machine['load']} before; "
        f"{report['size']} sizes, {report['took_s']:.0f} s"
    )
    parts = [title, *_halves(report), *_notes(report), *_instructions(report["instructions"]), _budget(report)]
    return "\n\n".join(parts)


def _halves(report: Mapping[str, Any]) -> Iterator[str]:
    medians = report["medians"]
    for half in HALVES:
        columns = [column for column in half if column.scenario in medians]
        if columns:
            rows = [_row(name, columns, report) for name in CONTESTANTS if _has_row(name, columns, report)]
            yield "\n".join(line.rstrip() for line in (*_head(columns), *rows))


def _has_row(name: str, columns: Sequence[Column], report: Mapping[str, Any]) -> bool:
    measured = any(name in report["medians"][column.scenario] for column in columns)
    return measured or name in report["not_installed"] or any(name == each["contestant"] for each in report["failed"])


def _head(columns: Sequence[Column]) -> Iterator[str]:
    yield " " * NAME_WIDTH + "".join(_groups(columns))
    for line in (0, 1):
        yield " " * NAME_WIDTH + "".join(f"{column.head[line]:>{WIDTH}}" for column in columns)


def _groups(columns: Sequence[Column]) -> Iterator[str]:
    """Each group's title above its first column, a rule above the others."""
    names = [column.group for column in columns]
    for group in dict.fromkeys(names):
        yield "  " + f"{group} ".ljust(names.count(group) * WIDTH - 2, "-")


def _row(name: str, columns: Sequence[Column], report: Mapping[str, Any]) -> str:
    if name in report["not_installed"]:
        return f"{name:<{NAME_WIDTH}}  not installed"
    failed = {each["scenario"] for each in report["failed"] if each["contestant"] == name}
    cells = []
    for column in columns:
        figures = report["medians"][column.scenario].get(name, {})
        missing = "failed" if column.scenario in failed else "-"
        cells.append(column.form.format(figures[column.figure]) if column.figure in figures else missing)
    return f"{name:<{NAME_WIDTH}}" + "".join(f"{cell:>{WIDTH}}" for cell in cells)


def _notes(report: Mapping[str, Any]) -> Iterator[str]:
    lines = list(
        dict.fromkeys("{contestant} failed in {scenario}: {why}".format_map(each) for each in report["failed"])
    )
    for name, of in report["medians"].get("spool", {}).items():
        syncs = (("off", "off"), ("1.0", "1_s"), ("0.1", "0_1_s"))
        synced = ", ".join(f"{interval} {of[f'fsync_{figure}_calls_s']:,.0f}" for interval, figure in syncs)
        lines += [
            f"{name}, a call, µs:                {of['spool_us']:.1f} ({of['memory_us']:.1f} in memory)",
            f"{name}, beside a busy thread, µs:  {of['busy_spool_us']:.1f} ({of['busy_memory_us']:.1f} in memory)",
            f"{name}, calls/s with spool_fsync:  {synced}",
        ]
    if lines:
        yield "\n".join(lines)


def _instructions(counts: Mapping[str, Any]) -> Iterator[str]:
    if counts:
        shown = {
            name: f"{count:,}" if isinstance(count, (int, float)) else str(count) for name, count in counts.items()
        }
        yield "\n".join(("instructions of the hot path", *(f"  {name:<55}{count}" for name, count in shown.items())))


def _budget(report: Mapping[str, Any]) -> str:
    lines = (
        f"  {line['what']:<50}{line['allowed']:>22}{line['measured']:>20}  {MET[line['met']]}".rstrip()
        for line in report["budget"]
    )
    return "\n".join(("budget", *lines))
