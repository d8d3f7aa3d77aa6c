"""The spool against a simple list: whatever is done to it, nothing is lost and nothing comes twice."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections import Counter, deque
from dataclasses import dataclass
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from robotmia_logging.delivery.spool.link import TORN, Arrival, Place
from robotmia_logging.delivery.spool.reader import LOST
from robotmia_logging.delivery.spool.segment import Segment
from robotmia_logging.messages import Message, message_line
from tests.delivery.fakes import event
from tests.delivery.spool.spools import Hands, segments

_SEGMENT = 1024  # a handful of messages
_THREADS = range(4)
_SIZES = st.sampled_from([0, 0, 100, 400, 1500])


@dataclass(eq=False)
class Kept:
    """What the model knows of a message that has no outcome yet."""

    n: int
    thread: int
    line: bytes
    item: Any  # as it was logged, or read last
    is_written: bool = True
    is_told: bool = False
    is_given: bool = False
    is_settled: bool = False  # before its writer could tell of it
    is_stray: bool = False  # written behind the reader, and never told of: the next process will find it
    path: str = ""
    start: int = 0

    @property
    def is_in_memory(self) -> bool:
        return not self.path

    @property
    def chain(self) -> str:
        return os.path.dirname(self.path)

    @property
    def end(self) -> int:
        return self.start + len(self.line)


class SpoolMachine(RuleBasedStateMachine):
    """Threads log, a reader reads, deliveries end in any order, disks fail, processes die, files are cut, deleted."""

    def __init__(self) -> None:
        super().__init__()
        self.root = tempfile.mkdtemp(prefix="spool-model-")
        self.count = 0
        self.wall = 1_700_000_000.0
        self.kept: dict[int, Kept] = {}
        self.deleted: set[str] = set()  # files that somebody deleted
        self.torn: Counter[str] = Counter()  # by file: at most so many lines were cut in two
        self.begin()

    def begin(self) -> None:
        """A process opens the folder."""
        self.hands = Hands(self.root, segment_bytes=_SEGMENT)
        self.hands.wall = self.wall
        self.amid: dict[int, Kept] = {}  # by thread: kept, and not told of yet
        self.latest: dict[int, int] = {}  # by thread: the last of its messages that was given
        self.adopted: deque[Kept] = deque()
        self.logged = 0
        self.was_broken_off = False

    # --- threads that log

    def new(self, thread: int, size: int) -> Kept:
        self.count += 1
        self.logged += 1
        message = event("e", f"thread {thread}", n=self.count, pad="x" * size)
        kept = Kept(self.count, thread, message_line(message), message)
        self.kept[kept.n] = self.amid[thread] = kept
        return kept

    @rule(thread=st.sampled_from(_THREADS), size=_SIZES)
    def keep(self, thread: int, size: int) -> None:
        """A thread keeps a message, unless it is amid another."""
        if thread not in self.amid:
            kept = self.new(thread, size)
            link, kept.start, _ = self.hands.keep(kept.item).place
            kept.path = link.path if link.is_durable else ""

    @rule(thread=st.sampled_from(_THREADS), size=_SIZES)
    def reserve(self, thread: int, size: int) -> None:
        """A thread is halted when it knows where its line goes, and hasn't written it."""
        last = self.hands.spool.writer.last
        if thread in self.amid or not isinstance(last, Segment):
            return
        length = len(message_line(event("e", f"thread {thread}", n=self.count + 1, pad="x" * size)))
        if last._cursor.tell() + length <= last.size:
            kept = self.new(thread, size)
            kept.is_written = False
            kept.path, kept.start = last.path, last._cursor.seek(length, 1) - length
            kept.item.place = Place(last, kept.start, kept.end)

    @precondition(lambda self: self.amid)
    @rule(data=st.data(), has_room=st.booleans())
    def go_on(self, data: st.DataObject, has_room: bool) -> None:
        """A thread that is amid a log call makes a step."""
        self.step(self.amid[data.draw(st.sampled_from(sorted(self.amid)))], has_room=has_room)

    def step(self, kept: Kept, *, has_room: bool = False) -> None:
        if not kept.is_written:
            link = kept.item.place.link
            if link.is_mapped:
                link._map[kept.start : kept.end] = kept.line
                kept.is_written = True
            else:  # closed while this thread was halted: a delivery sends its message from memory
                self.logged -= 1
                del self.amid[kept.thread], self.kept[kept.n]
            return
        self.told(kept, self.hands.tell(kept.item, has_room=has_room))

    def told(self, kept: Kept, arrival: Arrival) -> None:
        del self.amid[kept.thread]
        kept.is_told = True
        if arrival is Arrival.NOW:
            self.give(kept, kept.item)
        elif kept.is_settled:
            del self.kept[kept.n]

    @precondition(lambda self: self.amid)
    @rule(data=st.data(), most_bytes=st.sampled_from([0, 200, 1500]))
    def go_on_together(self, data: st.DataObject, most_bytes: int) -> None:
        """All threads that have written tell of it, and are looked at in one go, in any order."""
        amid = data.draw(st.permutations([kept for kept in self.amid.values() if kept.is_written]))
        arrivals = self.hands.tell_all([kept.item for kept in amid], most_bytes=most_bytes)
        for kept, arrival in zip(amid, arrivals, strict=True):
            self.told(kept, arrival)

    @precondition(lambda self: self.amid)
    @rule(data=st.data())
    def break_off(self, data: st.DataObject) -> None:
        """A signal handler raises amid a thread's log call: what it wrote is on disk, and nobody tells of it."""
        kept = self.amid.pop(data.draw(st.sampled_from(sorted(self.amid))))
        self.was_broken_off = kept.is_told = True
        if kept.is_settled:
            del self.kept[kept.n]
        elif not kept.is_written or kept.is_in_memory:
            self.logged -= 1
            del self.kept[kept.n]
        elif not kept.is_given and kept.item.place.link.position > kept.start:
            self.logged -= 1
            kept.is_stray = True

    @rule(size=st.sampled_from([0, 300]), has_room=st.booleans(), count=st.integers(1, 6))
    def log(self, size: int, has_room: bool, count: int) -> None:
        """A thread's whole log calls."""
        thread = next((thread for thread in _THREADS if thread not in self.amid), None)
        for _ in range(0 if thread is None else count):
            self.keep(thread, size)
            self.step(self.amid[thread], has_room=has_room)

    # --- the reader

    def give(self, kept: Kept, item: Any) -> None:
        """The reader gave a message out."""
        assert not kept.is_given, "twice"
        if kept in self.adopted:
            assert self.adopted.popleft() is kept, "an adopted chain's order"
        else:
            assert self.latest.get(kept.thread, 0) < kept.n, "a thread's order"
            self.latest[kept.thread] = kept.n
        kept.is_given = True
        kept.item = item

    @rule(count=st.integers(1, 20), at_once=st.integers(1, 5))
    def read(self, count: int, at_once: int = 1) -> None:
        """Read some."""
        for _ in range(count):
            lost = len(self.hands.lost)
            found = self.hands.read(at_once)
            self.note_lost(self.hands.lost[lost:])
            if not found:
                break
            for item in found:
                self.was_read(item)

    def was_read(self, item: Any) -> None:
        if isinstance(item, Message):
            kept = self.kept[json.loads(item.body)["properties"]["n"]]
            assert item.body == kept.line.partition(b',"message":')[2][:-2]
            self.give(kept, item)
        else:
            assert item.reason == TORN
            self.hands.reader.settle([item])
            self.torn[item.place.link.path] -= 1

    @precondition(lambda self: not self.amid)
    @rule()
    def read_all(self) -> None:
        """With no thread amid a log call, all that was told of can be read."""
        self.read(10_000)
        assert self.hands.reader.unread == 0
        assert all(kept.is_given for kept in self.ours())
        assert self.hands.accepted == self.logged

    def ours(self) -> list[Kept]:
        """The messages that are in memory, in our own chains or adopted: the rest are still to be found."""
        spool = self.hands.spool
        folders = {chain.folder for chain in (*spool.writer.chains, *spool._adopted)}
        found = (kept for kept in self.kept.values() if kept.is_in_memory or kept.chain in folders)
        return [kept for kept in found if not kept.is_stray]

    def note_lost(self, lost: list[tuple[str, int, str]]) -> None:
        """The spool said that messages are lost: they must be all the unread ones of a file that somebody deleted."""
        for reason, count, detail in lost:
            assert reason == LOST
            self.give_up(next(path for path in self.deleted if path in detail), count)

    def unread_of(self, path: str) -> list[Kept]:
        return [
            kept
            for kept in self.kept.values()
            if kept.path == path and kept.is_told and not (kept.is_given or kept.is_stray)
        ]

    def give_up(self, path: str, count: int) -> None:
        assert 0 <= count - len(self.unread_of(path)) <= self.torn[path]
        self.torn[path] = 0
        for kept in self.unread_of(path):
            self.forget(kept)

    def forget(self, kept: Kept) -> None:
        del self.kept[kept.n]
        if kept in self.adopted:
            self.adopted.remove(kept)

    # --- outcomes

    @precondition(lambda self: any(kept.is_given and not kept.is_settled for kept in self.kept.values()))
    @rule(data=st.data(), all_of_them=st.booleans())
    def settle(self, data: st.DataObject, all_of_them: bool) -> None:
        """One of those under way, or all of them, get their outcome."""
        given = [kept for kept in self.kept.values() if kept.is_given and not kept.is_settled]
        for kept in given if all_of_them else [data.draw(st.sampled_from(given))]:
            self.hands.reader.settle([kept.item])
            kept.is_settled = True
            if kept.is_told:
                del self.kept[kept.n]

    @rule()
    def drop_oldest(self) -> None:
        """The bound of the disk is reached: the oldest segment with nothing under way gives way."""
        segment = self.hands.reader.oldest_idle({})
        if segment is not None:
            assert not any(kept.is_given for kept in self.kept.values() if kept.path == segment.path)
            self.give_up(segment.path, self.hands.reader.give_up(segment))
            self.hands.spool.give_up(segment)
            self.hands.spool.remove()
            assert not os.path.exists(segment.path)

    # --- the disk

    @rule(is_there=st.booleans())
    def disk_comes_and_goes(self, is_there: bool) -> None:
        """No segment can be made for a while."""
        self.hands.spool.writer._folder = self.root if is_there else __file__

    @precondition(lambda self: segments(self.root))
    @rule(data=st.data())
    def delete_under_our_feet(self, data: st.DataObject) -> None:
        """Somebody deletes a file: what is mapped can still be read, the rest is lost and counted."""
        path = data.draw(st.sampled_from(segments(self.root)))
        os.unlink(path)
        self.deleted.add(path)
        ours = self.ours()
        for kept in [kept for kept in self.kept.values() if kept.path == path and kept not in ours]:
            self.forget(kept)  # of a dead process: nobody ever knew of it

    @rule(seconds=st.sampled_from([-3600.0, 1e-6, 60.0]))
    def clock_jumps(self, seconds: float) -> None:
        """Somebody sets the clock."""
        self.hands.wall += seconds

    # --- chores, lives and deaths

    @rule(adopt=st.booleans())
    def chores(self, adopt: bool) -> None:
        """Look after the files."""
        spool = self.hands.spool
        known = {chain.folder for chain in spool._adopted}
        before = self.hands.adopted
        self.hands.chores(adopt=adopt)
        folders = {chain.folder for chain in spool._adopted} - known
        found = [kept for kept in self.kept.values() if kept.chain in folders]
        self.adopted += sorted(found, key=lambda kept: (kept.path, kept.start))
        # What is found beyond the messages are lines that were cut in two.
        torn = sum(count for path, count in self.torn.items() if os.path.dirname(path) in folders)
        assert 0 <= self.hands.adopted - before - len(found) <= torn

    @rule()
    def another_process_looks(self) -> None:
        """While we live, nobody takes what is ours."""
        other = Hands(self.root)
        spool = self.hands.spool
        ours = {chain.folder for chain in (*spool.writer.chains, *spool._adopted)}
        other.chores(adopt=True)
        assert not ours & {chain.folder for chain in other.spool._adopted}
        other.crash()

    @rule()
    def close(self) -> None:
        """Leave the files in order, and go on."""
        self.hands.spool.close(lambda work: work())

    @rule(data=st.data(), cut=st.booleans(), half=st.booleans())
    def crash(self, data: st.DataObject, cut: bool, half: bool) -> None:
        """The process is killed, perhaps amid a store; sometimes a file ends at any byte. Another process comes."""
        for kept in self.amid.values():
            if half and not kept.is_written and kept.item.place.link.is_mapped:
                kept.item.place.link._map[kept.start : kept.start + 50] = kept.line[:50]
                self.torn[kept.path] += 1
        self.die()
        files = segments(self.root)
        if cut and files:
            path = data.draw(st.sampled_from(files))
            self.cut(path, data.draw(st.integers(0, os.path.getsize(path))))
        self.begin()

    def die(self) -> None:
        self.hands.crash()
        self.wall = self.hands.wall
        for kept in list(self.kept.values()):
            kept.is_told, kept.is_given, kept.is_stray = True, False, False
            if not kept.is_written or kept.is_settled or kept.is_in_memory or kept.path in self.deleted:
                del self.kept[kept.n]

    def cut(self, path: str, size: int) -> None:
        os.truncate(path, size)
        for kept in [kept for kept in self.kept.values() if kept.path == path and kept.end > size]:
            if kept.end - 1 > size:  # else it is whole but for its newline
                del self.kept[kept.n]
                self.torn[path] += 1

    # --- what always holds

    @invariant()
    def all_is_on_disk(self) -> None:
        """Each message without an outcome stands in its file, and nothing else does."""
        files = {}
        for path in segments(self.root):
            with open(path, "rb") as file:
                files[path] = bytearray(file.read())
        for kept in self.kept.values():
            data = files.get(kept.path)
            if kept.is_in_memory or kept.is_settled or not kept.is_written:
                continue
            if data is None:
                assert kept.path in self.deleted
            else:
                line = data[kept.start : kept.end]
                assert line in (kept.line, kept.line[:-1])
                data[kept.start : kept.end] = bytes(len(line))
        assert not any(data.strip(b" \n\0") for path, data in files.items() if not self.torn[path])

    @invariant()
    def numbers_are_right(self) -> None:
        """With no thread amid a log call, the numbers are exact."""
        if self.amid or any(self.torn.values()):
            return
        hands, ours = self.hands, self.ours()
        if not self.was_broken_off:
            assert hands.reader.unread == sum(not kept.is_given for kept in ours)
            assert hands.accepted == self.logged
        chains = (*hands.spool.writer.chains, *hands.spool._adopted)
        assert hands.reader.in_memory == sum(kept.is_in_memory for kept in ours)
        assert hands.reader.queued == sum(kept.is_in_memory and not kept.is_given for kept in ours)
        unsettled = sum(segment.unsettled for chain in chains for segment in chain.segments)
        assert unsettled == sum(kept.is_given and not kept.is_in_memory for kept in ours)

    def teardown(self) -> None:
        """In the end everything can be read and settled, strays by another process, and nothing stays."""
        try:
            self.hands.spool.writer._folder = self.root
            while self.amid:
                self.step(next(iter(self.amid.values())))
            self.drain()
            assert self.hands.reader.queued_bytes == 0
            self.die()
            self.begin()
            self.drain()
            assert os.listdir(self.root) == []
            assert self.kept == {}
        finally:
            self.hands.crash()
            shutil.rmtree(self.root)

    def drain(self) -> None:
        """Deliver all there is."""
        for _ in range(30):
            self.hands.spool.close(lambda work: work())
            self.chores(adopt=True)
            if not self.ours() and not os.listdir(self.root):
                break
            self.read(10_000)
            for kept in self.ours():
                assert kept.is_given
                self.hands.reader.settle([kept.item])
                del self.kept[kept.n]


TestSpoolMachine = SpoolMachine.TestCase
TestSpoolMachine.settings = settings(
    max_examples=100, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
