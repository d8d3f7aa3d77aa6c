"""Sending a file's lines: memory is bounded, each line is accounted for, and it ends when it should."""

from __future__ import annotations

import io
import json
import threading
import time

import pytest

from robotmia_logging.delivery import Clock, Delivery, DeliverySettings
from robotmia_logging.delivery.resend import Ending, GivenLines, Limits, Passed, Stretch, send_lines, sending, work
from robotmia_logging.messages import message_line
from tests.delivery.fakes import FakeTransport, event, make
from tests.hostile import HostileServer, refuse_if, status

NOW = int(time.time())
NO_LIMITS = Limits()


def message(n, name="E"):
    return message_line(event(name, f"u{n % 7}", time=NOW, n=n))


def send(file, server, *, limits=NO_LIMITS, look=lambda _done: None, **options):
    settings = DeliverySettings(url=server.url, **options)
    return send_lines(GivenLines(file, NOW), settings, limits=limits, look=look, say=lambda _line: None)


class WatchedFile(io.BytesIO):
    """A file that calls somebody for each line that is read."""

    def __init__(self, text, read):
        super().__init__(text)
        self.read_line = read
        self.count = 0

    def readline(self, *limit):
        self.count += 1
        self.read_line(self.count)
        return super().readline(*limit)


def test_reading_waits_for_delivery():
    """However long the file, at most `max_pending` of its messages are in memory."""
    most = [0]

    def read(count):
        most[0] = max(most[0], count - len(server.taken))

    with HostileServer() as server:
        sent = send(WatchedFile(b"".join(map(message, range(3000))), read), server, max_pending=200)
    assert sent.is_complete
    assert sorted(taken["properties"]["n"] for _, taken in server.taken) == list(range(3000))
    assert 200 <= most[0] <= 202


def test_refused_lines_do_not_pile_up(tmp_path, monkeypatch):
    """Lines that are refused are written down as they come, though nobody sends for the server is down."""
    monkeypatch.setattr(sending, "_REFUSED_BYTES", 100 * sending._LETTER_BYTES)
    letters = tmp_path / "dead"
    most = [0]

    def read(count):
        if count > 1:
            written = letters.read_bytes().count(b"\n") if letters.exists() else 0
            most[0] = max(most[0], count - written)

    with HostileServer(status(503)) as server:
        file = WatchedFile(message(0) + b"hello\n" * 1000, read)
        sent = send(file, server, dead_letters=letters, limits=Limits(timeout_s=1.0))
    assert (sent.stats.dead_lettered, sent.stats.pending) == ({"invalid_line": 1000}, 1)
    assert letters.read_bytes().count(b"\n") == 1000
    assert most[0] <= 105


def test_every_line_is_accounted_for(tmp_path):
    """Delivered, refused by the server, refused before: the numbers add up, and those who watch see all bytes done."""
    text = message(0) + b"\n" + message(1, "bad") + b"hello\n" + message(2)
    seen = []
    with HostileServer(refuse_if(lambda wire: wire["event"] == "bad", "no")) as server:
        sent = send(io.BytesIO(text), server, dead_letters=tmp_path / "dead", look=seen.append)
    stats = sent.stats
    assert (stats.accepted, stats.delivered, stats.pending) == (4, 2, 0)
    assert stats.dead_lettered == {"refused": 1, "invalid_line": 1}
    assert (sent.ending, sent.is_complete, sent.unwritten, seen[-1]) == (Ending.DONE, True, 0, len(text))
    errors = {json.loads(line)["error"].partition(":")[0] for line in (tmp_path / "dead").read_bytes().splitlines()}
    assert errors == {"no", "line 4"}


def test_what_is_passed_over_is_written_down():
    """A source may pass over what holds nothing to be sent: the journal is told of it, and no number counts it."""

    class Source:
        earlier = passed_bytes = 0
        units = 1

        def __iter__(self):
            yield Passed(Stretch(0, 5))
            item = event("E")
            item.place = Stretch(5, 9)
            yield item
            yield Passed(Stretch(9, 20))

    class Told:
        error = None
        passed_over, settled_items = [], []

        def passed(self, place):
            self.passed_over.append(place)

        def settled(self, items):
            self.settled_items += [item.place for item in items]

    told = Told()
    with HostileServer() as server:
        settings = DeliverySettings(url=server.url)
        options = {"limits": NO_LIMITS, "look": lambda _: None, "say": lambda _: None}
        sent = send_lines(Source(), settings, journal=told, **options)
    assert (told.passed_over, told.settled_items) == ([(0, 5), (9, 20)], [(5, 9)])
    assert (sent.stats.accepted, sent.is_complete) == (1, True)


