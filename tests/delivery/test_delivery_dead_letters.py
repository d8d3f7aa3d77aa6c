"""Dead letters: the file they are kept in, what a line says, and what happens when there is no writing it."""

from __future__ import annotations

import fcntl
import json
import multiprocessing
import os
import resource
import stat
import subprocess
import sys
import threading
import time
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from robotmia_logging.delivery import dead_letters
from robotmia_logging.delivery.dead_letters import DeadLetter, DeadLetterFile, LockedError
from robotmia_logging.messages import Message, Refusal
from tests.delivery.fakes import OK, REFUSED, WALL, FakeTransport, adds_up, event, make, update

FIELDS = ["endpoint", "user", "time", "message", "reason", "error", "attempts", "at"]


def letter(name="a", error="no", **properties):
    return DeadLetter(letter=event(name, **properties), reason="refused", error=error, attempts=1)


def refusal(wire, **given):
    fields = {"endpoint": "track", "user": "u", "time": 5, **given}
    body = Refusal(
        "reserved_name", "mp_ is reserved", fields["endpoint"], wire, user=fields["user"], time=fields["time"]
    )
    return DeadLetter(letter=body, reason=body.reason, error=body.error, attempts=0)


def lines(path):
    return [json.loads(line) for line in path.read_bytes().splitlines()]


# --- a line


def test_a_line_has_the_format_that_all_files_share(tmp_path):
    """A dead letter is one JSON line: endpoint, user, time and message, then reason, error, attempts and when."""
    transport = FakeTransport(otherwise=REFUSED)
    delivery, _ = make(transport, dead_letters=tmp_path / "dead.jsonl")
    delivery.put(event("Bought", "ann", price=3))
    delivery.put(update("bob", add={"n": 1}))
    assert delivery.flush()
    first, second = lines(tmp_path / "dead.jsonl")
    assert first == {
        "endpoint": "track",
        "user": "ann",
        "time": int(WALL),
        "message": {
            "event": "Bought",
            "properties": {"token": "t", "time": int(WALL), "price": 3, "distinct_id": "ann"},
        },
        "reason": "refused",
        "error": "no",
        "attempts": 1,
        "at": int(WALL),
    }
    assert list(first) == list(second) == FIELDS
    assert (second["endpoint"], second["user"], second["message"]["$add"]) == ("engage", "bob", {"n": 1})
    assert adds_up(delivery)


def test_a_message_refused_in_the_log_call_is_kept_too(tmp_path):
    """What never left the log call is a dead letter as it stood, any Python values in it, with no attempts made."""
    delivery, _ = make(FakeTransport(), dead_letters=tmp_path / "dead")
    wire = {"event": "a", "properties": {"mp_x": {1, 2}, "cause": ValueError("no"), 3: float("nan")}}
    delivery.account(Refusal("reserved_name", "the property 'mp_x'", "track", wire, user=None, time=None))
    delivery.account(Refusal("before_send", "", "track", dropped=True))
    assert delivery.flush()
    [kept] = lines(tmp_path / "dead")
    assert kept["message"] == {"event": "a", "properties": {"mp_x": [1, 2], "cause": "ValueError: no", "3": None}}
    assert (kept["user"], kept["time"], kept["attempts"], kept["reason"]) == (None, None, 0, "reserved_name")
    assert delivery.stats().dead_lettered == {"reserved_name": 1}
    assert delivery.stats().dropped == {"before_send": 1}
    assert adds_up(delivery)


@pytest.mark.parametrize(
    "text", ["\ud800", "a\udcffb", "\ud83d\ude00", "\u2028\u2029\x85", "a\nb\r\n", "\x00", '"\\', "é"]
)
@pytest.mark.parametrize("where", ["error", "user", "wire"])
def test_any_text_is_one_valid_line(text, where):
    """Surrogates, line ends and quotes, in the server's words or in ids, still make one line of valid UTF-8 JSON."""
    given = {"user": text} if where == "user" else {}
    one = refusal({"event": text if where == "wire" else "a"}, **given)
    if where == "error":
        one = letter(error=text)
    line = one.line(7.9)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    parsed = json.loads(line.decode("utf-8"))
    assert set(parsed) == set(FIELDS)
    assert parsed["at"] == 7


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()) | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters()) | st.integers(), inner),
    max_leaves=10,
)


