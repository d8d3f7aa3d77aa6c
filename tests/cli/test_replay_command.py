"""`robotmia-logging replay`: past logs become events, each once, whatever happens meanwhile."""

from __future__ import annotations

import bz2
import gzip
import json
import os
import pty
import signal
import threading
import time
from collections import Counter
from datetime import datetime, timezone

import pytest

from robotmia_logging.sandbox.server import SandboxServer
from robotmia_logging.sandbox.store.records import Filters
from tests.cli.command_running import RUN, apart, ended, environment, here, letters, names_in
from tests.hostile import HostileServer, accept, held_until, latency, refuse_if, status
from tests.replay.replay_logs import RULES, asking, at, line

STATE = ".robotmia-replay"
SAYS_WHEN_IT_WAITS = f"""
import select, sys
real = select.poll
class Poll:
    def __init__(self):
        self.poller = real()
        self.register = self.poller.register
    def poll(self):
        sys.stderr.write("waiting\\n")
        sys.stderr.flush()
        return self.poller.poll()
select.poll = Poll
{RUN}
"""


@pytest.fixture
def logs(tmp_path):
    """A folder for logs, and the rules beside it."""
    (tmp_path / "rules.toml").write_text(RULES)
    (tmp_path / "logs").mkdir()
    return tmp_path / "logs"


@pytest.fixture
def log(logs):
    return logs / "app.log"


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch):
    for name in ("ROBOTMIA_TOKEN", "ROBOTMIA_HASH_KEY", "ROBOTMIA_URL"):
        monkeypatch.delenv(name, raising=False)


def arguments(server, *more):
    """The command for the log of the test's folder."""
    return ("replay", "--token", "t", "--url", server.url, *more)


def replay(capsys, server, rules, *more):
    return here(capsys, *arguments(server, "--rules", rules, *more))


def rules(log):
    return log.parent.parent / "rules.toml"


def placed(start, end, **fields):
    return b"".join(line(n, **fields) for n in range(start, end))


def taken(server):
    """The numbers of the orders that arrived, in order."""
    return [message["properties"]["n"] for _, message in server.taken]


def sentence(said):
    """The last line for people."""
    return said.err.splitlines()[-1]


# --- what arrives


def test_a_log_becomes_events(capsys, log):
    """Lines that a rule matches become events with the log's times and users, and that is said."""
    log.write_bytes(placed(0, 100) + line(100, "noise") + b"hello\n")
    with SandboxServer(clock=lambda: datetime(2026, 11, 25, tzinfo=timezone.utc).timestamp()) as sandbox:
        said = here(capsys, *arguments(sandbox, "--rules", rules(log), log))
        events = sandbox.store.entries(Filters(refused=False))
    assert said.code == 1  # for the line that can't be read
    [fields] = said.json
    assert (fields["delivered"], fields["lines"]["matched"], fields["lines"]["unmatched"]) == (100, 100, 1)
    assert sum(fields["lines"]["unreadable"].values()) == 1
    [row] = fields["events"]
    assert (row["name"], row["count"], row["users"], row["rule"]) == ("Order Placed", 100, 7, f"{rules(log)}: rule[0]")
    assert sentence(said) == (
        "100 messages delivered; 102 lines read: 100 matched by a rule, 1 matched by no rule, 1 unreadable."
    )
    assert len(events) == 100


def test_logs_of_all_kinds_end_in_the_sandbox(capsys, logs):
    """JSON, text, packed and rotated logs in one command: the sandbox holds each event once, profiles add up."""
    (logs / "rules.toml").write_text(
        RULES + 'profile = { "$add" = { Orders = 1 } }\n'
        '[[rule]]\nmessage = "order %d placed by %s"\nevent = "Order Placed"\n'
        'distinct_id = "{1}"\nproperties = { n = "{0}" }\n'
    )
    (logs / "app.log").write_bytes(placed(70, 105))
    (logs / "app.log.1").write_bytes(placed(35, 70))
    (logs / "app.log.2.gz").write_bytes(gzip.compress(placed(0, 35)))
    text = "".join(f"2026-11-24 10:01:{n - 105:02},000 INFO shop: order {n} placed by ada\n" for n in range(105, 140))
    (logs / "text.log").write_text(text)
    with SandboxServer(clock=lambda: datetime(2026, 11, 25, tzinfo=timezone.utc).timestamp()) as sandbox:
        for delivered in (2 * 105 + 35, 0):
            said = here(capsys, *arguments(sandbox, "--rules", logs / "rules.toml", *logs.glob("*log*")))
            assert (said.code, said.json[0]["delivered"]) == (0, delivered)
        messages = sandbox.store.entries(Filters(refused=False))
    numbers = [sent.body["properties"]["n"] for sent in messages if "event" in sent.body]
    assert Counter(numbers) == Counter(range(140))
    added = Counter(sent.distinct_id for sent in messages if sent.event == "$add")
    assert added == Counter(f"u{n % 7}" for n in range(105))


