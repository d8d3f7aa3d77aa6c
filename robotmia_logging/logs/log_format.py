"""Reads the lines of a log: those of any of its layouts, whatever a collector put around them."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Protocol

from robotmia_logging.logs.json_lines import JsonLines
from robotmia_logging.logs.line import NO_TIME, Continued, Line, PastCall, Unread
from robotmia_logging.logs.pattern_lines import PatternLines
from robotmia_logging.logs.times import Times
from robotmia_logging.logs.wrappers import Unwrap

AUTO = "auto"
"""The name of the format that finds out which it is."""

_BOM = b"\xef\xbb\xbf"
_COLOUR = re.compile(r"\x1b\[[0-9;:]*[A-Za-z]")
_TRACEBACK = (
    "Traceback (most recent call last):",
    "Exception Group Traceback (most recent call last):",
    "During handling of the above exception,",
    "The above exception was the direct cause",
)
_TRACEBACK_LINES = 101
"""Lines of a traceback that aren't indented: beyond, they are of a format that isn't known."""
_PLAIN_TRACEBACK_LINES = 2
"""The same where any text is a message: its first line, and the exception."""
_CONTINUED = Continued()


class Lines(Protocol):
    """Reads the lines of one layout."""

    name: str

    def read(self, text: str, outside: float | None) -> PastCall | Unread | None: ...


class LogFormat:
    """Reads the lines of a log.

    Args:
        name: what it is called.
        readers: each reads the lines of a layout; no line is of two, so that their order doesn't matter.
        times: reads their times.
        wrappers: what may stand around a line, by name.
        is_plain: whether what is wrapped may be any text.
        is_wrapped: whether each line has its wrapping.
        logger: the logger of plain text.
    """

    def __init__(
        self,
        name: str,
        readers: Iterable[Lines],
        times: Times,
        *,
        wrappers: Mapping[str, Unwrap] = MappingProxyType({}),
        is_plain: bool = False,
        is_wrapped: bool = False,
        logger: str = "",
    ) -> None:
        self._name = name
        self._readers = list(readers)
        self._json = next((reader for reader in self._readers if isinstance(reader, JsonLines)), None)
        self._times = times
        self._wrappers = dict(wrappers)
        self._is_plain = is_plain
        self._is_wrapped = is_wrapped
        self._logger = logger
        self._found: dict[str, None] = {}
        self._traceback_left = 0
        self._none = Unread(_none_of(name, self._readers, is_wrapped=is_wrapped))

    @property
    def name(self) -> str:
        """What it is; of "auto" also what has been found so far: ``auto (json, python)``."""
        return f"{AUTO} ({', '.join(self._found)})" if self._name == AUTO and self._found else self._name

    @property
    def naive_times(self) -> int:
        """How many times had no zone."""
        return self._times.naive

    @property
    def latest(self) -> float | None:
        """When the log was last written to, in seconds since 1970: what decides about times without a year."""
        return self._times.latest

    @latest.setter
    def latest(self, seconds: float | None) -> None:
        self._times.latest = seconds

    def read(self, text: bytes) -> Line:
        """What a line tells of. Never raises an Exception of its own.

        Args:
            text: the line, without its end.
        """
        try:
            line = self._read(text)
        except TimeoutError:  # an alarm of the program's own
            raise
        except Exception as error:  # the line is anybody's
            return Unread(f"it can't be read: {type(error).__name__}")
        if line.__class__ is PastCall:
            self._traceback_left = 0
        return line

    def _read(self, text: bytes) -> Line:
        if text[:1] == b"{" and self._json is not None and not self._is_wrapped:
            line = self._json.read(text, None)
            if line is not None:
                if line.__class__ is PastCall:
                    self._found.setdefault(self._json.name)
                return line
            return self._wrapped(_plain(text)) or self._none
        plain = _plain(text)
        line = None if self._is_wrapped else self._direct(plain, None)
        if line.__class__ is Unread and self._name == PatternLines.name and self._is_in_traceback(plain):
            return self._continued(plain) or line  # many a pattern fits a traceback's lines, too, but for their times
        return line or self._wrapped(plain) or self._continued(plain) or self._none

    def _direct(self, text: str, outside: float | None) -> PastCall | Unread | None:
        for reader in self._readers:
            line = reader.read(text, outside)
            if line is not None:
                if reader is not self._readers[0]:  # the next line is most likely of the same layout
                    self._readers.remove(reader)
                    self._readers.insert(0, reader)
                if line.__class__ is PastCall:
                    self._found.setdefault(reader.name)
                return line
        return None

    def _wrapped(self, text: str) -> Line | None:
        for name, unwrap in self._wrappers.items():
            wrapped = unwrap(text)
            if wrapped is not None:
                line = self._inside(name, wrapped.time, wrapped.program, wrapped.inside)
                if line is not None:
                    return line
        return None

    def _inside(self, name: str, time: str | None, program: str, inside: str) -> Line | None:
        inside = _uncoloured(inside)
        line = self._direct(inside, None)
        if line is None:
            is_message = self._is_plain and time is not None
            continued = self._continued(inside, _PLAIN_TRACEBACK_LINES if is_message else _TRACEBACK_LINES)
            if continued is not None:
                return continued
        if (line is None or line is NO_TIME) and time is not None:
            outside = self._times.read(time)
            if outside is None:
                return Unread(self._times.reason(time))
            line = self._direct(inside, outside)
            if line is None and self._is_plain:
                line = self._unstructured(program, inside, outside)
        if line.__class__ is PastCall:
            self._found.setdefault(name)
        return line

    def _unstructured(self, program: str, text: str, created: float) -> PastCall:
        fields = {"program": program, "message": text}
        return PastCall(self._logger or program, logging.INFO, text, (), {}, fields, created, text, text)

    def _is_in_traceback(self, text: str) -> bool:
        return self._traceback_left > 0 or text.startswith(_TRACEBACK)

    def _continued(self, text: str, lines: int = _TRACEBACK_LINES) -> Continued | None:
        """A traceback reaches to the next line that can be read, for exceptions have messages of several lines."""
        if text.startswith(_TRACEBACK):
            self._traceback_left = lines
        elif text[:1].isspace() or not text:
            return _CONTINUED
        self._traceback_left -= 1
        return _CONTINUED if self._traceback_left >= 0 else None


def _plain(text: bytes) -> str:
    return _uncoloured(text.removeprefix(_BOM).decode(errors="replace").rstrip("\r\n"))


def _uncoloured(text: str) -> str:
    return _COLOUR.sub("", text) if "\x1b" in text else text


def _none_of(name: str, readers: Iterable[Lines], *, is_wrapped: bool) -> str:
    if name == PatternLines.name:
        return "it doesn't match the pattern"
    if is_wrapped:
        return f"it doesn't begin as lines of {name} do"
    if name != AUTO:
        return f"it isn't of the format {name}"
    return f"it matches none of the formats {', '.join(reader.name for reader in readers)}"