@given(json_values, st.none() | st.text(st.characters()), st.text(st.characters()), st.none() | st.integers())
def test_every_letter_is_one_valid_line(wire, user, error, moment):
    """For any message, id, words and time the line is one line, of valid JSON, with all its fields."""
    body = Refusal("bad_message", error, "track", wire, user=user, time=moment)
    line = DeadLetter(letter=body, reason=body.reason, error=error, attempts=0).line(1.0)
    assert line.count(b"\n") == 1
    assert set(json.loads(line.decode("utf-8"))) == set(FIELDS)


# --- the file


def test_the_file_is_its_owners_only(tmp_path):
    """The file is made with 0600, whatever the umask allows, when the first letter comes and not before."""
    path = tmp_path / "dead"
    before = os.umask(0)
    try:
        file = DeadLetterFile(path)
        assert not path.exists()
        file.append([letter()], WALL)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_letters_are_appended(tmp_path):
    """What is in the file already stays, in front."""
    path = tmp_path / "dead"
    path.write_text('{"mine": 1}\n')
    DeadLetterFile(path).append([letter("a"), letter("b")], WALL)
    DeadLetterFile(str(path)).append([letter("c")], WALL)
    assert [line.get("message", {}).get("event") for line in lines(path)] == [None, "a", "b", "c"]


def test_at_its_bound_the_file_makes_room(tmp_path, monkeypatch):
    """A file that would grow past its bound becomes `<name>.1` first, and that `<name>.2`: no line is lost or torn."""
    path = tmp_path / "dead"
    size = len(letter("e0").line(WALL))
    monkeypatch.setattr(dead_letters, "MAX_FILE_BYTES", 3 * size)
    monkeypatch.setattr(dead_letters, "MAX_FILES", 3)
    file = DeadLetterFile(path)
    for i in range(5):
        file.append([letter(f"e{i}")], WALL)
    assert [line["message"]["event"] for line in lines(tmp_path / "dead.1")] == ["e0", "e1", "e2"]
    assert [line["message"]["event"] for line in lines(path)] == ["e3", "e4"]
    for i in range(5, 8):
        file.append([letter(f"e{i}")], WALL)
    assert [names(Path(found)) for found in file.files()] == [["e0", "e1", "e2"], ["e3", "e4", "e5"], ["e6", "e7"]]
    assert file.given_up == 0
    for i in range(8, 11):
        file.append([letter(f"e{i}")], WALL)
    assert [names(Path(found)) for found in file.files()] == [["e3", "e4", "e5"], ["e6", "e7", "e8"], ["e9", "e10"]]
    assert sorted(os.listdir(tmp_path)) == ["dead", "dead.1", "dead.2"]
    assert file.given_up == 3
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_gap_is_filled(tmp_path, monkeypatch):
    """Where a file is missing, deleted or for a rotation that was killed, the others move on no further than that."""
    monkeypatch.setattr(dead_letters, "MAX_FILE_BYTES", 10)
    for name in ("dead", "dead.1", "dead.3"):
        DeadLetterFile(tmp_path / name).append([letter(name)], WALL)
    file = DeadLetterFile(tmp_path / "dead")
    file.append([letter("new")], WALL)
    assert [names(Path(found)) for found in file.files()] == [["dead.3"], ["dead.1"], ["dead"], ["new"]]


def test_letters_that_are_given_up_are_told(tmp_path, monkeypatch):
    """When even the last file is full, how many of the oldest letters go is said, with the file's name."""
    monkeypatch.setattr(dead_letters, "MAX_FILE_BYTES", 10)
    monkeypatch.setattr(dead_letters, "MAX_FILES", 2)
    delivery, fake_time = make(FakeTransport(otherwise=REFUSED), dead_letters=str(tmp_path / "dead"), capacity=1)
    monkeypatch.setattr(delivery._reporter, "tell", lambda _now: None)
    for name in "abcd":
        delivery.put(event(name))
        assert delivery.flush()
    told = delivery._reporter.lines(fake_time.now + 60)
    assert f"2 dead letters given up, the oldest: {tmp_path / 'dead'}: full" in told


def test_letters_larger_than_the_bound_are_written(tmp_path, monkeypatch):
    """More letters at once than the file may hold are written all the same: better than to lose them."""
    monkeypatch.setattr(dead_letters, "MAX_FILE_BYTES", 10)
    DeadLetterFile(tmp_path / "dead").append([letter("a"), letter("b")], WALL)
    assert len(lines(tmp_path / "dead")) == 2
    assert os.listdir(tmp_path) == ["dead"]


def names(*paths):
    return [line["message"]["event"] for path in paths if path.exists() for line in lines(path)]


