"""A record that comes by again is known, and no other is taken for it."""

from __future__ import annotations

import copy
import gc
import logging
import weakref

import pytest

from robotmia_logging.capture import SeenRecords
from robotmia_logging.capture import seen as seen_module


def born_together() -> logging.LogRecord:
    """A record of a factory that gives all of them the same birth."""
    record = logging.makeLogRecord({})
    record.relativeCreated = 1.5
    return record


@pytest.mark.parametrize("make", [lambda: logging.makeLogRecord({}), born_together])
def test_a_record_is_new_once(make):
    """A record is new the first time it comes by, and then known as long as it lives."""
    seen, records = SeenRecords(), [make() for _ in range(100)]
    assert all(seen.add(record) for record in records)
    assert not any(seen.add(record) for record in records)
    assert all(record in seen for record in records)


@pytest.mark.parametrize("make", [lambda: logging.makeLogRecord({}), born_together])
def test_every_record_at_the_same_address_is_new(make):
    """Records that lie one after another where an earlier one lay are not taken for it."""
    seen, addresses = SeenRecords(), set()
    for _ in range(1000):
        record = make()
        addresses.add(id(record))
        assert record not in seen
        assert seen.add(record)
    assert len(addresses) < 1000, "they never lay at the same address: this shows nothing"


def test_a_record_with_a_number_of_somebody_else_is_known_by_itself():
    """Whoever holds a record's birth beside it can give it to others: that alone is no proof."""
    seen, numbers = SeenRecords(), []
    for _ in range(200):
        record = logging.makeLogRecord({})
        if numbers:
            record.relativeCreated = numbers[0]
        numbers.append(record.relativeCreated)
        assert seen.add(record)
        assert not seen.add(record)


@pytest.mark.parametrize("make", [lambda: logging.makeLogRecord({}), born_together])
def test_nothing_of_a_record_is_kept(make):
    """What is remembered of a record keeps neither it nor its extras alive."""
    seen, record = SeenRecords(), make()
    record.extra = SeenRecords()
    gone = weakref.ref(record), weakref.ref(record.extra)
    seen.add(record)
    del record
    gc.collect()
    assert [there() for there in gone] == [None, None]


@pytest.mark.parametrize("make", [lambda: logging.makeLogRecord({}), born_together])
def test_gone_records_are_forgotten(make, monkeypatch):
    """Addresses don't pile up, and no record that lives is forgotten over it."""
    monkeypatch.setattr(seen_module, "_MANY", 50)
    seen, living = SeenRecords(), [make() for _ in range(30)]
    for record in living:
        seen.add(record)
    for _ in range(20):
        for record in [make() for _ in range(200)]:
            seen.add(record)
    assert not any(seen.add(record) for record in living)
    assert len(seen._by_address) < 1000
    passing = [make() for _ in range(2000)]
    for record in passing:
        seen.add(record)
    del passing, record
    for record in [make() for _ in range(4100)]:
        seen.add(record)
    assert not any(seen.add(record) for record in living)


def test_a_record_without_a_birth_is_known():
    """A program may take attributes out of its records."""
    seen, record = SeenRecords(), logging.makeLogRecord({})
    del record.relativeCreated
    assert [seen.add(record), seen.add(record), record in seen] == [True, False, True]


@pytest.mark.parametrize(
    "copied", [copy.copy, lambda record: logging.makeLogRecord(dict(record.__dict__))], ids=["copy", "makeLogRecord"]
)
def test_copies_are_records_of_their_own(copied):
    """A copy that comes to lie where the original lay isn't taken for it, though all it holds is the same."""
    seen, record = SeenRecords(), logging.makeLogRecord({})
    addresses = set()
    for _ in range(300):
        addresses.add(id(record))
        assert seen.add(record)
        record = copied(record)
    assert len(addresses) < 300, "they never lay at the same address: this shows nothing"
