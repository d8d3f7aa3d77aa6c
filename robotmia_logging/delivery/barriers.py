"""Aliases as barriers: nothing logged after an alias, for either of its ids, leaves before its outcome."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator

from robotmia_logging.messages import Message


class _Group:
    """Ids joined by aliases under way, and what was logged for them since."""

    __slots__ = ("ids", "under_way", "waiting")

    def __init__(self) -> None:
        self.ids: set[str] = set()
        self.under_way: set[int] = set()
        self.waiting: deque[Message] = deque()


class Barriers:
    """Holds messages back behind aliases. Ids that no alias concerns are never held up."""

    def __init__(self) -> None:
        self._groups: dict[str, _Group] = {}

    def __bool__(self) -> bool:
        """Whether an alias is under way."""
        return bool(self._groups)

    def __iter__(self) -> Iterator[Message]:
        for group in self._distinct():
            yield from group.waiting

    def holds(self, message: Message) -> bool:
        """Keep the message back if an alias under way concerns it. An alias that isn't kept back is under way now."""
        if not self._groups and message.alias is None:
            return False
        group = self._group_of(message)
        if message.alias is None:
            if group is not None:
                group.waiting.append(message)
            return group is not None
        if group is not None:  # behind another alias: both its ids wait from here on
            group.waiting.append(message)
            self._join(group, message)
            return True
        group = _Group()
        group.under_way.add(message.seq)
        self._join(group, message)
        return False

    def settled(self, alias: Message) -> list[Message]:
        """An alias has its outcome: what may go on now, in order."""
        group = self._groups.get(alias.user or "")
        if group is None or alias.seq not in group.under_way:
            return []
        group.under_way.discard(alias.seq)
        if group.under_way:
            return []
        for name in group.ids:
            del self._groups[name]
        return list(group.waiting)

    def drop_one(self) -> Message | None:
        """Take out the first message of some group, for want of anything older."""
        for group in self._distinct():
            if group.waiting:
                return group.waiting.popleft()
        return None

    def remove_where(self, wanted: Callable[[Message], bool]) -> list[Message]:
        """Take out the messages that are held back and `wanted`."""
        removed: list[Message] = []
        for group in self._distinct():
            removed += (message for message in group.waiting if wanted(message))
            group.waiting = deque(message for message in group.waiting if not wanted(message))
        return removed

    def _distinct(self) -> Iterator[_Group]:
        seen: set[int] = set()
        for group in self._groups.values():
            if id(group) not in seen:
                seen.add(id(group))
                yield group

    def _group_of(self, message: Message) -> _Group | None:
        group = self._groups.get(message.user) if message.user is not None else None
        other = self._groups.get(message.alias) if message.alias is not None else None
        if group is None or other is None or group is other:
            return group or other
        return self._merge(group, other)

    def _join(self, group: _Group, alias: Message) -> None:
        for name in (alias.user, alias.alias):
            if name is not None:
                group.ids.add(name)
                self._groups[name] = group

    def _merge(self, group: _Group, other: _Group) -> _Group:
        """An alias between two groups makes one of them: it waits for both."""
        group.waiting = deque(sorted((*group.waiting, *other.waiting), key=lambda message: message.seq))
        group.under_way |= other.under_way
        group.ids |= other.ids
        for name in other.ids:
            self._groups[name] = group
        return group