def test_two_senders_rotate_once(tmp_path, monkeypatch):
    """Senders that find the file full at the same moment don't push it out twice: the full one is kept."""
    path = tmp_path / "dead"
    monkeypatch.setattr(dead_letters, "MAX_FILE_BYTES", 1000)
    path.write_bytes(b'{"old": true}\n' * 70)
    with held(path):
        senders = [threading.Thread(target=DeadLetterFile(path).append, args=([letter(n)], WALL)) for n in "ab"]
        for sender in senders:
            sender.start()
    for sender in senders:
        sender.join()
    assert sum("old" in line for line in lines(tmp_path / "dead.1")) == 70
    assert sorted(names(path)) == ["a", "b"]


# --- several processes


@contextmanager
def held(path):
    """Another holds the file's lock."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        yield
    finally:
        os.close(descriptor)


def append_in_process(path, bound, process, count):
    dead_letters.MAX_FILE_BYTES = bound
    append_many(path, process, count)


def append_many(path, process, count):
    file = DeadLetterFile(path)
    for i in range(count):
        file.append([letter(f"{process}-{i}")], WALL)


def test_processes_rotate_once_and_lose_nothing(tmp_path):
    """Processes that write the same file and rotate it amid that lose no letter and tear no line."""
    path, processes, count = tmp_path / "dead", 4, 200
    size = len(letter("0-100").line(WALL))
    spawn = multiprocessing.get_context("spawn")
    bound = size * processes * count * 6 // 10  # so that one rotation comes, and only one
    writers = [spawn.Process(target=append_in_process, args=(path, bound, n, count)) for n in range(processes)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [writer.exitcode for writer in writers] == [0] * processes
    kept = names(tmp_path / "dead.1", path)
    assert set(kept) == {f"{n}-{i}" for n in range(processes) for i in range(count)}
    assert sorted(os.listdir(tmp_path)) == ["dead", "dead.1"]


STOPS_WITH_THE_LOCK = """
import fcntl, os, signal, sys
descriptor = os.open(sys.argv[1], os.O_RDWR)
fcntl.flock(descriptor, fcntl.LOCK_EX)
os.kill(os.getpid(), signal.SIGSTOP)
"""


def test_a_stopped_process_with_the_lock_stops_nobody(tmp_path, monkeypatch):
    """Beside a process that was stopped with the lock letters are written, the first soon and the others at once."""
    path = tmp_path / "dead"
    monkeypatch.setattr(dead_letters, "MAX_FILE_BYTES", 1000)
    path.write_bytes(b'{"old": true}\n' * 70)
    holder = subprocess.Popen([sys.executable, "-c", STOPS_WITH_THE_LOCK, str(path)])
    os.waitpid(holder.pid, os.WUNTRACED)
    try:
        file = DeadLetterFile(path)
        began_at = time.monotonic()
        for i in range(100):
            file.append([letter(f"e{i}")], WALL)
        took_s = time.monotonic() - began_at
        with pytest.raises(LockedError), patience(0.05):
            file.take()
    finally:
        holder.kill()
        holder.wait()
    assert took_s < 5
    assert os.listdir(tmp_path) == ["dead"]
    assert [line["message"]["event"] for line in lines(path)[70:]] == [f"e{i}" for i in range(100)]
    file.append([letter("later")], WALL)
    assert names(path) == ["later"]
    assert sorted(os.listdir(tmp_path)) == ["dead", "dead.1"]


@contextmanager
def patience(seconds):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dead_letters, "_TAKER_PATIENCE_S", seconds)
        yield


def test_a_forked_child_keeps_no_lock(tmp_path):
    """A descriptor that a child inherited amid a write doesn't hold the lock once the write is over."""
    path = tmp_path / "dead"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT)
    with dead_letters._locked(descriptor, 0.0) as is_locked:
        assert is_locked
        inherited = os.dup(descriptor)  # shares the lock, as a child's would
    os.close(descriptor)
    other = os.open(path, os.O_RDWR)
    with dead_letters._locked(other, 0.0) as is_locked:
        assert is_locked
    os.close(other)
    os.close(inherited)


def test_a_file_taken_while_its_lock_was_waited_for_gets_no_letter(tmp_path):
    """Who waits for the lock of a file that is taken meanwhile writes to the one that takes its place."""
    path, taken = tmp_path / "dead", tmp_path / "dead.retry-1"
    DeadLetterFile(path).append([letter("old")], WALL)
    with held(path):
        sender = threading.Thread(target=DeadLetterFile(path).append, args=([letter("new")], WALL))
        sender.start()
        path.rename(taken)
        sender.join()
    assert (names(taken), names(path)) == (["old"], ["new"])