def test_old_events_are_imported(capsys, log):
    """Events older than five days go to /import/, with the times of the log."""
    log.write_bytes(placed(0, 5, timestamp="2020-01-01T00:00:00Z"))
    with HostileServer() as server:
        assert replay(capsys, server, rules(log), log, "--import-auth", "api_key=k").code == 0
    [request] = server.requests
    assert (request.path, request.form["api_key"]) == ("/import/", "k")
    assert {message["properties"]["time"] for message in request.messages} == {1_577_836_800}


def test_text_is_matched_by_templates(capsys, logs):
    """A rule's template is recognized in the rendered text of a plain log; naive times are in the zone given."""
    (logs / "rules.toml").write_text(
        '[[rule]]\nlogger = "shop"\nmessage = "order %d placed by %s"\nevent = "Order Placed"\n'
        'distinct_id = "{1}"\nproperties = { n = "{0}" }\n'
    )
    text = "2026-11-24 10:00:00,123 INFO shop.orders order 17 placed by ada\nTraceback (most recent call last):\n  x\n"
    (logs / "app.log").write_text(text)
    with HostileServer() as server:
        said = replay(capsys, server, logs / "rules.toml", logs / "app.log", "--timezone", "+01:00")
    [(_, message)] = server.taken
    assert message["properties"].items() >= {"n": 17, "distinct_id": "ada", "time": 1_795_510_800}.items()
    assert (said.code, said.json[0]["naive_times"], said.json[0]["lines"]["continued"]) == (0, 1, 2)
    assert "1 time had no zone, and count as +01:00 (--timezone)." in said.err


def test_lines_that_ask_need_no_rules(capsys, log):
    """Lines with the vocabulary give what they ask for; without rules people are told why others give nothing."""
    log.write_bytes(asking(0, 3) + line(1))
    with HostileServer() as server:
        said = here(capsys, *arguments(server, log))
    kinds = [kind for _, message in server.taken for kind in ("event", "$set", "$add") if kind in message]
    assert (sorted(kinds), len(server.taken)) == (["$add", "$set", "event"], 3)
    assert (said.code, said.json[0]["lines"]["asking"], said.json[0]["lines"]["unmatched"]) == (0, 1, 1)
    assert "There are no rules" in said.err


def test_a_pattern_of_your_own(capsys, logs):
    """Lines of any form are read by a pattern, times as strptime has them."""
    (logs / "x.log").write_text("24.11.2026 10:00:00|shop|order placed|5|ada\n")
    pattern = r"(?P<time>[^|]+)\|(?P<logger>[^|]+)\|(?P<message>[^|]+)\|(?P<n>\d+)\|(?P<user>.+)"
    with HostileServer() as server:
        options = ("--pattern", pattern, "--time-format", "%d.%m.%Y %H:%M:%S")
        assert replay(capsys, server, logs.parent / "rules.toml", logs / "x.log", *options).code == 0
    assert server.taken[0][1]["properties"]["distinct_id"] == "ada"


def test_yesterday_alone(capsys, log):
    """--since and --until choose lines by their time; the others may still be replayed later."""
    log.write_bytes(placed(0, 10))
    with HostileServer() as server:
        said = replay(capsys, server, rules(log), log, "--since", at(3)[:19], "--until", at(6)[:19])
        assert (said.code, taken(server), said.json[0]["lines"]["outside"]) == (0, [3, 4, 5], 7)
        said = replay(capsys, server, rules(log), log)
        assert sorted(taken(server)) == list(range(10))
        assert said.json[0]["lines"]["earlier"] == 3


def test_standard_input(log):
    """From - a log is read without state: the same again sends it again."""
    with HostileServer() as server:
        for _ in range(2):
            command = arguments(server, "--rules", rules(log), "-")
            with apart(*command, stdin=-1, cwd=log.parent) as process:
                _, err = process.communicate(placed(0, 10).decode(), timeout=30)
            assert process.returncode == 0, err
        assert sorted(taken(server)) == sorted([*range(10)] * 2)
    assert names_in(log.parent) == []


