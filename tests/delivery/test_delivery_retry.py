"""When to try again, and when to say that something is wrong: tables of numbers, without a clock."""

from __future__ import annotations

import contextlib
import random
import threading
import time
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robotmia_logging.delivery import Clock
from robotmia_logging.delivery.http import retry_after
from robotmia_logging.delivery.report import Reporter
from robotmia_logging.delivery.retry import Gate, backoff_s
from tests.delivery.fakes import no_threads

NEVER = float("-inf")


def gate(random=1.0):
    return Gate(lambda: random)


# --- backoff_s


@pytest.mark.parametrize(
    ("failures", "longest"),
    [
        (1, 0.5),
        (2, 1.0),
        (3, 2.0),
        (4, 4.0),
        (5, 8.0),
        (6, 16.0),
        (7, 32.0),
        (8, 60.0),
        (9, 60.0),
        (100, 60.0),
        (10**9, 60.0),
    ],
)
def test_backoff_doubles_up_to_a_minute(failures, longest):
    """The longest wait doubles from half a second to a minute, and jitter takes any part of it."""
    assert backoff_s(failures, lambda: 1.0) == longest
    assert backoff_s(failures, lambda: 0.25) == longest / 4
    assert backoff_s(failures, lambda: 0.0) == 0.0


# --- Gate


def test_a_new_gate_is_open():
    """Before the first failure any number of requests may go out."""
    new = gate()
    for _ in range(3):
        assert new.is_open(0.0)
        new.enter()
    assert not new.is_down


@pytest.mark.parametrize(
    ("waits", "retry_after_s", "opens_after"),
    [
        ([0.5], None, 0.5),
        ([0.5, 1.0], None, 1.0),
        ([0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0], None, 60.0),
        ([0.5], 0.0, 0.5),
        ([0.5], 30.0, 30.0),
        ([0.5], 3600.0, 3600.0),
        ([0.5], 86_400.0, 3600.0),
        ([0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0], 2.0, 60.0),
    ],
)
def test_a_gate_opens_after_the_longer_of_both_waits(waits, retry_after_s, opens_after):
    """The gate opens after our backoff or the server's wait, whichever ends later; the server's is cut at an hour."""
    down, now = gate(), 100.0
    for wait in waits[:-1]:
        down.fail(now, now, None)
        assert down.opens_at == now + wait
        now = down.opens_at
    down.fail(now, now, retry_after_s)
    assert down.opens_at == now + opens_after
    assert not down.is_open(now + opens_after - 0.001)
    assert down.is_open(now + opens_after)


def test_failures_at_once_count_as_one():
    """Eight requests that were under way together and fail one after another double the wait once, not eight times."""
    down = gate()
    for i in range(8):
        down.fail(100.0, 101.0 + i / 100, None)
    assert down.opens_at == 101.5


def test_a_success_forgets_the_failures():
    """After a success the next failure waits half a second again."""
    back, now = gate(), 100.0
    for _ in range(5):
        back.fail(now, now, None)
        now = back.opens_at
    assert back.is_down
    back.enter()
    back.succeed(now)
    assert not back.is_down
    assert back.is_open(now)
    back.fail(now + 1, now + 1, None)
    assert back.opens_at == now + 1.5


@pytest.mark.parametrize(
    ("failures", "retry_after_s", "opens_after"),
    [
        (1, None, 0.0),
        (8, None, 0.0),
        (1, 30.0, 30.0),
        (1, 86_400.0, 3600.0),
        (8, 1.0, 1.0),
        (8, 0.0, 0.0),
        (4, 3.0, 3.0),
    ],
)
def test_hasten_leaves_the_wait_that_the_server_asked_for(failures, retry_after_s, opens_after):
    """Hastened, the gate opens when the server's wait is over, at once if it asked for none, however long our own."""
    down, now = gate(), 100.0
    for _ in range(failures - 1):
        down.fail(now, now, None)
        now = down.opens_at
    down.fail(now, now, retry_after_s)
    down.hasten(now)
    assert down.opens_at == now + opens_after


