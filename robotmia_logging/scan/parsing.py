"""From a file to its syntax tree, and from the tree back to text."""

from __future__ import annotations

import ast
import os
import stat
import tokenize
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

MAX_BYTES = 8 * 1024 * 1024
"""A larger file isn't source that anybody wrote, and its tree would take gigabytes."""


class UnreadableError(Exception):
    """A file can't be read or parsed.

    Attributes:
        reason: why, in words.
        line: where in the file, if that is known.
    """

    def __init__(self, reason: str, line: int | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.line = line


def read_source(path: str) -> str:
    """Read a file in the encoding that it declares.

    Raises:
        UnreadableError: that isn't possible.
    """
    try:
        status = os.stat(path)
        if not stat.S_ISREG(status.st_mode):
            raise UnreadableError("not a regular file")
        if status.st_size > MAX_BYTES:
            raise UnreadableError(f"larger than {MAX_BYTES // 1024 // 1024} MiB ({status.st_size:,} bytes)")
        with _without_warnings(), tokenize.open(path) as file:
            return file.read()
    except OSError as error:
        raise UnreadableError(error.strerror or str(error)) from None
    except UnicodeDecodeError as error:
        raise UnreadableError(f"not {error.encoding}, as it should be: byte {error.start}") from None
    except UnicodeError as error:  # codecs like utf-16 and punycode have words of their own
        raise UnreadableError(f"not in the encoding that it declares: {error}") from None
    except LookupError as error:  # a codec that isn't for text: hex, rot13, zlib
        raise UnreadableError(f"its encoding can't be told: {str(error).partition(';')[0]}") from None
    except SyntaxError as error:  # of the declaration
        raise UnreadableError(f"its encoding can't be told: {str(error.msg).partition(' for ')[0]}") from None


def parse_source(text: str) -> ast.Module:
    """Parse a file's text. Nothing of it is executed.

    Raises:
        UnreadableError: it isn't valid Python, or nested too deeply.
    """
    try:
        with _without_warnings():
            return ast.parse(text)
    except SyntaxError as error:
        raise UnreadableError(f"not valid Python: {error.msg}", error.lineno) from None
    except ValueError as error:  # null bytes
        raise UnreadableError(f"not valid Python: {error}") from None
    except (RecursionError, MemoryError):
        raise UnreadableError("nested too deeply") from None


def parse_expression(text: str) -> ast.expr | None:
    """Parse an expression, such as an annotation in quotes; None if it isn't one."""
    try:
        body = parse_source(text.strip()).body
    except UnreadableError:
        return None
    return body[0].value if len(body) == 1 and isinstance(body[0], ast.Expr) else None


def source_of(expression: ast.AST) -> str:
    """The source of an expression, on one line, in Python's usual form."""
    try:
        return ast.unparse(expression)
    except ValueError:  # an f-string that older Pythons can read, but not write; an integer of too many digits
        return f"<{type(expression).__name__}>"


@contextmanager
def _without_warnings() -> Iterator[None]:
    """Without Python's warnings of what is in the files of others."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
