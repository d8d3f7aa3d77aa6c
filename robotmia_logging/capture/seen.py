"""What a door has tracked already: a record may come by more than once, and counts once."""

from __future__ import annotations

import logging
import threading
from collections import deque
from typing import Any
from weakref import ref


class SeenRecords:
    """Records by identity, for as long as they live: propagation and a MemoryHandler bring them by again.

    No lock and no Python code in the weak references' callbacks: it is safe from signal handlers and destructors.
    """

    def __init__(self) -> None:
        self._refs: set[Any] = set()

    def __contains__(self, record: logging.LogRecord) -> bool:
        if not self._refs:
            return False
        try:
            return ref(record) in self._refs
        except TypeError:  # a subclass that can't be hashed
            return False

    def add(self, record: logging.LogRecord) -> None:
        """Remember the record until it is gone."""
        try:
            self._refs.add(ref(record, self._refs.discard))
        except TypeError:
            return


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
