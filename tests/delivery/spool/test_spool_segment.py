"""A segment: lines in a file, let in without a lock, read in order, blanked one by one."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import subprocess
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robotmia_logging.delivery.spool.link import Arrival
from robotmia_logging.delivery.spool.segment import Segment, live_lines
from robotmia_logging.messages import message_line, read_line
from tests.delivery.fakes import event
from tests.delivery.spool.spools import GIB, Hands, a_segment, left_on_disk, names

A, B, C = (message_line(event(name)) for name in "abc")


def contents(segment):
    with open(segment.path, "rb") as file:
        return file.read()


def kept(segment, *names):
    """Messages kept in a segment, in this order, and not told of."""
    messages = [event(name) for name in names]
    for message in messages:
        message.place = segment.append(message_line(message))
        assert message.place is not None
    return messages


def read_items(segment, most=GIB):
    return segment.read(most, GIB).items


def read(segment):
    return names(read_items(segment))


def test_a_line_is_in_the_file_when_append_returns(tmp_path):
    """Nothing is buffered: another process could read the line at once."""
    segment = a_segment(tmp_path)
    kept(segment, "mine")
    assert left_on_disk(tmp_path) == ["first", "mine"]


def test_the_file_has_its_size_from_the_start(tmp_path):
    """The disk's room is taken when the file is made, so that no store can find it full; behind the lines are zeros."""
    segment = a_segment(tmp_path, 8192)
    assert os.stat(segment.path).st_size == 8192
    assert os.stat(segment.path).st_blocks * 512 >= 8192
    assert contents(segment).rstrip(b"\0").endswith(b"}}}\n")


def test_a_line_that_fills_the_segment_to_the_byte_gets_in(tmp_path):
    """The last byte is used; then nothing gets in, not even a smaller line."""
    line = message_line(event("first"))
    segment = a_segment(tmp_path, 4096)
    filling = event("fills", pad="")
    room = 4096 - len(line) - len(message_line(filling))
    assert segment.append(message_line(event("fills", pad="x" * room))).end == 4096
    assert not segment.is_sealed
    assert segment.append(b"{}\n") is None
    assert segment.is_sealed
    assert segment.used_bytes == 4096


def test_a_full_segment_stays_full(tmp_path):
    """A line that doesn't get in seals the segment at once: a later, smaller one would break the order."""
    segment = a_segment(tmp_path, 1024)
    assert segment.append(message_line(event("huge", pad="x" * 1024))) is None
    assert segment.append(A) is None
    assert names(read_line(line) for line in live_lines(contents(segment), 1024)) == ["first"]


def test_seal(tmp_path):
    """After `seal` nothing gets in, and what was cut off are the zeros only."""
    segment = a_segment(tmp_path)
    segment.seal()
    assert segment.append(A) is None
    segment.seal()
    assert segment.is_complete
    segment.cut()
    assert contents(segment) == message_line(event("first"))


def test_a_segment_with_a_writer_amid_a_line_is_not_cut(tmp_path):
    """As long as somebody may still write, the file keeps its size: a store behind its end would be a SIGBUS."""
    segment = a_segment(tmp_path)
    [late] = kept(segment, "late")
    segment.seal()
    assert not segment.is_complete
    segment.cut()
    assert os.stat(segment.path).st_size == 4096
    segment.arrived(late, next_up=False)
    assert segment.is_complete
    segment.cut()
    assert contents(segment).endswith(message_line(late))


def test_a_line_with_its_outcome_is_blank(tmp_path):
    """What was delivered is spaces and a newline, in place; the others are untouched, for anybody who reads along."""
    segment = a_segment(tmp_path)
    messages = kept(segment, "a", "b", "c")
    for message in messages:
        segment.arrived(message, next_up=False)
    assert read(segment) == ["first", "a", "b", "c"]
    before = contents(segment)
    segment.settle([messages[1].place])
    _, start, end = messages[1].place
    assert contents(segment) == before[:start] + b" " * (end - start - 1) + b"\n" + before[end:]


@given(st.integers(1, 20_000) | st.integers(65_000, 66_000))
def test_a_line_of_any_length_is_blanked_whole(tmp_path_factory, size):
    """Also one longer than a page leaves only spaces."""
    hands = Hands(tmp_path_factory.mktemp("spool"), segment_bytes=1024)
    [message] = hands.log("e", size=size, has_room=True)
    segment = message.place.link
    segment.settle([message.place])
    assert contents(segment).strip(b" \n\0") == b""


