"""Scans a code base, file by file."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator

from robotmia_logging.scan.calls import CallFinder, LogCall
from robotmia_logging.scan.files import Problem, SourceFile
from robotmia_logging.scan.modules import Modules
from robotmia_logging.scan.parsing import UnreadableError
from robotmia_logging.scan.resolver import Resolver
from robotmia_logging.scan.scopes import Scope


def scan_files(files: Iterable[SourceFile], tell: Callable[[Problem], None]) -> Iterator[LogCall]:
    """The log calls of files, in the order of the files and of the lines in them.

    Only a few files' trees are in memory at a time.

    Args:
        files: all files of the code base: loggers are looked up from one in another.
        tell: told of what can't be read. The rest is scanned all the same.
    """
    files = list(files)
    modules = Modules(files)
    resolver = Resolver(modules)
    for file in files:
        try:
            calls = modules.calls(file)
        except UnreadableError as error:
            tell(Problem(file.shown if error.line is None else f"{file.shown}:{error.line}", error.reason))
            continue
        finder = CallFinder(modules, resolver)
        for call, scope in sorted(calls, key=_place):
            found = _find(finder, call, scope, tell)
            if found is not None:
                yield found


def _find(finder: CallFinder, call: ast.Call, scope: Scope, tell: Callable[[Problem], None]) -> LogCall | None:
    try:
        return finder.find(call, scope)
    except RecursionError:
        tell(Problem(f"{scope.source.shown}:{call.lineno}", "an expression is nested too deeply"))
        return None


def _place(item: tuple[ast.Call, Scope]) -> tuple[int, int]:
    return item[0].lineno, item[0].col_offset
