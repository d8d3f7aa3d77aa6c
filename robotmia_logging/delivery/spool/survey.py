"""A look at a spool from outside: what waits there, of whom. Nothing is changed, nor held longer than for a moment.

Living processes write and blank lines meanwhile: what is amid that is no line now, and is passed over.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

from robotmia_logging.delivery.spool.chain import chain_folders, owner_lives, owner_pid, segment_files
from robotmia_logging.delivery.spool.segment import live_lines
from robotmia_logging.messages import Message, read_line


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainState:
    """What a process keeps in the spool, or left there.

    Attributes:
        folder: the chain's folder.
        pid: the process that began it.
        is_alive: whether its process lives, or another that adopted it; None if we may not look: another user's.
        segments: how many files.
        messages: how many messages are still to be sent.
        dead_letters: how many were refused in their log call, and are to become dead letters.
        damaged: how many lines can't be read; of a living process some may be amid being written.
        size: what the files take on disk, in bytes.
        oldest: the time of the oldest message, in seconds since 1970; None if there is none.
    """

    folder: str
    pid: int
    is_alive: bool | None
    segments: int
    messages: int
    dead_letters: int
    damaged: int
    size: int
    oldest: int | None


def survey(root: str) -> list[ChainState]:
    """The chains in a spool, the oldest first.

    Raises:
        OSError: it can't be read.
    """
    return [state for folder in chain_folders(root) if (state := _state(folder)) is not None]


def waiting_lines(root: str) -> Iterator[bytes]:
    """The lines of all messages that are still to be sent, in each chain's order, the oldest chain first.

    Raises:
        OSError: the spool can't be read.
    """
    for folder in chain_folders(root):
        for data in _segments(folder):
            for line in live_lines(data, len(data)):
                if isinstance(_read(line), Message):
                    yield line if line.endswith(b"\n") else line + b"\n"


def _state(folder: str) -> ChainState | None:
    """The state of a chain; None if it was finished meanwhile."""
    is_alive = owner_lives(folder)
    segments = messages = letters = damaged = size = 0
    oldest: int | None = None
    for data in _segments(folder) if is_alive is not None else ():
        segments += 1
        size += len(data)
        for line in live_lines(data, len(data)):
            item = _read(line)
            if isinstance(item, Message):
                messages += 1
                oldest = item.time if oldest is None else min(oldest, item.time)
            elif item is None:
                damaged += 1
            else:
                letters += 1
    if not segments and not os.path.isdir(folder):
        return None
    return ChainState(
        folder=folder,
        pid=owner_pid(folder),
        is_alive=is_alive,
        segments=segments,
        messages=messages,
        dead_letters=letters,
        damaged=damaged,
        size=size,
        oldest=oldest,
    )


def _segments(folder: str) -> Iterator[bytes]:
    """What the files of a chain hold now, one after another: 4 MiB each, or a message larger than that."""
    for _, path in segment_files(folder):
        try:
            with open(path, "rb") as file:
                yield file.read()
        except FileNotFoundError:  # done meanwhile
            continue


def _read(line: bytes) -> object:
    """What a line says; None if it can't be read."""
    try:
        return read_line(line)
    except ValueError:
        return None