def test_hasten_never_delays():
    """An open gate that is hastened stays open."""
    new = gate()
    new.hasten(100.0)
    assert new.is_open(0.0)
    new.fail(0.0, 0.0, None)
    new.hasten(100.0)
    assert new.opens_at == 0.5


def test_an_asked_wait_is_forgotten_with_the_next_failure():
    """A wait that the server asked for once doesn't keep later backoffs from being cut."""
    down = gate()
    down.fail(0.0, 0.0, 5.0)
    down.fail(5.0, 6.0, None)
    down.hasten(6.0)
    assert down.opens_at == 6.0


# --- Retry-After

NOW = 1_445_412_480.0  # Wed, 21 Oct 2015 07:28:00 GMT


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("", None),
        ("0", 0.0),
        ("1", 1.0),
        (" 120 ", 120.0),
        ("007", 7.0),
        ("0000000000005", 5.0),
        ("1.5", None),
        ("-1", None),
        ("+1", None),
        ("1e3", None),
        ("soon", None),
        ("1, 2", None),
        ("\u0663", None),
        ("Wed, 21 Oct 2015 07:28:30 GMT", 30.0),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0),
        ("Wed, 21 Oct 2015 07:27:00 GMT", 0.0),
        ("Wednesday, 21-Oct-15 07:28:30 GMT", 30.0),
        ("Wed Oct 21 07:28:30 2015", 30.0),
        ("Wed, 21 Oct 2015 07:28:30 -0000", 30.0),
        ("Wed, 21 Oct 2015 09:28:30 +0200", 30.0),
        ("Wed, 21 Oct 99999 07:28:30 GMT", None),
        ("Wed, 99 Oct 2015 07:28:30 GMT", None),
    ],
)
@pytest.mark.parametrize("zone", ["UTC", "America/New_York"])
def test_retry_after_in_both_forms(value, seconds, zone, monkeypatch):
    """A number of seconds, or any of HTTP's dates, which are in GMT wherever we are; anything else says nothing."""
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        assert retry_after(value, lambda: NOW) == seconds
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize("value", ["9" * 30, "1" + "0" * 5000])
def test_retry_after_past_any_number(value):
    """A wait of more digits than there are years is a long one, not an error."""
    assert retry_after(value, lambda: NOW) >= 3600


@given(st.text(max_size=40) | st.binary(max_size=40).map(lambda raw: raw.decode("latin-1")))
def test_no_retry_after_raises(value):
    """Whatever the header says, the answer is a wait of 0 or more, or none."""
    seconds = retry_after(value, lambda: NOW)
    assert seconds is None or seconds >= 0


@given(st.integers(-(10**6), 10**6))
def test_retry_after_dates_round_trip(seconds):
    """The date of a moment asks for the seconds until then, and never for less than none."""
    moment = datetime.fromtimestamp(NOW, timezone.utc) + timedelta(seconds=seconds)
    assert retry_after(format_datetime(moment, usegmt=True), lambda: NOW) == max(0, seconds)


def test_the_programs_own_random_numbers_stay_as_they_are():
    """Jitter draws nothing from the generator that a program may have seeded."""
    before = random.getstate()
    drawn = {Clock().random() for _ in range(10)}
    assert len(drawn) == 10
    assert all(0 <= number < 1 for number in drawn)
    assert random.getstate() == before


# --- the report


def test_a_cause_is_told_once_a_minute_with_its_count():
    """The first trouble is told at once; what follows within a minute is counted, and told when the minute is over."""
    reporter = Reporter(lambda _line: None)
    reporter.note("{count} messages lost", "first")
    assert reporter.lines(100.0) == ["1 message lost: first"]
    for i in range(800):
        reporter.note("{count} messages lost", f"no {i}")
        assert reporter.lines(100.0 + i * 0.07) == []
    assert reporter.lines(159.9) == []
    assert reporter.lines(160.0) == ["800 messages lost: no 799"]
    assert reporter.lines(500.0) == []


