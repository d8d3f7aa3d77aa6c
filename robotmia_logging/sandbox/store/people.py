"""Users, as far as rows tell: read in one go, and put together afterwards, when the database is free again."""

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from robotmia_logging.sandbox.people.person import Person, compose
from robotmia_logging.sandbox.store.aliases import aliases_of
from robotmia_logging.sandbox.store.database import Row
from robotmia_logging.sandbox.store.profiles import StoredProfile, read_profile
from robotmia_logging.sandbox.store.text import from_json

_EVENTS = "FROM entries WHERE user = ? AND error IS NULL AND endpoint <> 'engage'"
# An id that has become an alias is no user any more, whatever it had before.
_ACTIVE = """
SELECT user FROM ({users}) WHERE user NOT IN (SELECT alias FROM aliases)
GROUP BY user ORDER BY MAX(number) DESC, user
"""
_OF_ENTRIES = "SELECT user, MAX(id) AS number FROM entries WHERE user IS NOT NULL AND {condition} GROUP BY user"
_OF_PROFILES = "SELECT user, number FROM profiles WHERE {condition}"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPerson:
    """What the database has of a user, as it lies there."""

    user: str
    profile: StoredProfile
    aliases: list[str]
    events: list[Row]
    event_count: int

    def person(self) -> Person | None:
        """The user, or None when nothing is known of one."""
        events = [from_json(body) for (body,) in self.events]
        return compose(self.user, self.profile.profile(), self.aliases, events, self.event_count)


def read_person(connection: sqlite3.Connection, user: str, *, with_events: bool) -> StoredPerson:
    """Read what there is of a user.

    Args:
        connection: the database.
        user: an original.
        with_events: whether the activity feed is wanted, beside how long it is.
    """
    events: list[Row] = []
    if with_events:
        events = connection.execute(f"SELECT body {_EVENTS} ORDER BY time, id", (user,)).fetchall()
    (count,) = connection.execute(f"SELECT COUNT(*) {_EVENTS}", (user,)).fetchone()
    return StoredPerson(
        user=user,
        profile=read_profile(connection, user),
        aliases=aliases_of(connection, user),
        events=events,
        event_count=count,
    )


def active_users(
    connection: sqlite3.Connection, condition: str, values: Mapping[str, Any], *, of_profiles: str | None
) -> list[str]:
    """The users, the latest active first.

    Args:
        connection: the database.
        condition: SQL over the columns of `entries`: users with such an entry.
        values: its parameters.
        of_profiles: SQL over the columns of `profiles`, with the same parameters: users with such a profile, too.
    """
    users = _OF_ENTRIES.format(condition=condition)
    if of_profiles is not None:
        users = f"{users} UNION ALL {_OF_PROFILES.format(condition=of_profiles)}"
    return [user for (user,) in connection.execute(_ACTIVE.format(users=users), values)]