def test_what_is_refused_becomes_a_dead_letter(capsys, log):
    """Messages that the server refuses are dead letters in the state's folder, and count as dealt with."""
    log.write_bytes(placed(0, 10))
    with HostileServer(refuse_if(lambda wire: wire["properties"]["n"] == 8, "no 8")) as server:
        said = replay(capsys, server, rules(log), log)
        found = log.parent / STATE / "dead-letters.jsonl"
        assert (said.code, said.json[0]["dead_lettered"]) == (1, {"refused": 1})
        assert f"1 dead letter in {found}" in said.err
        assert [letter["error"] for letter in letters(found)] == ["no 8"]
        assert replay(capsys, server, rules(log), log).code == 0
    assert sorted(taken(server)) == [0, 1, 2, 3, 4, 5, 6, 7, 9]


# --- once


def test_the_same_again_sends_nothing(capsys, log):
    """What was replayed isn't sent again, whatever has become of the log meanwhile; what it has grown by is."""
    with HostileServer() as server:
        for end, path in ((10, log), (10, log), (25, log), (25, "app.log.1"), (25, "app.log.2.gz"), (25, "old.bz2")):
            path = log.parent / path
            pack = {".gz": gzip.compress, ".bz2": bz2.compress}.get(path.suffix, bytes)
            for known in log.parent.glob("*"):
                if known.is_file():
                    known.unlink()
            path.write_bytes(pack(placed(0, end)))
            said = replay(capsys, server, rules(log), path)
            assert said.code == 0
            assert sorted(taken(server)) == list(range(end))
        assert said.json[0]["lines"]["earlier"] == 25
        assert replay(capsys, server, rules(log), path, "--restart").code == 0
        assert Counter(taken(server)) == Counter([*range(25)] * 2)


def test_an_incomplete_last_line_is_left(capsys, log):
    """A line that is being written is left, with a note, and is sent once it is complete, once."""
    whole = placed(0, 3)
    with HostileServer() as server:
        log.write_bytes(whole[:-20])
        said = replay(capsys, server, rules(log), log)
        assert said.code == 0
        assert "its last line has no end yet, and is left for the next time" in said.err
        assert taken(server) == [0, 1]
        log.write_bytes(whole)
        assert replay(capsys, server, rules(log), log).code == 0
        log.write_bytes(whole + line(3)[:-1])
        os.utime(log, (time.time() - 3600,) * 2)  # nobody writes to it any more
        assert replay(capsys, server, rules(log), log).code == 0
        assert replay(capsys, server, rules(log), log).code == 0
        assert taken(server) == [0, 1, 2, 3]


def test_a_log_without_a_line_is_nothing_to_replay(capsys, log):
    """An empty log is no trouble, packed or not; of one that is just begun people are told that its line is left."""
    with HostileServer() as server:
        for text, is_told in ((b"", False), (gzip.compress(b""), False), (line(0)[:-5], True)):
            log.write_bytes(text)
            said = replay(capsys, server, rules(log), log)
            assert (said.code, "is left for the next time" in said.err) == (0, is_told)
        assert not server.connections


def test_other_rules_change_nothing_of_what_was_replayed(capsys, log):
    """When the rules have changed people are told that what was replayed stays; what follows goes by them."""
    log.write_bytes(placed(0, 5))
    with HostileServer() as server:
        assert replay(capsys, server, rules(log), log).code == 0
        rules(log).write_text(RULES.replace("Order Placed", "Ordered"))
        log.write_bytes(placed(0, 8))
        said = replay(capsys, server, rules(log), log)
    assert said.code == 0
    assert "a part was replayed with other rules or options, and stays as it was" in said.err
    assert [message["event"] for _, message in server.taken] == ["Order Placed"] * 5 + ["Ordered"] * 3


