"""`robotmia-logging spool FOLDER`: what it shows is what is there, and what it does loses nothing."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import shutil
import signal
import subprocess
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

from robotmia_logging.delivery.dead_letters import DeadLetterFile
from robotmia_logging.delivery.spool.chain import Chain
from robotmia_logging.messages import DeadLetter, Refusal, message_line
from tests.cli.command_running import Said, apart, ended, here, left, letters, names_in, numbered, numbers
from tests.delivery.fakes import event, update
from tests.hostile import HostileServer, held_until, latency, refuse, refuse_if, status
from tests.processes.proc_running import run

NOW = int(time.time())


def spool(capsys, folder, *arguments):
    return here(capsys, "spool", folder, *arguments)


def dead(item, reason="refused", error="no", attempts=1):
    return DeadLetter(letter=item, reason=reason, error=error, attempts=attempts)


def bury(folder, *dead_letters):
    DeadLetterFile(folder / "dead-letters.jsonl").append(list(dead_letters), NOW)


# --- status


def test_status_shows_each_process(capsys, tmp_path):
    """A table for people: of each process whether it lives, its files, messages, bytes, oldest message's time."""
    left(tmp_path, *numbered(1234, 1_700_000_000), size=1 << 20)
    living = Chain.create(str(tmp_path), NOW)
    living.new_segment(65536).append(numbered(1, 1_700_000_000)[0])
    said = spool(capsys, tmp_path, "status")
    living.release()
    pid = str(os.getpid())
    width = max(3, len(pid))
    assert said.out == (
        f"{'PID':>{width}}  OWNER  SEGMENTS  MESSAGES      BYTES  OLDEST\n"
        f"{pid:>{width}}  dead          1     1,234  1,048,576  2023-11-14T22:13:20Z\n"
        f"{pid:>{width}}  alive         1         1     65,536  2023-11-14T22:13:20Z\n"
        "1,235 messages to be sent, 1,114,112 bytes.\n"
    )
    assert (said.code, said.err) == (0, "")


def test_status_is_what_a_bare_folder_shows(capsys, tmp_path):
    """Without a command the status is shown, with its options, too."""
    left(tmp_path, *numbered(3, NOW))
    for arguments in ((), ("--json",)):
        assert spool(capsys, tmp_path, *arguments) == spool(capsys, tmp_path, "status", *arguments)


def test_status_as_json(capsys, tmp_path):
    """With --json each process is a JSON line."""
    folder = left(
        tmp_path, *numbered(2, NOW), dead(Refusal("no_token", "", "track", {}), "no_token").line(0), b'{"en\n'
    )
    [fields] = spool(capsys, tmp_path, "status", "--json").json
    assert fields == {
        "chain": os.path.basename(folder),
        "pid": os.getpid(),
        "owner": "dead",
        "segments": 1,
        "messages": 2,
        "dead_letters": 1,
        "damaged": 1,
        "bytes": 1 << 20,
        "oldest": NOW,
    }


def test_an_empty_spool(capsys, tmp_path):
    """Where nothing waits every command has nothing to do, and says so with exit code 0."""
    assert spool(capsys, tmp_path).out == "0 messages to be sent, 0 bytes.\n"
    for command in ("status --json", "dead", "dead --count", "dead --json", "export"):
        assert spool(capsys, tmp_path, *command.split()) == Said(0, "", "")
    for command in ("drain", "retry"):
        said = spool(capsys, tmp_path, command)
        assert (said.code, said.err, said.json[0]["delivered"]) == (0, "0 messages delivered.\n", 0)
    assert names_in(tmp_path) == []


@pytest.mark.parametrize("command", ["", "status", "drain", "dead", "retry", "export"])
def test_a_folder_that_is_none(capsys, tmp_path, command):
    """A folder that isn't there, or is a file, is told in words, and isn't made."""
    (tmp_path / "file").touch()
    for name in ("no", "file"):
        said = spool(capsys, tmp_path / name, *command.split())
        assert (said.code, said.out) == (2, "")
        assert f"'{tmp_path / name}'" in said.err
    assert names_in(tmp_path) == ["file"]


