"""The order of log files: the oldest first, as rotation leaves them."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from typing import NamedTuple

_COMPRESSED = re.compile(r"\.(?:gz|bz2|xz)$")
#: `app.log.2026-11-24`, `app.log-20261124`, `app-2026-11-24_13-00.log`; also seconds since 1970.
_DATED = re.compile(
    r"(?P<start>.+?)[.\-_](?P<date>\d{4}-\d\d-\d\d(?:[-_T.]\d\d(?:[-_:.]\d\d){0,2})?|\d{8}(?:[-_T.]?\d{2,6})?|\d{10})"
    r"(?P<end>\.[a-z]+)?",
    re.ASCII | re.DOTALL,
)
_NUMBERED = re.compile(r"(?P<start>.+)\.(?P<number>\d{1,4})", re.ASCII | re.DOTALL)


class _Place(NamedTuple):
    """Where a file stands in its family: what compares less is older.

    Attributes:
        is_current: the file without a suffix is the newest.
        date: its digits; "" if there is none.
        number: the negative number of rotations.
    """

    is_current: bool
    date: str
    number: int


def in_order(paths: Sequence[str]) -> list[str]:
    """Log files in the order they were written.

    Those that rotation made of one log stand together, the oldest first: ``app.log.2.gz``, ``app.log.1``,
    ``app.log``, and dates ascending. Logs that have nothing to do with each other stay in the order given.
    """
    placed = [(*_family(path), path) for path in paths]
    families = {family: order for order, family in reversed(list(enumerate(family for family, _, _ in placed)))}
    return [path for _, _, path in sorted(placed, key=lambda file: (families[file[0]], file[1]))]


def _family(path: str) -> tuple[tuple[str, str], _Place]:
    folder, name = os.path.split(path)
    name = _COMPRESSED.sub("", name)
    dated = _DATED.fullmatch(name)
    if dated is not None:
        digits = "".join(char for char in dated["date"] if char.isdigit())
        return (folder, dated["start"] + (dated["end"] or "")), _Place(False, digits, 0)
    numbered = _NUMBERED.fullmatch(name)
    if numbered is not None:
        return (folder, numbered["start"]), _Place(False, "", -int(numbered["number"]))
    return (folder, name), _Place(True, "", 0)
