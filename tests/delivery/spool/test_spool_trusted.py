"""What befell the most trusted disk buffer of the field, and must not befall this one."""

from __future__ import annotations

import os

from tests.delivery.fakes import REFUSED, FakeTransport, adds_up, event, make
from tests.delivery.spool.spools import Hands, left_on_disk, names


def test_no_drop_escapes_the_counter(tmp_path):
    """Whatever `spool_max_bytes` makes a spool drop is counted: kept and dropped are all that were logged."""
    transport = FakeTransport()
    delivery, _ = make(transport, spool=tmp_path, spool_max_bytes=64 * 1024, overflow="drop_oldest")
    for n in range(2000):
        delivery.put(event(f"e{n}"))
        assert n % 100 or adds_up(delivery)
    assert delivery.flush()
    stats = delivery.stats()
    assert stats.dropped["overflow"] > 0
    assert stats.delivered + stats.dropped["overflow"] == stats.accepted == 2000
    assert transport.names == [f"e{n}" for n in range(2000) if f"e{n}" in set(transport.names)]
    assert transport.names[-1] == "e1999"


def test_no_counter_of_sizes_can_go_wrong_and_stop_the_writer(tmp_path):
    """Files that vanish make the spool smaller than was written, and the writer goes on: sizes are looked up anew."""
    hands = Hands(tmp_path, 256 * 1024)
    for n in range(300):
        hands.log(f"e{n}")
    for folder, _, files in os.walk(tmp_path):
        for file in files:
            if file.endswith(".jsonl"):
                os.unlink(os.path.join(folder, file))
    hands.now += 2
    hands.chores()
    for n in range(300, 400):
        hands.log(f"e{n}")
    assert {f"e{n}" for n in range(300, 400)} <= set(left_on_disk(tmp_path))


def test_a_rejected_delivery_acknowledges_nothing_before_its_letter_is_written(tmp_path):
    """A message that the server refuses stays in the spool until its dead letter is in the file."""
    letters = tmp_path / "letters"
    letters.mkdir()  # no file can be written there
    spool = tmp_path / "spool"
    delivery, _ = make(FakeTransport(otherwise=REFUSED), spool=spool, dead_letters=letters)
    delivery.put(event("bad"))
    delivery.flush()
    assert delivery.stats().dead_lettered == {"refused": 1}
    assert left_on_disk(spool) == ["bad"]
    letters.rmdir()
    delivery.tidy()
    assert left_on_disk(spool) == []
    assert b'"bad"' in letters.read_bytes()


def test_a_writer_that_is_dropped_has_nothing_to_flush(tmp_path):
    """A spool whose owner vanishes without a word, right after a log call, has that call's message."""
    hands = Hands(tmp_path)
    hands.log("a")
    hands.crash()
    finder = Hands(tmp_path)
    finder.chores(adopt=True)
    assert names(finder.read()) == ["a"]


def test_a_restart_gets_over_a_file_that_is_gone(tmp_path):
    """A chain lacking a segment in its midst is adopted, time and again: what is there is delivered, no crash loop."""
    hands = Hands(tmp_path, segment_bytes=16 * 1024)
    for n in range(300):
        hands.log(f"e{n}")
    hands.crash()
    paths = sorted(tmp_path.glob("*/*.jsonl"))
    assert len(paths) > 2
    paths[1].unlink()
    expected = left_on_disk(tmp_path)
    for _ in range(2):
        finder = Hands(tmp_path)
        finder.chores(adopt=True)
        assert names(finder.read()) == expected
        finder.crash()
