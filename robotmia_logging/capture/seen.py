"""What a door has tracked already: a record may come by more than once, and counts once."""

from __future__ import annotations

import logging
import threading
from collections import deque
from typing import Any
from weakref import ref

_MANY = 2_000
"""Addresses that are remembered before those are let go of where no record lies any more."""


class SeenRecords:
    """Records by identity, for as long as they live: propagation and a MemoryHandler bring them by again.

    They are found by their address. A record that comes to lie where an earlier one lay takes its place, so nothing
    need be done when a record goes, and there is no lock: it is safe from signal handlers and destructors.
    """

    def __init__(self) -> None:
        self._by_address: dict[int, ref[logging.LogRecord]] = {}
        self._many = _MANY

    def __contains__(self, record: logging.LogRecord) -> bool:
        known = self._by_address.get(id(record))
        return known is not None and known() is record

    def add(self, record: logging.LogRecord) -> bool:
        """Remember the record until it is gone; False if it has come by already."""
        address = id(record)
        known = self._by_address.get(address)
        if known is not None and known() is record:
            return False
        self._by_address[address] = ref(record)
        if len(self._by_address) > self._many:
            self._forget_gone()
        return True

    def _forget_gone(self) -> None:
        for address, known in list(self._by_address.items()):
            if known() is None:
                taken = self._by_address.pop(address, known)
                if taken is not known:  # another thread's record came to lie there just now
                    self._by_address.setdefault(address, taken)
        self._many = max(_MANY, 2 * len(self._by_address))


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
