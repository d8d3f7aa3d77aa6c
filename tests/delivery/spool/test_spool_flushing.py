"""A delivery with a spool: what a flush waits for, what a crash leaves, and the account of every message."""

from __future__ import annotations

import json
import os
import shutil
import tempfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from robotmia_logging.delivery import Outcome, Verdict
from robotmia_logging.delivery.spool.spool import ADOPT_S
from robotmia_logging.messages import TRACK, Refusal
from tests.delivery.fakes import DOWN, OK, REFUSED, FakeTransport, adds_up, alias, event, update
from tests.delivery.spool.spools import crash, left_on_disk, spooled

HALF_LOST = Outcome(verdict=Verdict.FAILED, error="the reply was lost", ambiguous=True)


def turn(delivery, transport):
    """What the lead does once: send what is due now, and say how long it would sleep."""
    while True:
        batch, nap, _more = delivery._sending.take(lead=True)
        delivery.tidy()
        if batch is not None:
            delivery._sending.deliver(batch, transport)
        elif not delivery._sending.wants_attention():
            return delivery._sending.wait_s(nap)


def live(delivery, transport, time, seconds):
    """Let the lead go on for so long."""
    end = time.now + seconds
    while (nap := turn(delivery, transport)) <= end - time.now:
        time.sleep(nap)
    time.now = end


def left_by_a_dead_process(folder, *names, **options):
    """What a process whose server was down leaves when it is killed."""
    delivery, _ = spooled(FakeTransport(otherwise=DOWN), folder, **options)
    for name in names:
        delivery.put(event(name))
    assert delivery.flush(5) is False
    crash(delivery)


# --- what was left


def test_flush_delivers_what_a_dead_process_left(tmp_path):
    """A flush finds what is left in the folder, delivers it in order, and says True when all of it has its outcome."""
    left_by_a_dead_process(tmp_path, *"abc")
    transport = FakeTransport()
    delivery, _ = spooled(transport, tmp_path)
    assert delivery.flush() is True
    assert transport.names == ["a", "b", "c"]
    stats = delivery.stats()
    assert (stats.accepted, stats.delivered, stats.pending) == (3, 3, 0)  # they count for the adopter
    assert os.listdir(tmp_path) == []


def test_flush_says_false_while_what_was_left_waits(tmp_path):
    """Adopted messages count as pending, and a flush that couldn't deliver them says so."""
    left_by_a_dead_process(tmp_path, *"abc")
    delivery, _ = spooled(FakeTransport(otherwise=DOWN), tmp_path)
    assert delivery.flush(5) is False
    assert delivery.stats().pending == 3
    assert delivery.at_risk == 0
    assert adds_up(delivery)


def test_flush_delivers_the_leavings_of_many_processes(tmp_path):
    """More dead processes than are taken at a time: one flush delivers all, the oldest process's first."""
    for n in range(11):
        left_by_a_dead_process(tmp_path, f"{n:02} a", f"{n:02} b")
    transport = FakeTransport()
    delivery, _ = spooled(transport, tmp_path)
    delivery.put(event("mine"))
    assert delivery.flush() is True
    assert sorted(transport.names) == sorted(["mine", *(f"{n:02} {x}" for n in range(11) for x in "ab")])
    assert [name for name in transport.names if name != "mine"] == [f"{n:02} {x}" for n in range(11) for x in "ab"]
    assert delivery.stats().accepted == 23
    assert adds_up(delivery)
    delivery.close()
    assert os.listdir(tmp_path) == []


def test_flush_delivers_what_a_sender_finds_meanwhile(tmp_path):
    """A sender's own chores take over more dead processes' messages amid a flush: it waits for those, too."""
    for n in range(11):
        left_by_a_dead_process(tmp_path, *(f"{n:02}-{k:02}" for k in range(60)))
    delivery, time = spooled(FakeTransport(), tmp_path)

    def looking_after_files(_parcel):
        time.now += 20.0
        delivery.tidy()
        return OK

    transport = delivery._sending.make_transport()
    transport.otherwise = looking_after_files
    assert delivery.flush() is True
    assert sorted(transport.names) == [f"{n:02}-{k:02}" for n in range(11) for k in range(60)]
    assert delivery.pending == 0
    delivery.close()
    assert os.listdir(tmp_path) == []


def test_a_first_message_brings_what_was_left(tmp_path):
    """No flush is needed: the first message of a process has its spool looked through."""
    left_by_a_dead_process(tmp_path, *"abc")
    transport = FakeTransport()
    delivery, time = spooled(transport, tmp_path, flush_interval=2.0)
    delivery.put(event("mine"))
    live(delivery, transport, time, 2.0)
    assert sorted(transport.names) == ["a", "b", "c", "mine"]
    assert adds_up(delivery)


