"""The aliases that stand, in a table of their own: each with the id it was given for, which may be an alias, too."""

import sqlite3

from robotmia_logging.sandbox.people.aliases import judge
from robotmia_logging.sandbox.store.bounds import Bounds, size
from robotmia_logging.sandbox.store.tally import Tally

# Rows are never changed, or a chain of n aliases would take n * n changes: looking up follows the chain instead.
_ORIGINAL = """
WITH RECURSIVE stands_for(id, step) AS (
    VALUES (?, 0)
    UNION ALL
    SELECT a.original, step + 1 FROM aliases AS a JOIN stands_for ON a.alias = stands_for.id
)
SELECT id FROM stands_for ORDER BY step DESC LIMIT 1
"""
_ALIASES = """
WITH RECURSIVE standing(alias, number) AS (
    SELECT alias, number FROM aliases WHERE original = ?
    UNION ALL
    SELECT a.alias, a.number FROM aliases AS a JOIN standing ON a.original = standing.alias
)
SELECT alias FROM standing ORDER BY number, alias
"""


def original(connection: sqlite3.Connection, user: str) -> str:
    """The id that an id stands for in the end; itself when it is no alias."""
    return str(connection.execute(_ORIGINAL, (user,)).fetchone()[0])


def aliases_of(connection: sqlite3.Connection, user: str) -> list[str]:
    """The ids that stand for an original, in the order they were given."""
    return [alias for (alias,) in connection.execute(_ALIASES, (user,))]


def add_alias(
    connection: sqlite3.Connection, tally: Tally, alias: str, user: str, *, number: int, has_messages: bool
) -> str:
    """Have an alias stand for an original from now on, and with it all that stood for the alias.

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
    standing = original(connection, alias)
    effective, warning = judge(alias, user, None if standing == alias else standing, has_messages=has_messages)
    if effective:
        size_bytes = size(alias, alias, user, user)
        connection.execute("INSERT INTO aliases VALUES (?, ?, ?, ?)", (alias, user, number, size_bytes))
        tally.aliases += 1
        tally.alias_bytes += size_bytes
    return warning


def make_room(connection: sqlite3.Connection, tally: Tally, bounds: Bounds) -> None:
    """Have the oldest aliases forgotten as far as the bounds demand, but not the newest."""
    while tally.aliases > 1 and (tally.aliases > bounds.max_messages or tally.alias_bytes > bounds.alias_bytes):
        row = connection.execute("SELECT alias, size FROM aliases ORDER BY number LIMIT 1").fetchone()
        connection.execute("DELETE FROM aliases WHERE alias = ?", row[:1])
        tally.aliases -= 1
        tally.alias_bytes -= row[1]