def test_two_do_not_replay_the_same_log(log):
    """While one process replays a log, another refuses to, in a sentence, and replays the other logs."""
    log.write_bytes(placed(0, 10))
    (log.parent / "b.log").write_bytes(placed(50, 60))
    hold = threading.Event()
    held = held_until(hold)
    with HostileServer(lambda request: accept if request.messages[0]["properties"]["n"] >= 50 else held) as server:
        with apart(*arguments(server, "--rules", rules(log), log)) as first:
            assert server.wait_for(lambda s: s.requests, 30)
            with apart(*arguments(server, "--rules", rules(log), log.parent / "b.log", log)) as second:
                said = ended(second)
            hold.set()
            assert ended(first).code == 0
        assert sorted(taken(server)) == [*range(10), *range(50, 60)]
    assert said.code == 1
    assert f"{log}: another process is replaying it" in said.err


@pytest.mark.parametrize("signal_number", [signal.SIGTERM, signal.SIGINT])
def test_told_to_end_it_goes_on_later_with_each_event_once(log, signal_number):
    """Told to end amid requests, it waits for their outcome; gone on with, the server holds each event once."""
    count = 3000
    log.write_bytes(placed(0, count))
    answers, hold = iter([accept] * 6), threading.Event()
    held = held_until(hold)
    with HostileServer(lambda _request: next(answers, held)) as server:
        with apart(*arguments(server, "--rules", rules(log), log)) as process:
            assert server.wait_for(lambda s: len(s.taken) >= 300 and len(s.requests) > 6, 30)
            process.send_signal(signal_number)
            hold.set()
            said = ended(process)
        assert said.code == 130, said.err
        assert sentence(said).endswith("interrupted; the same command goes on from there.")
        assert 300 < len(server.taken) < count
        os.rename(log, log.with_name("app.log.1"))
        log.write_bytes(placed(count, count + 50))
        with apart(*arguments(server, "--rules", rules(log), log, log.with_name("app.log.1"))) as process:
            assert ended(process).code == 0
        assert Counter(taken(server)) == Counter(range(count + 50))


@pytest.mark.parametrize("kills", [1, 2])
def test_killed_amid_it_goes_on_where_it_was(log, kills):
    """Killed by kill -9, each event arrives; twice only what was under way at a kill, and no reject twice."""
    count, senders = 2000, 8
    log.write_bytes(b"".join(line(n, "noise" if n % 2 else "order placed", user=f"u{n}") for n in range(count)))
    rejects = log.parent / "rejects.jsonl"
    command = ("--rules", rules(log), "--rejects", rejects, log)
    with HostileServer(latency(0.01)) as server:
        for _ in range(kills):
            before = len(server.taken)
            with apart(*arguments(server, *command)) as process:
                assert server.wait_for(lambda s, before=before: len(s.taken) - before >= 150, 30), ended(process)
                process.kill()
                ended(process)
        with apart(*arguments(server, *command)) as process:
            said = ended(process)
        arrived = Counter(taken(server))
    assert said.code == 0, said.err
    assert sorted(arrived) == list(range(0, count, 2))
    assert sum(arrived.values()) - count // 2 <= kills * senders * 50
    assert [reject["line"] for reject in letters(rejects)] == list(range(2, count + 1, 2))


def test_what_was_acknowledged_before_a_kill_is_not_sent_again(log):
    """With the requests under way at the kill never answered, nothing at all arrives twice."""
    log.write_bytes(placed(0, 500, user="u"))
    answers, hold = iter([accept] * 4), threading.Event()
    with HostileServer(lambda _request: next(answers, held_until(hold))) as server:
        with apart(*arguments(server, "--rules", rules(log), log)) as process:
            assert server.wait_for(lambda s: len(s.requests) == 5, 30)
            process.kill()
            ended(process)
        assert server.wait_for(lambda s: s.open_connections <= 1)
        answers = iter([accept] * 1000)
        with apart(*arguments(server, "--rules", rules(log), log)) as process:
            assert ended(process).code == 0
        assert taken(server) == list(range(500))


def test_rejects_written_just_before_a_kill_are_not_written_again(log):
    """Killed with rejects written that aren't known to be done, the next run doesn't write them once more."""
    log.write_bytes(b"".join(line(n, "noise") for n in range(100)) + placed(100, 150))
    rejects = log.parent / "rejects.jsonl"
    command = ("--rules", rules(log), "--rejects", rejects, log)
    held = held_until(threading.Event())
    with HostileServer(lambda _request: held) as server, apart(*arguments(server, *command)) as process:
        assert server.wait_for(lambda s: s.requests, 30)
        process.kill()
        ended(process)
    assert len(letters(rejects)) == 100
    with HostileServer() as server, apart(*arguments(server, *command)) as process:
        assert ended(process).code == 0
    assert [reject["line"] for reject in letters(rejects)] == list(range(1, 101))


