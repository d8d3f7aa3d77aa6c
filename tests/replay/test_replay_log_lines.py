"""A log's lines: what becomes of each, in bounded memory, and what is left for another time."""

from __future__ import annotations

import io

import pytest

from robotmia_logging.delivery.resend import Done, Passed
from robotmia_logging.replay import Account, RejectsFile, Span
from robotmia_logging.replay.places import PARTS
from tests.replay.replay_logs import BEGAN, asking, expected, line, lines_of, messages, names

RULES = (
    {"logger": "shop", "message": "muted", "track": False},
    {"logger": "shop", "message": "order placed", "event": "Order Placed", "distinct_id": "{user}"},
)


def replayed(text, **options):
    """What a log gives: its items, and the account."""
    account = Account()
    options.setdefault("rules", RULES)
    lines = lines_of(io.BytesIO(text), options.pop("done", Done()), account=account, **options)
    return list(lines), account, lines


def test_every_line_is_counted_once():
    """A line matches, asks by itself, matches nothing, isn't to be tracked, goes on, or can't be read."""
    text = b"".join(
        [
            line(0),
            asking(1, 3),
            line(2, "noise"),
            line(3, "muted"),
            line(4, track=False),
            b"\n",
            b"  File x, line 1\n",
            b"hello\n",
            b'{"event": "x", "timestamp": "soon"}\n',
        ]
    )
    items, account, _ = replayed(text)
    lines = account.lines
    assert (lines.read, lines.matched, lines.asking, lines.unmatched, lines.muted, lines.continued) == (
        8,
        1,
        1,
        1,
        2,
        1,
    )
    assert len(lines.unreadable) == 2
    assert any("soon" in reason for reason in lines.unreadable)
    assert len(messages(items)) == 4
    assert [(row.name, row.rule) for row in account.summary.rows()] == [
        ("$add", None),
        ("$set", None),
        ("Order Placed", "rules[1]"),
        ("asked", None),
    ]


def test_places_cover_the_log():
    """Each message and each passed line has its place: together they are all of the log, in order."""
    text = b"".join(asking(n, n % 4) for n in range(20))
    items, _, lines = replayed(text)
    places = [item.place for item in items]
    assert [place.start for place in places] == [0, *(place.end for place in places[:-1])]
    assert places[-1].end == len(text) * PARTS
    assert list(map(names, messages(items))) == expected([n % 4 for n in range(20)])
    assert lines.passed_bytes == sum(len(asking(n, 0)) for n in range(0, 20, 4))


def test_a_log_of_any_length_is_read_as_it_is_asked_for():
    """Nothing is read ahead, and what is passed over comes together now and then: memory doesn't grow with the log."""

    class Endless(io.RawIOBase):
        count = 0

        def readline(self, _limit=-1):
            self.count += 1
            return line(self.count, "noise" if self.count % 10_000 else "order placed")

    file = Endless()
    waiting = []
    for item in lines_of(file, Done(), RULES):
        waiting.append(item)
        if not isinstance(item, Passed):
            break
    assert file.count == 10_000
    assert len(waiting) == 21


@pytest.mark.parametrize(("takes_last", "count"), [(True, 2), (False, 1)])
def test_a_last_line_without_its_end(takes_last, count):
    """A line that may be half written is left for another time; when no more will come it counts."""
    items, account, lines = replayed(line(0) + line(1)[:-1], takes_last=lambda: takes_last)
    assert len(messages(items)) == count == account.lines.read
    assert lines.is_last_left is not takes_last


def test_lines_of_another_time_stay_undone():
    """Only lines of the time asked for are replayed; the others, those without a time among them too, stay undone."""
    text = b"".join([line(0), b"  hello\n", line(1), b"  hello\n", line(2), line(3), b"  hello\n"])
    span = Span(since=BEGAN.timestamp() + 1, until=BEGAN.timestamp() + 3)
    items, account, _ = replayed(text, span=span)
    assert (account.lines.matched, account.lines.outside) == (2, 4)
    assert account.lines.continued == 1
    done = Done()
    for item in items:
        done.add(*item.place)
    start = len(line(0) + b"  hello\n")
    assert done.stretches() == [(start * PARTS, (len(text) - len(line(3) + b"  hello\n")) * PARTS)]
    items, account, lines = replayed(text, done=done)
    assert (account.lines.matched, lines.earlier, account.lines.earlier) == (2, 3, 3)


