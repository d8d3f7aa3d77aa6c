"""Replays logs, one after another: each through a delivery of its own, or through none to see what would be sent."""

from __future__ import annotations

import io
import os
import stat
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import BinaryIO

from robotmia_logging.capture import Composer
from robotmia_logging.delivery import DeliverySettings
from robotmia_logging.delivery.resend import STDIN, Done, Ending, JournalError, Limits, Sent, open_source, send_lines
from robotmia_logging.logs import LogFormat, open_log
from robotmia_logging.replay.account import Account
from robotmia_logging.replay.line_reader import LineReader, Span
from robotmia_logging.replay.log_lines import LogLines
from robotmia_logging.replay.rejects import RejectsFile
from robotmia_logging.replay.state import LogState, StateFolder, head_of

_LOOK_EVERY = 1000
_QUIET_S = 60.0
"""A log that wasn't written to for so long has no line half written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """How logs are replayed.

    Attributes:
        settings: how to deliver; None to send nothing.
        limits: when to give up a log.
        open_format: makes the format of a log, given when that was last written to.
        span: of which time lines are replayed.
        rules: what the rules, and the options that count beside them, are known by.
        state: the folder of journals for logs in a folder.
        restart: whether what was replayed before is replayed again.
        rejects: gets lines that give nothing.
        look: told ten times a second how far a log is, in bytes of its file.
        say: tells trouble, a line at a time.
    """

    settings: DeliverySettings | None
    limits: Callable[[], Limits]
    open_format: Callable[[float | None], LogFormat]
    span: Span
    rules: str
    state: Callable[[str], StateFolder]
    restart: bool = False
    rejects: RejectsFile | None = None
    look: Callable[[int], object] = lambda _size: None
    say: Callable[[str], None] = lambda _line: None


@dataclass(slots=True)
class Replayed:
    """What became of one log.

    Attributes:
        path: the log.
        sent: what became of its messages; None if nothing was sent.
        problem: why not all of it could be replayed, in words.
        rules_changed: whether a part of it was replayed with other rules or options before.
        is_last_left: whether its last line was left for another time.
        has_gaps_closed: whether there were too many lines that can't be read to look at all of them again.
        is_stream: whether it can be read but once.
        ending: how it ended.
    """

    path: str
    sent: Sent | None = None
    problem: str | None = None
    rules_changed: bool = False
    is_last_left: bool = False
    has_gaps_closed: bool = False
    is_stream: bool = False
    ending: Ending = Ending.DONE


@dataclass(slots=True)
class _Log:
    """A log that is open."""

    file: BinaryIO
    is_stream: bool
    written_at: float | None
    takes_last: Callable[[], bool] = lambda: True
    done: Done = field(default_factory=Done)
    state: LogState | None = None


class Replay:
    """Replays logs, and keeps account of what they hold.

    Args:
        composer: turns calls into messages.
        way: how.
        account: where lines and messages are counted.
    """

    def __init__(self, composer: Composer, way: Way, account: Account) -> None:
        self._composer = composer
        self._way = way
        self._account = account

    def log(self, path: str) -> Replayed:
        """Replay one log, as far as it can be read; `-` is standard input.

        Raises:
            OSError: what was sent, or rejects, can't be written down.
        """
        replayed = Replayed(path)
        with ExitStack() as stack:
            try:
                log = _open(path, stack)
                replayed.is_stream = log.is_stream
                if not log.is_stream and not self._know(path, log, stack):
                    replayed.is_last_left = _size(log) > 0 and not log.takes_last()
                    return replayed
            except JournalError as error:
                replayed.problem = str(error)
                return replayed
            except OSError as error:
                replayed.problem = _words(error, path)
                return replayed
            replayed.rules_changed = log.state is not None and log.state.rules_changed
            self._replay(log, replayed)
        return replayed

    def _know(self, path: str, log: _Log, stack: ExitStack) -> bool:
        """Find out what of a log has been replayed; False if there isn't a line in it yet."""
        head = head_of(log.file, takes_last=log.takes_last())
        if not head:
            return False
        folder = self._way.state(os.path.dirname(path))
        if self._way.settings is not None:
            log.state = folder.open(head, self._way.rules, restart=self._way.restart)
            stack.callback(log.state.journal.close)
            log.done = log.state.journal.done
        elif not self._way.restart:
            log.done = folder.look(head)
        return True

    def _replay(self, log: _Log, replayed: Replayed) -> None:
        way, account = self._way, self._account
        log_format = way.open_format(log.written_at)
        reader = LineReader(log_format, self._composer, way.span, account, way.rejects)
        lines = LogLines(log.file, reader, log.done, account, rejects=way.rejects, takes_last=log.takes_last)
        if way.rejects is not None:
            way.rejects.begin(replayed.path, is_resumed=log.state is not None and log.state.is_resumed)
        try:
            if way.settings is None:
                self._only_look(log, lines)
            else:
                replayed.sent = send_lines(
                    lines,
                    way.settings,
                    journal=None if log.state is None else log.state.journal,
                    limits=way.limits(),
                    look=lambda _size: way.look(_position(log)),
                    say=way.say,
                )
                replayed.ending = replayed.sent.ending
        finally:
            account.naive_times += log_format.naive_times
            replayed.is_last_left = lines.is_last_left
            replayed.has_gaps_closed = lines.has_gaps_closed
            if lines.error is not None:
                replayed.problem = _words(lines.error, replayed.path)

    def _only_look(self, log: _Log, lines: LogLines) -> None:
        for count, _ in enumerate(lines):
            if count % _LOOK_EVERY == 0:
                self._way.look(_position(log))


def _open(path: str, stack: ExitStack) -> _Log:
    status = None if path == STDIN else os.stat(path)
    if status is None or not stat.S_ISREG(status.st_mode):
        return _Log(stack.enter_context(open_source(path)), is_stream=True, written_at=time.time())
    file: BinaryIO = stack.enter_context(open_log(path))
    log = _Log(file, is_stream=False, written_at=status.st_mtime)
    if not _is_packed(file):
        log.takes_last = lambda: _is_quiet(file)
    return log


def _is_packed(file: BinaryIO) -> bool:
    return not isinstance(getattr(file, "raw", None), io.FileIO)


def _is_quiet(file: BinaryIO) -> bool:
    return time.time() - os.fstat(file.fileno()).st_mtime > _QUIET_S


def _size(log: _Log) -> int:
    return os.fstat(log.file.fileno()).st_size


def _position(log: _Log) -> int:
    """How much of the file has been read, packed as it is."""
    return 0 if log.is_stream else os.lseek(log.file.fileno(), 0, os.SEEK_CUR)


def _words(error: OSError, path: str) -> str:
    """What went wrong, in words; with the name of a file that isn't the log."""
    words = str(error) if error.errno is None else os.strerror(error.errno)
    return words if error.filename in (None, path) else f"{error.filename}: {words}"