def test_another_users_chain_is_shown_and_holds_up_nobody(capsys, tmp_path, monkeypatch):
    """A chain that may not be looked into is neither alive nor dead, and no trouble to status and drain."""
    foreign, _ours = (left(tmp_path, *numbered(1, NOW + n)) for n in range(2))
    closed = os.path.join(foreign, "lock")
    really_open = os.open

    def open_(path, *flags, **how):  # tests may run as root, who may look into everything
        if path == closed:
            raise PermissionError(errno.EACCES, "Permission denied", path)
        return really_open(path, *flags, **how)

    monkeypatch.setattr(os, "open", open_)
    said = spool(capsys, tmp_path, "status")
    assert (said.code, "messages of 1 other owner can't be read" in said.err) == (1, True)
    assert [row.split()[1:4] for row in said.out.splitlines()[1:3]] == [["?", "?", "?"], ["dead", "1", "1"]]
    assert [state["owner"] for state in spool(capsys, tmp_path, "status", "--json").json] == ["unknown", "dead"]
    with HostileServer() as server:
        said = spool(capsys, tmp_path, "drain", "--url", server.url)
    assert (said.code, said.json[0]["delivered"], said.json[0]["left"]) == (1, 1, 0)
    assert "1 message delivered; those of 1 other owner can't be read" in said.err


# --- drain

LOGS_AND_IS_KILLED = """
    import os, signal, sys
    from proc_child import door, track
    log, handler = door(spool=sys.argv[1])
    track(log, int(sys.argv[2]), int(sys.argv[3]))
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_drain_delivers_what_dead_processes_left(capsys, tmp_path):
    """What processes killed in an outage left arrives, each message once, in order, and the folder is empty."""
    with HostileServer() as server:
        server.refuse_connections()
        for start in (0, 300):
            run(server, LOGS_AND_IS_KILLED, tmp_path, 300, start)
        assert [fields["messages"] for fields in spool(capsys, tmp_path, "--json").json] == [300, 300]
        server.accept_connections()
        said = spool(capsys, tmp_path, "drain", "--url", server.url)
        arrived = numbers(server)
    assert (said.code, said.err) == (0, "600 messages delivered.\n")
    assert (said.json[0]["delivered"], said.json[0]["left"]) == (600, 0)
    assert sorted(arrived) == list(range(600))
    assert [n for n in arrived if n < 300] == list(range(300))
    assert names_in(tmp_path) == []


def test_drain_leaves_the_living_alone(capsys, tmp_path):
    """What a living process keeps is its own to deliver; it counts for nothing here."""
    living = Chain.create(str(tmp_path), NOW)
    living.new_segment(65536).append(numbered(1, NOW)[0])
    left(tmp_path, *numbered(3, NOW, start=1))
    with HostileServer() as server:
        said = spool(capsys, tmp_path, "drain", "--url", server.url)
        assert sorted(numbers(server)) == [1, 2, 3]
    assert (said.code, said.err) == (0, "3 messages delivered.\n")
    assert [fields["owner"] for fields in spool(capsys, tmp_path, "--json").json] == ["alive"]
    living.release()


def test_drain_says_why_something_is_left(tmp_path):
    """With the server down something is left: exit code 1, one sentence why, and every message is still there."""
    left(tmp_path, *numbered(30, NOW))
    with HostileServer() as server:
        server.refuse_connections()
        with apart("spool", tmp_path, "drain", "--timeout", "0.5", "--url", server.url) as process:
            said = ended(process)
        assert said.code == 1
        assert said.err.startswith("0 messages delivered; 30 left: no more time (--timeout 0.5); /track/: ")
        assert "refused" in said.err
        assert said.err.count("\n") == 1
        assert (said.json[0]["pending"], said.json[0]["left"]) == (30, 30)
        server.accept_connections()
        with apart("spool", tmp_path, "drain", "--url", server.url) as process:
            assert ended(process).code == 0
        assert sorted(numbers(server)) == list(range(30))


def test_drain_tells_of_dead_letters(capsys, tmp_path):
    """What is refused goes to the dead letters, as does what was refused in its log call: exit code 1."""
    refused = dead(Refusal("no_token", "it has none", "track", {"event": "x"}), "no_token", "it has none", 0)
    left(tmp_path, *numbered(5, NOW), refused.line(0))
    with HostileServer(refuse_if(lambda wire: wire["properties"]["n"] == 2, "no 2")) as server:
        said = spool(capsys, tmp_path, "drain", "--url", server.url)
    path = tmp_path / "dead-letters.jsonl"
    assert (said.code, said.err) == (1, f"4 messages delivered; 2 dead letters in {path}.\n")
    assert said.json[0]["dead_lettered"] == {"refused": 1, "no_token": 1}
    assert Counter(letter["reason"] for letter in letters(path)) == {"refused": 1, "no_token": 1}
    assert names_in(tmp_path) == ["dead-letters.jsonl"]


def test_drain_keeps_what_it_can_neither_deliver_nor_bury(capsys, tmp_path):
    """If dead letters can't be written, they stay in the spool, and count as left."""
    left(tmp_path, *numbered(3, NOW))
    with HostileServer(refuse("no")) as server:
        said = spool(capsys, tmp_path, "drain", "--url", server.url, "--dead-letters", "/dev/full")
    assert said.code == 1
    assert "3 left: " in said.err
    assert said.json[0]["left"] == 3


