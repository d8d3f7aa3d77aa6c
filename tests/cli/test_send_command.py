"""`robotmia-logging send`: each line of a file arrives, whatever happens meanwhile, and what can't is told."""

from __future__ import annotations

import json
import os
import pty
import signal
import threading
import time
from collections import Counter

import pytest

from robotmia_logging.delivery.resend.journal import SUFFIX
from robotmia_logging.messages import IMPORT_AGE_S, DeadLetter, Refusal
from tests.cli.command_running import RUN, apart, ended, environment, here, left, letters, names_in, numbered, numbers
from tests.delivery.fakes import update
from tests.hostile import HostileServer, accept, held_until, latency, refuse_if, status

NOW = int(time.time())


@pytest.fixture
def file(tmp_path):
    return tmp_path / "events.jsonl"


def send(capsys, server, *arguments):
    return here(capsys, "send", *arguments, "--url", server.url)


def test_a_file_is_delivered(capsys, file):
    """Each message of a file arrives, in its user's order; a JSON line and a sentence say so, and nothing is left."""
    file.write_bytes(b"".join(numbered(120, NOW)))
    with HostileServer() as server:
        said = send(capsys, server, file)
    assert sorted(numbers(server)) == list(range(120))
    for user in range(7):
        assert [n for n in numbers(server) if n % 7 == user] == list(range(user, 120, 7))
    assert (said.code, said.err) == (0, "120 messages delivered.\n")
    [fields] = said.json
    assert (fields["accepted"], fields["delivered"], fields["pending"], fields["earlier"]) == (120, 120, 0, 0)
    assert (fields["dropped"], fields["dead_lettered"], fields["last_error"]) == ({}, {}, None)
    assert names_in(file.parent) == ["events.jsonl"]


def test_each_kind_of_line_goes_where_it_belongs(capsys, file):
    """A bare message, a dead letter, an update; events older than five days go to /import/ with its form fields."""
    old = json.loads(numbered(1, NOW - IMPORT_AGE_S - 60)[0])["message"]
    refused = DeadLetter(letter=update("bob", set={"a": 1}), reason="refused", error="no", attempts=1)
    lines = [json.dumps({"message": old}).encode() + b"\n", refused.line(0), *numbered(1, NOW, start=1)]
    file.write_bytes(b"\n".join(lines))
    with HostileServer() as server:
        said = send(capsys, server, file, "--import-auth", "api_key=k=1", "--import-auth", "b=2")
    assert said.code == 0
    found = {request.path: request for request in server.requests}
    assert {path: len(request.messages) for path, request in found.items()} == {
        "/import/": 1,
        "/engage/": 1,
        "/track/": 1,
    }
    assert found["/import/"].messages == [old]
    assert found["/import/"].form.items() >= {"api_key": "k=1", "b": "2"}.items()
    assert not server.violations


def test_one_bad_line_costs_one_line(capsys, file):
    """Lines that can't be delivered become dead letters, which say where they stood, and the rest is delivered."""
    lines = numbered(10, NOW)
    lines[3] = b"hello\n"
    lines[5] = b'{"message": {"event": "E", "properties": {"token": "t", "mp_x": 1}}}\n'
    lines[7] = b"\n"
    file.write_bytes(b"".join(lines))
    with HostileServer(refuse_if(lambda wire: wire["properties"]["n"] == 8, "no 8")) as server:
        said = send(capsys, server, file)
    assert sorted(numbers(server)) == [0, 1, 2, 4, 6, 9]
    beside = f"{file}.dead-letters.jsonl"
    assert (said.code, said.err) == (1, f"6 messages delivered; 3 dead letters in {beside}.\n")
    assert said.json[0]["dead_lettered"] == {"invalid_line": 1, "reserved_name": 1, "refused": 1}
    found = {letter["reason"]: letter for letter in letters(beside)}
    assert found["invalid_line"]["message"] == "hello"
    assert found["invalid_line"]["error"].startswith("line 4: no JSON")
    assert found["reserved_name"]["error"].startswith("line 6: ")
    assert (found["refused"]["message"]["properties"]["n"], found["refused"]["error"]) == (8, "no 8")
    assert names_in(file.parent) == ["events.jsonl", "events.jsonl.dead-letters.jsonl"]


