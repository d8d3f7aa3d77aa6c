"""The store in a file: it survives a kill, a restart, a failing disk."""

import sqlite3
import subprocess
import sys

import pytest
from storing import alias, event, keep, properties, refuse, update

from robotmia_logging.sandbox.store.records import Filters
from robotmia_logging.sandbox.store.store import Store

BATCH = 20


@pytest.fixture
def path(tmp_path):
    return tmp_path / "sandbox.db"


def test_restart(path):
    """What a file holds is there again, ids go on, aliases stand, what gave way is known."""
    with Store(path, max_messages=3) as store:
        keep(store, "engage", *(update("$add", {"n": 1}) for _ in range(5)))
        keep(store, "track", alias("new", "u"))
        refuse(store, "bad")
        before = (store.entries(Filters()), store.person("u"), store.last_id, store.gave_way, store.epoch)
    with Store(path, max_messages=3) as store:
        assert before == (store.entries(Filters()), store.person("new"), store.last_id, store.gave_way, store.epoch)
        keep(store, "engage", update("$add", {"n": 1}, "new"))
        assert (store.last_id, properties(store)) == (8, {"n": 6})


def test_lower_bounds(path):
    """A file with more than the bounds allow is brought within them by the next message."""
    with Store(path) as store:
        keep(store, "engage", *(update("$add", {"n": 1}) for _ in range(50)))
    with Store(path, max_messages=10) as store:
        keep(store, "engage", update("$add", {"n": 1}))
        assert (len(store.entries(Filters())), store._database.tally.updates) == (10, 10)
        assert properties(store) == {"n": 51}


def test_killed(path):
    """After a kill -9 amid requests the file opens again, and each request is there whole or not at all."""
    program = f"""if True:
        import sys
        sys.path.insert(0, {str(__file__.rpartition("/")[0])!r})
        from storing import keep, update
        from robotmia_logging.sandbox.store.store import Store
        store = Store({str(path)!r}, max_messages=200)
        while True:
            keep(store, "engage", *(update("$add", {{"n": 1}}) for _ in range({BATCH})))
            print(store.last_id, flush=True)
    """
    for _ in range(3):
        process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
        with process:
            answered = [int(process.stdout.readline()) for _ in range(30)][-1]
            process.kill()
        with Store(path) as store:
            assert store.last_id >= answered
            assert store.last_id % BATCH == 0
            assert properties(store) == {"n": store.last_id}
            entries = store.entries(Filters())
            assert [entry.id for entry in entries] == list(range(store.last_id - 199, store.last_id + 1))


def test_not_a_database(path):
    """A file that is no database is refused, and left as it is."""
    path.write_text("no database, however long it goes on " * 100)
    with pytest.raises(sqlite3.DatabaseError, match="not a database"):
        Store(path)
    assert path.read_text().startswith("no database")


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("CREATE TABLE messages (id)", "not one of the sandbox"),
        ("PRAGMA user_version = 1", "not one of the sandbox"),
        ("PRAGMA application_id = 1380796769", "another version of the sandbox"),
    ],
)
def test_another_database(path, statement, words):
    """A database of something else, or of another version, is refused, and left as it is."""
    other = sqlite3.connect(path)
    other.execute(statement)
    other.close()
    before = path.read_bytes()
    with pytest.raises(sqlite3.DatabaseError, match=words):
        Store(path)
    assert path.read_bytes() == before


def test_no_such_folder(tmp_path):
    """A file that can't be made is an error of the database."""
    with pytest.raises(sqlite3.OperationalError):
        Store(tmp_path / "none" / "sandbox.db")


def test_full_disk(path):
    """When the disk is full a request is refused whole, nothing is counted, and the store works again later."""
    with Store(path) as store:
        keep(store, "track", event())
        before = store._database.tally
        with store._database.transaction() as (connection, _):
            (pages,) = connection.execute("PRAGMA page_count").fetchone()
            connection.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(sqlite3.OperationalError, match="full"):
            keep(store, "engage", update("$set", {}), update("$set", {"a": "x" * 100_000}))
        assert (store.last_id, store._database.tally, store.count(Filters())) == (1, before, 1)
        with store._database.transaction() as (connection, _):
            connection.execute("PRAGMA max_page_count = 100000")
        keep(store, "engage", update("$set", {"a": 1}))
        assert (store.last_id, properties(store)) == (2, {"a": 1})


def test_locked_file(path):
    """While somebody else locks the file requests fail, and work again afterwards; reading works throughout."""
    other = sqlite3.connect(path, isolation_level=None)
    with Store(path) as store:
        keep(store, "track", event())
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            keep(store, "track", event())
        assert store.count(Filters()) == 1
        other.execute("ROLLBACK")
        other.close()
        keep(store, "track", event())
        assert store.last_id == store.count(Filters()) == 2


def test_two_stores(path):
    """Two stores on one file don't get in each other's way."""
    with Store(path) as one, Store(path) as two:
        keep(one, "track", event())
        keep(two, "track", event())
        keep(one, "track", event())
        assert [entry.id for entry in two.entries(Filters())] == [1, 2, 3]
        assert two.last_id == one.last_id == 3  # what a page follows is never behind what it was shown
        assert two.entry(3) is not None


def test_closed():
    """A closed store is a failing database; to close it again does nothing."""
    store = Store()
    store.close()
    store.close()
    with pytest.raises(sqlite3.ProgrammingError):
        keep(store, "track", event())
    with pytest.raises(sqlite3.ProgrammingError):
        store.entries(Filters())