def test_a_letter_written_without_the_lock_is_written_again_if_the_file_was_taken(tmp_path, monkeypatch):
    """Who couldn't have the lock looks whether the file was taken meanwhile: its reader may not see the letter."""
    path, taken, write = tmp_path / "dead", tmp_path / "dead.retry-1", dead_letters._write

    def write_too_late(descriptor, data):
        if not taken.exists():
            path.rename(taken)
        write(descriptor, data)

    monkeypatch.setattr(dead_letters, "_write", write_too_late)
    with held(path):
        DeadLetterFile(path).append([letter("a")], WALL)
    assert (names(taken), names(path)) == (["a"], ["a"])


def test_what_is_taken_is_the_takers_alone(tmp_path):
    """Letters that are written while others are taken, again and again, are each in one file, and none is lost."""
    path = tmp_path / "dead"
    writers = [threading.Thread(target=append_many, args=(path, n, 200)) for n in range(3)]
    for writer in writers:
        writer.start()
    read = []
    while any(writer.is_alive() for writer in writers):
        for taken in DeadLetterFile(path).take():
            read += names(Path(taken))
            os.unlink(taken)
    for taken in DeadLetterFile(path).take():
        read += names(Path(taken))
    assert sorted(read) == sorted(f"{n}-{i}" for n in range(3) for i in range(200))


def test_the_oldest_letters_are_taken_first(tmp_path):
    """What a retry left comes first, then `<name>.2`, `<name>.1`, the file; others' files are left alone."""
    for name in (
        "dead",
        "dead.1",
        "dead.2",
        "dead.99",
        "dead.retry-7",
        "dead.retry-12",
        "dead.retry-x",
        "dead.retry-3.sent",
        "xdead.1",
    ):
        (tmp_path / name).write_bytes(name.encode())
    file = DeadLetterFile(tmp_path / "dead")
    found = [os.path.basename(path) for path in file.files()]
    assert found == ["dead.retry-7", "dead.retry-12", "dead.2", "dead.1", "dead"]
    taken = [os.path.basename(found) for found in file.take()]
    assert taken == ["dead.retry-7", "dead.retry-12", "dead.retry-13", "dead.retry-14", "dead.retry-15"]
    assert [os.path.basename(found) for found in file.take()] == taken
    assert [(tmp_path / name).read_text() for name in taken[2:]] == ["dead.2", "dead.1", "dead"]


def test_where_there_is_nothing_nothing_is_taken(tmp_path):
    """Without a file, or without its folder, there is nothing to take."""
    assert DeadLetterFile(tmp_path / "dead").take() == []
    assert DeadLetterFile(tmp_path / "no" / "dead").take() == []
    (tmp_path / "dead").touch()
    assert DeadLetterFile(tmp_path / "dead").take() == []
    assert os.listdir(tmp_path) == []


def test_takers_do_not_move_over_what_another_moved(tmp_path, monkeypatch):
    """Several who take at once, while others write and rotate, lose nothing: each file has a name of its own."""
    path, count = tmp_path / "dead", 150
    writers = [threading.Thread(target=append_many, args=(path, n, count)) for n in range(2)]
    takers = [threading.Thread(target=take_while, args=(path, writers)) for _ in range(3)]
    monkeypatch.setattr(dead_letters, "MAX_FILES", 400)
    monkeypatch.setattr(dead_letters, "MAX_FILE_BYTES", 600)
    for thread in (*writers, *takers):
        thread.start()
    for thread in (*writers, *takers):
        thread.join()
    kept = names(*(tmp_path / name for name in os.listdir(tmp_path)))
    assert sorted(kept) == sorted(f"{n}-{i}" for n in range(2) for i in range(count))


def take_while(path, writers):
    while any(writer.is_alive() for writer in writers):
        DeadLetterFile(path).take()


# --- trouble with the disk


def test_a_write_cut_short_is_an_error_and_leaves_whole_lines(tmp_path):
    """When the disk takes a part of the letters only, that is an error, and later lines are readable."""
    path = tmp_path / "dead"
    file = DeadLetterFile(path)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (500, hard))
    try:
        with pytest.raises(OSError):
            file.append([letter(f"e{i}") for i in range(10)], WALL)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    file.append([letter("later")], WALL)
    readable = []
    for line in path.read_bytes().splitlines():
        with suppress(ValueError):
            readable.append(json.loads(line)["message"]["event"])
    assert readable[-1] == "later"


# --- through a delivery


