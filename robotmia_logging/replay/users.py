"""How many different users there are, in bounded memory."""

from __future__ import annotations

_KEPT = 1024
_SPACE = 1 << 64


class Users:
    """Counts users: exactly up to 1,024 of them, beyond that to within some percent.

    Hashes are spread evenly: the more there are, the closer to zero lie the smallest. Only those are kept.
    """

    def __init__(self) -> None:
        self._smallest: set[int] = set()
        self._limit = _SPACE
        self._is_full = False

    def add(self, user: str) -> None:
        """One that may have been there before."""
        number = hash(user) % _SPACE
        if number < self._limit:
            self._smallest.add(number)
            if len(self._smallest) >= 2 * _KEPT:
                self._prune()

    @property
    def is_exact(self) -> bool:
        """Whether the count is no estimate."""
        return not self._is_full and len(self._smallest) <= _KEPT

    @property
    def count(self) -> int:
        """How many there are."""
        if self.is_exact:
            return len(self._smallest)
        self._prune()
        return round((_KEPT - 1) * _SPACE / self._limit)

    def _prune(self) -> None:
        self._is_full = True
        kept = sorted(self._smallest)[:_KEPT]
        self._smallest = set(kept)
        self._limit = kept[-1]