def test_a_process_with_nothing_to_do_looks_from_time_to_time(tmp_path):
    """What is left while a process idles is sent within the time between two looks, and no second one is waited for."""
    transport = FakeTransport()
    delivery, time = spooled(transport, tmp_path, flush_interval=2.0)
    delivery.put(event("mine"))
    assert delivery.flush()
    left_by_a_dead_process(tmp_path, *"abc")
    live(delivery, transport, time, ADOPT_S + 2.0)
    assert transport.names == ["mine", "a", "b", "c"]


def test_a_flush_with_nothing_left_is_quick(tmp_path):
    """A flush of an empty spool neither sleeps nor sends nor makes a folder."""
    transport = FakeTransport()
    delivery, time = spooled(transport, tmp_path / "spool")
    assert delivery.flush() is True
    assert (time.naps, transport.parcels, os.listdir(tmp_path)) == ([], [], [])


# --- more than fits into memory


def test_flush_waits_for_what_is_still_on_disk(tmp_path):
    """Messages that aren't in memory yet are waited for, and leave in order."""
    transport = FakeTransport(otherwise=DOWN)
    delivery, _ = spooled(transport, tmp_path, max_pending=8)
    for n in range(100):
        delivery.put(event(f"e{n}"))
    assert delivery.flush(5) is False
    assert delivery.stats().pending == 100
    transport.otherwise = OK
    assert delivery.flush() is True
    assert transport.names == [f"e{n}" for n in range(100)]
    assert delivery.stats().delivered == 100


def test_flush_waits_only_for_what_was_logged_before(tmp_path):
    """What comes while a flush reads on from disk isn't waited for; it is delivered by the next."""
    transport = FakeTransport(otherwise=DOWN)
    delivery, _ = spooled(transport, tmp_path, max_pending=8, capacity=2)
    for n in range(40):
        delivery.put(event(f"e{n}"))

    def another(_parcel):
        for _ in range(3):
            delivery.put(event("later"))
        return OK

    transport.otherwise = another
    assert delivery.flush() is True
    assert [name for name in transport.names if name != "later"] == [f"e{n}" for n in range(40)]
    assert delivery.stats().pending > 0
    transport.otherwise = OK
    assert delivery.flush() is True
    assert delivery.stats().pending == 0
    assert adds_up(delivery)


def test_flush_waits_for_disk_and_memory_and_what_was_left(tmp_path):
    """Whatever way messages wait, one True speaks for all of them."""
    left_by_a_dead_process(tmp_path / "spool", *(f"left {n}" for n in range(30)))
    transport = FakeTransport(otherwise=DOWN)
    delivery, time = spooled(transport, tmp_path / "spool", max_pending=60)
    for n in range(40):
        delivery.put(event(f"e{n}"))
    os.rename(tmp_path / "spool", tmp_path / "away")
    (tmp_path / "spool").touch()
    delivery._keeper._spool.writer.end_chain()  # as when a segment is full
    for n in range(40, 60):
        delivery.put(event(f"e{n}"))
    assert delivery.at_risk == 20
    os.unlink(tmp_path / "spool")
    os.rename(tmp_path / "away", tmp_path / "spool")
    time.sleep(2)
    delivery.tidy()
    for n in range(60, 80):
        delivery.put(event(f"e{n}"))
    assert delivery.at_risk == 20
    transport.otherwise = OK
    assert delivery.flush() is True
    mine = [name for name in transport.names if name.startswith("e")]
    assert mine == [f"e{n}" for n in range(80)]
    assert [name for name in transport.names if name not in mine] == [f"left {n}" for n in range(30)]
    assert adds_up(delivery)


# --- what is acknowledged


@pytest.mark.parametrize("failure", [DOWN, HALF_LOST])
def test_a_failed_delivery_acknowledges_nothing(tmp_path, failure):
    """What the server didn't say it took is on disk, whole, however often it was tried."""
    delivery, _ = spooled(FakeTransport(otherwise=failure), tmp_path)
    for name in "abc":
        delivery.put(event(name))
    assert delivery.flush(100) is False
    assert left_on_disk(tmp_path) == ["a", "b", "c"]


def test_only_what_was_delivered_is_acknowledged(tmp_path):
    """A refused batch is halved; the halves that got through are taken off the disk, the others aren't."""
    letters = tmp_path / "letters.jsonl"
    transport = FakeTransport(REFUSED, OK, DOWN, otherwise=DOWN)
    delivery, _ = spooled(transport, tmp_path / "spool", dead_letters=letters)
    for name in "abcd":
        delivery.put(event(name))
    assert delivery.flush(0.1) is False
    assert transport.names == ["a", "b"]
    assert left_on_disk(tmp_path / "spool") == ["c", "d"]
    crash(delivery)
    transport = FakeTransport(REFUSED, REFUSED, OK)
    delivery, _ = spooled(transport, tmp_path / "spool", dead_letters=letters)
    assert delivery.flush()
    assert transport.names == ["d"]
    assert [json.loads(line)["message"]["event"] for line in letters.read_text().splitlines()] == ["c"]
    assert delivery.stats().dead_lettered == {"refused": 1}
    assert os.listdir(tmp_path / "spool") == []