def test_time_that_is_up_is_told(capsys, log):
    """--timeout is for the whole, and the same command goes on from there."""
    log.write_bytes(placed(0, 10))
    with HostileServer(status(503)) as server:
        said = replay(capsys, server, rules(log), log, "--timeout", "0.3")
    assert (said.code, said.json[0]["pending"]) == (1, 10)
    assert "no more time (--timeout 0.3); /track/: HTTP 503" in sentence(said)
    with HostileServer() as server:
        assert replay(capsys, server, rules(log), log).code == 0
        assert sorted(taken(server)) == list(range(10))


@pytest.mark.parametrize("name", ["-", "pipe"])
@pytest.mark.parametrize("signal_number", [signal.SIGTERM, signal.SIGINT])
def test_a_wait_for_more_can_be_ended(log, name, signal_number):
    """Told to end while the writer of a pipe says nothing, it tells what was delivered, and ends with 130."""
    os.mkfifo(log.parent / "pipe")
    with HostileServer() as server:
        options = {"stdin": -1 if name == "-" else None, "cwd": log.parent}
        with apart(*arguments(server, "--rules", rules(log), name), **options) as process:
            with process.stdin.buffer if name == "-" else open(log.parent / name, "wb") as pipe:
                pipe.write(placed(0, 100))
                pipe.flush()
                assert server.wait_for(lambda s: len(s.taken) >= 50, 30)
                process.send_signal(signal_number)
                said = process.stderr.read()
            assert process.wait(20) == 130, said
    assert said.endswith("; interrupted; the rest isn't read.\n")


@pytest.mark.parametrize("signal_number", [signal.SIGTERM, signal.SIGINT])
def test_a_wait_for_what_is_only_looked_at_can_be_ended(log, signal_number):
    """A dry run that waits for standard input is ended as well."""
    with apart("replay", "--dry-run", "-", stdin=-1, cwd=log.parent, program=SAYS_WHEN_IT_WAITS) as process:
        assert process.stderr.readline() == "waiting\n"
        process.send_signal(signal_number)
        assert process.stderr.read() == "Interrupted.\n"
        assert process.wait(20) == 130


# --- looked at again


def test_read_in_the_wrong_way_and_then_in_the_right_one(capsys, log):
    """What couldn't be read in one format is read in another: all of it is sent, once."""
    text = "".join(f"2026-11-24 10:00:0{n} INFO shop: order placed\n" for n in range(5)) + "  a line of its own\n"
    log.write_text(text)
    with HostileServer() as server:
        for _ in range(2):
            said = replay(capsys, server, rules(log), log, "--format", "json")
            assert (said.code, said.json[0]["delivered"], said.json[0]["lines"]["earlier"]) == (1, 0, 0)
            assert sum(said.json[0]["lines"]["unreadable"].values()) == 5
        for delivered in (5, 0):
            said = replay(capsys, server, rules(log), log)
            assert (said.code, said.json[0]["delivered"]) == (0, delivered)


def test_lines_that_cannot_be_read_are_told_each_time(capsys, log):
    """A line that can't be read makes each run end with 1, stands in the rejects once, and costs no other line."""
    log.write_bytes(line(0) + b"hello\n" + line(1))
    rejects = log.parent / "rejects.jsonl"
    with HostileServer() as server:
        for earlier in (0, 2):
            said = replay(capsys, server, rules(log), log, "--rejects", rejects)
            lines = said.json[0]["lines"]
            assert (said.code, sum(lines["unreadable"].values()), lines["earlier"]) == (1, 1, earlier)
        assert sorted(taken(server)) == [0, 1]
    assert len(letters(rejects)) == 1


def test_other_options_are_told(capsys, log):
    """Options that make other events of lines change nothing of what was replayed, and that is said."""
    log.write_bytes(placed(0, 5))
    with HostileServer() as server:
        for options, is_told in (((), False), ((), False), (("--property", "a=b"), True)):
            said = replay(capsys, server, rules(log), log, *options)
            assert ("a part was replayed with other rules or options" in said.err) is is_told
        assert len(server.taken) == 5


