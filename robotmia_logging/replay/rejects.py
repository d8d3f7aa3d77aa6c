"""The lines that gave nothing, kept for people: JSON lines, each with where it stood and why."""

from __future__ import annotations

import os
import threading
from collections import deque

import orjson

from robotmia_logging.delivery.resend import Line, write_all

UNMATCHED = "no rule matches"

_START = b'{"file":'
_MOST_WAITING = 256
_REMEMBERED = 4096


class RejectsFile:
    """Appends rejected lines to a file, readable by its owner only.

    What was written just before a kill may not be known as done: such a line isn't written twice.

    Args:
        path: the file.
        anew: whether what it holds is given up.

    Raises:
        OSError: it can't be written.
    """

    def __init__(self, path: str, *, anew: bool) -> None:
        self.path = path
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | (os.O_TRUNC if anew else 0)
        self._latest = _latest(path) if not anew else set()
        self._descriptor: int | None = os.open(path, flags, 0o600)
        self._writing = threading.Lock()
        self._waiting: list[bytes] = []
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
        if self._may_be_known and (line.number, text) in self._latest:
            return
        fields = {"file": self._log, "line": line.number, "reason": reason, "text": text}
        self._waiting.append(orjson.dumps(fields, option=orjson.OPT_APPEND_NEWLINE))
        if len(self._waiting) >= _MOST_WAITING:
            self.flush()

    def flush(self) -> None:
        """Write what waits; once the file is closed, nothing: a reader that was given up may be late.

        Raises:
            OSError: it can't be written.
        """
        with self._writing:
            if self._waiting and self._descriptor is not None:
                data = b"".join(self._waiting)
                self._waiting.clear()
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
    """Whether a file holds rejected lines, or nothing; or isn't there.

    Raises:
        OSError: it can't be read.
    """
    try:
        with open(path, "rb") as file:
            start = file.read(len(_START))
    except FileNotFoundError:
        return True
    return start in (b"", _START)


def _latest(path: str) -> set[tuple[int, str]]:
    """The lines written last; one that a kill broke off is taken away, and will come again."""
    try:
        with open(path, "r+b") as file:
            lines = deque(file, _REMEMBERED)
            if lines and not lines[-1].endswith(b"\n"):
                file.truncate(file.tell() - len(lines.pop()))
    except FileNotFoundError:
        return set()
    return {known for line in lines if (known := _known(line)) is not None}


def _known(line: bytes) -> tuple[int, str] | None:
    try:
        fields = orjson.loads(line)
        return fields["line"], fields["text"]
    except (ValueError, KeyError, TypeError):  # not ours
        return None
