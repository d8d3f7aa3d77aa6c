"""A spool's two sides, and the chores around the files: done seldom, by one thread, with no lock held during I/O."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress

from robotmia_logging.delivery.clock import Clock
from robotmia_logging.delivery.spool.chain import Chain, chain_folders
from robotmia_logging.delivery.spool.link import Place
from robotmia_logging.delivery.spool.reader import Reader
from robotmia_logging.delivery.spool.segment import Segment
from robotmia_logging.delivery.spool.writer import Writer

LOOK_S = 1.0
"""How often the files are looked after."""
ADOPT_S = 15.0
"""How often what dead processes left is looked for."""
_ADOPTED_AT_ONCE = 4  # chains that are still to be read; each holds a descriptor
_MOST_ADOPTED = 64  # with those that were read, and wait for outcomes or for their dead letters to be written

_NOT_TAKEN = "what other processes left in the spool can't be taken ({count} times)"

Locked = Callable[[Callable[[], object]], object]
"""Does something under the delivery's lock, and waits for it."""


class Spool:
    """One delivery's spool.

    Args:
        folder: where it is.
        max_bytes: what all segments in it, of all processes, may take.
        fsync_s: how often what was written is made to survive a power loss, in seconds; None for never.
        clock: the times.
        note: told of trouble: its cause, and a detail.
        drop: told how many messages are dropped: the reason, how many, the details.
        adopted: told how many messages were found.

    Attributes:
        adopted: how many messages were found so far.
        may_adopt_more: whether the last look for them ended early, for there is enough to do.
    """

    def __init__(
        self,
        folder: str,
        max_bytes: int,
        fsync_s: float | None,
        *,
        clock: Clock,
        note: Callable[[str, str], None],
        drop: Callable[[str, int, str], None],
        adopted: Callable[[int], None],
    ) -> None:
        self.folder = os.path.abspath(folder)
        self._fsync_s = fsync_s
        self._clock = clock
        self._note = note
        self.writer = Writer(self.folder, max_bytes, monotonic=clock.monotonic, wall=clock.time, note=note)
        self.reader = Reader(self.writer.last, drop)
        self._tell_adopted = adopted
        self._adopted: list[Chain] = []
        self.adopted = 0
        self.may_adopt_more = False
        self._adopts_no_more = False
        self._to_delete: list[Segment] = []
        self._due_at = self._adopt_at = self._sync_at = float("-inf")

    def keep(self, line: bytes) -> Place | None:
        """Keep a line: when this returns, it survives the process. None if the spool is full.

        Raises no Exception but by defect; a disk that can't be written is told of, and the item kept in memory.
        """
        return self.writer.keep(line)

    @property
    def is_on_disk(self) -> bool:
        """Whether what is kept now goes to disk."""
        return not self.writer.is_in_memory

    # --- chores

    def chores_due_at(self, *, idle: bool) -> float:
        """When there is something to look after next, in monotonic seconds."""
        return self._adopt_at if idle else self._due_at

    def chores(self, locked: Locked, *, adopt: bool = False) -> None:
        """Look after the files; for one thread at a time.

        Args:
            locked: does something under the delivery's lock.
            adopt: look for what dead processes left, though it is not time yet.
        """
        now = self._clock.monotonic()
        self._due_at = now + LOOK_S
        self._remove_done(locked)
        self.writer.look_after()
        self.writer.prepare()
        locked(self.reader.rest)
        self._cut_sealed()
        if self._fsync_s is not None and now >= self._sync_at:
            self._sync_at = now + self._fsync_s
            self._sync()
        if self._adopts_no_more or (not adopt and now < self._adopt_at):
            return
        self._adopt_at = now + ADOPT_S
        for chain in (*self.writer.chains, *self._adopted):
            with suppress(OSError):
                chain.touch()
        self._adopt(locked)

    def look_soon(self) -> None:
        """None of our files can give way: those of dead processes could, once they are ours."""
        self._due_at = self._adopt_at = float("-inf")

    def stop_adopting(self) -> None:
        """Take over nothing more."""
        self._adopts_no_more = True

    def close(self, locked: Locked) -> None:
        """Let the files be as another process would like to find them; the next message begins new ones."""
        self.writer.end_chain()
        self._remove_done(locked, is_last=True)
        self._cut_sealed()
        if self._fsync_s is not None:
            self._sync()

    def give_up(self, segment: Segment) -> None:
        """Nothing of a segment is needed any more: the next `remove` deletes its file."""
        self._to_delete.append(segment)

    def remove(self) -> None:
        """Delete the files of segments that aren't needed any more."""
        for segment in list(self._to_delete):
            try:
                segment.delete()
            except OSError as error:
                self._note("files of the spool can't be deleted ({count} times)", str(error))
            with suppress(ValueError):  # another thread has just deleted it, too
                self._to_delete.remove(segment)
            self.writer.made_room()

    def _remove_done(self, locked: Locked, *, is_last: bool = False) -> None:
        locked(lambda: self._to_delete.extend(self.reader.take_done(is_last=is_last)))
        self.remove()
        for chains in (self.writer.chains, self._adopted):
            for chain in [chain for chain in chains if chain.is_ended and not chain.segments]:
                chains.remove(chain)
                try:
                    chain.finish()
                except OSError as error:  # somebody else keeps something there
                    self._note("a folder of the spool can't be removed ({count} times)", str(error))

    def _cut_sealed(self) -> None:
        for chain in self.writer.chains:
            for segment in list(chain.segments):
                with suppress(OSError):  # only for the eye
                    segment.cut()

    def _sync(self) -> None:
        for chain in self.writer.chains:
            for segment in list(chain.segments):
                try:
                    segment.sync()
                except OSError as error:
                    self._note("the spool can't be synced ({count} times)", str(error))

    def _adopt(self, locked: Locked) -> None:
        """Take over what dead processes left, a few chains at a time."""
        self.may_adopt_more = False
        ours = {chain.folder for chain in (*self.writer.chains, *self._adopted)}
        for folder in self._folders():
            if self._has_enough():
                self._adopt_at = self._due_at
                self.may_adopt_more = True
                break
            try:
                if folder not in ours and (chain := Chain.adopt(folder)) is not None:
                    self._take_over(chain, locked)
            except OSError as error:
                self._note(_NOT_TAKEN, str(error))

    def _has_enough(self) -> bool:
        unread = sum(any(segment.unread for segment in chain.segments) for chain in self._adopted)
        return unread >= _ADOPTED_AT_ONCE or len(self._adopted) >= _MOST_ADOPTED

    def _folders(self) -> list[str]:
        try:
            return chain_folders(self.folder)
        except OSError as error:
            self._note(_NOT_TAKEN, str(error))
            return []

    def _take_over(self, chain: Chain, locked: Locked) -> None:
        try:
            count = chain.open_segments()
            if not count:
                for segment in chain.segments:
                    segment.delete()
                chain.finish()
                return
        except BaseException:
            chain.release()
            raise
        self._adopted.append(chain)
        locked(lambda: self._read_too(chain, count))

    def _read_too(self, chain: Chain, count: int) -> None:
        self.adopted += count
        self._tell_adopted(count)
        self.reader.adopt(chain)
