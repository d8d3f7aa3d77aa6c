"""The dotted name that a file is imported by."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import lru_cache

_IMPORTED_FROM = frozenset({"src", "site-packages", "dist-packages"})
_PROJECT_FILES = ("pyproject.toml", "setup.py", "setup.cfg", "manage.py", ".git")


def module_name(path: str, root: str) -> str:
    """The name of the module in a file.

    It begins at the topmost of the folders with an `__init__.py` around the file. Below a `src` or `site-packages`
    folder it begins there, for packages of a namespace have no `__init__.py` above them. A file outside of packages
    is named from its project's folder or, if there is none, from the root.

    Args:
        path: the file, absolute.
        root: the file or folder that the scan was given, absolute.
    """
    folder, file = os.path.split(path)
    stem = os.path.splitext(file)[0]
    parts = [] if stem == "__init__" else [stem]
    start = _start(folder, root if os.path.isdir(root) else folder)
    if folder != start:
        parts = [*os.path.relpath(folder, start).split(os.sep), *parts]
    return ".".join(parts) or os.path.basename(folder)


@lru_cache(maxsize=1024)
def _start(folder: str, root: str) -> str:
    """The folder that imports start from."""
    top = folder
    while os.path.exists(os.path.join(top, "__init__.py")) and os.path.dirname(top) != top:
        top = os.path.dirname(top)
    namespace = _above(top, lambda above: os.path.basename(above) in _IMPORTED_FROM)
    if namespace is not None:
        return namespace
    if top != folder:
        return top
    project = _above(top, lambda above: any(os.path.exists(os.path.join(above, name)) for name in _PROJECT_FILES))
    return project or root


def _above(folder: str, is_it: Callable[[str], bool]) -> str | None:
    while True:
        if is_it(folder):
            return folder
        above = os.path.dirname(folder)
        if above == folder:
            return None
        folder = above
