"""Lists in profiles: what operations do to them, at a cost that doesn't grow with the list."""

from collections.abc import Hashable, Iterable
from typing import Any


class ProfileList:
    """A list that an operation made, to be changed in place. What a message brought is never changed.

    Its members are known, once a `$union` asked, until something leaves the list or it has duplicates again.
    """

    def __init__(self, items: Iterable[Any] = ()) -> None:
        self.items = list(items)
        self._members: set[Hashable] | None = None

    def append(self, value: Any) -> None:
        """Add a value, whether it is there or not."""
        self.items.append(value)
        if self._members is not None:
            member = identity(value)
            if member in self._members:
                self._members = None
            else:
                self._members.add(member)

    def union(self, values: Iterable[Any]) -> None:
        """Add the values that aren't there; of equal values the first one stays."""
        members = self._members
        if members is None:
            values, self.items, members = [*self.items, *values], [], set()
        for value in values:
            member = identity(value)
            if member not in members:
                members.add(member)
                self.items.append(value)
        self._members = members

    def remove(self, value: Any) -> None:
        """Take a value out, as often as it is there."""
        gone = identity(value)
        if self._members is None or gone in self._members:
            self.items = [item for item in self.items if identity(item) != gone]
            self._members = None


def identity(value: Any) -> Hashable:
    """A key that is equal for equal JSON values; to Python `true` equals 1, to JSON it doesn't."""
    if isinstance(value, bool):
        return ("bool", value)
    if isinstance(value, list):
        return ("list", tuple(identity(item) for item in value))
    if isinstance(value, dict):
        return ("object", frozenset((name, identity(item)) for name, item in value.items()))
    return value  # type: ignore[no-any-return]