@pytest.mark.parametrize("signal_number", [signal.SIGTERM, signal.SIGINT])
def test_drain_told_to_end(tmp_path, signal_number):
    """Told to end it does, with exit code 130 and a sentence; what has not been delivered is there for the next."""
    left(tmp_path, *numbered(1000, NOW, users=1))
    with HostileServer(latency(0.4)) as server:
        with apart("spool", tmp_path, "drain", "--url", server.url) as process:
            assert server.wait_for(lambda s: s.requests, 30)
            process.send_signal(signal_number)
            said = ended(process)
        assert said.code == 130
        assert said.err.count("\n") == 1
        assert "left: interrupted" in said.err
    with HostileServer() as server, apart("spool", tmp_path, "drain", "--url", server.url) as process:
        assert ended(process).code == 0
        assert set(numbers(server)) == set(range(1000)) - set(range(1000 - said.json[0]["left"]))


def test_two_drains_at_once(tmp_path):
    """Two who drain the same folder deliver each message once between them, and end."""
    for start in range(0, 400, 100):
        left(tmp_path, *numbered(100, NOW, start=start), at=NOW + start)
    with HostileServer(latency(0.01)) as server:
        with (
            apart("spool", tmp_path, "drain", "--url", server.url) as one,
            apart("spool", tmp_path, "drain", "--url", server.url) as two,
        ):
            ended_both = [ended(one), ended(two)]
        assert sorted(numbers(server)) == list(range(400))
    assert sum(said.json[0]["delivered"] for said in ended_both) == 400
    assert names_in(tmp_path) == []


# --- export


def test_export_gives_all_that_is_to_be_sent(capsys, tmp_path):
    """The messages of the living and the dead come as whole lines, in order, and stay where they are."""
    lines = numbered(6, NOW)
    left(tmp_path, *lines[:3], dead(Refusal("no_token", "", "track", {}), "no_token").line(0))
    living = Chain.create(str(tmp_path), NOW)
    segment = living.new_segment(65536)
    for line in lines[3:]:
        segment.append(line)
    said = spool(capsys, tmp_path, "export")
    assert said.out.encode() == b"".join(lines)
    output = tmp_path / "out.jsonl"
    said = spool(capsys, tmp_path, "export", "--output", output)
    assert (said.code, said.out, said.err) == (0, "", f"6 messages written to {output}.\n")
    assert output.read_bytes() == b"".join(lines)
    assert output.stat().st_mode & 0o077 == 0
    assert spool(capsys, tmp_path).out.splitlines()[-1].startswith("6 messages")
    living.release()


def test_an_export_can_be_sent(capsys, tmp_path):
    """What was exported is what send takes."""
    left(tmp_path, *numbered(60, NOW), message_line(update("u", add={"n": 1})))
    output = tmp_path / "out.jsonl"
    spool(capsys, tmp_path, "export", "--output", output)
    with HostileServer() as server:
        assert here(capsys, "send", output, "--url", server.url).code == 0
        assert len(server.taken) == 61


