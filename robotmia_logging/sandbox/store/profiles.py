"""Profiles, as rows: a base, and the updates not folded into it yet.

Updates are kept apart from the entries, so that a profile doesn't change when old entries give way. When there are
too many, the oldest of a user, by time, are folded into the user's base. From then on an update whose time is before
those is applied on top of them, though still before all others: the order among what is folded is past.
"""

import sqlite3
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from robotmia_logging.sandbox.people.profiles import Profile, Update, fold
from robotmia_logging.sandbox.store.bounds import Bounds, size
from robotmia_logging.sandbox.store.database import Row
from robotmia_logging.sandbox.store.tally import Tally
from robotmia_logging.sandbox.store.text import from_json, to_json

_CHUNKS = 20  # a base is written anew for each fold: not for every single update

_COLUMNS = "operation, arrived, ip, message"
_ADD = "INSERT INTO updates (number, user, time, arrived, ip, operation, message, size) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
_ALL = f"SELECT {_COLUMNS} FROM updates WHERE user = ? ORDER BY time, number"  # noqa: S608 - no value is in it
_OLDEST = f"SELECT number, size, {_COLUMNS} FROM updates WHERE user = ? ORDER BY time, number LIMIT ?"  # noqa: S608


@dataclass(frozen=True, slots=True)
class StoredProfile:
    """What the database has of a profile, as it lies there."""

    base: str | None
    updates: list[Row]

    def profile(self) -> Profile | None:
        """The profile, all updates applied."""
        return fold(_from_base(self.base), (_update(*row) for row in self.updates))


def read_profile(connection: sqlite3.Connection, user: str) -> StoredProfile:
    """Read what there is of a user's profile."""
    found = connection.execute("SELECT base FROM profiles WHERE user = ?", (user,)).fetchone()
    return StoredProfile(base=None if found is None else found[0], updates=connection.execute(_ALL, (user,)).fetchall())


def has_profile(connection: sqlite3.Connection, user: str) -> bool:
    """Whether a user has a profile, or updates that make none."""
    return connection.execute("SELECT 1 FROM profiles WHERE user = ?", (user,)).fetchone() is not None


class UpdateWriter:
    """Adds updates.

    Args:
        connection: the database, in a transaction.
        tally: what is changed with it.
    """

    def __init__(self, connection: sqlite3.Connection, tally: Tally) -> None:
        self._connection, self._tally = connection, tally
        self._rows: list[Row] = []
        self._latest: dict[str, int] = {}

    def add(
        self, message: str, *, number: int, user: str, time: float, arrived: float, ip: str | None, operation: str
    ) -> None:
        """Note an update."""
        size_bytes = size(message, user, user)
        self._rows.append((number, user, time, arrived, ip, operation, message, size_bytes))
        self._latest[user] = number
        self._tally.updates += 1
        self._tally.update_bytes += size_bytes

    def write(self) -> None:
        """Write what was noted."""
        self._connection.executemany(_ADD, self._rows)
        for user, number in self._latest.items():
            found = self._connection.execute("UPDATE profiles SET number = ? WHERE user = ?", (number, user))
            if found.rowcount == 0:
                size_bytes = size(user, user)
                row = (user, number, size_bytes)
                self._connection.execute("INSERT INTO profiles (user, number, size) VALUES (?, ?, ?)", row)
                self._tally.profiles += 1
                self._tally.profile_bytes += size_bytes


def make_room(connection: sqlite3.Connection, tally: Tally, bounds: Bounds) -> None:
    """Fold the oldest updates, and forget the profiles that were updated least recently, as the bounds demand."""
    surplus = tally.updates - bounds.max_messages
    surplus_bytes = tally.update_bytes - bounds.update_bytes
    if surplus > 0 or surplus_bytes > 0:
        surplus += bounds.max_messages // _CHUNKS
        surplus_bytes += bounds.update_bytes // _CHUNKS
        for user, count in _giving_way(connection, surplus, surplus_bytes).items():
            _fold(connection, tally, user, count)
    while tally.profiles > bounds.max_messages or tally.profile_bytes > bounds.profile_bytes:
        if not _forget_one(connection, tally):
            break


def _giving_way(connection: sqlite3.Connection, surplus: int, surplus_bytes: int) -> Mapping[str, int]:
    """How many updates of which users give way: as many as the oldest to arrive, but not the newest."""
    users: Counter[str] = Counter()
    count = freed = 0
    oldest = "SELECT user, size FROM updates WHERE number < (SELECT MAX(number) FROM updates) ORDER BY number"
    for user, size_bytes in connection.execute(oldest):
        if count >= surplus and freed >= surplus_bytes:
            break
        users[user] += 1
        count, freed = count + 1, freed + size_bytes
    return users


def _fold(connection: sqlite3.Connection, tally: Tally, user: str, count: int) -> None:
    """Fold the oldest updates of a user into the base."""
    rows = connection.execute(_OLDEST, (user, count)).fetchall()
    base, old_size = connection.execute("SELECT base, size FROM profiles WHERE user = ?", (user,)).fetchone()
    profile = fold(_from_base(base), (_update(*row[2:]) for row in rows))
    connection.executemany("DELETE FROM updates WHERE number = ?", [row[:1] for row in rows])
    tally.updates -= len(rows)
    tally.update_bytes -= sum(row[1] for row in rows)
    if profile is None and connection.execute("SELECT 1 FROM updates WHERE user = ?", (user,)).fetchone() is None:
        _remove(connection, tally, user, old_size)
    else:
        _rebase(connection, tally, user, old_size, _to_base(profile))


def _forget_one(connection: sqlite3.Connection, tally: Tally) -> bool:
    """Forget the profile that was updated least recently; of the last one only the base. False: nothing is left."""
    oldest = "SELECT user, size, base IS NOT NULL FROM profiles ORDER BY number LIMIT 1"
    user, size_bytes, has_base = connection.execute(oldest).fetchone()
    if tally.profiles == 1:
        _rebase(connection, tally, user, size_bytes, None)
        return bool(has_base)
    rows = connection.execute("SELECT COUNT(*), TOTAL(size) FROM updates WHERE user = ?", (user,)).fetchone()
    connection.execute("DELETE FROM updates WHERE user = ?", (user,))
    tally.updates -= rows[0]
    tally.update_bytes -= int(rows[1])
    _remove(connection, tally, user, size_bytes)
    return True


def _remove(connection: sqlite3.Connection, tally: Tally, user: str, size_bytes: int) -> None:
    connection.execute("DELETE FROM profiles WHERE user = ?", (user,))
    tally.profiles -= 1
    tally.profile_bytes -= size_bytes


def _rebase(connection: sqlite3.Connection, tally: Tally, user: str, old_size: int, base: str | None) -> None:
    new_size = size(user, user, base)
    connection.execute("UPDATE profiles SET base = ?, size = ? WHERE user = ?", (base, new_size, user))
    tally.profile_bytes += new_size - old_size


def _from_base(base: str | None) -> Profile | None:
    return None if base is None else Profile(**from_json(base))


def _to_base(profile: Profile | None) -> str | None:
    if profile is None:
        return None
    return to_json({"properties": profile.properties, "last_seen": profile.last_seen, "ip": profile.ip})


def _update(operation: str, arrived: float, ip: str | None, message: str) -> Update:
    sent: dict[str, Any] = from_json(message)
    return Update(
        operation=operation,
        value=sent[operation],
        arrived=arrived,
        ip=ip,
        ignore_time=sent.get("$ignore_time") is True,
    )
