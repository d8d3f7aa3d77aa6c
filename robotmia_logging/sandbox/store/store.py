"""What arrived and what became of it."""

import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any

from robotmia_logging.sandbox.people.person import Person
from robotmia_logging.sandbox.store import aliases, entries, people, profiles, schema
from robotmia_logging.sandbox.store.bounds import Bounds
from robotmia_logging.sandbox.store.conditions import condition
from robotmia_logging.sandbox.store.database import Database
from robotmia_logging.sandbox.store.intake import take_in
from robotmia_logging.sandbox.store.records import Accepted, Arrival, Entry, Filters, Rejected
from robotmia_logging.sandbox.store.summary import Summary, summarize
from robotmia_logging.sandbox.store.text import to_json

MAX_MESSAGES = 100_000
MAX_BYTES = 256 * 2**20


class Store:
    """One SQLite database, usable from any thread. What is written is written whole or not at all.

    Args:
        db: a file, which survives the process being killed; without one everything is kept in memory.
        max_messages: how many messages and refused requests are kept, and as many profiles and aliases; the oldest
            give way. What a profile is doesn't depend on which messages gave way.
        max_bytes: about how many bytes all that may take. The newest message is always kept.

    Raises:
        sqlite3.Error: the file can't be opened, isn't a database, or is a database of something else. All methods
            raise it when the database fails: nothing has changed then, and the store may work again later.
        ValueError: a bound is below 1.
    """

    def __init__(
        self, db: str | Path | None = None, *, max_messages: int = MAX_MESSAGES, max_bytes: int = MAX_BYTES
    ) -> None:
        self._bounds = Bounds(max_messages=max_messages, max_bytes=max_bytes)
        self._database = Database(db)

    def __repr__(self) -> str:
        return f"Store({self._database.name!r})"

    def __enter__(self) -> "Store":  # noqa: PYI034 - Self came with 3.11
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the database; a second time does nothing."""
        self._database.close()

    @property
    def last_id(self) -> int:
        """The newest entry's id; 0 before the first."""
        return self._database.tally.last_id

    @property
    def epoch(self) -> int:
        """A number that changes with each `clear()`."""
        return self._database.tally.epoch

    @property
    def gave_way(self) -> int:
        """How many entries had to give way to newer ones."""
        return self._database.tally.gave_way

    def accept(self, arrival: Arrival, messages: Sequence[Accepted]) -> None:
        """Keep the messages of one request, and do what they say: all of them, or none."""
        if not messages:
            return
        texts = [(accepted, to_json(accepted.message)) for accepted in messages]
        with self._database.transaction() as (connection, tally):
            take_in(connection, tally, arrival, texts)
            aliases.make_room(connection, tally, self._bounds)
            profiles.make_room(connection, tally, self._bounds)
            entries.make_room(connection, tally, self._bounds)

    def refuse(self, arrival: Arrival, rejected: Rejected) -> None:
        """Keep a refused request."""
        body = to_json(rejected.what)
        with self._database.transaction() as (connection, tally):
            writer = entries.EntryWriter(connection, tally, arrival, 1)
            user = None if rejected.user is None else aliases.original(connection, rejected.user)
            writer.add(body, time=arrival.arrived, event=rejected.event, user=user, error=rejected.error)
            writer.write()
            entries.make_room(connection, tally, self._bounds)

    def clear(self) -> None:
        """Forget everything; ids start from 1 again."""
        with self._database.transaction() as (connection, tally):
            schema.empty(connection)
            tally.restart()

    def entries(self, filters: Filters) -> list[Entry]:
        """The entries that the filters let through, in arrival order."""
        with self._database.reading() as connection:
            where, values = _condition(connection, filters)
            newest = f"{entries.SELECT} WHERE {where} ORDER BY id DESC LIMIT :limit"
            rows = connection.execute(newest, {**values, "limit": _limit(filters)}).fetchall()
        return entries.entries(reversed(rows))

    def count(self, filters: Filters) -> int:
        """How many entries the filters let through."""
        with self._database.reading() as connection:
            where, values = _limited(*_condition(connection, filters), filters)
            row = connection.execute(f"SELECT COUNT(*) FROM entries WHERE {where}", values).fetchone()  # noqa: S608
        return int(row[0])

    def entry(self, number: int) -> tuple[Entry, Arrival, int] | None:
        """An entry with its request as it came in, and how many messages that had; None when there is none."""
        if not 0 < number < 2**63:  # SQLite doesn't even look
            return None
        with self._database.reading() as connection:
            row = entries.with_request(connection, number)
        return None if row is None else entries.split(row)

    def person(self, user: str) -> Person | None:
        """A user, with the activity feed; an alias stands for its original. None for an id nothing is known of."""
        with self._database.reading() as connection:
            stored = people.read_person(connection, aliases.original(connection, user), with_events=True)
        return stored.person()

    def people(self, filters: Filters) -> list[Person]:
        """The users whose entries the filters let through, the latest active last, each as of when it is read.

        Without filters, or for `distinct_id` and `limit` alone, also users whose entries all gave way. An id that
        has become an alias is no user of its own. `limit` is the number of users.
        """
        with self._database.reading() as connection:
            where, values = _condition(connection, filters)
            users = people.active_users(connection, where, values, of_profiles=_of_profiles(filters))
        limit = _limit(filters)
        found: list[Person] = []
        for user in users:
            if len(found) == limit:
                break
            # One after another: to put a profile together takes its time, and what arrives shouldn't wait for it.
            with self._database.reading() as connection:
                stored = people.read_person(connection, user, with_events=False)
            if (person := stored.person()) is not None:
                found.append(person)
        return found[::-1]

    def summary(self, filters: Filters, now: float) -> Summary:
        """How much arrived.

        Args:
            filters: which entries are counted.
            now: unix seconds; counts over time end here.
        """
        with self._database.reading() as connection:
            where, values = _limited(*_condition(connection, filters), filters)
        return summarize(self._database.reading, where, values, now)


def _condition(connection: sqlite3.Connection, filters: Filters) -> tuple[str, dict[str, Any]]:
    user = filters.distinct_id
    return condition(filters, None if user is None else aliases.original(connection, user))


def _limit(filters: Filters) -> int:
    """As SQL has it: -1 for none."""
    return -1 if filters.limit is None else filters.limit


def _limited(where: str, values: dict[str, Any], filters: Filters) -> tuple[str, dict[str, Any]]:
    """The newest so many entries that meet a condition, as a condition."""
    if filters.limit is None:
        return where, values
    newest = f"SELECT id FROM entries WHERE {where} ORDER BY id DESC LIMIT :limit"  # noqa: S608 - no value is in it
    return f"id IN ({newest})", {**values, "limit": filters.limit}


def _of_profiles(filters: Filters) -> str | None:
    """Which users count without entries, in SQL; None when the filters ask for something that only entries have."""
    if replace(filters, distinct_id=None, limit=None) != Filters():
        return None
    return "1" if filters.distinct_id is None else "user = :user"
