"""The assignment that a variable has its value from, where only one can be."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple


class _Around(NamedTuple):
    """A block around a place: what it is a part of, itself, and the position of the statement that holds the place."""

    owner: ast.stmt | None
    block: Sequence[ast.stmt]
    position: int


def assigned_before(name: str, place: ast.expr, body: Sequence[ast.stmt]) -> ast.expr | None:
    """What a variable was last assigned when a place is reached; None if there are several ways there.

    Args:
        name: the variable.
        place: an expression in the body.
        body: a function's.
    """
    for owner, block, index in reversed(list(_around(place, body))):
        for statement in reversed(block[:index]):
            if isinstance(statement, ast.Assign) and _is_target(statement, name):
                return statement.value
            if isinstance(statement, ast.AnnAssign) and statement.value and _is_name(statement.target, name):
                return statement.value
            if name in _bound_in(statement):
                return None
        if owner is not None and any(name in _bound_in(part) for part in _run_before(owner)):
            return None
    return None


def _around(place: ast.expr, body: Sequence[ast.stmt]) -> Iterator[_Around]:
    """The blocks around a place, the outermost first."""
    owner: ast.stmt | None = None
    blocks: list[Sequence[ast.stmt]] = [body]
    while True:
        found = next(((block, i) for block in blocks for i, each in enumerate(block) if _holds(each, place)), None)
        if found is None:
            return
        yield _Around(owner, *found)
        owner = found[0][found[1]]
        blocks = list(_blocks(owner))


def _blocks(statement: ast.stmt) -> Iterator[Sequence[ast.stmt]]:
    if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return
    for part in ("body", "orelse", "finalbody"):
        yield getattr(statement, part, [])
    for part in (*getattr(statement, "handlers", ()), *getattr(statement, "cases", ())):
        yield part.body


def _run_before(owner: ast.stmt) -> Sequence[ast.AST]:
    """What of a statement may have run before a block of it: its condition; of loops and `try` anything."""
    if isinstance(owner, ast.If):
        return [owner.test]
    if isinstance(owner, (ast.With, ast.AsyncWith)):
        return owner.items
    return [owner]


def _holds(statement: ast.stmt, place: ast.expr) -> bool:
    start, end = (statement.lineno, statement.col_offset), (statement.end_lineno or 0, statement.end_col_offset or 0)
    return start <= (place.lineno, place.col_offset) < end


def _is_target(statement: ast.Assign, name: str) -> bool:
    return any(_is_name(target, name) for target in statement.targets)


def _is_name(target: ast.expr, name: str) -> bool:
    return isinstance(target, ast.Name) and target.id == name


@lru_cache(maxsize=4096)  # every log call of a function asks for the statements before it
def _bound_in(node: ast.AST) -> frozenset[str]:
    """The names that may be bound somewhere in a node."""
    return frozenset(name for inner in ast.walk(node) for name in _bound_by(inner) if name)


def _bound_by(node: ast.AST) -> Iterable[str | None]:
    if isinstance(node, ast.Name):
        return () if isinstance(node.ctx, ast.Load) else (node.id,)
    if isinstance(node, ast.alias):
        return (node.asname or node.name,)
    return getattr(node, "name", None), getattr(node, "rest", None)
