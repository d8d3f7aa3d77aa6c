"""A chain: the segments that one process wrote, in their order, in a folder of their own under one lock.

The lock (`flock`) ends with the process, whatever ends it, so a chain whose lock can be had is a dead process's, and
whoever has it adopts the whole of it: nobody else sends a part, and the order holds. A stopped process keeps its lock.

    spool/20261125T033346.512345-4711-000/lock
                                         /000001.jsonl
                                         /000002.jsonl
"""

from __future__ import annotations

import itertools
import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from weakref import WeakSet

from robotmia_logging.delivery.spool.segment import Segment

try:
    import fcntl
except ImportError:  # pragma: no cover - Windows
    fcntl = None  # type: ignore[assignment]

SUPPORTED = fcntl is not None
_LOCK = "lock"
_NAME = re.compile(r"\d{8}T\d{6}\.\d{6}-(\d+)-\d{3}")
_SEGMENT = re.compile(r"(\d{6,})\.jsonl")
_held: WeakSet[Chain] = WeakSet()


class Chain:
    """A folder of segments that this process holds the lock of.

    Attributes:
        folder: its path.
        segments: those not deleted yet, in order.
        is_ended: whether it gets no further segments.
    """

    def __init__(self, folder: str, lock: int) -> None:
        self.folder = folder
        self._lock: int | None = lock
        self.segments: list[Segment] = []
        self.is_ended = False
        self._numbers = itertools.count(1)
        _held.add(self)

    @classmethod
    def create(cls, root: str, now: float) -> Chain:
        """Begin a chain in the folder `root`, which is made if need be, for its owner only.

        Raises:
            OSError: it can't be made or locked.
        """
        os.makedirs(root, mode=0o700, exist_ok=True)
        stamp = f"{time.strftime('%Y%m%dT%H%M%S', time.gmtime(now))}.{int(now % 1 * 1e6):06d}"
        for count in range(1000):
            folder = os.path.join(root, f"{stamp}-{os.getpid()}-{count:03d}")
            try:
                return cls(folder, _make_locked(folder))
            except FileExistsError:  # several doors at once, or a clock set back
                continue
        raise FileExistsError(f"no free name in {root}")

    @classmethod
    def adopt(cls, folder: str) -> Chain | None:
        """Take over the chain of a dead process; None if its process lives, or another has it.

        Raises:
            OSError: it can't be read and written.
        """
        # Somebody may have deleted a lock, but not what it is for.
        create = os.O_CREAT if segment_files(folder) else 0
        try:
            lock = os.open(os.path.join(folder, _LOCK), os.O_RDWR | os.O_CLOEXEC | create, 0o600)
        except FileNotFoundError:  # just finished by another; or its process was killed when it had just begun
            with suppress(OSError):
                os.rmdir(folder)
            return None
        try:
            if not _lock(lock) or os.fstat(lock).st_nlink == 0:  # finished by the one who had it
                os.close(lock)
                return None
        except BaseException:
            os.close(lock)
            raise
        chain = cls(folder, lock)
        chain.is_ended = True
        return chain

    def new_segment(self, size: int) -> Segment:
        """Make a segment to append to.

        Raises:
            OSError: it can't be made.
        """
        number = next(self._numbers)
        segment = Segment.create(self, number, os.path.join(self.folder, f"{number:06d}.jsonl"), size)
        self.segments.append(segment)
        return segment

    def open_segments(self) -> int:
        """Open what a dead process left, in order; gives the number of lines.

        Raises:
            OSError: a file can't be read and written.
        """
        for number, path in segment_files(self.folder):
            segment = Segment.open(self, number, path)
            segment.unmap()  # only counted: there may be many
            self.segments.append(segment)
        return sum(segment.unread for segment in self.segments)

    def touch(self) -> None:
        """Show that the chain is in use to those who delete files by their age."""
        if self._lock is not None:
            os.utime(self._lock)

    @property
    def is_deleted(self) -> bool:
        """Whether somebody deleted it under our feet."""
        return self._lock is None or os.fstat(self._lock).st_nlink == 0

    def finish(self) -> None:
        """All of it is done, or gone: remove the folder, unless somebody else keeps something there.

        Raises:
            OSError: it can't be removed.
        """
        if self._lock is None:
            return
        try:
            for _, path in segment_files(self.folder):  # made by a thread that found the chain ended
                _remove(os.unlink, path)
            _remove(os.unlink, os.path.join(self.folder, _LOCK))
            _remove(os.rmdir, self.folder)
        finally:
            self.release()

    def release(self) -> None:
        """Let go of everything, the files as they are. In a forked child this ends no lock of the parent's."""
        for segment in self.segments:
            segment.unmap()
        lock, self._lock = self._lock, None
        if lock is not None:
            os.close(lock)

    def __repr__(self) -> str:
        return f"<Chain {self.folder} {len(self.segments)} segments>"


