"""A file's syntax tree."""

from __future__ import annotations

import ast
import os
import stat
import tokenize
import warnings

from robotmia_logging.scan.problems import UnreadableError

MAX_BYTES = 8 * 1024 * 1024
"""A larger file isn't source that anybody wrote, and its tree would take gigabytes."""


def parse_source(text: str) -> ast.Module:
    """Parse a file's text. Nothing of it is executed.

    Raises:
        UnreadableError: it isn't valid Python, or nested too deeply.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the syntax of others
            return ast.parse(text)
    except SyntaxError as error:
        raise UnreadableError(f"not valid Python: {error.msg}", error.lineno) from None
    except ValueError as error:  # null bytes
        raise UnreadableError(f"not valid Python: {error}") from None
    except (RecursionError, MemoryError):
        raise UnreadableError("an expression in it is nested too deeply") from None


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
        with tokenize.open(path) as file:
            return file.read()
    except OSError as error:
        raise UnreadableError(error.strerror or str(error)) from None
    except UnicodeDecodeError as error:
        raise UnreadableError(f"not {error.encoding}, as it should be: byte {error.start}") from None
    except SyntaxError as error:  # of the declaration
        raise UnreadableError(f"its encoding can't be told: {str(error.msg).partition(' for ')[0]}") from None
