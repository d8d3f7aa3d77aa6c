"""Which ids are one user: `$create_alias` pairs, in the order they arrived. Pure."""

from collections.abc import Iterable


class Aliases:
    """A map from ids to the original id they stand for.

    The first original of an alias stands. A pair that would close a circle changes nothing, so that every id
    has exactly one original, and looking it up always ends.
    """

    def __init__(self, pairs: Iterable[tuple[str, str]] = ()) -> None:
        self._originals: dict[str, str] = {}
        for alias, original in pairs:
            if alias not in self._originals and self.original(original) != alias:
                self._originals[alias] = original

    def __repr__(self) -> str:
        return f"Aliases({self._originals!r})"

    def original(self, user: str) -> str:
        """The id that `user` stands for in the end; itself when it is no alias."""
        root = user
        while root in self._originals:
            root = self._originals[root]
        while user != root:  # shorten the way for the next look-up: chains may be long
            self._originals[user], user = root, self._originals[user]
        return root

    def of(self, user: str) -> list[str]:
        """The ids that stand for `user`, an original, in the order they were given."""
        return [alias for alias in list(self._originals) if self.original(alias) == user]
