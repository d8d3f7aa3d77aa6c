"""`robotmia-logging explain`: which rule matches a line, what comes of it, and which rules never do."""

from __future__ import annotations

import gzip
import hmac
import io
import json
import os
import signal
import sys
from dataclasses import fields

import pytest

from robotmia_logging import Explanation
from tests.cli.command_running import apart, ended, here

RULES = """
[[rule]]
logger = "shop"
message = "order %s placed for %d"
event = "Order Placed"
distinct_id = "{0}"
properties = { cents = "{1}" }

[[rule]]
logger = "uvicorn.access"
message = '%s - "%s %s HTTP/%s" %d'
event = "Page Viewed"
properties = { path = "{2}", status = "{4}" }

[[rule]]
message = "never logged"
"""

LOG = """\
2026-11-25 13:00:00,123 INFO shop.orders order 17 placed for 300
2026-11-25 13:00:01,123 INFO shop.orders order placed
Traceback (most recent call last):
  File "shop.py", line 1
ValueError: no order
{"event": "order 18 placed for 5", "level": "info", "logger": "shop", "timestamp": "2026-11-25T13:00:02Z"}
{"event": "hello", "track": "Greeted", "level": "info", "timestamp": "2026-11-25T13:00:02Z"}
2026-11-25 13:00:00,123 INFO:     127.0.0.1:5 - "GET / HTTP/1.1" 200 OK
???
"""


