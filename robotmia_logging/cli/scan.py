"""`robotmia-logging scan`: find the log calls of a code base."""

from __future__ import annotations

import os
import shutil
import sys
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

import click

from robotmia_logging.cli.saying import fail, many, reason, say, say_json, shown
from robotmia_logging.scan import (
    Argument,
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
    if rules is not None:
        _check_free(rules, force=force)
    roots = [Root(path) for path in paths] + [root for name in packages for root in _installed(name)]
    problems: list[Problem] = []

    def tell(problem: Problem) -> None:
        problems.append(problem)
        click.echo(f"{shown(problem.place, _MAX_CELL)}: {shown(problem.reason)}.", err=True)

    files = list(find_files(roots, tell))
    calls = []
    for call in scan_files(files, tell):
        calls.append(call)
        if as_json:
            say_json(_fields(call))
    if rules is not None:
        _write(rules, rules_file(calls))
    if not as_json:
        _say_table(calls)
    click.echo(_sentence(calls, len(files), len(problems), rules), err=True)
    sys.exit(1 if problems else 0)


def _installed(name: str) -> list[Root]:
    try:
        return package_roots(name)
    except ValueError as error:
        raise click.BadParameter(f"{error}.", param_hint="--package") from None


def _sentence(calls: list[LogCall], files: int, problems: int, rules: str | None) -> str:
    """What was found, in numbers."""
    kinds = Counter(call.template.kind for call in calls)
    counted = ", ".join(f"{count:,} {kind}" for kind, count in kinds.most_common())
    parts = [f"{many(len(calls), 'log call')} in {many(files, 'file')}" + (f": {counted}" if counted else "")]
    unknown = {
        "logger": sum(call.logger is None for call in calls),
        "level": sum(call.level is None for call in calls),
        "template": sum(not call.template.is_resolved for call in calls),
    }
    if any(unknown.values()):
        parts.append("not known: " + ", ".join(many(count, noun) for noun, count in unknown.items() if count))
    if problems:
        parts.append(many(problems, "problem"))
    if rules is not None:
        parts.append(f"rules to start from in {rules}")
    return "; ".join(parts) + "."


# --- for programs


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


# --- for people


def _say_table(calls: list[LogCall]) -> None:
    head = ("LOGGER", "LEVEL", "TEMPLATE", "ARGUMENTS", "PLACE")
    is_terminal = sys.stdout is not None and sys.stdout.isatty()
    width = shutil.get_terminal_size().columns if is_terminal else None
    for line in table(head, [_row(call) for call in calls], width) if calls else ():
        say(line)


def _row(call: LogCall) -> tuple[str, ...]:
    cells = (
        f"? {call.expression}" if call.logger is None else call.logger,
        "?" if call.level_name is None else call.level_name,
        f"? {call.template.text}" if call.template.kind == "variable" else call.template.text,
        ", ".join(map(str, call.arguments)),
        call.place,
    )
    return tuple(shown(cell, _MAX_CELL) for cell in cells)


# --- the rules file


def _check_free(path: str, *, force: bool) -> None:
    """Refuse a place where no file may be written: one is there already, or something else than a file."""
    if os.path.exists(path) and not os.path.isfile(path):
        fail(f"{path} is no regular file; --rules writes to one.", 2)
    if os.path.lexists(path) and not force:
        fail(f"{path} is there already; --force overwrites it.", 2)


def _write(path: str, lines: Iterable[str]) -> None:
    """Write the file whole or not at all; where the path is a link, the file that it leads to."""
    text = "".join(f"{line}\n" for line in lines).encode("utf-8", "backslashreplace")
    target = os.path.realpath(path)
    temporary = f"{target}.{os.getpid()}.tmp"
    try:
        with open(temporary, "xb") as file:
            file.write(text)
        os.replace(temporary, target)
    except OSError as error:
        with suppress(OSError):
            os.unlink(temporary)
        fail(f"Can't write {path}: {reason(error)}.", 1)
