"""Tables for people."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence


def table(head: Sequence[str], rows: Sequence[Sequence[str]], *, words: Collection[str]) -> Iterator[str]:
    """The lines of a table.

    Args:
        head: the names of the columns.
        rows: their cells.
        words: the columns that hold words, and stand to the left; numbers stand to the right.
    """
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    for row in (head, *rows):
        cells = zip(head, row, widths, strict=True)
        aligned = (cell.ljust(width) if name in words else cell.rjust(width) for name, cell, width in cells)
        yield "  ".join(aligned).rstrip()