@pytest.fixture(autouse=True)
def no_environment(monkeypatch):
    for name in ("ROBOTMIA_TOKEN", "ROBOTMIA_HASH_KEY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def rules(tmp_path):
    path = tmp_path / "rules.toml"
    path.write_text(RULES)
    return path


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "app.log"
    path.write_text(LOG)
    return path


def message(said):
    (line,) = said.json[0]["messages"]
    return line["message"]


@pytest.mark.parametrize(
    "line",
    [
        "order 17 placed for 300",
        "2026-11-25 13:00:00,123 INFO shop.orders order 17 placed for 300",
        '{"event": "order 17 placed for 300", "level": "info", "logger": "shop.orders", "timestamp": 1795611600}',
        '{"message": "order 17 placed for 300", "levelname": "INFO", "name": "shop", "asctime": "2026-11-25 13:00:00"}',
        '{"event": "order 17 placed for 300", "level": "info", "logger": "shop.orders"}',
    ],
    ids=["message", "text", "structlog", "python-json-logger", "no time"],
)
def test_line_of_any_kind(capsys, rules, line):
    """A message alone, a log line or a JSON record: the rule that matches, and the event with typed properties."""
    said = here(capsys, "explain", "--rules", rules, "--logger", "shop.orders", "--line", line, "--json")
    assert (said.code, said.err) == (0, "")
    (explanation,) = said.json
    assert (explanation["rule"], explanation["tracked"]) == (f"{rules}: rule[0]", True)
    assert message(said)["event"] == "Order Placed"
    assert message(said)["properties"].items() >= {"distinct_id": "17", "cents": 300, "token": "..."}.items()


def test_line_that_nothing_matches(capsys, rules):
    """The command says, rule by rule, what doesn't fit, and exits with 1."""
    said = here(capsys, "explain", "--rules", rules, "--logger", "shop", "--line", "order 17 placed for nothing")
    assert said.code == 1
    call = "the call's 'order 17 placed for nothing'"
    assert said.out.splitlines() == [
        "--line: not tracked",
        f"  {rules}: rule[0] doesn't match: its message is 'order %s placed for %d', {call}",
        f"  {rules}: rule[2] doesn't match: its message is 'never logged', {call}",
    ]


def test_level_of_a_line(capsys, tmp_path):
    """A message alone has the level that is given, by name or number."""
    (tmp_path / "r.toml").write_text('[[rule]]\nlevel = "ERROR"\n')
    arguments = ["explain", "--rules", tmp_path / "r.toml", "--line", "x"]
    assert here(capsys, *arguments).code == 1
    assert here(capsys, *arguments, "--level", "ERROR").code == 0
    assert here(capsys, *arguments, "--level", "20").code == 1
    assert here(capsys, *arguments, "--level", "40").code == 0


def test_log_file(capsys, rules, log):
    """Of a log the lines that match are shown, the others counted, and the rules that never matched listed."""
    said = here(capsys, "explain", "--rules", rules, log)
    assert (said.code, said.err) == (0, "")
    assert [line.split(": ")[0] for line in said.out.splitlines() if line.endswith(": tracked")] == [
        f"{log}:{number}" for number in (1, 6, 7, 8)
    ]
    found = "found in the text; a live call matches if its template is 'order %s placed for %d', and no f-string"
    assert said.out.splitlines()[-8:] == [
        f"{rules}: rule[0]: 2 lines",
        f"{rules}: rule[1]: 1 line",
        f"note: 2 lines: {rules}: rule[0]: {found}",
        "asked by themselves: 1 line",
        "matched by nothing: 1 line",
        "part of the line before: 3 lines",
        "can't be read: 1 line: it matches none of the formats json, python, uvicorn, gunicorn, access, django, celery",
        f"never matched, 1 of 3 rules: {rules}: rule[2]",
    ]


def test_summary_for_programs(capsys, rules, log):
    """`--json` gives every line that matches, with `--unmatched` the others too, then the counts."""
    said = here(capsys, "explain", "--rules", rules, log, "--json", "--unmatched", "--show", 0)
    *lines, last = said.json
    assert [line["place"].rpartition(":")[2] for line in lines] == ["1", "2", "6", "7", "8"]
    summary = last["summary"]
    assert summary["by_rule"] == {f"{rules}: rule[0]": 2, f"{rules}: rule[1]": 1}
    assert (summary["asked"], summary["unmatched"], summary["continued"]) == (1, 1, 3)
    assert list(summary["unread"].values()) == [1]
    assert list(summary["notes"].values()) == [2]
    assert summary["never_matched"] == [f"{rules}: rule[2]"]


def test_only_some_lines_are_shown(capsys, rules, log):
    """`--show` bounds what is shown, not what is counted; `--unmatched` shows why nothing matches."""
    said = here(capsys, "explain", "--rules", rules, log, "--show", 2, "--unmatched")
    shown = [line for line in said.out.splitlines() if line.startswith(f"{log}:")]
    assert shown == [f"{log}:1: tracked", f"{log}:2: not tracked"]
    assert f"{rules}: rule[0]: 2 lines" in said.out


def test_compressed_logs_and_standard_input(capsys, rules, tmp_path, monkeypatch):
    """Logs may be compressed, several, and come from standard input."""
    (tmp_path / "app.log.1.gz").write_bytes(gzip.compress(LOG.encode()))
    (tmp_path / "app.log").write_text(LOG)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(LOG.encode())))
    said = here(capsys, "explain", "--rules", rules, tmp_path / "app.log", tmp_path / "app.log.1.gz", "-", "--json")
    assert said.json[-1]["summary"]["by_rule"][f"{rules}: rule[0]"] == 6


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ([], "Give a FILE, - for standard input, or a --line."),
        (["--line", "x", "--rules", "missing.toml"], "--rules is 'missing.toml': it can't be read"),
        (["--line", "x", "--timezone", "Mars"], "--timezone is 'Mars': give an IANA name"),
        (["--line", "x", "--pattern", "("], "--pattern is '(': "),
        (["--line", "x", "--key", "when=ts"], "'when=ts': give NAME=KEY, NAME one of time, level, logger, message"),
        (["--line", "x", "--level", "9" * 5000], "give a level's name"),
        (["--line", "x", "--level", "LOUD"], "--level is 'LOUD': give a level's name"),
        (["--line", "x", "--format", "xml"], "'xml' is not one of 'auto', 'json'"),
        (["missing.log"], "'missing.log' does not exist"),
    ],
)
def test_wrong_use(capsys, arguments, error):
    """Wrong options are an error of one sentence, which names the option as the command does; exit code 2."""
    said = here(capsys, "explain", *arguments)
    assert (said.code, said.out) == (2, "")
    assert error in said.err


