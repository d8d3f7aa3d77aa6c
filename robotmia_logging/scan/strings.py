"""Texts that are known before the program runs: put together from constants."""

from __future__ import annotations

import ast
from collections.abc import Callable

from robotmia_logging.scan.values import Value

MAX_TEXT = 10_000
"""A longer text counts as unknown: a few lines of code can double one again and again."""

Read = Callable[[ast.expr], "Value | None"]


def text_of(expression: ast.expr, read: Read) -> str | None:
    """The text that an expression gives, if all that it is made of is known.

    Args:
        expression: a concatenation, an f-string, or the first or last part of a text, as in `name.split(".")[0]`.
        read: tells what the expressions in it are.
    """
    if isinstance(expression, ast.BinOp) and isinstance(expression.op, ast.Add):
        return _added(expression, read)
    if isinstance(expression, ast.JoinedStr):
        return _joined(expression, read)
    if isinstance(expression, ast.Subscript):
        return _part(expression, read)
    return None


def _added(expression: ast.BinOp, read: Read) -> str | None:
    left, right = read(expression.left), read(expression.right)
    return left + right if isinstance(left, str) and isinstance(right, str) else None


def _joined(expression: ast.JoinedStr, read: Read) -> str | None:
    text = ""
    for value in expression.values:
        inner = value.value if isinstance(value, ast.FormattedValue) else value
        if isinstance(value, ast.FormattedValue) and value.format_spec is not None:
            return None
        part = read(inner)
        if not isinstance(part, str) or len(text) > MAX_TEXT:
            return None
        text += part
    return text


_PARTS: dict[str, Callable[[str, str], list[str] | tuple[str, ...]]] = {
    "split": str.split,
    "rsplit": str.rsplit,
    "partition": str.partition,
    "rpartition": str.rpartition,
}


def _part(expression: ast.Subscript, read: Read) -> str | None:
    call, index = expression.value, _integer(expression.slice)
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute) or index is None:
        return None
    split = _PARTS.get(call.func.attr)
    text = read(call.func.value) if split is not None and len(call.args) == 1 and not call.keywords else None
    separator = read(call.args[0]) if isinstance(text, str) else None
    if split is None or not isinstance(text, str) or not isinstance(separator, str) or not separator:
        return None
    parts = split(text, separator)
    return parts[index] if -len(parts) <= index < len(parts) else None


def _integer(expression: ast.expr) -> int | None:
    try:
        value = ast.literal_eval(expression)
    except (ValueError, TypeError):
        return None
    return value if type(value) is int else None