@pytest.mark.skipif(shutil.which("jq") is None, reason="jq isn't there")
def test_jq_reads_what_is_written(capsys, tmp_path):
    """jq reads an export and the dead letters as they are."""
    left(tmp_path, *numbered(3, NOW))
    bury(tmp_path, dead(event("a")))
    spool(capsys, tmp_path, "export", "--output", tmp_path / "out")
    for path, program, words in (
        ("out", ".message.properties.n", "0\n1\n2\n"),
        ("dead-letters.jsonl", ".reason", '"refused"\n'),
    ):
        done = subprocess.run(["jq", program, tmp_path / path], capture_output=True, text=True, check=True)
        assert done.stdout == words


def test_export_to_where_nothing_can_be_written(capsys, tmp_path):
    """An output that can't be written is one sentence, exit code 1."""
    left(tmp_path, *numbered(3, NOW))
    for output in ("/dev/full", tmp_path / "no" / "out"):
        said = spool(capsys, tmp_path, "export", "--output", output)
        assert (said.code, said.out, said.err.count("\n")) == (1, "", 1)
        assert str(output) in said.err


# --- dead


def test_dead_lists_letters(capsys, tmp_path):
    """Each dead letter is a line for people: when, why, whose, what, in whose words; the oldest first."""
    bury(
        tmp_path,
        dead(event("Bought", "ada"), error="no such price"),
        dead(update("bob", add={"n": 1}), "rejected", "HTTP 401", 3),
    )
    (tmp_path / "dead-letters.jsonl").rename(tmp_path / "dead-letters.jsonl.1")
    bury(
        tmp_path,
        dead(Refusal("invalid_line", "line 3: no JSON", "track", "hello"), "invalid_line", "line 3: no JSON", 0),
    )
    said = spool(capsys, tmp_path, "dead")
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(NOW))
    assert (said.code, said.err) == (0, "")
    assert said.out.splitlines() == [
        f"{at}  refused  track  ada  Bought: no such price (1 request)",
        f"{at}  rejected  engage  bob  $add: HTTP 401 (3 requests)",
        f"{at}  invalid_line  track  -  hello: line 3: no JSON",
    ]


def test_dead_counts_by_reason(capsys, tmp_path):
    """--count says how many there are for each reason, the most frequent first, for people or as JSON lines."""
    bury(tmp_path, *[dead(event("a"))] * 1234, dead(event("b"), "rejected"))
    assert spool(capsys, tmp_path, "dead", "--count").out == "    1,234  refused\n        1  rejected\n"
    said = spool(capsys, tmp_path, "dead", "--count", "--json")
    assert said.json == [{"reason": "refused", "count": 1234}, {"reason": "rejected", "count": 1}]


def test_dead_letters_as_they_are(capsys, tmp_path):
    """--json gives the lines as they stand in their file; --dead-letters says in which."""
    bury(tmp_path, dead(event("é ")), dead(event("b")))
    text = (tmp_path / "dead-letters.jsonl").read_text()
    assert spool(capsys, tmp_path, "dead", "--json").out == text
    (tmp_path / "dead-letters.jsonl").rename(tmp_path / "others")
    assert spool(capsys, tmp_path, "dead", "--json").out == ""
    assert spool(capsys, tmp_path, "dead", "--json", "--dead-letters", tmp_path / "others").out == text


def test_what_others_wrote_does_not_control_the_terminal(capsys, tmp_path):
    """Line ends and escapes in ids, names and the server's words are shown, not obeyed; damaged lines are counted."""
    bury(tmp_path, dead(event("E\x1b[2J", "a\nb"), error="no\r\x07" + "x" * 1000))
    with open(tmp_path / "dead-letters.jsonl", "ab") as file:
        file.write(b'{"endpoint": "tr\n[1]\n{"reason": 5}\n')
        file.write(json.dumps({"reason": "r", "at": "noon\n", "message": None}).encode())
    said = spool(capsys, tmp_path, "dead")
    first, second = said.out.splitlines()
    assert "a\\nb  E\\x1b[2J: no\\r\\x07xxx" in first
    assert len(first) <= 400
    assert second.startswith("noon\\n  r  ")
    assert said.err == "3 lines can't be read.\n"


# --- retry


