"""The modules of a code base, parsed when they are needed, a few at a time."""

from __future__ import annotations

import ast
import gc
import os
import re
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from robotmia_logging.scan.files import SourceFile
from robotmia_logging.scan.methods import LEVEL_OF
from robotmia_logging.scan.parsing import UnreadableError, parse_source, read_source
from robotmia_logging.scan.scopes import Module, Scope, read_module
from robotmia_logging.scan.values import Class, Function

_KEPT = 32
"""Trees in memory at a time."""


_WORDS = "|".join(LEVEL_OF)
_MAY_LOG = re.compile(
    rf"\.\s*(?:{_WORDS})\b"
    rf"|\b(?:\w{{0,50}}_)?(?:{_WORDS})(?:_\w{{0,50}})?(?:\s*\(|\s+as\b)"
    rf"|\bimport\b.{{0,200}}\b(?:{_WORDS})\b"
    r"|\bgetattr\b"
)
"""What a file holds that logs: most hold nothing of it, and need no walk through the tree."""


class Modules:
    """The files of a scan, by the names they are imported by.

    Args:
        files: all of them.
    """

    def __init__(self, files: Iterable[SourceFile]) -> None:
        self._by_name: dict[str, SourceFile] = {}
        self._by_path: dict[str, SourceFile] = {}
        self._parsed: OrderedDict[str, Module] = OrderedDict()
        for file in files:
            self._by_name.setdefault(file.module, file)
            self._by_path[file.path] = file

    def parse(self, file: SourceFile) -> Module:
        """A file, parsed.

        Raises:
            UnreadableError: that isn't possible.
        """
        module = self._parsed.pop(file.path, None) or _parsed(file, read_source(file.path))
        self._parsed[file.path] = module
        if len(self._parsed) > _KEPT:
            self._parsed.popitem(last=False)
        return module

    def calls(self, file: SourceFile) -> list[tuple[ast.Call, Scope]]:
        """The calls in a file, with the scopes they are in; none if the text shows that nothing is logged.

        Raises:
            UnreadableError: it can't be read.
        """
        if file.path not in self._parsed:
            text = read_source(file.path)
            if _MAY_LOG.search(text) is None:
                with _collector_paused():
                    parse_source(text)
                return []
        return self.parse(file).calls

    def named(self, dotted: str) -> SourceFile | None:
        """The file of a module."""
        return self._by_name.get(dotted)

    def beside(self, source: SourceFile, name: str) -> SourceFile | None:
        """The file of that name in the same folder, as a script imports it; modules of packages don't."""
        folder = os.path.dirname(source.path)
        if os.path.join(folder, "__init__.py") in self._by_path:
            return None
        for inner in (f"{name}.py", os.path.join(name, "__init__.py")):
            found = self._by_path.get(os.path.join(folder, inner))
            if found is not None:
                return found
        return None

    def load(self, path: str) -> Module | None:
        """A file of the code base, or None if it can't be read: that is told when its turn comes."""
        file = self._by_path.get(path)
        if file is None:
            return None
        try:
            return self.parse(file)
        except UnreadableError:
            return None

    def scope_of(self, what: Class | Function) -> Scope | None:
        """The names in a class or function of the code base, or None if its file can't be read any more."""
        module = self.load(what.path)
        if module is None:
            return None
        return (module.classes if isinstance(what, Class) else module.functions).get(what.qualname)


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Without garbage collection, which would walk a growing tree again and again."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _parsed(file: SourceFile, text: str) -> Module:
    with _collector_paused():
        return read_module(parse_source(text), file)
