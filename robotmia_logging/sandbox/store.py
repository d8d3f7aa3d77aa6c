"""What arrived, in SQLite: accepted messages and refused requests."""

import json
import sqlite3
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

_SCHEMA = """
CREATE TABLE IF NOT EXISTS messages (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    endpoint TEXT NOT NULL,
    arrived REAL NOT NULL,
    user TEXT,
    ip TEXT,
    alias TEXT,
    message TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS messages_by_user ON messages (user);
CREATE INDEX IF NOT EXISTS messages_by_alias ON messages (id) WHERE alias IS NOT NULL;
CREATE TABLE IF NOT EXISTS refusals (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    endpoint TEXT NOT NULL,
    arrived REAL NOT NULL,
    error TEXT NOT NULL,
    what TEXT NOT NULL
);
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """An accepted message and what its arrival says about it.

    `user` is the id as sent, aliases not resolved; `ip` the address that counts, if any; `alias` the new id
    of a `$create_alias`. `id`, the number in arrival order, is the store's to give.
    """

    endpoint: str
    arrived: float
    user: str | None
    ip: str | None
    message: dict[str, Any]
    alias: str | None = None
    id: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A refused request; `what` holds its `messages`, or the `data` they couldn't be read from."""

    endpoint: str
    arrived: float
    error: str
    what: dict[str, Any]


class Store:
    """One SQLite database, shared by all threads. Each method is one transaction.

    Args:
        db: a file, which survives the process being killed; without one everything is kept in memory.

    Raises:
        sqlite3.Error: the file can't be opened, or isn't a database.
    """

    def __init__(self, db: str | Path | None = None) -> None:
        self._name = str(db) if db is not None else ":memory:"
        # One connection behind one lock: a memory database belongs to its connection, and SQLite has
        # one writer anyway.
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(self._name, check_same_thread=False)
        try:
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = NORMAL")  # in WAL mode enough for a kill -9
            self._connection.executescript(_SCHEMA)
        except BaseException:
            self._connection.close()
            raise

    def __repr__(self) -> str:
        return f"Store({self._name!r})"

    def __enter__(self) -> "Store":  # noqa: PYI034 - Self came with 3.11
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the database; a second time does nothing."""
        with self._lock:
            self._connection.close()

    def accept(self, messages: Sequence[Message]) -> None:
        """Keep the messages of one request: all of them or, should the process die, none."""
        rows = [(m.endpoint, m.arrived, m.user, m.ip, m.alias, _to_json(m.message)) for m in messages]
        with self._lock, self._connection:
            self._connection.executemany(
                "INSERT INTO messages (endpoint, arrived, user, ip, alias, message) VALUES (?, ?, ?, ?, ?, ?)",
                rows,
            )

    def refuse(self, refusal: Refusal) -> None:
        """Keep a refused request."""
        row = (refusal.endpoint, refusal.arrived, refusal.error, _to_json(refusal.what))
        with self._lock, self._connection:
            self._connection.execute("INSERT INTO refusals (endpoint, arrived, error, what) VALUES (?, ?, ?, ?)", row)

    def clear(self) -> None:
        """Forget everything, for tests that share a server; ids start from 1 again."""
        with self._lock, self._connection:
            for table in ("messages", "refusals", "sqlite_sequence"):
                self._connection.execute(f"DELETE FROM {table}")  # noqa: S608 - the names are ours

    def messages(self) -> list[Message]:
        """All accepted messages, in arrival order."""
        return [_message(row) for row in self._rows(f"{_SELECT} ORDER BY id")]

    def messages_of(self, users: Iterable[str]) -> list[Message]:
        """The accepted messages that were sent with one of these ids, in arrival order."""
        # A query for each id: how many parameters one query takes differs between builds of SQLite.
        rows = [row for user in users for row in self._rows(f"{_SELECT} WHERE user = ?", user)]
        return sorted((_message(row) for row in rows), key=lambda message: message.id)

    def aliases(self) -> list[tuple[str, str]]:
        """The pairs (alias, original) of all `$create_alias` events, in arrival order."""
        return [
            (alias, user)
            for alias, user in self._rows("SELECT alias, user FROM messages WHERE alias IS NOT NULL ORDER BY id")
        ]

    def refusals(self) -> list[Refusal]:
        """All refused requests, in arrival order."""
        rows = self._rows("SELECT endpoint, arrived, error, what FROM refusals ORDER BY id")
        return [
            Refusal(endpoint=endpoint, arrived=arrived, error=error, what=json.loads(what))
            for endpoint, arrived, error, what in rows
        ]

    def _rows(self, query: str, *values: str) -> list[tuple[Any, ...]]:
        with self._lock:
            return self._connection.execute(query, values).fetchall()


_SELECT = "SELECT id, endpoint, arrived, user, ip, alias, message FROM messages"


def _message(row: tuple[Any, ...]) -> Message:
    number, endpoint, arrived, user, ip, alias, message = row
    return Message(
        id=number,
        endpoint=endpoint,
        arrived=arrived,
        user=user,
        ip=ip,
        alias=alias,
        message=json.loads(message),
    )


def _to_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
