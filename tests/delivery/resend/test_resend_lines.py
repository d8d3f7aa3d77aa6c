"""Lines of a file with the stretches they take up, and what of these is done."""

from __future__ import annotations

import io
import itertools
import json
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robotmia_logging.delivery.resend import lines as module
from robotmia_logging.delivery.resend.lines import Done, GivenLines, Stretch, file_lines
from robotmia_logging.messages import Message, Refusal, message_line
from tests.delivery.fakes import event

NOW = 1_800_000_000


def test_blank_lines_belong_to_the_line_behind_them():
    """Each line comes with its number and its stretch, blank ones in front included; blank ones never come."""
    file = io.BytesIO(b"\n   \na\n\0\0\r\nb\nc\n\n")
    found = list(file_lines(file))
    assert [(line.number, line.stretch, line.text) for line in found] == [
        (3, (0, 7), b"a\n"),
        (5, (7, 13), b"b\n"),
        (6, (13, 15), b"c\n"),
    ]


def test_a_last_line_needs_no_newline():
    """The end of the file ends a line, too."""
    assert [(line.stretch, line.text) for line in file_lines(io.BytesIO(b"a\nb"))] == [((0, 2), b"a\n"), ((2, 3), b"b")]


def test_reading_may_begin_amid_a_file():
    """Begun behind lines that were read before, lines have the places and numbers that they have from the start."""
    file = io.BytesIO(b"a\n\nb\nc\n")
    file.seek(3)
    found = [(line.number, line.stretch, line.text) for line in file_lines(file, start=3, number=2)]
    assert found == [(3, (3, 5), b"b\n"), (4, (5, 7), b"c\n")]


def test_of_a_line_longer_than_any_message_only_the_beginning_is_read(monkeypatch):
    """A line past all bounds, a file without line ends perhaps, is one line, and its rest isn't kept in memory."""
    monkeypatch.setattr(module, "MAX_LINE_BYTES", 1000)
    long = b"x" * 20_000_000
    file = io.BytesIO(b"a\n" + long + b"\nb\n" + long)
    tracemalloc.start()
    found = [(line.number, line.stretch, len(line.text)) for line in file_lines(file)]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    end = 2 + len(long) + 1
    assert found == [
        (1, (0, 2), 2),
        (2, (2, end), 1001),
        (3, (end, end + 2), 2),
        (4, (end + 2, end + 2 + len(long)), 1001),
    ]
    assert peak < 5_000_000


def test_stretches_that_touch_become_one():
    """However many lines are done, what is remembered is the gaps between them."""
    done = Done()
    for start in (*range(0, 5000, 10), *range(5010, 10_000, 10)):
        done.add(start, start + 10)
    assert done.stretches() == [(0, 5000), (5010, 10_000)]
    done.add(5000, 5010)
    assert done.stretches() == [(0, 10_000)]
    assert repr(done) == "<Done [Stretch(start=0, end=10000)]>"


stretches = st.tuples(st.integers(0, 60), st.integers(1, 20)).map(lambda found: (found[0], sum(found)))


@given(st.lists(stretches, max_size=30), st.lists(stretches, max_size=10), st.integers(0, 40))
def test_stretches_may_lie_in_any_way(added, asked, most):
    """Whether stretches are nested, overlap, touch or come twice: done is what they hold together."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_MOST_ADDED", most)
        done, numbers = Done(), set()
        for start, end in added:
            done.add(start, end)
            numbers.update(range(start, end))
            assert all(done.holds(Stretch(*each)) == numbers.issuperset(range(*each)) for each in asked)
        found = done.stretches()
        assert {n for stretch in found for n in range(*stretch)} == numbers
        assert all(one.end < other.start for one, other in itertools.pairwise(found))
        assert bool(done) == bool(added)


@given(st.permutations(range(12)), st.integers(0, 12))
def test_what_is_done_is_passed_over_in_whatever_order_it_was(order, count):
    """Of any lines done in any order, exactly the others come, with their numbers, and the passed ones are counted."""
    text = b"".join(b"%s%d\n" % (b"\n" * (n % 3), n) for n in range(12))
    every = list(file_lines(io.BytesIO(text)))
    done = Done()
    for n in order[:count]:
        done.add(*every[n].stretch)
    lines = GivenLines(io.BytesIO(text), NOW, done)
    assert list(lines.raw()) == [every[n] for n in range(12) if n not in order[:count]]
    assert lines.earlier == count
    assert lines.passed_bytes == sum(every[n].stretch.end - every[n].stretch.start for n in order[:count])


@pytest.mark.parametrize(("is_numbered", "words"), [(True, "line 2: no JSON"), (False, "no JSON")])
def test_an_item_knows_its_place(is_numbered, words):
    """Messages and refused lines carry their stretch; the account of a refused one says which line it is, if asked."""
    line = message_line(event("E"))
    message, refusal = GivenLines(io.BytesIO(line + b"hello\n"), NOW, is_numbered=is_numbered)
    assert isinstance(message, Message)
    assert isinstance(refusal, Refusal)
    assert message.place == Stretch(0, len(line))
    assert refusal.place == Stretch(len(line), len(line) + 6)
    assert refusal.error.startswith(words)
    assert json.loads(message.body)["event"] == "E"