def test_mistake_in_a_rule(capsys, tmp_path):
    """A rule that can't be used is named with its file, its key, and what is allowed."""
    path = tmp_path / "r.toml"
    path.write_text('[[rule]]\nmessage = "x"\n[[rule]]\nsampel = 0.5\n')
    said = here(capsys, "explain", "--line", "x", "--rules", path)
    assert said.code == 2
    assert f"{path}: rule[1].sampel is 0.5: not a rule's key; did you mean 'sample'?" in said.err


def test_broken_archive(capsys, rules, tmp_path):
    """A compressed log that is broken off is an error that names it."""
    path = tmp_path / "app.log.gz"
    path.write_bytes(gzip.compress(LOG.encode() * 1000)[:-20])
    said = here(capsys, "explain", "--rules", rules, path)
    assert said.code == 1
    assert f"Can't read {path}: " in said.err


def test_json_is_what_programs_read(capsys, rules):
    """Each line of `--json` is a JSON object with the names of an `Explanation`."""
    said = here(capsys, "explain", "--rules", rules, "--line", "x", "--json")
    assert json.loads(said.out).keys() == {"place", *(field.name for field in fields(Explanation))}


def test_options_of_the_handler(capsys, rules, monkeypatch):
    """What the live handler adds, keeps back, hashes or samples, the command does, too."""
    monkeypatch.setenv("ROBOTMIA_HASH_KEY", "a key for tests only")
    line = '{"event": "x", "track": true, "email": "a@b", "phone": "1", "user_id": 7, "timestamp": 1795611600}'
    arguments = ["explain", "--line", line, "--json", "--distinct-id", "user_id"]
    said = here(capsys, *arguments, "--property", "release=2.4", "--exclude", "phone", "--hash", "email")
    properties = message(said)["properties"]
    assert properties.pop("email") == hmac.digest(b"a key for tests only", b"a@b", "sha256").hex()
    assert properties == {"token": "...", "time": 1795611600, "distinct_id": "7", "user_id": 7, "release": "2.4"}
    (left_out,) = here(capsys, *arguments, "--sample", "0").json[0]["messages"]
    assert left_out["reason"] == "sampled"


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["--sample", "2"], "--sample is 2.0: give the share of users to track, from 0 to 1"),
        (["--hash", "token"], "--hash is ('token',): robotmia reads 'token' itself"),
        (["--property", "release"], "'release': give NAME=VALUE"),
        (["--property", "mp_a=1"], "'mp_a' can't be a property of all events"),
    ],
)
def test_wrong_options_of_the_handler(capsys, arguments, error):
    """They are checked as the handler's are."""
    said = here(capsys, "explain", "--line", "x", *arguments)
    assert (said.code, said.out) == (2, "")
    assert error in said.err


def test_hashing_needs_no_key(capsys, tmp_path):
    """Nothing is sent: without a key, hashes are shown as some key makes them."""
    (tmp_path / "r.toml").write_text('[[rule]]\nevent = "E"\nproperties = { mail = "{0}" }\nhash = ["mail"]\n')
    for arguments in (["--rules", tmp_path / "r.toml"], ["--hash", "email"]):
        assert "hash_key" not in here(capsys, "explain", "--line", "x", *arguments).err.lower()
    assert here(capsys, "explain", "--line", "x", "--rules", tmp_path / "r.toml").code == 0