def test_dead_letters_go_where_it_is_said(capsys, file, tmp_path):
    """--dead-letters names their file; one in a folder that isn't there is refused before anything is sent."""
    file.write_bytes(b"hello\n")
    with HostileServer() as server:
        assert send(capsys, server, file, "--dead-letters", tmp_path / "letters").code == 1
        assert len(letters(tmp_path / "letters")) == 1
        said = send(capsys, server, file, "--dead-letters", tmp_path / "no" / "letters")
        assert (said.code, said.out, said.err.count("\n")) == (2, "", 1)
        assert "dead_letters is " in said.err
        said = send(capsys, server, file, "--dead-letters", file)
        assert (said.code, said.out, said.err.count("\n")) == (2, "", 1)
    assert file.read_bytes() == b"hello\n"


def test_standard_input(tmp_path):
    """From - standard input is sent; what can't be becomes a dead letter in the current folder; there is no journal."""
    with (
        HostileServer() as server,
        apart("send", "-", "--url", server.url, stdin=-1, cwd=tmp_path) as process,
    ):
        process.stdin.write("".join(line.decode() for line in numbered(60, NOW)) + "hello\n")
        process.stdin.close()
        process.stdin = None
        said = ended(process)
        assert sorted(numbers(server)) == list(range(60))
    assert (said.code, said.err) == (1, "60 messages delivered; 1 dead letter in dead-letters.jsonl.\n")
    assert names_in(tmp_path) == ["dead-letters.jsonl"]


def test_a_pipe_is_read_like_standard_input(file):
    """A named pipe can't be gone on with either: it is sent without a journal."""
    os.mkfifo(file)
    with HostileServer() as server, apart("send", file, "--url", server.url) as process:
        with open(file, "wb") as pipe:
            pipe.writelines(numbered(10, NOW))
        said = ended(process)
    assert (said.code, said.err) == (0, "10 messages delivered.\n")
    assert names_in(file.parent) == [file.name]


def test_an_outage_is_waited_out(file):
    """While the server is down people are told, and once it is back each message arrives once."""
    file.write_bytes(b"".join(numbered(60, NOW)))
    with HostileServer() as server:
        server.refuse_connections()
        with apart("send", file, "--url", server.url) as process:
            line = process.stderr.readline()
            server.accept_connections()
            said = ended(process)
        assert "failed" in line
        assert "messages wait" in line
        assert (said.code, said.err.splitlines()[-1]) == (0, "60 messages delivered.")
        assert sorted(numbers(server)) == list(range(60))


# --- interrupted


@pytest.mark.parametrize("kills", [1, 2])
def test_killed_amid_it_goes_on_where_it_was(file, kills):
    """Killed by kill -9, again and again, it goes on: each message arrives, twice only what was under way at a kill."""
    count, senders = 2000, 8
    file.write_bytes(b"".join(numbered(count, NOW, users=500)))
    with HostileServer(latency(0.01)) as server:
        for kill in range(1, kills + 1):
            before = len(server.taken)
            with apart("send", file, "--url", server.url) as process:
                assert server.wait_for(lambda s, before=before: len(s.taken) - before >= 300, 30), ended(process)
                process.kill()
                said = ended(process)
            assert (said.code, said.out) == (-signal.SIGKILL, ""), kill
        taken = len(server.taken)
        assert os.path.exists(f"{file}{SUFFIX}")
        with apart("send", file, "--url", server.url) as process:
            said = ended(process)
        arrived = Counter(numbers(server))
    assert said.code == 0
    assert sorted(arrived) == list(range(count))
    twice = sum(arrived.values()) - count
    assert twice <= kills * senders * 50
    assert said.json[0]["earlier"] >= taken - kills * senders * 50
    assert said.json[0]["earlier"] + said.json[0]["delivered"] == count
    assert names_in(file.parent) == [file.name]


def test_what_was_acknowledged_before_a_kill_is_not_sent_again(file):
    """With the requests under way at the kill never answered, nothing at all arrives twice."""
    count = 500
    file.write_bytes(b"".join(numbered(count, NOW, users=1)))
    answers, hold = iter([accept] * 4), threading.Event()
    with HostileServer(lambda _request: next(answers, held_until(hold))) as server:
        with apart("send", file, "--url", server.url) as process:
            assert server.wait_for(lambda s: len(s.requests) == 5, 30)
            journal = f"{file}{SUFFIX}"
            assert os.path.exists(journal)
            process.kill()
            ended(process)
        assert server.wait_for(lambda s: s.open_connections <= 1)
        answers = iter([accept] * 1000)
        with apart("send", file, "--url", server.url) as process:
            said = ended(process)
        assert [n for n in numbers(server) if n >= 200] == list(range(200, count))
        assert numbers(server)[:200] == list(range(200))
    assert (said.code, said.err) == (0, "300 messages delivered; 200 had been dealt with before.\n")


