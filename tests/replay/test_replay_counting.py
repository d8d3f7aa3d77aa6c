"""Counting in bounded memory: users, rows of the summary, reasons; and the parts of a line's place."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robotmia_logging.delivery.resend import Stretch
from robotmia_logging.messages import OPERATIONS, Refusal
from robotmia_logging.replay.account import LineCounts
from robotmia_logging.replay.places import PARTS, place_of, split
from robotmia_logging.replay.summary import OTHERS, Summary
from robotmia_logging.replay.users import Users
from tests.delivery.fakes import event, update


def users(count):
    counted = Users()
    for turn in range(2):
        for n in range(count):
            counted.add(f"user {n}")
    return counted


@pytest.mark.parametrize("count", [0, 1, 1000, 1024])
def test_few_users_are_counted_exactly(count):
    """Up to 1,024 users are counted as they are, however often each comes."""
    assert (users(count).count, users(count).is_exact) == (count, True)


@pytest.mark.parametrize("count", [1025, 5_000, 100_000])
def test_many_users_are_estimated(count):
    """More of them are estimated, in bounded memory."""
    counted = users(count)
    assert not counted.is_exact
    assert counted.count == pytest.approx(count, rel=0.2)  # six standard deviations
    assert len(counted._smallest) <= 2048


def test_a_row_for_each_event_and_rule():
    """Messages are counted by name and rule, with their users and times, the most frequent first."""
    summary = Summary()
    for n in range(3):
        summary.add(event("A", f"u{n % 2}", age=n), "rules[0]")
    summary.add(event("A", None), None)
    summary.add(update("u", add={"n": 1}), "rules[0]")
    first, *others = summary.rows()
    assert (first.name, first.rule, first.count, first.users.count, first.last - first.first) == (
        "A",
        "rules[0]",
        3,
        2,
        2,
    )
    assert [(row.name, row.rule, row.count, row.users.count) for row in others] == [
        ("$add", "rules[0]", 1, 1),
        ("A", None, 1, 0),
    ]


def test_names_without_end_take_bounded_memory():
    """Beyond 500 names all others share a row, and so do reasons."""
    summary, lines = Summary(), LineCounts()
    for n in range(700):
        summary.add(event(f"E{n}"), None)
        lines.cannot_read(f"no {n}")
    assert len(summary.rows()) == 501
    assert (summary.rows()[0].name, summary.rows()[0].count) == (OTHERS, 200)
    assert len(lines.unreadable) == 51
    assert sum(lines.unreadable.values()) == 700


def test_what_is_no_message_is_counted_by_reason():
    """Messages that would be refused, and those kept back, are no events."""
    summary = Summary()
    summary.add(Refusal("no_distinct_id", "", "engage"), "rules[0]")
    summary.add(Refusal("sampled", "", "track", dropped=True), "rules[0]")
    assert (summary.rows(), summary.refused, summary.dropped) == ([], {"no_distinct_id": 1}, {"sampled": 1})


@given(st.integers(0, 10**12), st.integers(1, 10**7), st.integers(1, len(OPERATIONS) + 3))
def test_a_line_has_room_for_all_its_messages(start, size, count):
    """However short a line, each of its messages has a part of its place, and together they are all of it."""
    place = place_of(Stretch(start, start + size))
    parts = split(place, count)
    assert len(parts) == count
    assert all(part.start < part.end for part in parts)
    assert [parts[0].start, *(part.end for part in parts)] == [*(part.start for part in parts), place.end]
    assert (place.start, place.end) == (start * PARTS, (start + size) * PARTS)