def test_a_slow_pattern_is_told_by_its_rule(capsys, log):
    """The rule whose pattern was given up is named, and the lines that it might match are looked at again."""
    rules(log).write_text('[[rule]]\npattern = "^(a|aa)+$"\nevent = "A"\n')
    log.write_bytes(b"".join(line(n, "a" * 60 + "!") for n in range(5)))
    with HostileServer() as server:
        for _ in range(2):
            said = replay(capsys, server, rules(log), log)
            assert (said.code, said.json[0]["lines"]["unmatched"]) == (1, 5)
            assert f"{rules(log)}: rule[0]: its pattern is too slow, and was given up" in said.err


# --- a dry run


def test_a_dry_run_sends_nothing(capsys, log):
    """A dry run shows a table of events and counts of lines; it needs no token, contacts nobody and keeps no state."""
    rules(log).write_text(RULES + '[[rule]]\nlogger = "never"\nevent = "Never"\n')
    log.write_bytes(placed(0, 30) + line(30, "noise") + b"hello\n")
    with HostileServer() as server:
        said = here(capsys, "replay", log, "--rules", rules(log), "--dry-run", "--url", server.url)
        assert server.connections == 0
    head, row, *_ = said.out.splitlines()
    assert head.split() == ["EVENT", "COUNT", "USERS", "FIRST", "LAST", "RULE"]
    assert row.split()[:6] == ["Order", "Placed", "30", "7", "2026-11-24T10:00:00Z", "2026-11-24T10:00:29Z"]
    assert "32 lines read: 30 matched by a rule, 1 matched by no rule, 1 unreadable." in said.out
    assert f"Rules that matched nothing: {rules(log)}: rule[1]." in said.out
    assert (said.code, sentence(said)) == (1, "Nothing was sent.")
    assert names_in(log.parent) == ["app.log"]


def test_a_dry_run_for_programs(capsys, log):
    """With --json a dry run is one object; what was replayed before isn't in it."""
    log.write_bytes(placed(0, 10))
    with HostileServer() as server:
        assert replay(capsys, server, rules(log), log).code == 0
    log.write_bytes(placed(0, 15))
    said = here(capsys, "replay", log, "--rules", rules(log), "--dry-run", "--json")
    [fields] = said.json
    assert (said.code, fields["events"][0]["count"], fields["lines"]["earlier"]) == (0, 5, 10)
    said = here(capsys, "replay", log, "--rules", rules(log), "--dry-run", "--json", "--restart")
    assert said.json[0]["events"][0]["count"] == 15


def test_a_real_run_with_the_table(capsys, log):
    """--table shows people the same of what was sent."""
    log.write_bytes(placed(0, 10))
    with HostileServer() as server:
        said = replay(capsys, server, rules(log), log, "--table")
    assert "Order Placed" in said.out
    assert sentence(said).startswith("10 messages delivered; 10 lines read")


def test_hashing_and_samples(capsys, log):
    """Rules hash and sample as they do live; a dry run needs no key, and says what is kept back."""
    rules(log).write_text(RULES + 'hash = ["distinct_id"]\nsample = 0.0\n')
    log.write_bytes(placed(0, 10))
    said = here(capsys, "replay", log, "--rules", rules(log), "--dry-run")
    assert (said.code, "10  kept back: sampled" in said.out) == (0, True)
    with HostileServer() as server:
        said = replay(capsys, server, rules(log), log)
        assert (said.code, "ROBOTMIA_HASH_KEY" in said.err) == (2, True)
        said = replay(capsys, server, rules(log), log, "--hash-key", "a secret of some length")
        assert (said.code, said.json[0]["dropped"], server.taken) == (0, {"sampled": 10}, [])


# --- rejects


def test_rejects_are_kept(capsys, log):
    """Lines that matched nothing or can't be read stand in --rejects with their place, and once."""
    log.write_bytes(line(0) + line(1, "noise") + b"hello\n")
    rejects = log.parent.parent / "rejects.jsonl"
    with HostileServer() as server:
        for _ in range(2):
            replay(capsys, server, rules(log), log, "--rejects", rejects)
    noise, hello = letters(rejects)
    assert (noise["file"], noise["line"], noise["reason"]) == (str(log), 2, "no rule matches")
    assert json.loads(noise["text"])["event"] == "noise"
    assert (hello["line"], hello["text"]) == (3, "hello")
    here(capsys, "replay", log, "--rules", rules(log), "--dry-run", "--restart", "--rejects", rejects)
    assert len(letters(rejects)) == 2


# --- wrong use, and what goes wrong