def test_retry_delivers_what_was_refused(capsys, tmp_path):
    """Once the reason is gone all letters arrive, those of the older file first, and no file is left."""
    bury(tmp_path, *(dead(event("E", "u", time=NOW, n=n)) for n in range(3)))
    (tmp_path / "dead-letters.jsonl").rename(tmp_path / "dead-letters.jsonl.1")
    bury(tmp_path, *(dead(event("E", "u", time=NOW, n=n)) for n in range(3, 6)))
    with HostileServer() as server:
        said = spool(capsys, tmp_path, "retry", "--url", server.url)
        assert numbers(server) == list(range(6))
    assert (said.code, said.err) == (0, "6 messages delivered.\n")
    assert (said.json[0]["accepted"], said.json[0]["delivered"]) == (6, 6)
    assert names_in(tmp_path) == []


def test_what_is_refused_again_stays(capsys, tmp_path):
    """What is refused again stays with the new reason; what never could be sent, and damaged lines, stay, too."""
    bury(
        tmp_path,
        dead(event("E", time=NOW, n=0)),
        dead(event("E", time=NOW, n=1), "rejected", "HTTP 401"),
        dead(Refusal("no_token", "it has none", "track", {"event": "x", "properties": {}}, user="ada"), "no_token"),
    )
    path = tmp_path / "dead-letters.jsonl"
    with open(path, "ab") as file:
        file.write(b"hello\n")
    with HostileServer(refuse_if(lambda wire: wire["properties"]["n"] == 1, "still no")) as server:
        said = spool(capsys, tmp_path, "retry", "--url", server.url)
        assert numbers(server) == [0]
    assert (said.code, said.err) == (1, f"1 message delivered; 3 dead letters in {path}.\n")
    found = {letter["reason"]: letter for letter in letters(path)}
    assert (found["refused"]["message"]["properties"]["n"], found["refused"]["error"]) == (1, "still no")
    assert (found["no_token"]["user"], found["no_token"]["message"]["event"]) == ("ada", "x")
    assert found["invalid_line"]["message"] == "hello"
    assert names_in(tmp_path) == ["dead-letters.jsonl"]
    with HostileServer() as server:
        spool(capsys, tmp_path, "retry", "--url", server.url)
    assert Counter(letter["reason"] for letter in letters(path)) == {"no_token": 1, "invalid_line": 1}


def test_a_retry_that_fails_keeps_all(capsys, tmp_path):
    """With the server down no letter is lost: all are listed still, and the next retry delivers them."""
    bury(tmp_path, *(dead(event("E", time=NOW, n=n)) for n in range(3)))
    with HostileServer(status(503)) as server:
        said = spool(capsys, tmp_path, "retry", "--timeout", "0.3", "--url", server.url)
    assert said.code == 1
    assert "no more time (--timeout 0.3); /track/: HTTP 503" in said.err
    assert said.err.endswith("; the next retry goes on from there.\n")
    assert [letter["message"]["properties"]["n"] for letter in spool(capsys, tmp_path, "dead", "--json").json] == [
        0,
        1,
        2,
    ]
    bury(tmp_path, dead(event("E", time=NOW, n=3)))
    with HostileServer() as server:
        assert spool(capsys, tmp_path, "retry", "--url", server.url).code == 0
        assert sorted(numbers(server)) == [0, 1, 2, 3]
    assert names_in(tmp_path) == []


@pytest.mark.parametrize("signal_number", [signal.SIGTERM, signal.SIGINT])
def test_a_retry_told_to_end(tmp_path, signal_number):
    """Told to end it does, with exit code 130 and a sentence; the next goes on from there, and sends nothing twice."""
    bury(tmp_path, *(dead(event("E", "u", time=NOW, n=n)) for n in range(1000)))
    with HostileServer(latency(0.4)) as server:
        with apart("spool", tmp_path, "retry", "--url", server.url) as process:
            assert server.wait_for(lambda s: s.requests, 30)
            process.send_signal(signal_number)
            said = ended(process)
        assert said.code == 130
        assert said.err.endswith("interrupted; the next retry goes on from there.\n")
        before = numbers(server)
    with HostileServer() as server, apart("spool", tmp_path, "retry", "--url", server.url) as process:
        assert ended(process).code == 0
        assert sorted(before + numbers(server)) == list(range(1000))