def test_ctrl_c_ends_it_in_a_sentence(file):
    """Ctrl-C is told in a sentence, not in a traceback, with exit code 130; the same command goes on from there."""
    count = 3000
    file.write_bytes(b"".join(numbered(count, NOW, users=1)))
    with HostileServer(latency(0.1)) as server:
        with apart("send", file, "--url", server.url) as process:
            assert server.wait_for(lambda s: len(s.taken) >= 200, 30)
            process.send_signal(signal.SIGINT)
            said = ended(process)
        assert said.code == 130
        assert said.err.count("\n") == 1
        assert said.err.endswith("; interrupted; the same command goes on from there.\n")
        done = said.json[0]["delivered"]
        assert 200 <= done < count
        arrived = Counter(numbers(server))
    with HostileServer() as server, apart("send", file, "--url", server.url) as process:
        assert ended(process).code == 0
        arrived += Counter(numbers(server))
    assert sorted(arrived) == list(range(count))
    assert sum(arrived.values()) - count <= 50  # one user: one sender


@pytest.mark.parametrize("name", ["-", "pipe"])
@pytest.mark.parametrize("signal_number", [signal.SIGTERM, signal.SIGINT])
def test_a_wait_for_more_can_be_ended(tmp_path, name, signal_number):
    """Told to end while the writer of a pipe says nothing, it tells what was delivered, and ends with 130."""
    os.mkfifo(tmp_path / "pipe")
    with HostileServer() as server:
        options = {"stdin": -1 if name == "-" else None, "cwd": tmp_path}
        with apart("send", name, "--url", server.url, **options) as process:
            with process.stdin.buffer if name == "-" else open(tmp_path / name, "wb") as pipe:
                pipe.writelines(numbered(60, NOW))
                pipe.flush()
                assert server.wait_for(lambda s: len(s.taken) >= 50, 30)
                process.send_signal(signal_number)
                assert process.wait(20) == 130
            assert process.stderr.read().endswith(" messages delivered; interrupted; the rest isn't read.\n")


def test_time_that_is_up_is_told(capsys, file):
    """--timeout is for the whole: what was not delivered by then is left to the same command, which says why."""
    file.write_bytes(b"".join(numbered(60, NOW)))
    with HostileServer(status(503)) as server:
        said = send(capsys, server, file, "--timeout", "0.5")
        assert said.code == 1
        last = said.err.splitlines()[-1]
        assert last.startswith("0 messages delivered; no more time (--timeout 0.5); /track/: HTTP 503")
        assert last.endswith("; the same command goes on from there.")
        assert (said.json[0]["pending"], said.json[0]["delivered"]) == (60, 0)
    with HostileServer() as server:
        assert send(capsys, server, file).code == 0
        assert sorted(numbers(server)) == list(range(60))


def test_a_changed_file_is_sent_again_only_if_told_to(capsys, file):
    """A file that changed since it was sent in part is an error in a sentence; --restart sends all of it."""
    file.write_bytes(b"".join(numbered(10, NOW)))
    with HostileServer(status(503)) as server:
        send(capsys, server, file, "--timeout", "0.1")
    file.write_bytes(b"".join(numbered(11, NOW)))
    with HostileServer() as server:
        said = send(capsys, server, file)
        assert (said.code, said.out, said.err.count("\n")) == (1, "", 1)
        assert "it has changed since" in said.err
        assert "--restart" in said.err
        assert not server.requests
        assert send(capsys, server, file, "--restart").code == 0
        assert sorted(numbers(server)) == list(range(11))


def test_two_do_not_send_the_same_file(file):
    """While one process sends a file, another refuses to, in a sentence."""
    file.write_bytes(b"".join(numbered(10, NOW)))
    hold = threading.Event()
    with HostileServer(held_until(hold)) as server:
        with apart("send", file, "--url", server.url) as first:
            assert server.wait_for(lambda s: s.requests, 30)
            with apart("send", file, "--url", server.url, "--restart") as second:
                said = ended(second)
            hold.set()
            assert ended(first).code == 0
        assert sorted(numbers(server)) == list(range(10))
    assert (said.code, said.out, said.err.count("\n")) == (1, "", 1)
    assert "another process is sending it" in said.err


# --- trouble


@pytest.mark.parametrize("option", [["--url", "api.robotmia.com"], ["--import-auth", "api_key"], ["--timeout", "0"]])
def test_a_bad_option_is_told(capsys, file, option):
    """An option that isn't allowed is told with what is, exit code 2, and nothing is sent or made."""
    file.write_bytes(b"".join(numbered(1, NOW)))
    said = here(capsys, "send", file, *option)
    assert (said.code, said.out) == (2, "")
    assert "Traceback" not in said.err
    assert names_in(file.parent) == [file.name]


