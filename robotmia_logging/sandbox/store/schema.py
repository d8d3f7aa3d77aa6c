"""The tables, and whether a file has them."""

import sqlite3

_APPLICATION = 0x524D4961
_VERSION = 1

_TABLES = """
CREATE TABLE requests (
    id INTEGER PRIMARY KEY,
    endpoint TEXT NOT NULL,
    arrived REAL NOT NULL,
    method TEXT NOT NULL,
    target TEXT NOT NULL,
    client_ip TEXT,
    user_agent TEXT NOT NULL,
    data TEXT NOT NULL,
    data_size INTEGER NOT NULL,
    messages INTEGER NOT NULL
);
CREATE TABLE entries (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    request INTEGER NOT NULL,
    position INTEGER NOT NULL,
    endpoint TEXT NOT NULL,
    arrived REAL NOT NULL,
    time REAL NOT NULL,
    event TEXT,
    user TEXT,
    ip TEXT,
    warnings TEXT,
    error TEXT,
    size INTEGER NOT NULL,
    body TEXT NOT NULL
);
CREATE INDEX entries_by_user ON entries (user);
CREATE INDEX entries_refused ON entries (id) WHERE error IS NOT NULL;
CREATE INDEX entries_warned ON entries (id) WHERE warnings IS NOT NULL;

CREATE TABLE aliases (
    alias TEXT PRIMARY KEY,
    original TEXT NOT NULL,
    number INTEGER NOT NULL,
    size INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX aliases_by_original ON aliases (original, number);
CREATE INDEX aliases_by_number ON aliases (number);

CREATE TABLE profiles (
    user TEXT PRIMARY KEY,
    number INTEGER NOT NULL,
    size INTEGER NOT NULL,
    base TEXT
);
CREATE INDEX profiles_by_number ON profiles (number);
CREATE TABLE updates (
    number INTEGER PRIMARY KEY,
    user TEXT NOT NULL,
    time REAL NOT NULL,
    arrived REAL NOT NULL,
    ip TEXT,
    operation TEXT NOT NULL,
    size INTEGER NOT NULL,
    message TEXT NOT NULL
);
CREATE INDEX updates_in_order ON updates (user, time);

CREATE TABLE tally (
    last_id INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    gave_way INTEGER NOT NULL,
    entries INTEGER NOT NULL,
    entry_bytes INTEGER NOT NULL,
    updates INTEGER NOT NULL,
    update_bytes INTEGER NOT NULL,
    profiles INTEGER NOT NULL,
    profile_bytes INTEGER NOT NULL,
    aliases INTEGER NOT NULL,
    alias_bytes INTEGER NOT NULL
);
INSERT INTO tally VALUES (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
"""
_EMPTIED = ("requests", "entries", "aliases", "profiles", "updates", "sqlite_sequence")


def prepare(connection: sqlite3.Connection) -> None:
    """Make the tables in an empty database, within the transaction that the caller has begun.

    Raises:
        sqlite3.DatabaseError: the database is somebody else's, or another version's.
    """
    if not _is_ours(connection):
        for statement in _TABLES.split(";"):
            connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {_APPLICATION}")
        connection.execute(f"PRAGMA user_version = {_VERSION}")


def empty(connection: sqlite3.Connection) -> None:
    """Forget all rows; numbers start from 1 again."""
    for table in _EMPTIED:
        connection.execute(f"DELETE FROM {table}")  # noqa: S608 - the names are ours


def _is_ours(connection: sqlite3.Connection) -> bool:
    """Whether the tables are there; False when there is nothing."""
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if (application, version) == (_APPLICATION, _VERSION):
        return True
    if application == _APPLICATION:
        raise sqlite3.DatabaseError(
            f"it was made by another version of the sandbox (form {version}, this one reads form {_VERSION})"
        )
    (tables,) = connection.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()
    if tables or application or version:
        raise sqlite3.DatabaseError("it is a database, but not one of the sandbox")
    return False