def test_a_pattern_that_is_too_slow(capsys, tmp_path):
    """A pattern that takes too long is given up, and its rule is named at the end."""
    (tmp_path / "r.toml").write_text('[[rule]]\nmessage = "never"\n[[rule]]\npattern = "^(a|aa)+$"\n')
    line = "2026-11-25 13:00:00,123 INFO shop: " + "a" * 60 + "!\n"
    (tmp_path / "app.log").write_text(line * 10)
    said = here(capsys, "explain", "--rules", tmp_path / "r.toml", tmp_path / "app.log")
    assert (said.code, "matched by nothing: 10 lines" in said.out) == (1, True)
    assert said.err.startswith(f"{tmp_path / 'r.toml'}: rule[1]: its pattern is too slow, and was given up")


def test_reasons_without_end(capsys, tmp_path):
    """However many different lines can't be read, there are some fifty reasons; what is too long is one."""
    (tmp_path / "app.log").write_text("".join(f"2026-13-01 10:{n // 60:02}:{n % 60:02} INFO x\n" for n in range(3000)))
    said = here(capsys, "explain", tmp_path / "app.log", "--json")
    unread = said.json[-1]["summary"]["unread"]
    assert len(unread) <= 51
    assert sum(unread.values()) == 3000


def test_a_line_past_all_bounds(capsys, tmp_path, monkeypatch):
    """A line longer than any message isn't looked into."""
    monkeypatch.setattr("robotmia_logging.replay.line_reader.MAX_LINE_BYTES", 100)
    (tmp_path / "app.log").write_text(json.dumps({"event": "x" * 200, "track": True, "timestamp": 1795611600}) + "\n")
    said = here(capsys, "explain", tmp_path / "app.log")
    assert (said.code, "can't be read: 1 line: it has more than" in said.out) == (1, True)


def test_what_others_wrote_does_not_control_the_terminal(capsys, tmp_path):
    """Names of files, and values in messages, are shown without what controls a terminal."""
    path = tmp_path / "a\x1b[31m.log"
    line = {"event": "x", "track": "A", "timestamp": 1795611600, "a": "\x9b31m\u202e\x7f"}
    path.write_text(json.dumps(line, ensure_ascii=False) + "\n")
    said = here(capsys, "explain", path)
    assert said.code == 0
    assert not [char for char in said.out if not char.isprintable() and char != "\n"]
    assert "a\\x1b[31m.log:1: tracked" in said.out


def test_names_that_are_no_utf_8(tmp_path):
    """Names of logs, and lines, may hold any bytes."""
    path = os.fsencode(tmp_path) + b"/\xff.log"
    with open(path, "w") as file:
        file.write('{"event": "x", "track": "A", "timestamp": 1795611600}\n')
    with apart("explain", os.fsdecode(path), "--line", os.fsdecode(b"\xff"), "--json") as process:
        said = ended(process)
    assert said.code == 0
    assert said.json[1]["place"] == f"{tmp_path}/\\udcff.log:1"
    with apart("explain", os.fsdecode(path), "--line", os.fsdecode(b"\xff"), "--unmatched") as process:
        assert f"{tmp_path}/\\udcff.log:1: tracked" in ended(process).out


def test_output_that_nobody_reads(log):
    """When whoever reads the output goes, it ends, and blames nobody."""
    log.write_text(LOG * 500)
    read, write = os.pipe()
    os.close(read)
    with apart("explain", log, "--unmatched", "--show", 100_000, stdout=write) as process:
        os.close(write)
        assert ended(process).err == ""
    assert process.returncode == 1


def test_output_that_cannot_be_written(log):
    """A full disk is told as what it is."""
    with open("/dev/full", "wb") as full, apart("explain", log, stdout=full) as process:
        said = ended(process)
    assert (said.code, said.err) == (1, "Can't write the output: No space left on device.\n")


def test_ctrl_c_ends_it_in_a_sentence():
    """Ctrl-C is told in a sentence, with exit code 130."""
    with apart("explain", "-", "--unmatched", stdin=-1, bufsize=1) as process:
        process.stdin.write("2026-11-25 13:00:00,123 INFO shop: x\n" * 100_000)
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        assert process.stderr.read() == "Interrupted.\n"
        assert process.wait(20) == 130
