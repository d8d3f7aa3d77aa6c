r"""What of a file has been sent, kept beside it, so that an interrupted sending goes on where it was.

    {"sending": {"size": 1048576, "mtime_ns": ..., "head": "sha256 of the first 4 KiB"}}\n
    [0,8724]\n        a stretch of the file whose lines have their outcome, by bytes
    [9021,17500]\n

A stretch is written as soon as its outcome is known, unbuffered: only what is under way at a `kill -9` is sent twice.
The file is locked (`flock`) by the process that sends.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

import orjson

from robotmia_logging.delivery.locks import lock
from robotmia_logging.delivery.resend.lines import Done, Item, Stretch, joined

SUFFIX = ".sent"
_HEAD_BYTES = 4096
_MOST_PASSED = 256


class JournalError(Exception):
    """The journal can't be used: its text says why, and what to do."""


class ChangedError(JournalError):
    """It belongs to another file, or to what this one was before."""


class Journal:
    """The journal of one file; made by `open`.

    Attributes:
        path: where it is kept.
        done: what of the file had its outcome when it was opened.
        error: why it could be written no longer; then nothing more should be sent.
    """

    def __init__(self, path: str, descriptor: int, done: Done | None = None) -> None:
        self.path = path
        self.done = Done() if done is None else done
        self.error: OSError | None = None
        self._descriptor: int | None = descriptor
        self._passed: list[Stretch] = []
        self._writing = threading.Lock()

    @classmethod
    def open(cls, path: str, file: int, *, restart: bool = False) -> Journal:
        """Open the journal of a file, and read what it says; made if there is none.

        Args:
            path: the file's.
            file: the file's descriptor.
            restart: forget what was sent of it.

        Raises:
            JournalError: it belongs to another file, or another process is sending it.
            OSError: it can't be read and written.
        """
        path += SUFFIX
        journal = cls(path, os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600))
        try:
            journal._begin(_about(file), restart=restart)
        except BaseException:
            journal.close()
            raise
        return journal

    def settled(self, items: Iterable[Item]) -> None:
        """These have their outcome. Called by senders, under their lock: raises nothing."""
        with self._writing:
            self._put_down(item.place for item in items)

    def passed(self, stretch: Stretch) -> None:
        """Nothing of this stretch is to be sent. Written with what is settled next."""
        with self._writing:
            self._passed.append(stretch)
            if len(self._passed) >= _MOST_PASSED:
                self._put_down(())

    def _put_down(self, stretches: Iterable[Stretch]) -> None:
        """Write stretches, and what was passed. The lock is held."""
        if self._descriptor is None or self.error is not None:
            return
        data = stretch_lines([*self._passed, *stretches])
        self._passed.clear()
        try:
            write_all(self._descriptor, data)
        except OSError as error:
            self.error = OSError(error.errno, error.strerror, self.path)

    def finish(self) -> None:
        """All of the file has been sent: nothing need be kept.

        Raises:
            OSError: it can't be deleted.
        """
        with suppress(FileNotFoundError):
            os.unlink(self.path)
        self.close()

    def close(self) -> None:
        """Let go of the file; what is settled later is not written down."""
        with self._writing:
            if self._passed:
                self._put_down(())
            descriptor, self._descriptor = self._descriptor, None
            if descriptor is not None:
                os.close(descriptor)

    def _begin(self, about: dict[str, Any], *, restart: bool) -> None:
        descriptor = self._descriptor
        assert descriptor is not None  # noqa: S101 - it was just opened
        if not lock(descriptor):
            raise JournalError(f"another process is sending it, says {self.path}")
        if not os.fstat(descriptor).st_nlink:
            raise JournalError("another process has just sent all of it")
        with open(descriptor, "rb", closefd=False) as file:
            head = file.readline()
            if not head.endswith(b"\n"):  # new; or killed amid its first line, before anything was sent
                known = None if head and not _SENDING.startswith(head[: len(_SENDING)]) else about
                restart = True
            else:
                known = _head(head)
            if known is None:
                raise JournalError(f"{self.path} is no journal of ours: move it away")
            if restart:
                os.ftruncate(descriptor, 0)
                write_all(descriptor, orjson.dumps({"sending": about}) + b"\n")
            elif known != about:
                raise ChangedError(f"it has changed since a part of it was sent, says {self.path}")
            else:
                valid = len(head) + read_stretches(file, self.done)
                os.ftruncate(descriptor, valid)


def known_done(path: str, file: int) -> Done:
    """What of a file has its outcome, by its journal if it has one; for those who only look.

    Args:
        path: the file's.
        file: the file's descriptor.

    Raises:
        OSError: the journal can't be read.
    """
    done = Done()
    try:
        with open(path + SUFFIX, "rb") as journal:
            if _head(journal.readline()) == _about(file):
                read_stretches(journal, done)
    except FileNotFoundError:
        pass
    return done


def read_stretches(lines: Iterable[bytes], done: Done) -> int:
    """Read stretches, up to the last one, which a kill may have broken off; gives how many bytes were read."""
    size = 0
    for line in lines:
        stretch = _stretch(line)
        if stretch is None:  # damaged, perhaps: what follows isn't known to be sent
            break
        done.add(*stretch)
        size += len(line)
    return size


_SENDING = b'{"sending":'


def _about(file: int) -> dict[str, Any]:
    """What a file is known by."""
    status = os.fstat(file)
    head = hashlib.sha256(os.pread(file, _HEAD_BYTES, 0)).hexdigest()
    return {"size": status.st_size, "mtime_ns": status.st_mtime_ns, "head": head}


def _head(line: bytes) -> Any:
    try:
        return orjson.loads(line)["sending"]
    except (ValueError, TypeError, KeyError):
        return None


def _stretch(line: bytes) -> tuple[int, int] | None:
    try:
        start, end = orjson.loads(line)
    except (ValueError, TypeError):
        return None
    return (start, end) if line.endswith(b"\n") and type(start) is type(end) is int else None


def stretch_lines(stretches: Iterable[Stretch]) -> bytes:
    """Stretches as lines of a journal."""
    return b"".join(b"[%d,%d]\n" % stretch for stretch in joined(stretches))


def write_all(descriptor: int, data: bytes | bytearray) -> None:
    """Write all of it, however little the system takes at a time.

    Raises:
        OSError: it can't be written.
    """
    while data:
        data = data[os.write(descriptor, data) :]
