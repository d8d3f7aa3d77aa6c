"""The reader: gives each item once, in order, from disk or from memory, and knows what is still to come."""

from __future__ import annotations

import os
import shutil

import pytest

from robotmia_logging.delivery.spool.link import Arrival, Held
from robotmia_logging.delivery.spool.reader import LOST
from tests.delivery.fakes import event
from tests.delivery.spool.spools import GIB, Hands, left_on_disk, names, segments


def no_disk(hands):
    """Segments can't be made any more; ends with the segment that is being written."""
    hands.spool.writer.end_chain()
    hands.spool.writer._folder = __file__


def disk_again(hands, folder):
    hands.spool.writer._folder = str(folder)
    hands.chores()


# --- from the disk


def test_while_the_reader_is_up_to_date_nothing_is_read_from_disk(tmp_path):
    """What arrives in order, and finds room, is handled at once."""
    hands = Hands(tmp_path)
    messages = [hands.keep(event(name)) for name in "abc"]
    assert [hands.tell(message, has_room=True) for message in messages] == [Arrival.NOW] * 3
    assert hands.reader.unread == 0
    assert hands.read() == []


def test_what_finds_no_room_is_read_later(tmp_path):
    """Without room all stays on disk, and so does what comes behind, though there is room again."""
    hands = Hands(tmp_path)
    a, b, c = (hands.keep(event(name)) for name in "abc")
    assert hands.tell(a) is Arrival.LATER
    assert hands.tell(b, has_room=True) is Arrival.LATER
    assert hands.reader.unread == 2
    assert names(hands.read(1)) == ["a"]
    assert hands.tell(c, has_room=True) is Arrival.LATER
    assert names(hands.read()) == ["b", "c"]
    assert hands.reader.unread == 0


def test_in_order_over_many_segments(tmp_path):
    """Segments follow each other without a seam."""
    hands = Hands(tmp_path, segment_bytes=1024)
    logged = [f"e{n}" for n in range(100)]
    hands.log(*logged, size=50)
    assert len(segments(tmp_path)) > 10
    assert names(hands.read()) == logged


def test_few_segments_are_in_memory(tmp_path):
    """In a long outage what is to be read later isn't mapped."""
    hands = Hands(tmp_path, segment_bytes=1024)
    hands.log(*[f"e{n}" for n in range(100)], size=300)
    hands.chores()
    assert sum(segment.is_mapped for chain in hands.spool.writer.chains for segment in chain.segments) <= 3
    assert len(hands.deliver()) == 100
    hands.close()
    assert os.listdir(tmp_path) == []


def test_a_line_read_before_its_writer_tells_of_it_counts_once(tmp_path):
    """Between disk and inbox a writer may be halted: its message is given meanwhile, and not again."""
    hands = Hands(tmp_path)
    late = hands.keep(event("late"))
    hands.log("b")
    assert names(hands.read()) == ["late", "b"]
    assert hands.tell(late, has_room=True) is Arrival.READ
    assert hands.accepted == 2
    assert hands.reader.unread == 0
    assert hands.read() == []


def test_told_out_of_order(tmp_path):
    """Threads tell in another order than they wrote: all come, in the order on disk."""
    hands = Hands(tmp_path)
    messages = [hands.keep(event(name)) for name in "abcdef"]
    for index in (3, 1, 5, 0, 4, 2):
        assert hands.tell(messages[index], has_room=index > 3) is Arrival.LATER
    assert names(hands.read()) == list("abcdef")


def test_a_log_call_that_is_broken_off_holds_up_nobody(tmp_path):
    """A signal handler raises between disk and inbox: the message is sent with the others, which go on."""
    hands = Hands(tmp_path, segment_bytes=1024)
    hands.log("a")
    hands.keep(event("broken off"))
    hands.log(*"bcdefgh", size=200)
    assert hands.deliver() == ["a", "broken off", *"bcdefgh"]
    assert hands.reader.unread == 0
    assert hands.accepted == 9
    hands.close()
    assert os.listdir(tmp_path) == []


def test_a_log_call_that_is_broken_off_at_the_end_of_a_segment_holds_up_nobody(tmp_path):
    """Also one that had taken its place and not written yet, right where a segment ends."""
    hands = Hands(tmp_path, segment_bytes=1024)
    hands.log("a", has_room=True)
    last = hands.spool.writer.last
    last._cursor.seek(200, 1)
    hands.log(*"bcdefgh", size=500)
    assert hands.spool.writer.last is not last
    assert hands.read(0) == []
    assert hands.deliver() == [*"bcdefgh"]