def chain_folders(root: str) -> list[str]:
    """The folders of chains in a spool, the oldest first; nothing else that lies there.

    Raises:
        OSError: the spool can't be read. A spool that isn't there is empty.
    """
    try:
        names = os.listdir(root)
    except FileNotFoundError:
        return []
    return [os.path.join(root, name) for name in sorted(names) if _NAME.fullmatch(name)]


def segment_files(folder: str) -> list[tuple[int, str]]:
    """The segments in a chain's folder, in order: number and path.

    Raises:
        OSError: the folder can't be read. One that isn't there has none.
    """
    try:
        names = os.listdir(folder)
    except FileNotFoundError:
        return []
    found = [(int(match[1]), os.path.join(folder, name)) for name in names if (match := _SEGMENT.fullmatch(name))]
    return sorted(found)


def owner_pid(folder: str) -> int:
    """The id of the process that began a chain."""
    match = _NAME.fullmatch(os.path.basename(folder))
    return int(match[1]) if match else 0


def owner_lives(folder: str) -> bool | None:
    """Whether somebody holds the chain's lock: its process, or whoever adopted it; None if we can't look."""
    try:
        lock = os.open(os.path.join(folder, _LOCK), os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    except OSError:  # another user's
        return None
    try:
        return not _lock(lock, shared=True)
    except OSError:  # no locks there
        return None
    finally:
        os.close(lock)


def spool_bytes(root: str) -> int:
    """What all segments in a spool take on disk.

    Raises:
        OSError: it can't be read.
    """
    return sum(_sizes(root))


def _sizes(root: str) -> Iterator[int]:
    for folder in chain_folders(root):
        try:
            for _, path in segment_files(folder):
                yield os.stat(path).st_size
        except OSError:  # done meanwhile; or another user's, which we can't look into
            continue


def _make_locked(folder: str) -> int:
    """Make a chain's folder, and take its lock.

    Who looks for what dead processes left may find the folder before it is locked, and clears it away: one killed at
    that moment would leave it for ever. Then it is as if the name were taken.

    Raises:
        OSError: it can't be made; the name is taken (FileExistsError).
    """
    os.mkdir(folder, 0o700)
    path = os.path.join(folder, _LOCK)
    lock = -1
    try:
        lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        if _lock(lock) and os.fstat(lock).st_nlink:
            return lock
        os.close(lock)
    except FileNotFoundError:
        pass
    except BaseException:
        if lock >= 0:
            os.close(lock)
        _remove(os.unlink, path)
        _remove(os.rmdir, folder)
        raise
    raise FileExistsError(folder)


def _remove(how: Callable[[str], None], path: str) -> None:
    with suppress(FileNotFoundError):  # somebody was quicker
        how(path)


def _lock(descriptor: int, *, shared: bool = False) -> bool:
    try:
        fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _leave_to_parent() -> None:
    """In a forked child: an inherited descriptor would keep the lock when the parent is dead."""
    for chain in list(_held):
        with suppress(Exception):
            chain.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_leave_to_parent)
