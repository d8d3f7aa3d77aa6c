"""What a door has tracked already: a record may come by more than once, and counts once."""

from __future__ import annotations

import logging
import threading
from collections import deque
from sys import getrefcount
from typing import Any
from weakref import ref

_MANY = 2_000
"""Addresses that are remembered before those are let go of where no record lies any more."""


def _owners(record: logging.LogRecord) -> int:
    """How many hold the number that a record was born with, as `add` counts them."""
    born = record.relativeCreated
    return getrefcount(born)


_BY_RECORD = _owners(logging.makeLogRecord({}))
_NOWHERE = 0  # an address where no record lies


class SeenRecords:
    """Records by identity, for as long as they live: propagation and a MemoryHandler bring them by again.

    A record is known by its address, and by its `relativeCreated`, a number made for it alone: as long as that is held
    here, no record that comes to lie there later has the same. That is a sixth of what a weak reference to each record
    costs, which does for records that share the number with anything else. Nothing need be done when a record goes, and
    there is no lock: it is safe from signal handlers and destructors.
    """

    def __init__(self) -> None:
        self._by_address: dict[int, Any] = {}
        self._many = _MANY

    def __contains__(self, record: logging.LogRecord) -> bool:
        known = self._by_address.get(id(record))
        return known is not None and (
            known is getattr(record, "relativeCreated", None) or (type(known) is ref and known() is record)
        )

    def add(self, record: logging.LogRecord) -> bool:
        """Remember the record until it is gone; False if it has come by already."""
        address, born = id(record), getattr(record, "relativeCreated", None)
        known = self._by_address.get(address)
        if known is not None and (known is born or (type(known) is ref and known() is record)):
            return False
        self._by_address[address] = born if type(born) is float and getrefcount(born) == _BY_RECORD else ref(record)
        if len(self._by_address) > self._many:
            self._forget_gone()
        return True

    def _forget_gone(self) -> None:
        """Let go of the numbers that nobody else holds: as many hold them as a new one that is put among them."""
        remembered = self._by_address
        remembered[_NOWHERE] = float("1")
        items = list(remembered.items())
        owners = [getrefcount(known) for _, known in items]
        by_none = next(count for (address, _), count in zip(items, owners, strict=True) if address == _NOWHERE)
        for (address, known), count in zip(items, owners, strict=True):
            if known() is None if type(known) is ref else count == by_none:
                taken = remembered.pop(address, known)
                if taken is not known:  # another thread's record came to lie there just now
                    remembered.setdefault(address, taken)
        self._many = max(_MANY, 2 * len(remembered))


class SeenCopies(threading.local):
    """The records tracked last in this thread, known again in copies of them.

    `ProcessorFormatter` hands each formatter a copy of the record. Its `relativeCreated` is a number made once for a
    record, so that very object tells copies of one record from another record, be the clock frozen.
    """

    def __init__(self) -> None:
        self._born: deque[Any] = deque(maxlen=8)  # as deep as log calls of other handlers may nest

    def __contains__(self, record: logging.LogRecord) -> bool:
        born = record.relativeCreated
        return type(born) is float and any(known is born for known in self._born)  # others may be shared: None, 0

    def add(self, record: logging.LogRecord) -> None:
        """Remember the record."""
        self._born.append(record.relativeCreated)