def test_after_a_broken_off_call_the_numbers_are_right(tmp_path):
    """One line nobody told of doesn't hide later ones: they count as unread until they are read."""
    hands = Hands(tmp_path)
    hands.keep(event("broken off"))
    hands.log("b")
    assert hands.deliver() == ["broken off", "b"]
    hands.log("c")
    assert hands.reader.unread == 1
    hands.log("d")
    assert hands.reader.unread == 2
    assert hands.deliver() == ["c", "d"]


def test_our_own_come_before_what_was_found(tmp_path):
    """What is logged now isn't held up by what a dead process left."""
    owner = Hands(tmp_path)
    owner.log("old")
    owner.crash()
    hands = Hands(tmp_path)
    hands.log("new")
    hands.chores(adopt=True)
    hands.log("newer")
    assert names(hands.read()) == ["new", "newer", "old"]


# --- files that go away


def outage(tmp_path):
    """Six messages on disk that nobody has read, each in a segment of its own."""
    hands = Hands(tmp_path, segment_bytes=1024)
    hands.log(*"abcdef", size=400)
    files = segments(tmp_path)
    hands.chores()
    assert [len(left_on_disk(tmp_path)), len(files)] == [6, 6]
    return hands, files


def empty(path):
    os.truncate(path, 0)


def shorten(path):
    os.truncate(path, 100)


@pytest.mark.parametrize("harm", [os.unlink, empty])
def test_a_segment_that_is_gone_is_counted_as_lost(tmp_path, harm):
    """A sealed, unread segment that somebody deletes or empties is dropped and counted; the rest comes."""
    hands, files = outage(tmp_path)
    harm(files[2])
    assert names(hands.read()) == list("abdef")
    assert [(reason, count) for reason, count, _ in hands.lost] == [(LOST, 1)]
    assert files[2] in hands.lost[0][2]
    assert hands.reader.unread == 0


@pytest.mark.parametrize("harm", [os.unlink, empty, shorten])
def test_an_adopted_segment_that_is_gone_is_counted_as_lost(tmp_path, harm):
    """Also between the counting and the reading of what a dead process left."""
    owner, files = outage(tmp_path)
    owner.crash()
    hands = Hands(tmp_path)
    assert hands.chores(adopt=True) == 6
    harm(files[2])
    found = hands.read()
    assert names(found) == (list("abdef") if harm is not shorten else ["a", "b", "torn", "d", "e", "f"])
    assert sum(count for _, count, _ in hands.lost) == 6 - len(found)
    assert hands.reader.unread == 0
    hands.reader.settle(found)
    hands.chores()
    assert os.listdir(tmp_path) == []


def test_the_whole_folder_is_removed_while_messages_wait(tmp_path):
    """What can't be read any more is counted, what is in memory comes, and logging goes on in a new folder."""
    hands, _ = outage(tmp_path)
    shutil.rmtree(tmp_path)
    hands.chores()
    [message] = hands.log("g")
    assert message.place.link.is_durable
    assert left_on_disk(tmp_path) == ["g"]
    came = names(hands.read())
    assert came[-1] == "g"
    assert len(came) + sum(count for _, count, _ in hands.lost) == 7
    assert any("were deleted" in cause for cause, _ in hands.notes)


def test_the_segment_being_written_is_deleted(tmp_path):
    """What was written to it is given all the same, and within a second a new file is begun."""
    hands = Hands(tmp_path)
    hands.log("a")
    [path] = segments(tmp_path)
    os.unlink(path)
    hands.log("b")
    hands.chores()
    hands.log("c")
    assert left_on_disk(tmp_path) == ["c"]
    assert names(hands.read()) == ["a", "b", "c"]
    assert [cause for cause, _ in hands.notes] == ["files of the spool were deleted ({count} times)"]


# --- in memory, where the disk takes nothing


def test_order_from_disk_to_memory_to_disk(tmp_path):
    """What is kept in memory for want of a disk keeps its place among what is on disk before and after."""
    hands = Hands(tmp_path / "spool", segment_bytes=1024)
    expected = []
    for n in range(4):
        expected += [f"disk {n}", f"disk {n} b", f"memory {n}", f"memory {n} b"]
        hands.log(f"disk {n}", f"disk {n} b", size=600)
        no_disk(hands)
        held = hands.log(f"memory {n}", f"memory {n} b")
        assert not any(message.place.link.is_durable for message in held)
        disk_again(hands, tmp_path / "spool")
    assert hands.reader.unread == 16
    assert hands.reader.in_memory == hands.reader.queued == 8
    assert hands.deliver() == expected
    assert (hands.reader.unread, hands.reader.in_memory) == (0, 0)
    assert (hands.reader.queued, hands.reader.queued_bytes) == (0, 0)
    hands.close()
    assert os.listdir(tmp_path / "spool") == []


