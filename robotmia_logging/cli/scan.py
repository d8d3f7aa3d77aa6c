"""`robotmia-logging scan`: find the log calls of a code base."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any

import click

from robotmia_logging.cli.saying import INTERRUPTED, fail, many, reason, say_json, shown
from robotmia_logging.scan import (
    Argument,
    Counts,
    LogCall,
    Problem,
    Root,
    find_files,
    package_roots,
    pattern_of,
    rules_file,
    scan_files,
    table,
)

_MAX_CELL = 10_000


@click.command()
@click.argument("paths", metavar="[PATH]...", nargs=-1, type=click.Path(exists=True))
@click.option(
    "-p", "--package", "packages", metavar="NAME", multiple=True, help="Scan an installed package; may be repeated."
)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON line for each call, instead of a table.")
@click.option(
    "--rules",
    metavar="FILE",
    type=click.Path(dir_okay=False),
    help="Write a rules file to start from: a rule for each call, commented out.",
)
@click.option("--force", is_flag=True, help="Overwrite the rules file if there is one.")
def scan(paths: tuple[str, ...], packages: tuple[str, ...], as_json: bool, rules: str | None, force: bool) -> None:
    """Find the log calls of a code base.

    [PATH]... are files and folders with Python code. It is read, not run: calls of logging and structlog are found
    in its syntax trees, with their logger, level, template and arguments, and listed by place. What only the
    running program knows is shown as "?", with the code that stands for it. Hidden folders, node_modules and
    virtual environments are skipped, unless they are given as PATH.

    A summary goes to stderr. The exit code is 0 if all files could be read, 1 if not, 130 after Ctrl-C.
    """
    if not paths and not packages:
        raise click.UsageError("Give files or folders to scan, or an installed package with --package.")
    if rules is not None and os.path.lexists(rules) and not force:
        fail(f"{rules} is there already; --force overwrites it.", 2)
    roots = [Root(path) for path in paths] + [root for name in packages for root in _installed(name)]
    counts = Counts()
    try:
        found = _scanned(roots, counts)
        calls = _said_each(found) if as_json else list(found)
        if rules is not None:
            _write(rules, rules_file(calls))
        if not as_json:
            _say_table(calls)
    except KeyboardInterrupt:
        fail("Interrupted.", INTERRUPTED)
    click.echo(_sentence(counts, rules), err=True)
    sys.exit(1 if counts.problems else 0)


def _installed(name: str) -> list[Root]:
    try:
        return package_roots(name)
    except ValueError as error:
        raise click.BadParameter(f"{error}.", param_hint="--package") from None


def _scanned(roots: list[Root], counts: Counts) -> Iterator[LogCall]:
    def tell(problem: Problem) -> None:
        counts.problems += 1
        click.echo(f"{shown(problem.place, _MAX_CELL)}: {shown(problem.reason)}.", err=True)

    files = list(find_files(roots, tell))
    counts.files = len(files)
    for call in scan_files(files, tell):
        counts.add(call)
        yield call


# --- for programs


def _said_each(found: Iterable[LogCall]) -> list[LogCall]:
    """The calls, each of them printed when it is found."""
    calls = []
    for call in found:
        say_json(_plain(_fields(call)))
        calls.append(call)
    return calls


def _fields(call: LogCall) -> dict[str, Any]:
    return {
        "logger": call.logger,
        "library": call.library,
        "called_on": call.expression,
        "method": call.method,
        "level": call.level_name,
        "kind": call.template.kind,
        "template": call.template.text,
        "is_resolved": call.template.is_resolved,
        "pattern": pattern_of(call),
        "arguments": [_argument_fields(argument) for argument in call.arguments],
        "path": call.source.shown,
        "line": call.line,
        "column": call.column,
        "module": call.source.module,
    }


def _argument_fields(argument: Argument) -> dict[str, Any]:
    return {"expression": argument.expression, "key": argument.key, "field": argument.field, "name": argument.name}


def _plain(value: Any) -> Any:
    """A value of JSON without lone surrogates, which source and file names may hold."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list) else value


# --- for people


def _say_table(calls: list[LogCall]) -> None:
    head = ("LOGGER", "LEVEL", "TEMPLATE", "ARGUMENTS", "PLACE")
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    for line in table(head, [_row(call) for call in calls], width) if calls else ():
        encoding = sys.stdout.encoding or "utf-8"
        click.echo(line.encode(encoding, "backslashreplace").decode(encoding))


def _row(call: LogCall) -> tuple[str, ...]:
    cells = (
        f"? {call.expression}" if call.logger is None else call.logger,
        "?" if call.level_name is None else call.level_name,
        f"? {call.template.text}" if call.template.kind == "variable" else call.template.text,
        ", ".join(map(str, call.arguments)),
        call.place,
    )
    return tuple(shown(cell, _MAX_CELL) for cell in cells)


def _sentence(counts: Counts, rules: str | None) -> str:
    kinds = ", ".join(f"{count:,} {kind}" for kind, count in counts.kinds.most_common())
    parts = [f"{many(counts.calls, 'log call')} in {many(counts.files, 'file')}" + (f": {kinds}" if kinds else "")]
    unknown = {"logger": counts.no_logger, "level": counts.no_level, "template": counts.no_template}
    if any(unknown.values()):
        parts.append("not known: " + ", ".join(f"{many(count, noun)}" for noun, count in unknown.items() if count))
    if counts.problems:
        parts.append(many(counts.problems, "problem"))
    if rules is not None:
        parts.append(f"rules to start from in {rules}")
    return "; ".join(parts) + "."


def _write(path: str, lines: Iterable[str]) -> None:
    """Write the file whole or not at all."""
    text = "".join(f"{line}\n" for line in lines).encode("utf-8", "backslashreplace")
    temporary = f"{path}.{os.getpid()}.tmp"
    try:
        with open(temporary, "xb") as file:
            file.write(text)
        os.replace(temporary, path)
    except OSError as error:
        with suppress(OSError):
            os.unlink(temporary)
        fail(f"Can't write {path}: {reason(error)}.", 1)
