"""A spool without a delivery, on a clock that stands still until told, and ways to crash one."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from typing import Any

from robotmia_logging.delivery import Clock, Delivery, lifecycle
from robotmia_logging.delivery.spool.chain import chain_folders, segment_files
from robotmia_logging.delivery.spool.link import Arrival
from robotmia_logging.delivery.spool.segment import Segment, live_lines
from robotmia_logging.delivery.spool.spool import Spool
from robotmia_logging.messages import DeadLetter, Message, Refusal, message_line, read_line
from tests.delivery.fakes import WALL, FakeTime, FakeTransport, event, make

GIB = 1 << 30
OPEN: list[Spool | Delivery] = []
"""What tests opened: all of it is closed behind each."""


class Hands:
    """Does by hand what a delivery does with its spool.

    Attributes:
        now: the clock, in seconds.
        wall: the time of day.
        notes: what trouble was told of: cause and detail.
        lost: what was dropped because a file is gone: reason, count and detail.
        accepted: how many messages of our own the reader counted.
        adopted: how many were found.
    """

    def __init__(
        self, folder: object, max_bytes: int = GIB, *, segment_bytes: int | None = None, fsync_s: float | None = None
    ) -> None:
        self.now = 1000.0
        self.wall = WALL
        self.notes: list[tuple[str, str]] = []
        self.lost: list[tuple[str, int, str]] = []
        self.accepted = 0
        self.adopted = 0
        self.spool = Spool(
            str(folder),
            max_bytes,
            fsync_s,
            clock=Clock(monotonic=lambda: self.now, time=self._time_of_day),
            note=lambda cause, detail: self.notes.append((cause, detail)),
            drop=lambda *loss: self.lost.append(loss),
            adopted=self._count_adopted,
        )
        OPEN.append(self.spool)
        if segment_bytes is not None:
            self.spool.writer._largest = segment_bytes

    def _time_of_day(self) -> float:
        self.wall += 1e-5  # no two chains begin at the same time, and so with the same name
        return self.wall

    def _count_adopted(self, count: int) -> None:
        self.adopted += count

    @property
    def reader(self) -> Any:
        return self.spool.reader

    def keep(self, message: Message) -> Message:
        """The first half of a log call."""
        message.place = self.spool.keep(message_line(message))
        return message

    def tell(self, message: Message | Refusal, *, has_room: bool = False) -> Arrival:
        """The other half: what the reader does about it."""
        arrival: Arrival = self.reader.arrived(message, has_room=has_room)
        self.accepted += arrival is not Arrival.READ
        return arrival

    def tell_all(self, messages: list[Any], *, most_bytes: int) -> list[Arrival]:
        """The other half of several log calls, in one go; so many bytes may be handled now."""
        arrivals: list[Arrival] = []
        while left := messages[len(arrivals) :]:
            if now := self.reader.arrived_next(left, most_bytes):
                arrivals += [Arrival.NOW] * now
                self.accepted += now
            elif later := self.reader.arrived_behind(left):
                arrivals += [Arrival.LATER] * later
                self.accepted += later
            else:
                arrivals.append(self.tell(left[0], has_room=most_bytes > 0))
        return arrivals

    def log(self, *names: str, size: int = 0, has_room: bool = False) -> list[Message]:
        """Log calls, with a padding of so many bytes."""
        messages = [self.keep(event(name, **({"pad": "x" * size} if size else {}))) for name in names]
        for message in messages:
            self.tell(message, has_room=has_room)
        return messages

    def read(self, count: int = 1 << 30) -> list[Any]:
        """All that can be read, or the next so many."""
        items: list[Any] = []
        while len(items) < count:
            found, told = self.reader.read(count - len(items), GIB)
            if not found:
                break
            self.accepted += len(found) - told
            items += found
        return items

    def deliver(self) -> list[str]:
        """Read all there is, and settle it; gives the names."""
        items = self.read()
        self.reader.settle(items)
        return names(items)

    def chores(self, *, adopt: bool = False) -> int:
        """A moment later, look after the files; gives how many messages were found."""
        self.pass_time(2.0)
        before = self.spool.adopted
        self.spool.chores(lambda work: work(), adopt=adopt)
        return self.spool.adopted - before

    def pass_time(self, seconds: float) -> None:
        self.now += seconds
        self.wall += seconds

    def close(self) -> None:
        self.spool.close(lambda work: work())
        self.chores()

    def crash(self) -> None:
        crash(self.spool)


def spooled(
    transport: FakeTransport, folder: object, *, said: list[str] | None = None, **options: Any
) -> tuple[Delivery, FakeTime]:
    """A delivery with a spool, without threads, whose time stands still; what trouble it tells goes to `said`."""
    delivery, time = make(transport, **{"spool": str(folder), "flush_interval": 3600.0, **options})
    if said is not None:
        delivery._reporter._say = said.append
    OPEN.append(delivery)
    return delivery, time


def crash(dead: Spool | Delivery) -> None:
    """Like `kill -9`: the files stay as they are, the locks are gone."""
    if isinstance(dead, Delivery):
        lifecycle._live.discard(dead)  # it delivers nothing at exit, either
        assert dead._keeper is not None
        dead = dead._keeper._spool
    for chain in (*dead.writer.chains, *dead._adopted):
        chain.release()


def names(items: Iterable[Message | Refusal | DeadLetter]) -> list[str]:
    """What events are called; of others the reason."""
    return [json.loads(item.body)["event"] if isinstance(item, Message) else item.reason for item in items]


def segments(folder: object) -> list[str]:
    """The paths of all segments in a spool."""
    return [path for chain in chain_folders(str(folder)) for _, path in segment_files(chain)]


def left_on_disk(folder: object) -> list[str]:
    """The names of the events that another process would find."""
    found = []
    for path in segments(folder):
        with open(path, "rb") as file:
            data = file.read()
        found += names(read_line(line) for line in live_lines(data, len(data)))
    return found


def size_on_disk(folder: object) -> int:
    """What the segments take."""
    return sum(os.path.getsize(path) for path in segments(folder))


def a_segment(folder: object, size: int = 4096) -> Segment:
    """A segment to write to, of a chain of its own."""
    hands = Hands(folder, segment_bytes=size)
    hands.log("first")
    segment = hands.spool.writer.last
    assert isinstance(segment, Segment)
    return segment
