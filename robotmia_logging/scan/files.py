"""The Python files of a code base, in order."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from robotmia_logging.scan.module_names import module_name

_SUFFIXES = (".py", ".pyw")
_SKIPPED = frozenset({"__pycache__", "node_modules"})


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that wasn't scanned.

    Attributes:
        place: the file or folder, with the line if there is one.
        reason: why, in words.
    """

    place: str
    reason: str


@dataclass(frozen=True, slots=True)
class Root:
    """Where to look.

    Attributes:
        path: a file or a folder.
        shown_from: places are shown relative to this folder; as in `path` if it is empty.
    """

    path: str
    shown_from: str = ""


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file to scan.

    Attributes:
        path: where it is.
        shown: how its path is shown.
        module: the dotted name that it is imported by.
    """

    path: str
    shown: str
    module: str

    @property
    def package(self) -> str:
        """What a relative import of one dot starts from."""
        is_package = os.path.basename(self.path).startswith("__init__.")
        return self.module if is_package else self.module.rpartition(".")[0]

    @property
    def own_name(self) -> str:
        """What `__name__` is in it."""
        return "__main__" if os.path.basename(self.path) == "__main__.py" else self.module


def find_files(roots: Iterable[Root], tell: Callable[[Problem], None]) -> Iterator[SourceFile]:
    """The Python files under some roots, each once, ordered by path under each root.

    Hidden folders, `__pycache__`, `node_modules` and virtual environments are skipped, unless a root is one.

    Args:
        roots: files and folders.
        tell: told of what can't be read.
    """
    known: set[str] = set()
    for root in roots:
        for path in _paths(root.path, tell):
            real = os.path.realpath(path)
            if real not in known:
                known.add(real)
                shown = os.path.relpath(path, root.shown_from) if root.shown_from else os.path.normpath(path)
                yield SourceFile(path, shown, module_name(real, os.path.realpath(root.path)))


def _paths(root: str, tell: Callable[[Problem], None]) -> Iterator[str]:
    if not os.path.isdir(root):
        yield root
        return
    waiting = [(root, frozenset({os.path.realpath(root)}))]
    while waiting:
        path, above = waiting.pop()
        if path.endswith(_SUFFIXES) and not os.path.isdir(path):
            yield path
            continue
        try:
            names = sorted(os.listdir(path), reverse=True)
        except OSError as error:
            tell(Problem(path, error.strerror or str(error)))
            continue
        for inner in (os.path.join(path, name) for name in names):
            if _is_folder(inner):
                if not _is_skipped(inner):
                    waiting += _entered(inner, above, tell)
            elif inner.endswith(_SUFFIXES):
                waiting.append((inner, above))


def _is_folder(path: str) -> bool:
    try:
        return stat.S_ISDIR(os.stat(path).st_mode)
    except OSError:  # a broken link: told when it is read, if it is named like a Python file
        return False


def _is_skipped(folder: str) -> bool:
    name = os.path.basename(folder)
    return name.startswith(".") or name in _SKIPPED or os.path.exists(os.path.join(folder, "pyvenv.cfg"))


def _entered(
    folder: str, above: frozenset[str], tell: Callable[[Problem], None]
) -> Iterator[tuple[str, frozenset[str]]]:
    real = os.path.realpath(folder)
    if real in above:
        tell(Problem(folder, "a symbolic link that leads back to a folder above it"))
    else:
        yield folder, above | {real}
