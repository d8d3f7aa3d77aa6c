"""The lines that gave nothing, kept for people: JSON lines, each with where it stood and why."""

from __future__ import annotations

import os
import stat
import threading
from contextlib import suppress
from typing import BinaryIO

import orjson

from robotmia_logging.delivery.resend import Line, write_all

UNMATCHED = "no rule matches"

_START = b'{"file":'
_MOST_WAITING_BYTES = 1024 * 1024
_TAIL_BYTES = 4 * 1024 * 1024
_BLOCK_BYTES = 64 * 1024


class RejectsFile:
    """Appends rejected lines to a file, readable by its owner only.

    A line may come again: what was written just before a kill isn't known as done, and one that can't be read is looked
    at in each run. It isn't written twice as long as it stands in the last 4 MiB of the file.

    Args:
        path: the file.
        anew: whether what it holds is given up.

    Raises:
        OSError: it can't be written.
    """

    def __init__(self, path: str, *, anew: bool) -> None:
        self.path = path
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | (os.O_TRUNC if anew else 0)
        self._latest = set() if anew else _latest(path)
        self._descriptor: int | None = os.open(path, flags, 0o600)
        self._writing = threading.Lock()
        self._waiting = bytearray()
        self._log = ""
        self._may_be_known = False

    def begin(self, log: str, *, is_resumed: bool) -> None:
        """What follows is of this log; one that is gone on with may have lines that were written before."""
        self._log = log
        self._may_be_known = is_resumed

    def add(self, line: Line, reason: str) -> None:
        """A line that gave nothing.

        Raises:
            OSError: those before it can't be written.
        """
        text = line.text.rstrip(b"\r\n").decode(errors="replace")
        if self._may_be_known and hash((line.number, text)) in self._latest:
            return
        fields = {"file": _plain(self._log), "line": line.number, "reason": _plain(reason), "text": text}
        with self._writing:
            self._waiting += orjson.dumps(fields, option=orjson.OPT_APPEND_NEWLINE)
        if len(self._waiting) >= _MOST_WAITING_BYTES:
            self.flush()

    def flush(self) -> None:
        """Write what waits; once the file is closed, nothing: a reader that was given up may be late.

        Raises:
            OSError: it can't be written.
        """
        with self._writing:
            if self._waiting and self._descriptor is not None:
                data, self._waiting = self._waiting, bytearray()
                try:
                    write_all(self._descriptor, data)
                except OSError as error:
                    raise OSError(error.errno, error.strerror, self.path) from None

    def close(self) -> None:
        """Write what waits, and let go of the file.

        Raises:
            OSError: it can't be written.
        """
        try:
            self.flush()
        finally:
            with self._writing:
                descriptor, self._descriptor = self._descriptor, None
                if descriptor is not None:
                    os.close(descriptor)


def is_rejects_file(path: str) -> bool:
    """Whether a file holds rejected lines, or nothing; or isn't there, or is none that keeps what is written to it.

    Raises:
        OSError: it can't be read.
    """
    with suppress(FileNotFoundError):
        if stat.S_ISREG(os.stat(path).st_mode):
            with open(path, "rb") as file:
                return file.read(len(_START)) in (b"", _START)
    return True


def _plain(text: str) -> str:
    """A text without lone surrogates, which names of files may hold."""
    return text.encode(errors="backslashreplace").decode()


def _latest(path: str) -> set[int]:
    """What the lines written last are known by; one that a kill broke off is taken away, and will come again."""
    with suppress(FileNotFoundError):
        if stat.S_ISREG(os.stat(path).st_mode):
            with open(path, "r+b") as file:
                _cut(file)
                size = file.seek(0, os.SEEK_END)
                if size > _TAIL_BYTES:
                    file.seek(size - _TAIL_BYTES)
                    file.readline()
                else:
                    file.seek(0)
                return {known for line in file if (known := _known(line)) is not None}
    return set()


def _cut(file: BinaryIO) -> None:
    """Take away a last line without its end."""
    size = end = file.seek(0, os.SEEK_END)
    while end:
        start = max(0, end - _BLOCK_BYTES)
        file.seek(start)
        newline = file.read(end - start).rfind(b"\n")
        if newline >= 0:
            end = start + newline + 1
            break
        end = start
    if end < size:
        file.truncate(end)


def _known(line: bytes) -> int | None:
    try:
        fields = orjson.loads(line)
        return hash((fields["line"], fields["text"]))
    except (ValueError, KeyError, TypeError):  # not ours
        return None