def test_a_file_that_is_not_there(capsys, tmp_path):
    """A file that isn't there, or is a folder, is an error in words."""
    for path in (tmp_path / "no", tmp_path):
        said = here(capsys, "send", path)
        assert (said.code, said.out) == (2, "")
        assert str(path) in said.err


def test_where_no_journal_can_be_kept(file):
    """Without a place for the journal nothing is sent, and a sentence says what is wrong and what would go."""
    file.write_bytes(b"".join(numbered(1, NOW)))
    os.mkdir(f"{file}{SUFFIX}")
    with HostileServer() as server:
        with apart("send", file, "--url", server.url) as process:
            said = ended(process)
        assert not server.requests
    assert (said.code, said.out, said.err.count("\n")) == (1, "", 1)
    assert said.err == f"Can't send {file}: {file}.sent: Is a directory.\n"


def test_dead_letters_that_cannot_be_written_are_not_forgotten(capsys, file):
    """If dead letters can't be written, the file isn't done: the same command deals with those lines again."""
    file.write_bytes(b"hello\n" + b"".join(numbered(3, NOW)))
    letters_file = f"{file}.dead-letters.jsonl"
    os.symlink("/dev/full", letters_file)
    with HostileServer() as server:
        said = send(capsys, server, file)
        assert said.code == 1
        assert "1 of them can't be written there; not all of it was sent; the same command goes on" in said.err
        os.unlink(letters_file)
        said = send(capsys, server, file)
        assert (said.code, said.json[0]["earlier"]) == (1, 3)
        assert sorted(numbers(server)) == [0, 1, 2]
    assert [letter["message"] for letter in letters(letters_file)] == ["hello"]
    assert not os.path.exists(f"{file}{SUFFIX}")


TELLS_ITS_PEAK = f"""
import atexit, sys
status = open("/proc/self/status")
atexit.register(lambda: sys.stderr.write(next(line for line in status if line.startswith("VmHWM"))))
{RUN}
"""


def test_memory_does_not_grow_with_the_file(file):
    """What a file of 24 MB takes in memory is what half of it does: some thousand messages at a time."""
    wire = {"event": "E", "properties": {"token": "t", "time": NOW, "pad": "x" * 4000}}
    line = json.dumps({"message": wire}).encode() + b"\n"
    peaks = []
    for count in (3_000, 6_000):
        file.write_bytes(line * count)
        with HostileServer() as server:
            with apart("send", file, "--url", server.url, program=TELLS_ITS_PEAK) as process:
                said = ended(process)
            assert said.code == 0
            assert len(server.taken) == count
        peaks.append(int(said.err.split()[-2]))
    assert peaks[1] - peaks[0] < 5_000, peaks  # KiB, of 12,000


def test_a_bar_on_a_terminal_only(file):
    """On a terminal a bar shows how far it is, on stderr; what goes to stdout stays one JSON line."""
    file.write_bytes(b"".join(numbered(200, NOW)))
    main, terminal = pty.openpty()
    with HostileServer() as server:
        with apart("send", file, "--url", server.url, env=environment(TERM="xterm"), stderr=terminal) as process:
            os.close(terminal)
            out, _ = process.communicate(timeout=30)
        shown = b""
        while True:
            try:
                chunk = os.read(main, 4096)
            except OSError:  # the other end is closed
                break
            if not chunk:
                break
            shown += chunk
        os.close(main)
    assert process.returncode == 0
    assert out.count("\n") == 1
    assert b"Sending events.jsonl" in shown
    assert b"100%" in shown
    assert b"200 messages delivered." in shown


def test_what_a_spool_holds_can_be_sent(capsys, tmp_path):
    """A spool's own files are of the format as they are, with blanks, zeros and refused messages in them."""
    refusal = Refusal("no_token", "", "track", {"event": "x", "properties": {}})
    refused = DeadLetter(letter=refusal, reason="no_token", error="", attempts=0)
    folder = left(tmp_path, *numbered(3, NOW), refused.line(0), b"   \n", *numbered(2, NOW, start=3))
    with HostileServer() as server:
        said = send(capsys, server, os.path.join(folder, "000001.jsonl"))
    assert sorted(numbers(server)) == list(range(5))
    assert said.json[0]["dead_lettered"] == {"no_token": 1}
