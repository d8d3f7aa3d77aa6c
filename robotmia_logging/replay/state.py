r"""What of a log has been replayed, known by the log's content: rotation renames and packs it, and changes nothing.

    {"replay": {"size": 65536, "sha256": "of the log's first so many bytes", "rules": "sha256 of rules and options"}}\n
    [0,139584]\n        places whose messages have their outcome

The folder holds one such journal for each log, locked by the process that replays it. Each is written anew, and short,
when it is opened.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import IO, Any

import orjson

from robotmia_logging.delivery.locks import lock
from robotmia_logging.delivery.resend import Done, Journal, JournalError, read_stretches, stretch_lines, write_all

HEAD_BYTES = 64 * 1024
"""Of a log's beginning, what it is known by."""

_SUFFIX = ".journal"
_FOLDER_LOCK = "lock"
_PATIENCE_S = 10.0
_NAME_BYTES = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class LogState:
    """The state of one log.

    Attributes:
        journal: told of what has its outcome.
        is_resumed: whether a run before has begun with the log.
        rules_changed: whether a part of it was replayed with other rules or options.
    """

    journal: Journal
    is_resumed: bool
    rules_changed: bool


def head_of(file: IO[bytes], *, takes_last: bool) -> bytes:
    """What a log is known by; empty if there is no complete line in it. The file is at its beginning again then.

    Raises:
        OSError: it can't be read.
    """
    lines, size = [], 0
    try:
        while size < HEAD_BYTES and (line := file.readline(HEAD_BYTES - size)):
            lines.append(line)
            size += len(line)
    except OSError:  # packed, and cut short: who reads it finds out
        takes_last = False
    file.seek(0)
    head = b"".join(lines)
    return head if size == HEAD_BYTES or takes_last else head[: head.rfind(b"\n") + 1]


class StateFolder:
    """The journals of logs.

    Args:
        path: the folder; made when something is to be kept.
    """

    def __init__(self, path: str) -> None:
        self.path = path

    def open(self, head: bytes, rules: str, *, restart: bool) -> LogState:
        """The state of a log, for the one that replays it.

        Args:
            head: what the log is known by.
            rules: what the rules, and the options that count beside them, are known by.
            restart: forget what was replayed.

        Raises:
            JournalError: another process is replaying the log.
            OSError: the folder can't be used.
        """
        os.makedirs(self.path, 0o700, exist_ok=True)
        with self._locked():
            found = self._find(head)
            path = self._new_path(head) if found is None else found.path
            old = None if found is None else os.open(path, os.O_RDWR | os.O_CLOEXEC)
            try:
                if old is not None and not lock(old):
                    raise JournalError(f"another process is replaying it, says {path}")
                done = Done() if restart or found is None else found.read()
                about = {"size": len(head), "sha256": _digest(head), "rules": rules}
                descriptor = _write_anew(path, about, done)
            finally:
                if old is not None:
                    os.close(old)
        return LogState(
            journal=Journal(path, descriptor, done),
            is_resumed=found is not None and not restart,
            rules_changed=found is not None and bool(done) and found.about["rules"] != rules,
        )

    def look(self, head: bytes) -> Done:
        """What of a log has been replayed, for those who only look.

        Raises:
            OSError: the folder can't be read.
        """
        found = self._find(head)
        return Done() if found is None else found.read()

    def _find(self, head: bytes) -> _Found | None:
        """The journal of a log: of those that fit the one that says most."""
        try:
            names = os.listdir(self.path)
        except FileNotFoundError:
            return None
        start = _name_start(head)
        paths = [os.path.join(self.path, name) for name in names if name.startswith(start) and name.endswith(_SUFFIX)]
        fitting = [found for path in paths if (found := _about(path)) is not None and found.fits(head)]
        return max(fitting, key=lambda found: found.about["size"], default=None)

    def _new_path(self, head: bytes) -> str:
        number = 1
        while os.path.exists(path := os.path.join(self.path, f"{_name_start(head)}-{number}{_SUFFIX}")):
            number += 1
        return path

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """The folder for ourselves: journals are found and made by one process at a time."""
        descriptor = os.open(os.path.join(self.path, _FOLDER_LOCK), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            if not lock(descriptor, _PATIENCE_S):
                raise JournalError(f"another process holds the lock of {self.path}")
            yield
        finally:
            os.close(descriptor)


@dataclass(frozen=True, slots=True)
class _Found:
    """A journal that was there."""

    path: str
    about: dict[str, Any]

    def fits(self, head: bytes) -> bool:
        size: int = self.about["size"]
        return size <= len(head) and bool(_digest(head[:size]) == self.about["sha256"])

    def read(self) -> Done:
        done = Done()
        with open(self.path, "rb") as file:
            file.readline()
            read_stretches(file, done)
        return done


def _about(path: str) -> _Found | None:
    """A journal, if that is one."""
    with suppress(FileNotFoundError, ValueError, KeyError, TypeError):
        with open(path, "rb") as file:
            about = orjson.loads(file.readline())["replay"]
        if type(about["size"]) is int and about["size"] > 0 and "sha256" in about and "rules" in about:
            return _Found(path, about)
    return None


def _write_anew(path: str, about: dict[str, Any], done: Done) -> int:
    """Write a journal, locked, in the place of what was there; gives its descriptor."""
    new = path + ".new"
    flags = os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_CLOEXEC
    descriptor = os.open(new, flags, 0o600)
    try:
        lock(descriptor)
        write_all(descriptor, orjson.dumps({"replay": about}) + b"\n" + stretch_lines(done.stretches()))
        os.replace(new, path)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _name_start(head: bytes) -> str:
    """What the names of journals begin with: a hash of the log's first line."""
    line, _, _ = head.partition(b"\n")
    return _digest(line[:_NAME_BYTES])[:16]


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