def test_memory_is_left_as_soon_as_the_disk_takes_lines(tmp_path):
    """Also with a bound smaller than the first segment otherwise is."""
    hands = Hands(tmp_path, 64 * 1024)
    no_disk(hands)
    assert not hands.log("a")[0].place.link.is_durable
    assert hands.spool.is_on_disk is False
    disk_again(hands, tmp_path)
    assert hands.log("b")[0].place.link.is_durable
    assert hands.spool.is_on_disk is True
    assert hands.deliver() == ["a", "b"]


def test_a_writer_still_amid_memory_when_the_disk_is_back(tmp_path):
    """A message kept in memory and told of when the reader is past is handled at once."""
    hands = Hands(tmp_path)
    no_disk(hands)
    late = hands.keep(event("late"))
    disk_again(hands, tmp_path)
    hands.log("b")
    assert names(hands.read()) == ["b"]
    assert hands.tell(late) is Arrival.NOW


@pytest.mark.parametrize(("newest", "left"), [(False, "defg"), (True, "abcd")])
def test_shedding(tmp_path, newest, left):
    """The oldest or the newest of what is in memory gives way, whatever lies on disk between."""
    hands = Hands(tmp_path)
    no_disk(hands)
    hands.log(*"abc")
    disk_again(hands, tmp_path)
    hands.log("d")
    no_disk(hands)
    hands.log(*"efg")
    for _ in range(3):
        hands.reader.shed(newest=newest)
    assert hands.reader.queued == 3
    assert names(hands.read()) == list(left)
    assert hands.reader.in_memory == 3


# --- who waits


def test_a_mark_is_past_when_all_up_to_it_was_read(tmp_path):
    """What came later doesn't count."""
    hands = Hands(tmp_path, segment_bytes=1024)
    hands.log(*"abcd", size=300)
    mark = hands.reader.mark()
    hands.log(*"efgh", size=300)
    for _ in range(4):
        assert not hands.reader.is_past(mark)
        hands.read(1)
    assert hands.reader.is_past(mark)


def test_a_mark_waits_for_what_was_adopted(tmp_path):
    """Also what a dead process left is waited for, though our own is read first."""
    owner = Hands(tmp_path, segment_bytes=1024)
    owner.log(*"abcd", size=600)
    owner.crash()
    hands = Hands(tmp_path)
    hands.chores(adopt=True)
    hands.log("x")
    mark = hands.reader.mark()
    assert names(hands.read(4)) == ["x", "a", "b", "c"]
    assert not hands.reader.is_past(mark)
    hands.read(2)
    assert hands.reader.is_past(mark)


def test_a_mark_waits_for_what_is_in_memory(tmp_path):
    """Shedding what came after the mark doesn't make it pass."""
    held = Held()
    messages = [event(name) for name in "abcdef"]
    for message in messages[:3]:
        held.arrived(message, next_up=False)
    tail = held.tail
    for message in messages[3:]:
        held.arrived(message, next_up=False)
    for _ in range(3):
        held.shed(newest=True)
    assert not held.is_past(tail)
    assert len(held.read(3, GIB).items) == 3
    assert held.is_past(tail)


def test_a_mark_does_not_wait_for_a_line_that_is_never_written(tmp_path):
    """A call broken off before its store leaves zeros at the end: all that was told of was read."""
    hands = Hands(tmp_path)
    hands.log("a")
    hands.spool.writer.last._cursor.seek(100, 1)
    mark = hands.reader.mark()
    assert names(hands.read()) == ["a"]
    assert hands.reader.is_past(mark)


# --- giving way


def test_the_oldest_segment_with_nothing_under_way_gives_way(tmp_path):
    """One that has a message under way is spared, and so is the one that is being written."""
    hands = Hands(tmp_path, segment_bytes=1024)
    messages = hands.log(*"abcdef", size=600)
    hands.read(2)  # a and b: a is under way, b waits in memory
    b = messages[1].place.link
    segment = hands.reader.oldest_idle({b: 1})
    assert segment is b
    assert hands.reader.oldest_idle({}) is messages[2].place.link
    assert hands.reader.give_up(messages[2].place.link) == 1
    hands.spool.give_up(messages[2].place.link)
    hands.spool.remove()
    assert names(hands.read()) == ["d", "e", "f"]
    assert hands.reader.oldest_idle({}) is None


def test_what_is_done_is_deleted_in_any_order(tmp_path):
    """A segment goes when its last message has its outcome; the folder goes with the last segment."""
    hands = Hands(tmp_path, segment_bytes=1024)
    hands.log(*"abcdef", size=600)
    items = hands.read()
    left = list("abcdef")
    for index in (4, 1, 0, 3, 2, 5):
        hands.reader.settle([items[index]])
        left.remove("abcdef"[index])
        hands.chores()
        assert left_on_disk(tmp_path) == left
        assert len(segments(tmp_path)) <= len(left) + 2  # one to write to, one prepared
    hands.close()
    assert os.listdir(tmp_path) == []