def test_wrong_use_is_told(capsys, log, tmp_path):
    """What can't be done is told in a sentence, with exit code 2, before anything is sent."""
    log.write_bytes(placed(0, 3))
    linked = tmp_path / "linked.log"
    linked.symlink_to(log)
    (tmp_path / "bad.toml").write_text('[[rule]]\nevnt = "x"\n')
    with HostileServer() as server:
        for options, words in (
            ([log, "--rejects", linked], "rejects must go to another file"),
            ([log, "--rejects", rules(log)], "holds something else than rejects"),
            ([log, "--dead-letters", linked], "dead letters must go to another file"),
            ([log, "-"], "Standard input"),
            ([log, "--since", "yesterday"], "--since is 'yesterday': give a day or a time"),
            ([log, "--since", "2026-11-25", "--until", "2026-11-24"], "--until is '2026-11-24': give a time after"),
            ([log, "--timezone", "Mars"], "Mars"),
            ([log, "--pattern", "("], "--pattern is"),
            ([log, "--key", "x"], "NAME=KEY"),
            ([log, "--rules", tmp_path / "bad.toml"], "did you mean 'event'"),
            ([log, "--rules", tmp_path / "none.toml"], "none.toml"),
            ([tmp_path / "none.log"], "none.log"),
        ):
            said = replay(capsys, server, rules(log), *options)
            assert (said.code, said.out) == (2, ""), options
            assert words in said.err, said.err
            assert "Traceback" not in said.err
        said = here(capsys, "replay", log, "--rules", rules(log), "--url", server.url)
        assert (said.code, "--token" in said.err) == (2, True)
        assert not server.connections
    assert log.read_bytes() == placed(0, 3)