def test_causes_have_minutes_of_their_own():
    """A cause that was just told doesn't keep back another."""
    reporter = Reporter(lambda _line: None)
    reporter.note("/track/ failed {count} times", "HTTP 503")
    assert reporter.lines(100.0) == ["/track/ failed once: HTTP 503"]
    reporter.note("/track/ failed {count} times", "HTTP 503", 2)
    reporter.note("{count} dropped", "full", 7)
    assert reporter.lines(130.0) == ["7 dropped: full"]
    assert reporter.has_news
    assert reporter.lines(160.0) == ["/track/ failed 2 times: HTTP 503"]
    assert not reporter.has_news


def test_what_no_thread_can_say_stays_to_be_said(monkeypatch):
    """Where no thread starts, for there are too many, trouble keeps its count for the next time."""
    reporter = Reporter(lambda _line: None)
    reporter.note("{count} messages lost", "full", 3)
    monkeypatch.setattr(threading.Thread, "start", no_threads)
    reporter.tell(100.0)
    reporter.note("{count} messages lost", "full", 4)
    assert reporter.lines(100.0) == ["7 messages lost: full"]


@given(st.lists(st.tuples(st.integers(0, 20), st.sampled_from("abc"), st.integers(1, 9)), max_size=60))
def test_no_count_is_lost_and_no_cause_told_twice_a_minute(noted):
    """For any trouble at any times, the lines' counts add up, and those of a cause are a minute apart."""
    reporter, now, told = Reporter(lambda _line: None), 0, []
    for pause, cause, count in noted:
        now += pause
        reporter.note(f"{cause} {{count}}", "why", count)
        told += [(now, *line.split(": ")[0].split()) for line in reporter.lines(now)]
    told += [(now + 60, *line.split(": ")[0].split()) for line in reporter.lines(now + 60)]
    for name in "abc":
        of_it = [(at, int(count)) for at, cause, count in told if cause == name]
        assert sum(count for _, count in of_it) == sum(count for _, cause, count in noted if cause == name)
        assert all(later - earlier >= 60 for (earlier, _), (later, _) in pairwise(of_it))


def test_trouble_is_told_outside_the_callers_thread():
    """Whoever tells trouble doesn't wait for the one who says it."""
    said, may_go_on, lines = threading.Event(), threading.Event(), []

    def say(line):
        may_go_on.wait(5)
        lines.append((line, threading.current_thread()))
        said.set()

    reporter = Reporter(say)
    reporter.note("{count} lost", "why")
    reporter.tell(0.0)
    assert lines == []
    may_go_on.set()
    assert said.wait(5)
    [(line, thread)] = lines
    assert line == "1 lost: why"
    assert thread is not threading.current_thread()
    assert thread.daemon


def test_two_senders_tell_a_cause_once():
    """Senders that tell the same news at the same moment say it once between them."""
    both_say = threading.Barrier(2)

    class SlowCount(int):
        """A count that lets the other thread in between while it is put into words."""

        def __str__(self):
            with contextlib.suppress(threading.BrokenBarrierError):  # one waits for the other: just right
                both_say.wait(0.2)
            return super().__str__()

    reporter = Reporter(lambda _line: None)
    reporter.note("{count} lost", "why")
    for cause in reporter._causes.values():
        cause.count = SlowCount(1)
    lines = []
    threads = [threading.Thread(target=lambda: lines.extend(reporter.lines(100.0))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert lines == ["1 lost: why"]


def test_a_say_that_raises_harms_nobody():
    """An error in whoever says it is swallowed, and later news is told all the same."""
    told = []
    done = threading.Event()

    def say(line):
        told.append(line)
        done.set()
        raise OSError("no space left")

    reporter = Reporter(say)
    for cause in ("first {count}", "second {count}"):
        done.clear()
        reporter.note(cause, "why")
        reporter.tell(0.0)
        assert done.wait(5)
    assert told == ["first 1: why", "second 1: why"]
