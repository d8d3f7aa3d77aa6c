"""Standard input, pipes and other files that are read once: a read that waits for more can be given up."""

from __future__ import annotations

import errno
import io
import os
import select
import stat
import sys
from typing import Any, BinaryIO

STDIN = "-"
"""The name of standard input."""

_BUFFER = 256 * 1024


class ClosedError(Exception):
    """A stream was closed while somebody was reading it: what was read of its last line isn't all of it."""


class Stream(io.BufferedReader):
    """Reads a file that may keep its reader waiting.

    Python's own readers are locked as long as they wait: who closes them waits, too, and an interpreter that ends
    meanwhile is aborted. To close this one ends the waiting.

    Args:
        descriptor: the file's; closed together with this.
    """

    def __init__(self, descriptor: int) -> None:
        self._waiting = _Waiting(descriptor)
        super().__init__(self._waiting, _BUFFER)

    def close(self) -> None:
        """Close it; whoever is reading it gets a `ClosedError`."""
        self._waiting.give_up()
        super().close()


class _Waiting(io.RawIOBase):
    """Waits for a file to have something to read, or to be given up."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._bell, self._rope = os.pipe()
        self._is_given_up = False
        self._poll = select.poll()
        self._poll.register(descriptor, select.POLLIN)
        self._poll.register(self._bell, select.POLLIN)

    def readable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._descriptor

    def readinto(self, buffer: Any) -> int:
        self._poll.poll()
        if self._is_given_up:
            raise ClosedError
        data = os.read(self._descriptor, len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def give_up(self) -> None:
        """Have whoever waits wait no longer."""
        if not self._is_given_up:
            self._is_given_up = True
            os.close(self._rope)

    def close(self) -> None:
        if not self.closed:
            self.give_up()
            os.close(self._bell)
            os.close(self._descriptor)
        super().close()


def open_source(path: str) -> BinaryIO:
    """Open a file to be sent, or standard input (`-`); a `Stream` if it can be read but once.

    Raises:
        OSError: it can't be opened.
    """
    if path == STDIN:
        if sys.stdin is None:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF), path)
        return Stream(os.dup(sys.stdin.fileno()))
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    return open(descriptor, "rb") if stat.S_ISREG(os.fstat(descriptor).st_mode) else Stream(descriptor)
