"""The aliases that stand, in a table of their own: each with its original, so that one look-up resolves it."""

import sqlite3

from robotmia_logging.sandbox.people.aliases import judge
from robotmia_logging.sandbox.store.bounds import Bounds, size
from robotmia_logging.sandbox.store.tally import Tally


def original(connection: sqlite3.Connection, user: str) -> str:
    """The id that an id stands for; itself when it is no alias."""
    found = connection.execute("SELECT original FROM aliases WHERE alias = ?", (user,)).fetchone()
    return user if found is None else str(found[0])


def aliases_of(connection: sqlite3.Connection, user: str) -> list[str]:
    """The ids that stand for an original, in the order they were given."""
    rows = connection.execute("SELECT alias FROM aliases WHERE original = ? ORDER BY number, alias", (user,))
    return [alias for (alias,) in rows]


def add_alias(
    connection: sqlite3.Connection, tally: Tally, alias: str, user: str, *, number: int, has_messages: bool
) -> str:
    """Have an alias stand for an original from now on, and all that stood for the alias, too.

    Args:
        connection: the database, in a transaction.
        tally: what is changed with it.
        alias: the new id.
        user: an original.
        number: of the entry that says so.
        has_messages: whether there are messages to the alias.

    Returns:
        A warning, or an empty string.
    """
    standing = connection.execute("SELECT original FROM aliases WHERE alias = ?", (alias,)).fetchone()
    effective, warning = judge(alias, user, None if standing is None else standing[0], has_messages=has_messages)
    if effective:
        moved = {"original": user, "size": size(user, user), "alias": alias}
        (growth,) = connection.execute(_GROWTH, moved).fetchone()
        connection.execute(_MOVE, moved)
        size_bytes = size(alias, alias, user, user)
        connection.execute("INSERT INTO aliases VALUES (?, ?, ?, ?)", (alias, user, number, size_bytes))
        tally.aliases += 1
        tally.alias_bytes += size_bytes + int(growth)
    return warning


def make_room(connection: sqlite3.Connection, tally: Tally, bounds: Bounds) -> None:
    """Have the oldest aliases forgotten as far as the bounds demand, but not the newest."""
    while tally.aliases > 1 and (tally.aliases > bounds.max_messages or tally.alias_bytes > bounds.alias_bytes):
        row = connection.execute("SELECT alias, size FROM aliases ORDER BY number LIMIT 1").fetchone()
        connection.execute("DELETE FROM aliases WHERE alias = ?", row[:1])
        tally.aliases -= 1
        tally.alias_bytes -= row[1]


_SIZE = "(:size + 2 * LENGTH(CAST(alias AS BLOB)))"  # what size() gives; LENGTH of a text stops at NUL
_GROWTH = f"SELECT TOTAL({_SIZE} - size) FROM aliases WHERE original = :alias"  # noqa: S608 - no value is in it
_MOVE = f"UPDATE aliases SET original = :original, size = {_SIZE} WHERE original = :alias"  # noqa: S608