def settled(items, done=None):
    """What is done when these have their outcome."""
    done = done or Done()
    for item in items:
        done.add(*item.place)
    return done


@pytest.mark.parametrize("bad", [b"hello\n", b"hello\n  going on\n"], ids=["alone", "continued"])
def test_what_cannot_be_read_is_looked_at_again(bad):
    """Lines that can't be read, and what goes on with them, stay undone: each run counts them."""
    text = line(0) + bad + line(1)
    items, account, _ = replayed(text)
    assert (len(messages(items)), account.lines.unreadable.total()) == (2, 1)
    done = settled(items)
    start = len(line(0))
    assert done.stretches() == [(0, start * PARTS), ((start + len(bad)) * PARTS, len(text) * PARTS)]
    _, account, lines = replayed(text, done=done)
    assert (account.lines.unreadable.total(), lines.earlier) == (1, 2)


def test_only_so_many_lines_are_looked_at_again(monkeypatch):
    """Unreadable lines one behind another are one gap in what is done, and there are only so many gaps."""
    monkeypatch.setattr("robotmia_logging.replay.log_lines._MOST_GAPS", 3)
    text = b"".join(b"hello\n" * 5 + line(n) for n in range(10))
    items, account, lines = replayed(text)
    assert account.lines.unreadable.total() == 50
    assert lines.has_gaps_closed
    assert len(settled(items).stretches()) == 3
    items, account, lines = replayed(text, done=settled(items))
    assert (account.lines.unreadable.total(), account.lines.earlier, lines.has_gaps_closed) == (15, 45, False)


def test_lines_behind_a_slow_pattern_are_looked_at_again():
    """Once a rule's pattern took too long, a line that nothing matches may be one of its lines: it stays undone."""
    rules = [*RULES, {"logger": "shop", "pattern": "^(a|aa)+$", "event": "A"}]
    slow = line(1, "a" * 60 + "!")
    text = line(0, "noise") + line(1) + slow + line(2, "noise") + line(3)
    account = Account()
    items = list(lines_of(io.BytesIO(text), Done(), rules, account=account))
    assert account.has_slow_pattern
    start = len(line(0, "noise") + line(1))
    end = start + len(slow + line(2, "noise"))
    assert settled(items).stretches() == [(0, start * PARTS), (end * PARTS, len(text) * PARTS)]


def test_what_is_passed_over_reaches_no_further_than_it_goes():
    """Lines that are done part what is passed before them from what is passed behind."""
    text = b"".join(line(n, "noise") for n in range(5))
    size = len(line(0, "noise"))
    done = Done()
    done.add(2 * size * PARTS, 3 * size * PARTS)
    items, _, lines = replayed(text, done=done)
    assert [place for (place,) in items] == [(0, 2 * size * PARTS), (3 * size * PARTS, 5 * size * PARTS)]
    assert lines.passed_bytes == len(text)


def test_what_cannot_be_read_any_more_ends_a_log():
    """A log that can't be read to its end gives what was read before, and says why it ended."""

    class Torn(io.BytesIO):
        def readline(self, *limit):
            text = super().readline(*limit)
            if not text:
                raise OSError("its compressed data ends too early")
            return text

    lines = lines_of(Torn(line(0) + line(1)), Done(), RULES)
    assert len(messages(lines)) == 2
    assert str(lines.error) == "its compressed data ends too early"


def test_rejects_are_written_before_their_lines_count_as_done(tmp_path):
    """When lines are passed over, those of them that are rejected stand in the file already."""
    path = tmp_path / "rejects"
    rejects = RejectsFile(str(path), anew=False)
    text = b"".join([line(0), b"hello\n", line(1, "noise"), line(2, "muted"), line(3), line(4, "noise")])
    written = [
        path.read_bytes().count(b"\n")
        for item in lines_of(io.BytesIO(text), Done(), RULES, rejects=rejects)
        if isinstance(item, Passed)
    ]
    rejects.close()
    assert written == [2, 3]


def test_a_line_past_all_bounds_is_one_that_cannot_be_read(monkeypatch):
    """A line longer than any message isn't looked into."""
    monkeypatch.setattr("robotmia_logging.replay.line_reader.MAX_LINE_BYTES", 1000)
    _, account, _ = replayed(line(0, text="x" * 2000) + line(1))
    assert (account.lines.matched, sum(account.lines.unreadable.values())) == (1, 1)