def test_a_dead_letter_that_was_spooled_is_written_by_the_next(tmp_path):
    """A process killed before its dead letter was written leaves it in the spool, reason and all."""
    letters = tmp_path / "folder" / "letters.jsonl"
    delivery, _ = spooled(FakeTransport(), tmp_path / "spool", dead_letters=letters)
    delivery.account(Refusal("no_token", "an event needs a token", TRACK, {"a": 1}))
    assert delivery.stats().dead_lettered == {"no_token": 1}
    delivery.flush(1)
    crash(delivery)
    letters.parent.mkdir()
    delivery, _ = spooled(FakeTransport(), tmp_path / "spool", dead_letters=letters)
    assert delivery.flush()
    [letter] = map(json.loads, letters.read_text().splitlines())
    assert (letter["reason"], letter["error"], letter["message"]) == ("no_token", "an event needs a token", {"a": 1})
    assert delivery.stats().dead_lettered == {"no_token": 1}
    assert adds_up(delivery)
    assert os.listdir(tmp_path / "spool") == []


def test_letters_that_cannot_be_written_hold_up_no_other_process(tmp_path):
    """With nowhere to put dead letters, what other dead processes left is delivered all the same."""
    nowhere = tmp_path / "no" / "letters.jsonl"
    for n in range(5):
        left_by_a_dead_process(tmp_path / "spool", f"bad {n}")
    left_by_a_dead_process(tmp_path / "spool", "good")

    def choosy(parcel):
        return REFUSED if any(b"bad" in body for body in parcel.bodies) else OK

    transport = FakeTransport(otherwise=choosy)
    delivery, _ = spooled(transport, tmp_path / "spool", dead_letters=nowhere)
    assert delivery.flush() is True
    assert delivery.stats().dead_lettered == {"refused": 5}
    assert transport.names == ["good"]
    assert sorted(left_on_disk(tmp_path / "spool")) == [f"bad {n}" for n in range(5)]


# --- the account, whatever happens


def test_a_log_call_that_is_broken_off_is_accounted_for(tmp_path):
    """A handler raises between disk and inbox: the message is sent, and counts as accepted, once."""
    transport = FakeTransport(otherwise=DOWN)
    delivery, _ = spooled(transport, tmp_path, max_pending=4)
    put = [event(name) for name in "abcdef"]
    for message in put[:2]:
        delivery.put(message)
    delivery._keeper.keep(put[2])
    for message in put[3:]:
        delivery.put(message)
        assert adds_up(delivery)
    assert delivery.stats().accepted == 5
    transport.otherwise = OK
    assert delivery.flush()
    assert transport.names == list("abcdef")
    assert delivery.stats().accepted == delivery.stats().delivered == 6
    delivery.close()
    assert os.listdir(tmp_path) == []


def looking(delivery, checks, outcome):
    """A transport's answer that looks at the account first."""

    def answer(_parcel):
        checks.append(adds_up(delivery))
        return outcome

    return answer


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from(["event", "update", "alias"])), max_size=40),
    st.lists(st.sampled_from([OK, OK, DOWN, REFUSED, HALF_LOST]), max_size=25),
    st.integers(1, 7),
    st.sampled_from([2, 5, 30]),
    st.booleans(),
)
def test_each_message_is_accounted_for_over_two_lives(logged, outcomes, capacity, max_pending, close):
    """Any outcomes, a kill, another process: each message is delivered once or a dead letter; each account adds up."""
    root = tempfile.mkdtemp()
    try:
        bodies, ends = [], []
        for life in range(2):
            transport = FakeTransport()
            delivery, _ = spooled(transport, root, capacity=capacity, max_pending=max_pending)
            checks = []
            transport.script = [looking(delivery, checks, outcome) for outcome in outcomes]
            transport.otherwise = looking(delivery, checks, OK if life else DOWN)
            for n, (user, kind) in enumerate(logged):
                message = made(kind, user, f"{life} {n}")
                bodies.append(message.body)
                delivery.put(message)
                assert adds_up(delivery)
            assert delivery.flush(1e6 if life else 20) is (delivery.pending == 0)
            assert all(checks)
            assert adds_up(delivery)
            ends.append((transport, delivery.stats()))
            if life or close:
                delivery.close(0)
            crash(delivery)
        (first, before), (last, after) = ends
        assert after.accepted == len(logged) + before.pending
        assert after.pending == 0
        delivered = [json.dumps(message) for transport in (first, last) for _path, message in transport.delivered]
        assert len(set(delivered)) == len(delivered)
        letters = sum(before.dead_lettered.values()) + sum(after.dead_lettered.values())
        assert len(delivered) + letters == len(bodies)
        assert not before.dropped
        assert not after.dropped
        assert os.listdir(root) == []
    finally:
        shutil.rmtree(root)


def made(kind, user, mark):
    if kind == "event":
        return event(mark, user)
    if kind == "update":
        return update(user, set={"mark": mark})
    return alias(user, mark)
