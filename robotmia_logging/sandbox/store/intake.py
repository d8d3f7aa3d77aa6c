"""What happens to the messages of a request: ids are resolved, entries and updates added, aliases made."""

import sqlite3
from collections.abc import Sequence

from robotmia_logging.sandbox.store.aliases import add_alias, original
from robotmia_logging.sandbox.store.entries import EntryWriter
from robotmia_logging.sandbox.store.profiles import UpdateWriter, has_profile
from robotmia_logging.sandbox.store.records import Accepted, Arrival
from robotmia_logging.sandbox.store.tally import Tally


class Intake:
    """Takes the messages of one request in, one after another: each sees what the ones before it did.

    Args:
        connection: the database, in a transaction.
        tally: what is changed with it.
        arrival: the request.
        messages: how many it has.
    """

    def __init__(self, connection: sqlite3.Connection, tally: Tally, arrival: Arrival, messages: int) -> None:
        self._connection, self._tally, self._arrival = connection, tally, arrival
        self._entries = EntryWriter(connection, tally, arrival, messages)
        self._updates = UpdateWriter(connection, tally)
        self._originals: dict[str, str] = {}
        self._users: set[str] = set()

    def take(self, accepted: Accepted, body: str) -> None:
        """Take a message in.

        Args:
            accepted: the message.
            body: its text.
        """
        user = None if accepted.user is None else self._original(accepted.user)
        warnings = accepted.warnings
        if accepted.alias is not None and user is not None:
            warning = self._add_alias(accepted.alias, user)
            warnings = (*warnings, warning) if warning else warnings
        number = self._entries.add(
            body, time=accepted.time, event=accepted.event, user=user, ip=accepted.ip, warnings=warnings
        )
        if user is None:
            return
        self._users.add(user)
        if self._arrival.endpoint == "engage":
            self._updates.add(
                body,
                number=number,
                user=user,
                time=accepted.time,
                arrived=self._arrival.arrived,
                ip=accepted.ip,
                operation=accepted.event,
            )

    def write(self) -> None:
        """Write what was taken in."""
        self._entries.write()
        self._updates.write()

    def _original(self, user: str) -> str:
        if not self._tally.aliases:
            return user
        if user not in self._originals:
            self._originals[user] = original(self._connection, user)
        return self._originals[user]

    def _add_alias(self, alias: str, user: str) -> str:
        self._originals.clear()
        return add_alias(
            self._connection,
            self._tally,
            alias,
            user,
            number=self._tally.last_id + 1,
            has_messages=alias in self._users or _has_messages(self._connection, alias),
        )


def take_in(
    connection: sqlite3.Connection, tally: Tally, arrival: Arrival, messages: Sequence[tuple[Accepted, str]]
) -> None:
    """Take in the messages of a request, each with its text."""
    intake = Intake(connection, tally, arrival, len(messages))
    for accepted, body in messages:
        intake.take(accepted, body)
    intake.write()


def _has_messages(connection: sqlite3.Connection, user: str) -> bool:
    accepted = "SELECT 1 FROM entries WHERE user = ? AND error IS NULL LIMIT 1"
    return has_profile(connection, user) or connection.execute(accepted, (user,)).fetchone() is not None
