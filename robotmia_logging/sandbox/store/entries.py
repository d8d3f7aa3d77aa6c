"""Accepted messages and refused requests, as rows."""

import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any

from robotmia_logging.sandbox.store.bounds import Bounds, size
from robotmia_logging.sandbox.store.database import Row
from robotmia_logging.sandbox.store.records import Arrival, Entry
from robotmia_logging.sandbox.store.tally import Tally
from robotmia_logging.sandbox.store.text import from_json, to_json

SELECT = "SELECT id, endpoint, arrived, time, event, user, ip, warnings, error, body, position FROM entries"

_ADD_REQUEST = (
    "INSERT INTO requests (endpoint, arrived, method, target, client_ip, user_agent, data, data_size, messages)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_ADD_ENTRY = (
    "INSERT INTO entries (id, request, position, endpoint, arrived, time, event, user, ip, warnings, error, body, size)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_WITH_REQUEST = (
    "SELECT e.id, e.endpoint, e.arrived, e.time, e.event, e.user, e.ip, e.warnings, e.error, e.body, e.position,"
    " r.endpoint, r.arrived, r.method, r.target, r.client_ip, r.user_agent, r.data, r.data_size, r.messages"
    " FROM entries AS e JOIN requests AS r ON r.id = e.request WHERE e.id = ?"
)
_COLUMNS = 11


class EntryWriter:
    """Adds the entries of one request.

    Args:
        connection: the database, in a transaction.
        tally: what is changed with it.
        arrival: the request.
        messages: how many entries it has.
    """

    def __init__(self, connection: sqlite3.Connection, tally: Tally, arrival: Arrival, messages: int) -> None:
        self._connection, self._tally, self._arrival = connection, tally, arrival
        a = arrival
        row = (a.endpoint, a.arrived, a.method, a.target, a.client_ip, a.user_agent, a.data, a.data_size, messages)
        self._request = connection.execute(_ADD_REQUEST, row).lastrowid
        self._share = size(a.target, a.user_agent, a.data) // messages
        self._rows: list[Row] = []

    def add(
        self,
        body: str,
        *,
        time: float,
        event: str | None,
        user: str | None,
        ip: str | None = None,
        warnings: Sequence[str] = (),
        error: str | None = None,
    ) -> int:
        """Note an entry; its number."""
        arrival, tally = self._arrival, self._tally
        warned = to_json(warnings) if warnings else None
        size_bytes = self._share + size(body, event, event, user, user, warned, error)
        tally.last_id += 1
        tally.entries += 1
        tally.entry_bytes += size_bytes
        place = (tally.last_id, self._request, len(self._rows), arrival.endpoint, arrival.arrived)
        self._rows.append((*place, time, event, user, ip, warned, error, body, size_bytes))
        return tally.last_id

    def write(self) -> None:
        """Write what was noted."""
        self._connection.executemany(_ADD_ENTRY, self._rows)


def make_room(connection: sqlite3.Connection, tally: Tally, bounds: Bounds) -> None:
    """Have the oldest entries give way as far as the bounds demand, but not the newest."""
    surplus = tally.entries - bounds.max_messages
    surplus_bytes = tally.entry_bytes - bounds.entry_bytes(tally)
    if surplus <= 0 and surplus_bytes <= 0:
        return
    count = freed = last = 0
    for number, size_bytes in _in_order(connection, before=tally.last_id):
        if count >= surplus and freed >= surplus_bytes:
            break
        count, freed, last = count + 1, freed + size_bytes, number
    connection.execute("DELETE FROM entries WHERE id <= ?", (last,))
    connection.execute("DELETE FROM requests WHERE id < (SELECT request FROM entries ORDER BY id LIMIT 1)")
    tally.entries -= count
    tally.entry_bytes -= freed
    tally.gave_way += count


def entries(rows: Iterable[Row]) -> list[Entry]:
    """The entries that rows of `SELECT` hold."""
    return [_entry(row) for row in rows]


def with_request(connection: sqlite3.Connection, number: int) -> Row | None:
    """The row of an entry and its request, if there is one."""
    row: Row | None = connection.execute(_WITH_REQUEST, (number,)).fetchone()
    return row


def split(row: Row) -> tuple[Entry, Arrival, int]:
    """What a row of `with_request` holds: an entry, its request, and how many messages that had."""
    endpoint, arrived, method, target, client_ip, user_agent, data, data_size, messages = row[_COLUMNS:]
    arrival = Arrival(
        endpoint=endpoint,
        arrived=arrived,
        method=method,
        target=target,
        client_ip=client_ip,
        user_agent=user_agent,
        data=data,
        data_size=data_size,
    )
    return _entry(row[:_COLUMNS]), arrival, messages


def _entry(row: Row) -> Entry:
    number, endpoint, arrived, time, event, user, ip, warnings, error, body, position = row
    return Entry(
        id=number,
        endpoint=endpoint,
        arrived=arrived,
        time=time,
        event=event,
        distinct_id=user,
        ip=ip,
        warnings=tuple(from_json(warnings)) if warnings else (),
        error=error,
        body=from_json(body),
        position=position,
    )


def _in_order(connection: sqlite3.Connection, *, before: int) -> Any:
    return connection.execute("SELECT id, size FROM entries WHERE id < ? ORDER BY id", (before,))