def test_a_retry_killed_amid_it_loses_no_letter(capsys, tmp_path):
    """A retry killed by kill -9 is gone on with: no letter is lost, those written meanwhile neither."""
    count, bad = 1000, {5, 400, 700}
    bury(tmp_path, *(dead(event("E", "u", time=NOW, n=n)) for n in range(count)))
    path = tmp_path / "dead-letters.jsonl"
    script = refuse_if(lambda wire: wire["properties"]["n"] in bad, "no")
    with HostileServer(latency(0.02, script)) as server:
        with apart("spool", tmp_path, "retry", "--url", server.url) as process:
            assert server.wait_for(lambda s: len(s.taken) >= 300, 30)
            process.kill()
            ended(process)
        bury(tmp_path, dead(event("E", "u", time=NOW, n=count)))
        listed = [letter["message"]["properties"]["n"] for letter in spool(capsys, tmp_path, "dead", "--json").json]
        assert set(listed) | set(numbers(server)) == set(range(count + 1))
        with apart("spool", tmp_path, "retry", "--url", server.url) as process:
            said = ended(process)
        arrived = Counter(numbers(server))
    assert said.code == 1
    assert set(arrived) == set(range(count + 1)) - bad
    assert sum(arrived.values()) - len(arrived) <= 50
    assert {letter["message"]["properties"]["n"] for letter in letters(path)} == bad
    assert names_in(tmp_path) == ["dead-letters.jsonl"]


def test_a_retry_killed_when_it_was_done_leaves_no_trap(capsys, tmp_path):
    """A journal whose file is gone, the trace of a kill at the last moment, is in nobody's way."""
    (tmp_path / "dead-letters.jsonl.retry-1.sent").write_text('{"sending":{}}\n[0,10]\n')
    bury(tmp_path, dead(event("E", time=NOW, n=0)))
    with HostileServer() as server:
        assert spool(capsys, tmp_path, "retry", "--url", server.url).code == 0
        assert numbers(server) == [0]
    assert names_in(tmp_path) == []


def test_letters_written_during_a_retry_are_kept(capsys, tmp_path):
    """What handlers write while letters are sent again is in the file afterwards."""
    bury(tmp_path, dead(event("E", time=NOW, n=0)))
    hold, results = threading.Event(), []
    with HostileServer(held_until(hold)) as server:
        with apart("spool", tmp_path, "retry", "--url", server.url) as process:
            assert server.wait_for(lambda s: s.requests, 30)
            bury(tmp_path, dead(event("E", time=NOW, n=1)))
            with apart("spool", tmp_path, "retry", "--url", server.url) as other:
                results.append(ended(other))
            hold.set()
            results.append(ended(process))
        assert numbers(server) == [0]
    assert [said.code for said in results] == [1, 0]
    assert results[0].err.startswith("The dead letters aren't sent again: another process is sending it")
    assert [letter["message"]["properties"]["n"] for letter in spool(capsys, tmp_path, "dead", "--json").json] == [1]


def test_retry_tells_of_what_it_sent_before_it_came_to_a_halt(capsys, tmp_path):
    """Another retry is at the second of two files: the account of the first is given all the same, and the reason."""
    for n in (1, 2):
        bury(tmp_path, dead(event("E", time=NOW, n=n)))
        os.rename(tmp_path / "dead-letters.jsonl", tmp_path / f"dead-letters.jsonl.retry-{n}")
    with open(tmp_path / "dead-letters.jsonl.retry-2.sent", "wb") as journal, HostileServer() as server:
        fcntl.flock(journal, fcntl.LOCK_EX)
        said = spool(capsys, tmp_path, "retry", "--url", server.url)
        assert numbers(server) == [1]
    assert said.code == 1
    assert [account["delivered"] for account in said.json] == [1]
    assert "1 message delivered; the rest isn't sent again: another process is sending it" in said.err


def test_retry_beside_a_stopped_process(capsys, tmp_path, monkeypatch):
    """While another process holds the file's lock and doesn't let go, nothing is taken, and a sentence says so."""
    monkeypatch.setattr("robotmia_logging.delivery.dead_letters._TAKER_PATIENCE_S", 0.05)
    bury(tmp_path, dead(event("E", time=NOW, n=0)))
    with open(tmp_path / "dead-letters.jsonl", "rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        said = spool(capsys, tmp_path, "retry")
    assert (said.code, said.out, said.err.count("\n")) == (1, "", 1)
    assert "another process holds the lock" in said.err
    assert Path(tmp_path / "dead-letters.jsonl").exists()
