"""What of a call is sent, and of whom: `include`, `exclude`, `hash`, `sample`."""

from __future__ import annotations

import hashlib
import hmac
import random
from collections.abc import Set
from dataclasses import dataclass
from typing import Any, NamedTuple

from robotmia_logging.messages import CREATE_ALIAS, OPERATIONS, as_text, plain

NOT_HASHED = frozenset(
    {"event", "properties", "token", "time", "ip", "$token", "$time", "$ip", "$ignore_time", "$transactions", "$amount"}
).union(OPERATIONS)
"""What robotmia reads itself: it would be refused, or mean nothing."""

_USER = "distinct_id"
_UNITS = 1 << 64
_random = random.SystemRandom()  # the program's own generator, perhaps seeded, stays as it is


@dataclass(frozen=True, slots=True, kw_only=True)
class Privacy:
    """The options of a door, or the keys of a rule.

    Attributes:
        include: names of loose extras and of a rule's named groups that become properties; None: as usual.
        exclude: names that don't.
        hash: names whose values are sent hashed, wherever they stand in a message.
        sample: the share of users that are tracked.
    """

    include: frozenset[str] | None = None
    exclude: frozenset[str] = frozenset()
    hash: frozenset[str] = frozenset()
    sample: float = 1.0


class Hasher:
    """Replaces values by keyed hashes (HMAC-SHA256, in hexadecimal): equal ones stay equal, none can be read.

    Args:
        key: without it nobody can find out a value by trying all there are.
    """

    def __init__(self, key: str) -> None:
        self._key = key.encode("utf-8", "surrogatepass")

    def text(self, value: Any) -> str:
        """The hash of a value's text."""
        data = as_text(value).encode("utf-8", "surrogatepass")
        return hmac.digest(self._key, data, "sha256").hex()

    def wire(self, wire: Any, names: Set[str]) -> Any:
        """A copy of a message, the values of these names hashed at whatever depth, those of lists one by one.

        `distinct_id` stands for `$distinct_id` and for the new id of `$create_alias`, too.
        """
        if _USER in names:
            names = {*names, f"${_USER}"}
            if isinstance(wire, dict) and wire.get("event") == CREATE_ALIAS:
                names = {*names, "alias"}
        return self._walked(plain(wire), names)

    def _walked(self, value: Any, names: Set[str]) -> Any:
        if isinstance(value, dict):
            return {
                key: self._hashed(item) if key in names else self._walked(item, names) for key, item in value.items()
            }
        if not isinstance(value, list):
            return value
        if len(value) == 2 and isinstance(value[0], str) and value[0] in names:  # noqa: PLR2004 - as of a dict's items
            return [value[0], self._hashed(value[1])]
        return [self._walked(item, names) for item in value]

    def _hashed(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: self._hashed(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self._hashed(item) for item in value]
        return value if value is None or value == "" else self.text(value)


class Hidden(NamedTuple):
    """What of one call's messages is hashed."""

    hasher: Hasher
    names: frozenset[str]

    def wire(self, wire: Any) -> Any:
        """A message with hashes in it."""
        return self.hasher.wire(wire, self.names)

    def user(self, user: str | None) -> str | None:
        """The user as sent."""
        return self.hasher.text(user) if user is not None and _USER in self.names else user


class Withheld(Exception):  # noqa: N818  (stands for another)
    """An error whose own words may hold what is to be hashed: its kind only."""

    def __init__(self, error: Exception) -> None:
        super().__init__(type(error).__name__)


def is_sampled(user: str | None, share: float) -> bool:
    """Whether a user is among those that are tracked: in or out of everything, in every process.

    Who is in at a small share is in at every greater one. Without a user each call is drawn by itself.
    """
    if share >= 1:
        return True
    if user is None:
        return _random.random() < share
    digest = hashlib.blake2b(user.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big") < share * _UNITS
