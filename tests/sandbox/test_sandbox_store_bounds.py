"""The store is bounded: what is old gives way, and profiles don't notice."""

import pytest
from storing import alias, event, keep, properties, refuse, update

from robotmia_logging.sandbox.store.bounds import OVERHEAD_BYTES
from robotmia_logging.sandbox.store.records import Filters
from robotmia_logging.sandbox.store.store import Store

KB = 1000


def ids(store):
    return [entry.id for entry in store.entries(Filters())]


def kept_bytes(store):
    tally = store._database.tally
    return tally.entry_bytes + tally.update_bytes + tally.profile_bytes + tally.alias_bytes


def counted_bytes(store):
    """What the tally should say: counted anew from the rows."""
    with store._database.reading() as connection:
        return sum(
            connection.execute(f"SELECT TOTAL(size) FROM {table}").fetchone()[0]
            for table in ("entries", "updates", "profiles", "aliases")
        )


def test_oldest_give_way():
    """The newest messages are kept, accepted and refused alike, and it is known how many gave way."""
    with Store(max_messages=3) as store:
        keep(store, "track", event("1"), event("2"), event("3"), data="x")
        refuse(store, "4")
        keep(store, "track", event("5"))
        assert (ids(store), store.gave_way, store.last_id) == ([3, 4, 5], 2, 5)
        entry, arrival, messages = store.entry(3)
        assert (entry.event, arrival.data, entry.position, messages) == ("3", "x", 2, 3)
        keep(store, "track", *(event() for _ in range(5)))
        assert (ids(store), store.gave_way, store.entry(3)) == ([8, 9, 10], 7, None)
        store.clear()
        assert store.gave_way == 0


def test_bytes_give_way():
    """Bytes are bounded as well as messages."""
    with Store(max_bytes=100 * KB) as store:
        for _ in range(50):
            keep(store, "track", event(note="é" * 2 * KB), data="x" * KB)
            keep(store, "engage", update("$append", {"a": "x" * KB}))
        assert 50 * KB < kept_bytes(store) <= 100 * KB
        assert ids(store)[-1] == store.last_id == 100


def test_giant_message():
    """A message that is larger than all that may be kept is kept alone, until the next one arrives."""
    with Store(max_bytes=10 * KB) as store:
        keep(store, "track", event())
        keep(store, "engage", update("$set", {"a": "x" * 100 * KB}))
        assert ids(store) == [2]
        assert len(properties(store)["a"]) == 100 * KB
        keep(store, "engage", *(update("$set", {"b": n}) for n in range(3)))
        keep(store, "track", event(), event())
        assert len(ids(store)) == 5
        assert kept_bytes(store) <= 10 * KB
        assert properties(store) == {"b": 2}


def test_profiles_outlive_their_messages():
    """What a profile is doesn't depend on the messages that gave way."""
    with Store(max_messages=10) as store:
        for n in range(30):
            keep(store, "engage", *(update("$add", {"n": 1}, time=50 - n) for _ in range(5)))
        keep(store, "track", *(event(user="v") for _ in range(10)))
        assert properties(store) == {"n": 150}
        assert [person.distinct_id for person in store.people(Filters())] == ["u", "v"]
        assert [person.distinct_id for person in store.people(Filters(distinct_id="u"))] == ["u"]
        assert store.people(Filters(endpoint="engage")) == []


def test_folded_profiles():
    """Last Seen and the address outlive their updates, too, and a deleted profile leaves nothing."""
    with Store(max_messages=1) as store:
        keep(store, "engage", update("$set", {}, ip="1.2.3.4", **{"$ignore_time": False}), arrived=1e9)
        keep(store, "engage", update("$unset", []), update("$unset", []))
        person = store.person("u")
        assert (person.ip, person.last_seen) == ("1.2.3.4", "2001-09-09T01:46:40")
        keep(store, "engage", update("$delete", ""), update("$unset", []), update("$set", {}, "v"))
        assert store._database.tally.profiles == 1


def test_late_update():
    """An update whose time is before what is folded already is applied on top of it, before the others."""
    with Store(max_messages=2) as store:
        keep(store, "engage", *(update("$append", {"a": n}, time=n) for n in range(4)))
        keep(store, "engage", update("$append", {"a": "late"}, time=0.5))
        assert properties(store)["a"] == [0, 1, "late", 2, 3]


def test_profiles_are_bounded():
    """The profile that was updated least recently is forgotten when there are too many."""
    with Store(max_messages=3) as store:
        for user in "abcda":
            keep(store, "engage", update("$set", {"x": user}, user))
        keep(store, "track", event(user="v"), event(user="v"), event(user="v"))
        assert [person.distinct_id for person in store.people(Filters())] == ["c", "d", "a", "v"]
        assert store.person("b") is None


def test_growing_profile():
    """A single profile that grows for ever is forgotten at last: its updates since then are kept."""
    with Store(max_bytes=20 * KB) as store:
        for n in range(200):
            keep(store, "engage", update("$append", {"a": f"{n:0500}"}))
        kept = [int(item) for item in properties(store)["a"]]
        assert kept == list(range(kept[0], 200))
        assert kept_bytes(store) <= 20 * KB


def test_bytes_are_counted_right():
    """The tally is what the rows add up to, whatever gave way, was folded, moved or forgotten."""
    with Store(max_messages=7, max_bytes=20 * KB) as store:
        for n in range(60):
            keep(
                store, "engage", update("$append", {"a": "é\0" * 9 * n}, f"u{n % 5}"), update("$set", {}, f"é\0{n % 9}")
            )
            keep(store, "track", alias(f"é\0{n}", f"é\0{n + 1}"), event(user=f"é\0{n}"))
            if n % 10 == 0:
                keep(store, "engage", update("$delete", "", f"u{n % 5}"))
                refuse(store, "é" * n)
            assert kept_bytes(store) == counted_bytes(store)
        tally = store._database.tally
        assert (tally.entries, tally.aliases) == (7, 7)
        assert tally.updates <= 7
        assert tally.profiles <= 7


@pytest.mark.parametrize("bound", ["max_messages", "max_bytes"])
def test_bad_bounds(bound):
    """A bound below 1 is refused by name."""
    with pytest.raises(ValueError, match=f"{bound} must be 1 or more, not 0"):
        Store(**{bound: 0})


def test_overhead():
    """Empty messages take room as well."""
    with Store(max_bytes=20 * OVERHEAD_BYTES) as store:
        keep(store, "track", *(event() for _ in range(100)))
        assert 1 < len(ids(store)) < 20
