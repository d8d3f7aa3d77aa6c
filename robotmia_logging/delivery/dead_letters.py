"""Dead letters: messages that can't be delivered, kept as JSON Lines with the reason.

Several processes write one file, rotate it, and take letters out of it to send them again. Who does any of that holds
the file's lock (`flock`), and, once it has it, looks whether the file is still the one in its place. A process that was
stopped with the lock must stop nobody: after a short wait letters are appended without it, and nothing is rotated.
"""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager

from robotmia_logging.delivery.locks import lock, unlock
from robotmia_logging.messages import DeadLetter

MAX_FILE_BYTES = 64 * 1024 * 1024
MAX_FILES = 16
"""1 GiB, as much as a spool holds by default: a server that refuses a whole spool costs no letter."""

_TAKEN = ".retry-"
_PATIENCE_S = 0.25
_TAKER_PATIENCE_S = 5.0


class LockedError(OSError):
    """Another process holds the file's lock, and doesn't let go."""


class DeadLetterFile:
    """Appends dead letters to a file, readable by its owner only.

    At 64 MiB it becomes `<name>.1`, and what was that `<name>.2`; behind `<name>.15` the oldest are given up.

    Attributes:
        path: the file.
        given_up: how many letters were given up here so far.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.fspath(path)
        self.given_up = 0
        self._patience_s = _PATIENCE_S

    def append(self, letters: list[DeadLetter], now: float) -> None:
        """Write the letters, in one write.

        Raises:
            OSError: they could not be written.
        """
        data = b"".join(letter.line(now) for letter in letters)
        while not self._append(data):  # the file was rotated or taken meanwhile
            pass

    def _append(self, data: bytes) -> bool:
        """Write to the file that is in place; False if that may not be where the data went, or it wasn't written."""
        descriptor = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            with _locked(descriptor, self._patience_s) as is_locked:
                # Stopped, its holder may stay so for hours: each wait would be in vain.
                self._patience_s = _PATIENCE_S if is_locked else 0.0
                if not self._is_in_place(descriptor):
                    return False
                size = os.fstat(descriptor).st_size
                if is_locked and size and size + len(data) > MAX_FILE_BYTES:
                    self._rotate()
                    return False
                _write(descriptor, data)
            # Without the lock: whoever took the file may have read it to its end before.
            return is_locked or self._is_in_place(descriptor)
        finally:
            os.close(descriptor)

    def take(self) -> list[str]:
        """Move what is there out of the way of those who append, the file and those it became.

        What is taken is nobody else's, and gets no further letters.

        Returns:
            Where all is that was taken and not deleted since, the oldest first.

        Raises:
            LockedError: another process holds the lock.
            OSError: it can't be done.
        """
        while any(map(os.path.exists, (*self._rotated(), self.path))) and not self._take():
            pass
        return self.taken()

    def taken(self, suffix: str = "") -> list[str]:
        """The files that were taken and not deleted since, the oldest first; or what is kept beside them."""
        return [path for _, path in self._taken(suffix)]

    def files(self) -> list[str]:
        """All files with letters, the oldest first."""
        return [path for path in (*self.taken(), *self._rotated(), self.path) if os.path.exists(path)]

    def _rotated(self) -> list[str]:
        """What the file may have become, the oldest first."""
        return [f"{self.path}.{number}" for number in reversed(range(1, MAX_FILES))]

    def _rotate(self) -> None:
        """Move each file on by one, as far as there is a gap. The lock is held."""
        names = [self.path, *reversed(self._rotated())]
        gap = next((number for number, name in enumerate(names) if not os.path.exists(name)), None)
        if gap is None:
            gap = len(names) - 1
            self.given_up += _count_lines(names[gap])
        for number in range(gap, 0, -1):
            os.replace(names[number - 1], names[number])

    def _take(self) -> bool:
        """Take what there is, under the lock of the file that is in place; False if it isn't any more.

        Names are chosen, and all files moved, under that lock too: no rename can hit what another just moved.
        """
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            with _locked(descriptor, _TAKER_PATIENCE_S) as is_locked:
                if not is_locked:
                    raise LockedError(f"another process holds the lock of {self.path}")
                if not self._is_in_place(descriptor):
                    return False
                names = self._free_names()
                for rotated in filter(os.path.exists, self._rotated()):
                    os.rename(rotated, next(names))
                if os.fstat(descriptor).st_size:
                    os.rename(self.path, next(names))  # the last step: from now on it is another's turn
                else:
                    os.unlink(self.path)
                return True
        finally:
            os.close(descriptor)

    def _free_names(self) -> Iterator[str]:
        numbers = [number for number, _ in self._taken("")]
        return (f"{self.path}{_TAKEN}{number}" for number in itertools.count(max(numbers, default=0) + 1))

    def _taken(self, suffix: str) -> list[tuple[int, str]]:
        folder, name = os.path.split(self.path)
        pattern = re.compile(re.escape(name + _TAKEN) + r"(\d+)" + re.escape(suffix))
        try:
            matches = [match for entry in os.listdir(folder or ".") if (match := pattern.fullmatch(entry))]
        except FileNotFoundError:
            return []
        return sorted((int(match[1]), os.path.join(folder, match[0])) for match in matches)

    def _is_in_place(self, descriptor: int) -> bool:
        try:
            return os.path.samestat(os.stat(self.path), os.fstat(descriptor))
        except FileNotFoundError:
            return False


def _count_lines(path: str) -> int:
    with open(path, "rb") as file:
        return sum(block.count(b"\n") for block in iter(lambda: file.read(1024 * 1024), b""))


def _write(descriptor: int, data: bytes) -> None:
    size = os.fstat(descriptor).st_size
    if size and os.pread(descriptor, 1, size - 1) != b"\n":  # a write was cut short here
        data = b"\n" + data
    while data:
        data = data[os.write(descriptor, data) :]


@contextmanager
def _locked(descriptor: int, patience_s: float) -> Iterator[bool]:
    """The lock of an open file, waited for at most so long; gives whether it is held."""
    is_locked = lock(descriptor, patience_s)
    try:
        yield is_locked
    finally:
        if is_locked:
            unlock(descriptor)