def test_jq_reads_a_sealed_segment(tmp_path):
    """A closed segment is JSON Lines: messages and white space."""
    segment = a_segment(tmp_path)
    messages = kept(segment, "a", "b")
    for message in messages:
        segment.arrived(message, next_up=False)
    read(segment)
    segment.settle([messages[0].place])
    segment.seal()
    segment.cut()
    found = [json.loads(line)["message"]["event"] for line in contents(segment).splitlines() if line.strip()]
    assert found == ["first", "b"]


# --- threads


def test_threads_write_at_once(tmp_path):
    """Eight threads append as fast as they can: each line whole, each once, each thread's in order."""
    segment = a_segment(tmp_path, 256 * 1024)
    places = [[] for _ in range(8)]

    def write(thread):
        for n in range(100):
            places[thread].append(segment.append(message_line(event(f"{thread}-{n}"))))

    threads = [threading.Thread(target=write, args=(thread,)) for thread in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = names(read_line(line) for line in live_lines(contents(segment), segment.size))
    assert len(found) == 801
    for thread in range(8):
        assert [name for name in found if name.startswith(f"{thread}-")] == [f"{thread}-{n}" for n in range(100)]
    taken = sorted(place for mine in places for place in ((p.start, p.end) for p in mine))
    assert all(end == start for (_, end), (start, _) in itertools.pairwise(taken))


def test_threads_seal_once(tmp_path):
    """However many threads find a segment full at once, it ends behind the last line."""
    segment = a_segment(tmp_path, 16 * 1024)
    seen = []

    def write():
        while (place := segment.append(A)) is not None:
            seen.append(place.end)

    threads = [threading.Thread(target=write) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert segment.used_bytes == max(seen)
    assert contents(segment)[segment.used_bytes :].strip(b"\0") == b""


def test_a_line_written_late_is_handled_when_it_is_told_of(tmp_path):
    """A writer halted before its store is passed over, once others came behind; its line is given, and once."""
    segment = a_segment(tmp_path)
    read(segment)
    start = segment._cursor.seek(len(A), 1) - len(A)
    [other] = kept(segment, "b")
    segment.arrived(other, next_up=False)
    assert read(segment) == ["b"]
    segment._map[start : start + len(A)] = A
    late = event("a")
    late.place = other.place._replace(start=start, end=start + len(A))
    assert read(segment) == []
    assert segment.arrived(late, next_up=False) is Arrival.NOW
    assert read(segment) == []


class _Watched:
    """A map in which something happens between a search and what follows."""

    def __init__(self, data, meanwhile):
        self.data, self.meanwhile = data, meanwhile

    def find(self, *args):
        found = self.data.find(*args)
        self.meanwhile()
        return found

    def __getitem__(self, where):
        return self.data[where]

    def close(self):
        self.data.close()

    def __setitem__(self, where, value):
        self.data[where] = value


def test_a_line_stored_amid_a_search_joins_no_other(tmp_path):
    """The reader looks for a line, and meanwhile another thread fills a hole in front: two lines, each whole."""
    segment = a_segment(tmp_path)
    [read_first] = read_items(segment)
    segment.arrived(read_first, next_up=False)
    start = segment._cursor.seek(len(A), 1) - len(A)
    [other] = kept(segment, "b")
    segment.arrived(other, next_up=False)
    real = segment._map
    segment._map = _Watched(real, lambda: real.__setitem__(slice(start, start + len(A)), A))
    assert read(segment) == ["a", "b"]
    assert names([read_first]) == ["first"]


def test_the_end_of_a_segment_is_no_line_while_somebody_writes(tmp_path):
    """Nothing found, and a line appears behind the search: it isn't taken for one that was cut short."""
    segment = a_segment(tmp_path)
    read(segment)
    start = segment._cursor.seek(len(A), 1) - len(A)
    segment._cursor.seek(len(B), 1)
    real = segment._map
    segment._map = _Watched(real, lambda: real.__setitem__(slice(start, start + len(A)), A))
    places = [item.place for _ in range(2) for item in read_items(segment)]
    assert [(place.start, place.end) for place in places] == [(start, start + len(A))]


# --- damage


def adopted(tmp_path, data):
    """What a delivery makes of a file with these bytes."""
    hands = Hands(tmp_path)
    hands.log("first")
    path = hands.spool.writer.last.path
    hands.crash()
    with open(path, "wb") as file:
        file.write(data)
    finder = Hands(tmp_path)
    finder.chores(adopt=True)
    items = finder.read()
    finder.reader.settle(items)
    finder.chores()
    assert finder.adopted == len(items)
    assert finder.reader.unread == 0
    assert not os.path.exists(path)
    return names(items)


BLANK = b" " * 60 + b"\n"
DAMAGED = {
    "whole": (A + B, ["a", "b"]),
    "empty": (b"", []),
    "zeros": (bytes(4096), []),
    "zeros behind": (A + bytes(4096), ["a"]),
    "zeros in front": (bytes(4096) + A, ["a"]),
    "zeros between": (A + bytes(100) + B + bytes(100) + C, ["a", "b", "c"]),
    "blank": (BLANK * 3, []),
    "blank lines between": (BLANK + A + BLANK + BLANK + B + BLANK, ["a", "b"]),
    "blank and zeros": (BLANK + bytes(100) + BLANK + A + BLANK + bytes(100), ["a"]),
    "cut amid the last": (A + B[:-20], ["a", "torn"]),
    "cut after one byte": (A + B[:1], ["a", "torn"]),
    "cut before the newline": (A + B[:-1], ["a", "b"]),
    "cut amid a blank line": (A + BLANK[:20], ["a"]),
    "torn last, zeros behind": (A + B[:50] + bytes(4096), ["a", "torn"]),
    "torn in the middle": (A + B[:50] + bytes(len(B) - 50) + C, ["a", "c"]),
    "zeros within a line": (A + B[:50] + bytes(20) + B[70:] + C, ["a", "torn", "c"]),
    "a page of zeros": (A + B[:10] + bytes(4096) + C[-20:] + C, ["a", "torn", "c"]),
    "only a newline": (b"\n", []),
    "a log file": (b"GET / 200\nGET /a 404\n" + A, ["torn", "torn", "a"]),
    "binary": (A + b"\xff\xfe\x01\n" + B, ["a", "torn", "b"]),
    "CRLF": (A[:-1] + b"\r\n" + B, ["a", "b"]),
    "others' JSON": (b'{"a": 1}\n' + A + b"[]\nnull\n", ["torn", "a", "torn", "torn"]),
}


@pytest.mark.parametrize("case", DAMAGED)
def test_damage(tmp_path, case):
    """Of a damaged file every whole line is given, and what can't be read is counted; the file goes in the end."""
    data, expected = DAMAGED[case]
    assert adopted(tmp_path, data) == expected


@given(st.lists(st.sampled_from([A, B, C, BLANK, bytes(30), b"\n", A[:40], b"x\n", b"\xff"]), max_size=12))
def test_any_damage(tmp_path_factory, parts):
    """However whole lines, blanks, zeros and rubbish are strung, whole lines that nothing precedes are found."""
    data = b"".join(parts)
    found = adopted(tmp_path_factory.mktemp("spool"), data)
    pieces = [piece.rpartition(b"\0")[2] + b"\n" for piece in data.split(b"\n")[:-1]]
    assert [name for name in found if name != "torn"] == names(map(read_line, filter((A, B, C).__contains__, pieces)))


def test_reading_takes_no_time_for_zeros(tmp_path):
    """A file of four million zeros is searched, not walked through."""
    assert adopted(tmp_path, bytes(4 * 1024 * 1024) + A) == ["a"]


@pytest.mark.skipif(shutil.which("jq") is None, reason="there is no jq here")
def test_jq_itself(tmp_path):
    """jq reads a closed segment."""
    segment = a_segment(tmp_path)
    segment.seal()
    segment.cut()
    out = subprocess.run(["jq", "-r", ".message.event", segment.path], capture_output=True, text=True, check=True)
    assert out.stdout == "first\n"


def test_repr(tmp_path):
    """A segment shows where it is and how far it is."""
    segment = a_segment(tmp_path)
    assert isinstance(segment, Segment)
    assert repr(segment) == f"<Segment {segment.path} own, 1 unread, 0 unsettled>"
