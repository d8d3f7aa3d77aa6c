"""One SQLite database, shared by all threads."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from robotmia_logging.sandbox.store.schema import prepare
from robotmia_logging.sandbox.store.tally import Tally

Row = tuple[Any, ...]

_WAIT_S = 1  # for another process to let go of the file
_CACHE_KIB = 64 * 1024  # of a file: to count and to search goes over all of it


class Database:
    """A connection to write and one to read, each behind a lock: reading doesn't hold up what arrives.

    A memory database belongs to its connection, which then does both.

    Args:
        db: a file, which survives the process being killed; without one everything is in memory.

    Attributes:
        name: of the file, as SQLite has it.

    Raises:
        sqlite3.Error: the file can't be opened, isn't a database, or is a database of something else.
    """

    def __init__(self, db: str | Path | None = None) -> None:
        self.name = ":memory:" if db is None else str(db)
        self._writer, self._writing = self._connect(), threading.Lock()
        self._reader, self._reading = self._writer, self._writing
        self._keeping = threading.Lock()
        try:
            with _transaction(self._writer):
                prepare(self._writer)
                self._tally = Tally.load(self._writer)
            if db is not None:
                self._writer.execute("PRAGMA journal_mode = WAL")
                self._writer.execute("PRAGMA synchronous = NORMAL")  # in WAL mode enough for a kill -9
                self._reader, self._reading = self._connect(), threading.Lock()
                self._reader.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        except BaseException:
            self.close()
            raise

    @property
    def tally(self) -> Tally:
        """How much is kept, as of the last transaction, written or read; not to be changed."""
        return self._tally

    @contextmanager
    def transaction(self) -> Iterator[tuple[sqlite3.Connection, Tally]]:
        """Write: all of it or, when anything fails or the process dies, nothing.

        Yields:
            The connection, and the tally, to be changed with what it counts.
        """
        with self._writing:
            with _transaction(self._writer):
                tally = Tally.load(self._writer)
                yield self._writer, tally
                tally.save(self._writer)
            self._keep(tally)

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Read: all queries see the same state."""
        with self._reading, _transaction(self._reader, "BEGIN"):
            if self._reader is not self._writer:
                self._keep(Tally.load(self._reader))  # what another process has written counts, too
            yield self._reader

    def _keep(self, tally: Tally) -> None:
        """Remember a tally, unless a newer one is known: who reads may have begun before another has written."""
        with self._keeping:
            if (tally.epoch, tally.last_id) >= (self._tally.epoch, self._tally.last_id):
                self._tally = tally

    def close(self) -> None:
        """Close the database; a second time does nothing."""
        with self._writing:
            self._writer.close()
        with self._reading:
            self._reader.close()

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self.name, timeout=_WAIT_S, isolation_level=None, check_same_thread=False, cached_statements=256
        )
        connection.create_function("holds", 2, _holds, deterministic=True)
        return connection


@contextmanager
def _transaction(connection: sqlite3.Connection, begin: str = "BEGIN IMMEDIATE") -> Iterator[None]:
    connection.execute(begin)
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # after some errors SQLite has rolled back by itself
            connection.execute("ROLLBACK")
        raise


def _holds(text: str | None, folded: str) -> bool:
    """Whether a text has another in it, in any case; SQLite's own functions know the case of ASCII alone."""
    return text is not None and folded in text.casefold()
