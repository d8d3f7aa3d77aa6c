"""Opens log files, compressed ones as if they weren't."""

from __future__ import annotations

import importlib
import io
from collections.abc import Callable
from contextlib import closing
from typing import Any, BinaryIO

#: How compressed files begin, and the module that unpacks them; some builds of Python lack one.
_KINDS = {b"\x1f\x8b": "gzip", b"BZh": "bz2", b"\xfd7zXZ\x00": "lzma"}
_UNKNOWN = {b"\x28\xb5\x2f\xfd": "zstd", b"PK\x03\x04": "zip", b"\x1f\x9d": "compress"}
_LONGEST_MAGIC = 6
_BUFFER = 256 * 1024


def open_log(path: str) -> BinaryIO:
    """The bytes of a log; unpacked, if it is compressed by gzip, bzip2 or xz, whatever its name.

    Positions are those of the unpacked bytes.

    Raises:
        OSError: it can't be opened, or is compressed in another way; reading raises it for damaged data, too.
    """
    file = open(path, "rb", buffering=_BUFFER)  # noqa: SIM115  the caller closes it
    try:
        return _unpacked(file)
    except BaseException:
        file.close()
        raise


def _unpacked(file: BinaryIO) -> BinaryIO:
    start = file.peek(_LONGEST_MAGIC)  # type: ignore[attr-defined]  # the buffered reader that `open` gives
    for magic, name in _UNKNOWN.items():
        if start.startswith(magic):
            raise OSError(f"it is compressed by {name}, and only gzip, bzip2 and xz are known")
    for magic, name in _KINDS.items():
        if start.startswith(magic):
            try:
                stream = importlib.import_module(name).open(file)
            except ImportError:
                raise OSError(f"it is compressed, and this Python has no module {name}") from None
            return io.BufferedReader(_Unpacked(stream, file), _BUFFER)
    return file


class _Unpacked(io.RawIOBase):
    """Unpacked bytes; what goes wrong is an OSError, as with any file."""

    def __init__(self, stream: Any, file: BinaryIO) -> None:
        self._stream = stream
        self._file = file

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return self._file.seekable()

    def readinto(self, buffer: Any) -> int:
        data = _guarded(lambda: self._stream.read1(len(buffer)))
        buffer[: len(data)] = data
        return len(data)

    def seek(self, position: int, whence: int = io.SEEK_SET) -> int:
        return int(_guarded(lambda: self._stream.seek(position, whence)))

    def tell(self) -> int:
        return int(self._stream.tell())

    def fileno(self) -> int:
        return self._file.fileno()

    def close(self) -> None:
        with closing(self._file), closing(self._stream):
            super().close()


def _guarded(read: Callable[[], Any]) -> Any:
    try:
        return read()
    except EOFError:
        raise OSError("its compressed data ends too early") from None
    except Exception as error:  # zlib.error, lzma.LZMAError, OSError and others: each module has its own
        if getattr(error, "errno", None) is not None:  # the disk's
            raise
        raise OSError(f"its compressed data is damaged: {error}") from None
