"""Dead letters: messages that can't be delivered, kept as JSON Lines with the reason."""

from __future__ import annotations

import os

from robotmia_logging.messages import DeadLetter

MAX_FILE_BYTES = 64 * 1024 * 1024


class DeadLetterFile:
    """Appends dead letters to a file, readable by its owner only; at 64 MiB it becomes `<name>.1`."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = os.fspath(path)

    def append(self, letters: list[DeadLetter], now: float) -> None:
        """Write the letters, in one write.

        Raises:
            OSError: they could not be written.
        """
        data = b"".join(letter.line(now) for letter in letters)
        self._rotate(len(data))
        descriptor = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            size = os.fstat(descriptor).st_size
            if size and os.pread(descriptor, 1, size - 1) != b"\n":  # a write was cut short here
                data = b"\n" + data
            while data:
                data = data[os.write(descriptor, data) :]
        finally:
            os.close(descriptor)

    def _rotate(self, coming: int) -> None:
        try:
            size = os.path.getsize(self._path)
        except OSError:
            return
        if size and size + coming > MAX_FILE_BYTES:
            os.replace(self._path, self._path + ".1")
