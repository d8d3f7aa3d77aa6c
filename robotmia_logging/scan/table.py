"""Rows of text in columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

_GAP = "  "
_ELLIPSIS = "..."
_LEAST = 8
_ALIGNED = 60
"""Where nothing is cut, a cell wider than this moves the rest of its row."""


def table(head: Sequence[str], rows: Sequence[Sequence[str]], width: int | None) -> Iterator[str]:
    """The lines of a table.

    Args:
        head: the columns' names.
        rows: their cells.
        width: how wide a line may be; cells are cut for that. None cuts nothing.
    """
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    widths = [min(each, _ALIGNED) for each in widths] if width is None else fitted(widths, width)
    for row in (head, *rows):
        cells = row if width is None else [_cut(cell, each) for cell, each in zip(row, widths, strict=True)]
        yield _GAP.join(cell.ljust(each) for cell, each in zip(cells, widths, strict=True)).rstrip()


def fitted(widths: Sequence[int], width: int) -> list[int]:
    """Widths of columns that fit a line: the widest give way first."""
    room = width - len(_GAP) * (len(widths) - 1)
    fitting = list(widths)
    while sum(fitting) > room:
        widest = max(fitting)
        if widest <= _LEAST:
            break
        fitting[fitting.index(widest)] = widest - 1
    return fitting


def _cut(cell: str, width: int) -> str:
    return cell if len(cell) <= width else cell[: width - len(_ELLIPSIS)] + _ELLIPSIS
