"""What a replay gives, event by event."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import orjson

from robotmia_logging.messages import OPERATIONS, TRACK, Message, Refusal
from robotmia_logging.replay.users import Users

_MOST_ROWS = 500
OTHERS = "(others)"
"""The name of the row for what comes when there are too many names."""


@dataclass(slots=True)
class Row:
    """Messages of one name by one rule.

    Attributes:
        name: the event's, or the operation of a profile update.
        rule: what gave them; None for lines that ask by themselves.
        count: how many.
        users: of whom.
        first: the earliest, in seconds since 1970.
        last: the latest.
    """

    name: str
    rule: str | None
    count: int = 0
    users: Users = field(default_factory=Users)
    first: int | None = None
    last: int | None = None

    def add(self, message: Message) -> None:
        """One more."""
        self.count += 1
        if message.user is not None:
            self.users.add(message.user)
        time = message.time
        if self.first is None or time < self.first:
            self.first = time
        if self.last is None or time > self.last:
            self.last = time


class Summary:
    """Counts messages by their name and rule. Memory is bounded, however many names there are.

    Attributes:
        refused: messages that robotmia would refuse, by reason.
        dropped: messages kept back (`sampled`), by reason.
    """

    def __init__(self) -> None:
        self._rows: dict[tuple[str, str | None], Row] = {}
        self.refused: Counter[str] = Counter()
        self.dropped: Counter[str] = Counter()

    def add(self, item: Message | Refusal, rule: str | None) -> None:
        """One more.

        Args:
            item: the message.
            rule: the name of the rule that gave it, if one did.
        """
        if isinstance(item, Refusal):
            (self.dropped if item.dropped else self.refused)[item.reason] += 1
            return
        key = (_name(item), rule)
        row = self._rows.get(key)
        if row is None:
            if len(self._rows) >= _MOST_ROWS:
                key = (OTHERS, None)
            row = self._rows.setdefault(key, Row(*key))
        row.add(item)

    def rows(self) -> list[Row]:
        """All of it, the most frequent first."""
        return sorted(self._rows.values(), key=lambda row: (-row.count, row.name, row.rule or ""))


def _name(message: Message) -> str:
    wire = orjson.loads(message.body)
    return str(wire["event"]) if message.endpoint == TRACK else next(name for name in wire if name in OPERATIONS)
