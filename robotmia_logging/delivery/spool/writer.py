"""The writer's side of the spool: keeps what log calls give it, without a lock.

Any number of threads write at once, and a signal handler or a destructor may break in at any step. What they agree on
they agree on by single calls of C: where a line goes (`Segment.append`), what follows a full segment
(`Link.follow_with`).
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress

from robotmia_logging.delivery.spool.chain import Chain, spool_bytes
from robotmia_logging.delivery.spool.link import Held, Link, Place
from robotmia_logging.delivery.spool.segment import Segment

_FIRST_BYTES = 256 * 1024
_LARGEST_BYTES = 4 * 1024 * 1024
_GROWTH = 4
_LEAST_BYTES = 16 * 1024
_SHARE = 8  # of `spool_max_bytes`, for one segment: the oldest of them gives way as a whole
_FULL_FOR_S = 1.0  # others share the folder: after so long it is looked at again

NOT_WRITTEN = "the spool can't be written ({count} times), messages wait in memory only"


class Writer:
    """Appends lines to the last link, and strings new ones behind.

    Args:
        folder: the spool.
        max_bytes: what all segments in it, of all processes, may take.
        monotonic: the clock, in seconds.
        wall: the time of day, in seconds since 1970.
        note: told of trouble: its cause, and a detail.
    """

    def __init__(
        self,
        folder: str,
        max_bytes: int,
        *,
        monotonic: Callable[[], float],
        wall: Callable[[], float],
        note: Callable[[str, str], None],
    ) -> None:
        self._folder = folder
        self._max_bytes = max_bytes
        self._monotonic = monotonic
        self._wall = wall
        self._note = note
        self.last = Link()
        self._full_until = float("-inf")
        self._largest = max(_LEAST_BYTES, min(_LARGEST_BYTES, max_bytes // _SHARE))
        self._spares: list[Segment] = []
        self._prepared_for: Link | None = None
        self.chains: list[Chain] = []

    def keep(self, line: bytes) -> Place | None:
        """Keep a line, on disk if that can be; None if the spool is full."""
        link = self.last
        while True:
            place = link.append(line)
            if place is not None:
                return place
            after = link.successor or self._extend(link, len(line))
            if after is None:
                return None
            # A straggler may set it back: what it finds there is full, and leads here again.
            self.last = link = after

    def end_chain(self) -> None:
        """Let nothing more into the chain: the next line begins a new one."""
        link = self.last
        while isinstance(link, (Segment, Held)):
            if isinstance(link, Segment):
                link.seal()
            chain, link = link.chain, link.follow_with(Link())
            if chain is not None and link.chain is not chain:
                chain.is_ended = True
        self.last = link
        while self._spares:
            with suppress(IndexError):  # another thread took it
                _discard(self._spares.pop())

    @property
    def is_running_out(self) -> bool:
        """Whether the next segment will soon be needed, and it wasn't tried to make it."""
        return self.last is not self._prepared_for and self._is_half_full(self.last)

    def prepare(self) -> None:
        """Make the next segment beforehand, so that no log call has to; leave memory once the disk takes lines."""
        last = self.last
        if isinstance(last, Held):
            with suppress(_FullError):
                fresh = self._next_segment(last, 0)
                if fresh is not None:
                    self._follow(last, fresh)
        elif isinstance(last, Segment) and self._is_half_full(last) and not self._spares:
            self._prepared_for = last
            with suppress(_FullError, OSError):
                self._spares.append(self._make(last.chain, self._size_after(last)))

    def _is_half_full(self, link: Link) -> bool:
        return isinstance(link, Segment) and 2 * link.used_bytes > link.size

    def look_after(self) -> None:
        """Begin anew where somebody deleted what we write to."""
        last = self.last
        if isinstance(last, Segment) and (last.chain.is_deleted or not os.path.exists(last.path)):
            self._note("files of the spool were deleted ({count} times)", last.path)
            self.end_chain()

    def made_room(self) -> None:
        """Something was deleted: there may be room again."""
        self._full_until = float("-inf")

    @property
    def is_in_memory(self) -> bool:
        """Whether the disk takes no lines now."""
        return isinstance(self.last, Held)

    def _extend(self, link: Link, need: int) -> Link | None:
        try:
            fresh = self._next_segment(link, need)
        except _FullError:
            return None
        return self._follow(link, Held() if fresh is None else fresh)

    def _follow(self, link: Link, fresh: Link) -> Link:
        """Have `fresh` follow, unless another thread was quicker."""
        after = link.follow_with(fresh)
        if after is not fresh and isinstance(fresh, Segment):
            _discard(fresh)
            fresh.chain.is_ended |= fresh.chain is not link.chain
        if link.chain is not None and after.chain is not link.chain:
            link.chain.is_ended = True
        return after

    def _next_segment(self, link: Link, need: int) -> Segment | None:
        """A segment to follow `link`; None if the disk gives none.

        Raises:
            _FullError: the spool has all the bytes it may have.
        """
        chain = link.chain
        while chain is not None and self._spares:
            with suppress(IndexError):  # another thread took it
                spare = self._spares.pop()
                if spare.chain is chain and spare.size >= need and spare.number > link.number:  # type: ignore[attr-defined]
                    return spare
                _discard(spare)
        try:
            return self._make(chain, max(need, self._size_after(link)))
        except OSError as error:
            self._note(NOT_WRITTEN, str(error))
            return None

    def _size_after(self, link: Link) -> int:
        """Small at first, for most processes log little; larger with each."""
        return min(self._largest, link.size * _GROWTH if isinstance(link, Segment) else _FIRST_BYTES)

    def _make(self, chain: Chain | None, size: int) -> Segment:
        now = self._monotonic()
        if now < self._full_until:
            raise _FullError
        if spool_bytes(self._folder) + size > self._max_bytes:
            if size <= self._largest:  # else it is but one line that doesn't fit
                self._full_until = now + _FULL_FOR_S
            raise _FullError
        if chain is not None:
            return chain.new_segment(size)
        chain = Chain.create(self._folder, self._wall())
        try:
            segment = chain.new_segment(size)
        except BaseException:
            chain.finish()
            raise
        self.chains.append(chain)
        return segment


class _FullError(Exception):
    """The spool has all the bytes it may have."""


def _discard(segment: Segment) -> None:
    """Remove a segment that nothing was written to."""
    segment.chain.segments.remove(segment)
    with suppress(OSError):
        segment.delete()
