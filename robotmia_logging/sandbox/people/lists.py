"""Lists in profiles: what operations do to them, at a cost that doesn't grow with the list."""

from collections.abc import Hashable, Iterable
from typing import Any


class ProfileList:
    """A list that an operation made, to be changed in place. What a message brought is never changed.

    Its values are numbered, and which value has which numbers is noted once an operation has to look for one.
    """

    def __init__(self, items: Iterable[Any] = ()) -> None:
        self._values = dict(enumerate(items))
        self._next = len(self._values)
        self._numbers: dict[Hashable, list[int]] | None = None
        self._repeated: set[Hashable] = set()

    @property
    def items(self) -> list[Any]:
        """The values in their order."""
        return list(self._values.values())

    def append(self, value: Any) -> None:
        """Add a value, whether it is there or not."""
        self._values[self._next] = value
        if self._numbers is not None:
            self._note(self._numbers, self._next, value)
        self._next += 1

    def union(self, values: Iterable[Any]) -> None:
        """Add the values that aren't there; of equal values the first one stays."""
        numbers = self._noted()
        for member in self._repeated:
            first, *others = numbers[member]
            numbers[member] = [first]
            for number in others:
                del self._values[number]
        self._repeated.clear()
        for value in values:
            if identity(value) not in numbers:
                self.append(value)

    def remove(self, value: Any) -> None:
        """Take a value out, as often as it is there."""
        member = identity(value)
        for number in self._noted().pop(member, ()):
            del self._values[number]
        self._repeated.discard(member)

    def _noted(self) -> dict[Hashable, list[int]]:
        if self._numbers is None:
            self._numbers = {}
            for number, value in self._values.items():
                self._note(self._numbers, number, value)
        return self._numbers

    def _note(self, numbers: dict[Hashable, list[int]], number: int, value: Any) -> None:
        member = identity(value)
        if member in numbers:
            self._repeated.add(member)
            numbers[member].append(number)
        else:
            numbers[member] = [number]


def identity(value: Any) -> Hashable:
    """A key that is equal for equal JSON values; to Python `true` equals 1, to JSON it doesn't."""
    if isinstance(value, bool):
        return ("bool", value)
    if isinstance(value, list):
        return ("list", tuple(identity(item) for item in value))
    if isinstance(value, dict):
        return ("object", frozenset((name, identity(item)) for name, item in value.items()))
    return value  # type: ignore[no-any-return]