@pytest.mark.parametrize(
    "where", ["no/such/folder/dead", ".", "dead/below a file", "x" * 300, "nul\0byte", "/dev/full"]
)
def test_a_path_that_cannot_be_written_is_reported(where, tmp_path):
    """Without a way to write them dead letters still count, delivery goes on, and one line says what is wrong."""
    (tmp_path / "dead").write_text("")
    transport = FakeTransport(REFUSED, REFUSED)
    delivery, fake_time = make(transport, dead_letters=str(tmp_path) + "/" + where if where != "/dev/full" else where)
    for name in ["bad", "worse"]:
        delivery.put(event(name))
        assert delivery.flush()
    delivery.put(event("good"))
    assert delivery.flush()
    stats = delivery.stats()
    assert (stats.dead_lettered, stats.delivered, stats.pending) == ({"refused": 2}, 1, 0)
    assert adds_up(delivery)
    told = delivery._reporter.lines(fake_time.now + 60)
    assert any(line.startswith("1 dead letter can't be written: ") for line in told)


def test_without_a_path_letters_are_counted_only():
    """Without a file nothing is kept of a dead letter but its count."""
    transport = FakeTransport(otherwise=REFUSED)
    delivery, _ = make(transport)
    for i in range(100):
        delivery.put(event(f"e{i}"))
    assert delivery.flush()
    assert delivery._outcomes.letters == []
    assert delivery.stats().dead_lettered == {"refused": 100}


def test_after_a_flush_the_letters_are_in_the_file(tmp_path, monkeypatch):
    """When `flush` says that all is settled, the dead letters are written, though the disk is slow."""
    path, write = tmp_path / "dead", DeadLetterFile.append
    writing = threading.Event()

    def slowly(file, letters, now):
        writing.set()
        threading.Event().wait(0.3)
        write(file, letters, now)

    monkeypatch.setattr(DeadLetterFile, "append", slowly)
    delivery, _ = make(FakeTransport(otherwise=REFUSED), dead_letters=path)
    delivery._start_thread = threading.Thread.start
    delivery.put(event("a"))
    assert delivery.flush()
    kept = [line["message"]["event"] for line in lines(path)] if path.exists() else []
    assert writing.wait(5)
    delivery.close()
    assert kept == ["a"]


@settings(max_examples=20)
@given(bad=st.lists(st.booleans(), max_size=60), capacity=st.integers(1, 50))
def test_what_is_not_delivered_is_in_the_file(bad, capacity, tmp_path_factory):
    """Of any mix of messages each is either delivered or in the file, once, and in order."""
    path = tmp_path_factory.mktemp("dead") / "dead"
    transport = FakeTransport(otherwise=lambda parcel: REFUSED if any(b'"bad"' in b for b in parcel.bodies) else OK)
    delivery, _ = make(transport, dead_letters=path, capacity=capacity)
    for i, is_bad in enumerate(bad):
        delivery.put(event(f"e{i}", **({"bad": 1} if is_bad else {})))
    assert delivery.flush()
    assert transport.names == [f"e{i}" for i, is_bad in enumerate(bad) if not is_bad]
    kept = [line["message"]["event"] for line in lines(path)] if path.exists() else []
    assert kept == [f"e{i}" for i, is_bad in enumerate(bad) if is_bad]
    assert adds_up(delivery)


def test_a_replayed_line_is_the_message():
    """The message in a line is byte for byte what would have been sent."""
    sent = event("a", price=3, text="é \u2028")
    line = DeadLetter(letter=sent, reason="refused", error="no", attempts=1).line(WALL)
    assert b'"message":' + sent.body + b"," in line
    assert isinstance(sent, Message)


def test_letters_whose_writing_is_broken_off_are_written_later(tmp_path):
    """Ctrl-C amid the writing of dead letters: the next flush writes them, in the spool's process or not."""
    path = tmp_path / "dead.jsonl"
    delivery, _ = make(FakeTransport(otherwise=REFUSED), dead_letters=str(path), capacity=1)
    file = delivery._letter_box._file
    append, broken_off = file.append, []

    def break_off(letters, now):
        if broken_off:
            append(letters, now)
        else:
            broken_off.append(letters)
            raise KeyboardInterrupt

    file.append = break_off
    for name in "abc":
        delivery.put(event(name))
    with pytest.raises(KeyboardInterrupt):
        delivery.flush()
    assert delivery.flush()
    assert [line["message"]["event"] for line in lines(path)] == ["a", "b", "c"]
    assert adds_up(delivery)
