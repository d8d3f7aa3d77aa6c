"""Dead letters: the file they are kept in, what a line says, and what happens when there is no writing it."""

from __future__ import annotations

import json
import os
import resource
import stat
import threading
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from robotmia_logging.delivery import dead_letters
from robotmia_logging.delivery.dead_letters import DeadLetter, DeadLetterFile
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
    """A file that would grow past its bound becomes `<name>.1` first: no line is lost or torn, two files at most."""
    path = tmp_path / "dead"
    size = len(letter("e0").line(WALL))
    monkeypatch.setattr(dead_letters, "MAX_FILE_BYTES", 3 * size)
    file = DeadLetterFile(path)
    for i in range(5):
        file.append([letter(f"e{i}")], WALL)
    assert [line["message"]["event"] for line in lines(tmp_path / "dead.1")] == ["e0", "e1", "e2"]
    assert [line["message"]["event"] for line in lines(path)] == ["e3", "e4"]
    for i in range(5, 8):
        file.append([letter(f"e{i}")], WALL)
    assert sorted(os.listdir(tmp_path)) == ["dead", "dead.1"]
    assert [line["message"]["event"] for line in lines(path)] == ["e6", "e7"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_letters_larger_than_the_bound_are_written(tmp_path, monkeypatch):
    """More letters at once than the file may hold are written all the same: better than to lose them."""
    monkeypatch.setattr(dead_letters, "MAX_FILE_BYTES", 10)
    DeadLetterFile(tmp_path / "dead").append([letter("a"), letter("b")], WALL)
    assert len(lines(tmp_path / "dead")) == 2
    assert os.listdir(tmp_path) == ["dead"]


def test_two_senders_rotate_once(tmp_path, monkeypatch):
    """Senders that find the file full at the same moment don't push it out twice: the full one is kept."""
    path = tmp_path / "dead"
    monkeypatch.setattr(dead_letters, "MAX_FILE_BYTES", 1000)
    path.write_bytes(b'{"old": true}\n' * 70)
    delivery, time = make(FakeTransport(), dead_letters=path)
    first_looks, both_look, getsize = threading.Event(), threading.Barrier(2), os.path.getsize

    def look(of):
        found = getsize(of)
        first_looks.set()
        with suppress(threading.BrokenBarrierError):  # one waits for the other: just right
            both_look.wait(0.3)
        return found

    monkeypatch.setattr(dead_letters.os.path, "getsize", look)
    delivery.account(refusal({"event": "a"}).letter)
    assert delivery.stats().accepted == 1
    thread = threading.Thread(target=delivery.tidy)
    thread.start()
    assert first_looks.wait(5)
    delivery.account(refusal({"event": "b"}).letter)
    assert delivery.stats().accepted == 2
    delivery.tidy()
    thread.join()
    kept = lines(path) + lines(tmp_path / "dead.1")
    assert sum("old" in line for line in kept) == 70
    assert sorted(line["message"]["event"] for line in kept if "message" in line) == ["a", "b"]
    assert not any("written" in line for line in delivery._reporter.lines(time.now + 60))


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
    delivery, time = make(transport, dead_letters=str(tmp_path) + "/" + where if where != "/dev/full" else where)
    for name in ["bad", "worse"]:
        delivery.put(event(name))
        assert delivery.flush()
    delivery.put(event("good"))
    assert delivery.flush()
    stats = delivery.stats()
    assert (stats.dead_lettered, stats.delivered, stats.pending) == ({"refused": 2}, 1, 0)
    assert adds_up(delivery)
    told = delivery._reporter.lines(time.now + 60)
    assert any(line.startswith("1 dead letters can't be written: ") for line in told)


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
