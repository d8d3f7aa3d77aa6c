"""Sources to scan, and what a scan of them finds."""

from __future__ import annotations

import textwrap
from pathlib import Path

from robotmia_logging.scan import LogCall, Problem, Root, find_files, scan_files


def written(folder: Path, files: dict[str, str]) -> Path:
    """Write files, by their paths in the folder."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text), encoding="utf-8")
    return folder


def scanned(*paths: Path | str) -> tuple[list[LogCall], list[Problem]]:
    """The calls and the problems in files and folders."""
    problems: list[Problem] = []
    files = list(find_files([Root(str(path)) for path in paths], problems.append))
    return list(scan_files(files, problems.append)), problems


def calls_in(folder: Path, source: str, name: str = "shop/orders.py", **others: str) -> list[LogCall]:
    """The calls in one file of a package, beside others (`shop__log` for shop/log.py)."""
    files = {"shop/__init__.py": "", name: source}
    files.update({f"{other.replace('__', '/')}.py": text for other, text in others.items()})
    written(folder, files)
    calls, problems = scanned(folder)
    assert problems == []
    return [call for call in calls if call.source.path == str(folder / name)]


def call_in(folder: Path, source: str, **others: str) -> LogCall:
    """The only call in a file."""
    (call,) = calls_in(folder, source, **others)
    return call