def test_a_log_that_cannot_be_read_costs_no_other_one(capsys, logs):
    """Damaged and foreign files are told by name, what could be read of them counts, and the others are replayed."""
    packed = gzip.compress(placed(0, 2000))
    (logs / "a.log.gz").write_bytes(packed[: len(packed) // 2])
    (logs / "b.log").write_bytes(placed(5000, 5010))
    (logs / "c.log").write_bytes(b"\x28\xb5\x2f\xfd zstd")
    (logs / "d.log").write_bytes(os.urandom(5000).replace(b"\n", b"") + b"\n")
    (logs / "e.log").write_bytes(b"")
    with HostileServer() as server:
        said = replay(capsys, server, logs.parent / "rules.toml", *sorted(logs.glob("*.log*")))
        first = [n for n in taken(server) if n < 5000]
        assert 0 < len(first) < 2000
        assert sorted(first) == list(range(len(first)))
        assert sorted(n for n in taken(server) if n >= 5000) == list(range(5000, 5010))
        assert said.code == 1
        assert said.json[0]["problems"].keys() == {str(logs / "a.log.gz"), str(logs / "c.log")}
        assert f"{logs / 'a.log.gz'}: its compressed data ends too early." in said.err
        (logs / "a.log.gz").write_bytes(packed)
        assert replay(capsys, server, logs.parent / "rules.toml", logs / "a.log.gz").code == 0
        assert sorted(n for n in taken(server) if n < 5000) == list(range(2000))


def test_what_can_be_read_of_a_short_packed_log_counts(capsys, logs):
    """Of a small log whose packed data ends too early what can be read is sent; once it is whole, the rest."""
    packed = gzip.compress(b"".join(line(n, pad=os.urandom(50).hex()) for n in range(100)))
    (logs / "a.log.gz").write_bytes(packed[: len(packed) // 2])
    with HostileServer() as server:
        said = replay(capsys, server, logs.parent / "rules.toml", logs / "a.log.gz")
        assert said.code == 1
        assert 0 < len(server.taken) < 100
        (logs / "a.log.gz").write_bytes(packed)
        assert replay(capsys, server, logs.parent / "rules.toml", logs / "a.log.gz").code == 0
        assert sorted(taken(server)) == list(range(100))


def test_a_log_that_vanishes_costs_no_other_one(capsys, logs, monkeypatch):
    """A log that is gone by its turn is told, and the others are replayed."""
    for name in ("a.log", "b.log"):
        (logs / name).write_bytes(placed(0, 5))

    def in_order(paths):
        (logs / "a.log").unlink(missing_ok=True)
        return sorted(paths)

    monkeypatch.setattr("robotmia_logging.cli.replay.in_order", in_order)
    with HostileServer() as server:
        said = replay(capsys, server, logs.parent / "rules.toml", logs / "a.log", logs / "b.log")
    assert (said.code, len(server.taken)) == (1, 5)
    assert f"{logs / 'a.log'}: No such file or directory." in said.err


def test_a_state_that_cannot_be_written_ends_it(capsys, log, monkeypatch):
    """When it can't be kept what was sent, nothing more is sent, and a sentence says so."""
    log.write_bytes(placed(0, 10))

    def full(_descriptor, _data):
        raise OSError(28, "No space left on device")

    with HostileServer() as server:
        monkeypatch.setattr("robotmia_logging.delivery.resend.journal.write_all", full)
        said = replay(capsys, server, rules(log), log)
    assert (said.code, said.out) == (1, "")
    assert said.err.startswith("Can't go on: ")
    assert said.err.endswith(".journal: No space left on device.\n")


def test_a_state_of_your_own(capsys, log, tmp_path):
    """--state says where state is kept; a folder that can't be made is told."""
    log.write_bytes(placed(0, 3))
    with HostileServer() as server:
        assert replay(capsys, server, rules(log), log, "--state", tmp_path / "state").code == 0
        said = replay(capsys, server, rules(log), log, "--state", rules(log) / "x")
    assert names_in(log.parent) == ["app.log"]
    assert said.code == 1
    assert "--state names another folder" in said.err


def test_names_that_are_no_utf_8(log):
    """A log's name may hold any bytes: it is escaped where it is told."""
    name = os.fsencode(log.parent) + b"/\xff.log"
    with open(name, "wb") as file:
        file.write(b"\x28\xb5\x2f\xfd zstd")
    with HostileServer() as server, apart(*arguments(server), os.fsdecode(name)) as process:
        said = ended(process)
    assert said.code == 1
    assert list(said.json[0]["problems"]) == [f"{log.parent}/\\udcff.log"]
    assert f"{log.parent}/\\udcff.log: it is compressed by zstd" in said.err


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_a_terminal_without_unicode(log, encoding):
    """A terminal that lacks a letter gets something else for it, not a traceback."""
    rules(log).write_text(RULES.replace("Order Placed", "Žluťoučký"))
    log.write_bytes(line(0))
    command = ("replay", log, "--rules", rules(log), "--dry-run", "--table")
    with apart(*command, env=environment(PYTHONIOENCODING=encoding), encoding=encoding) as process:
        said = ended(process)
    assert (said.code, said.err) == (0, "Nothing was sent.\n")
    assert "1 line read" in said.out


def test_a_full_disk_for_the_output(log):
    """An output that can't be written is told in a sentence."""
    log.write_bytes(line(0))
    with open("/dev/full", "wb") as full, apart("replay", log, "--dry-run", stdout=full) as process:
        said = ended(process)
    assert (said.code, said.err) == (1, "Can't write the output: No space left on device.\n")


# --- memory and the bar


TELLS_ITS_PEAK = f"""
import atexit, sys
status = open("/proc/self/status")
atexit.register(lambda: sys.stderr.write(next(line for line in status if line.startswith("VmHWM"))))
{RUN}
"""


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "packed"])
def test_memory_does_not_grow_with_the_log(log, pack):
    """What a log of 16 MB takes in memory is what an eighth of it does."""
    peaks = []
    for count in (1_000, 8_000):
        log.write_bytes(pack(b"".join(line(n, "order placed" if n % 10 == 0 else "x" * 2000) for n in range(count))))
        with (
            HostileServer() as server,
            apart(*arguments(server, "--rules", rules(log), log, "--restart"), program=TELLS_ITS_PEAK) as process,
        ):
            said = ended(process)
            assert said.code == 0
            assert len(server.taken) == count // 10
        peaks.append(int(said.err.split()[-2]))
    assert peaks[1] - peaks[0] < 5_000, peaks  # KiB, of 14,000


def test_a_bar_on_a_terminal_only(log):
    """On a terminal a bar shows how far it is, in bytes as they are packed; stdout stays one JSON line."""
    log.write_bytes(gzip.compress(placed(0, 300)))
    main, terminal = pty.openpty()
    with HostileServer() as server:
        command = arguments(server, "--rules", rules(log), log)
        with apart(*command, env=environment(TERM="xterm"), stderr=terminal) as process:
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
    assert (process.returncode, out.count("\n")) == (0, 1)
    assert b"Replaying" in shown
    assert b"100%" in shown
    assert b"300 messages delivered" in shown