def test_letters_that_cannot_be_written_keep_a_file_from_being_complete(tmp_path):
    """A dead letter that stands nowhere is no outcome: the file isn't done."""
    with HostileServer() as server:
        sent = send(io.BytesIO(message(0) + b"hello\n"), server, dead_letters=tmp_path / "no" / "dead")
    assert (sent.ending, sent.is_complete, sent.unwritten) == (Ending.DONE, False, 1)
    assert sent.stats.delivered == 1


def test_a_file_that_cannot_be_read_any_more_is_an_error():
    """A reading error comes out where the sending was asked for; what was read before is delivered."""

    def read(count):
        if count == 3:
            raise OSError(5, "Input/output error")

    with HostileServer() as server:
        with pytest.raises(OSError, match="Input/output error"):
            send(WatchedFile(message(0) + message(1) + message(2), read), server)
        assert len(server.taken) == 2


# --- work


class Steps:
    """A clock that goes on by a step at each look."""

    def __init__(self, step):
        self.now, self.step = 0.0, step

    def __call__(self):
        self.now += self.step
        return self.now


@pytest.mark.parametrize(
    ("limits", "ending"),
    [
        (Limits(timeout_s=1000.0), Ending.TIMEOUT),
        (Limits(stall_s=1000.0), Ending.STALLED),
        (Limits(timeout_s=1000.0, stall_s=5000.0), Ending.TIMEOUT),
    ],
)
def test_work_is_given_up_in_time(limits, ending):
    """Work that doesn't end is told to when its time is up, or when for so long nothing has had an outcome."""
    delivery, _ = make(FakeTransport())
    told = threading.Event()

    def job(stop):
        stop.wait()
        told.set()

    assert work(delivery, job, limits, lambda: None, monotonic=Steps(400.0)) is ending
    assert told.wait(5)


def test_work_that_gets_on_is_no_standstill():
    """As long as messages have their outcome, a standstill is none, however long it takes."""
    delivery, _ = make(FakeTransport())
    looks = []

    def look():
        looks.append(delivery.put(event("E")))
        assert delivery.flush()

    def job(stop):
        while len(looks) < 5:
            stop.wait(0.01)

    assert work(delivery, job, Limits(stall_s=1000.0), look, monotonic=Steps(400.0)) is Ending.DONE


def test_ctrl_c_ends_work():
    """Ctrl-C is one of the ways in which work ends, and what waits gets a moment."""
    delivery, _ = make(FakeTransport())
    delivery.put(event("E"))

    def interrupt():
        raise KeyboardInterrupt

    assert work(delivery, lambda stop: stop.wait(), NO_LIMITS, interrupt) is Ending.INTERRUPTED
    assert delivery.stats().delivered == 1


def test_what_is_under_way_at_ctrl_c_gets_its_outcome(monkeypatch):
    """However long the server takes, the requests under way at Ctrl-C are waited for, and no others are begun."""
    monkeypatch.setattr(Ending.INTERRUPTED, "grace_s", 0.0)
    begun, hold, settled = threading.Event(), threading.Event(), []

    class Slow(FakeTransport):
        def send(self, parcel):
            begun.set()
            hold.wait()
            return super().send(parcel)

    transport = Slow()
    clock = Clock(sleep=lambda _seconds: hold.set())  # who waits for the outcome has let nothing else begin
    delivery = Delivery(DeliverySettings(), transport=lambda: transport, clock=clock, settled=settled.extend)
    for _ in range(120):
        delivery.put(event("E"))

    def interrupt():
        assert begun.wait(5)
        raise KeyboardInterrupt

    assert work(delivery, lambda stop: stop.wait(), NO_LIMITS, interrupt) is Ending.INTERRUPTED
    assert len(settled) == 50
    assert len(transport.parcels) == 1
    assert delivery.stats().pending == 70


def test_ctrl_c_once_more_ends_the_wait(monkeypatch):
    """Who presses Ctrl-C again waits for nothing more."""
    delivery, _ = make(FakeTransport())

    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(delivery, "stand_still", interrupt)
    assert work(delivery, lambda stop: stop.wait(), NO_LIMITS, interrupt) is Ending.INTERRUPTED


def test_what_goes_wrong_in_work_comes_out():
    """An error of the job, or of those who watch, ends the work and isn't swallowed."""
    delivery, _ = make(FakeTransport())
    with pytest.raises(ZeroDivisionError):
        work(delivery, lambda _stop: 1 / 0, NO_LIMITS, lambda: None)
    with pytest.raises(ZeroDivisionError):
        work(delivery, lambda stop: stop.wait(), NO_LIMITS, lambda: 1 / 0)
