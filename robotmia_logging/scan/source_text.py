"""Expressions as they are shown."""

from __future__ import annotations

import ast


def source_of(expression: ast.AST) -> str:
    """The source of an expression, on one line, in Python's usual form."""
    try:
        return ast.unparse(expression)
    except ValueError:  # an f-string that older Pythons can read, but not write
        return f"<{type(expression).__name__}>"
