"""Where the source of an installed package is, without importing it."""

from __future__ import annotations

import importlib.util
import os

from robotmia_logging.scan.files import Root


def package_roots(name: str) -> list[Root]:
    """The folders of a package, or the file of a module.

    Args:
        name: as it is imported, of the top level: to find one in a package would mean importing the package.

    Raises:
        ValueError: there is no such package, or no source of it; the text says so.
    """
    if not name.isidentifier():
        raise ValueError(f"{name!r} is no name of a package at the top level, such as 'django'")
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError, AttributeError):  # ValueError: a module without a spec, such as __main__
        spec = None
    if spec is None:
        raise ValueError(f"no package {name!r} is installed in this environment")
    folders = list(spec.submodule_search_locations or ())
    paths = folders or [spec.origin or ""]
    if not all(os.path.exists(path) for path in paths) or (not folders and not paths[0].endswith(".py")):
        raise ValueError(f"there is no source of {name!r}: it is part of the interpreter, or compiled")
    return [Root(path, shown_from=os.path.dirname(path)) for path in paths]
