"""Rules with a regex: found in the rendered text, within bounds."""

from __future__ import annotations

import logging
import multiprocessing
import sys
import threading

import pytest
from structlog.contextvars import bound_contextvars

from robotmia_logging import ConfigurationError, RobotmiaHandler
from robotmia_logging.capture import Call, Composer, compile_rules
from robotmia_logging.capture.compose import CaptureSettings
from robotmia_logging.capture.filling import Filling
from robotmia_logging.capture.patterns import MAX_TIMEOUTS, SEARCHED, Pattern
from robotmia_logging.capture.rules import Match
from tests.doors import StdlibDoor, StructlogDoor, both

ACCESS = '%s - "%s %s HTTP/%s" %d'
SERVER_ERROR = r'"(?P<method>[A-Z]+) (?P<path>\S+) HTTP/[\d.]+" (?P<status>5\d\d)'


def sent(door):
    properties = door.properties()
    return {name: value for name, value in properties.items() if name not in ("token", "time")}


@both
def test_named_groups_become_properties(opened):
    """The regex is searched in the rendered text; what its named groups hold becomes properties by itself."""
    rule = {"pattern": SERVER_ERROR, "event": "Server Error", "profile": {"$add": {"Errors seen": 1}}}
    with opened(rules=[rule]) as door, bound_contextvars(distinct_id="ada"):
        door.log(ACCESS, "127.0.0.1:5", "GET", "/x", "1.1", 200)
        door.log(ACCESS, "127.0.0.1:5", "GET", "/x", "1.1", 503)
        assert sent(door) == {"distinct_id": "ada", "method": "GET", "path": "/x", "status": "503"}
        assert door.update()["$add"] == {"Errors seen": 1}


@both
def test_numbers_say_which_texts_are_numbers(opened):
    """`numbers` names fields whose text is sent as a number, in groups and in values; a text that is none stays."""
    rule = {
        "pattern": r"took (?P<ms>\S+) ms, (?P<size>\S+) bytes, (?P<code>\d+), (?P<zip>\d+)",
        "event": "Took",
        "properties": {"first": "{ms}", "text": "{ms} ms"},
        "profile": {"$add": {"Bytes": "{size}"}},
        "numbers": ["ms", "size", "code"],
        "distinct_id": "ada",
    }
    with opened(rules=[rule]) as door:
        door.log("took 1.5 ms, 2048 bytes, 007, 00420")
        assert sent(door) == {
            "distinct_id": "ada",
            "ms": 1.5,
            "size": 2048,
            "code": 7,
            "zip": "00420",
            "first": 1.5,
            "text": "1.5 ms",
        }
        assert door.update()["$add"] == {"Bytes": 2048}
    with opened(rules=[{**rule, "profile": None}]) as door:
        door.log("took nan ms, 1_000 bytes, 1, 1")
        assert (sent(door)["ms"], sent(door)["size"]) == ("nan", "1_000")


@pytest.mark.parametrize("text", ["", "-", "nan", "inf", "1e999", "1_000", "0x10", "9" * 5_000, "\u0663"])
def test_text_that_is_no_number_stays(text):
    """What JSON doesn't have as a number stays the text that it is."""
    (rule,) = compile_rules([{"numbers": ["n"], "properties": {"n": "{n}"}}])
    call = Call("l", 20, "x", (), {"n": text}, {}, 0.0, None, None)
    assert dict(Filling(Match(rule, {}), call, {}).properties(frozenset())) == {"n": text}


@both
def test_fields_are_looked_up_in_groups_first(opened):
    """A field comes from the groups, then arguments, extras, context and the record's attributes."""
    properties = {"a": "{a}", "b": "{b}", "c": "{c}", "first": "{0}", "level": "{levelname}", "said": "{message}"}
    rule = {
        "pattern": "(?P<a>group)(?P<b>nothing)? (?P<_>.*)",
        "properties": properties,
        "event": "X",
        "exclude": ["_"],
    }
    with opened(rules=[rule]) as door, bound_contextvars(c="context"):
        door.log("group %s", "argument", a="extra", b="extra")
        assert sent(door) == {
            "a": "group",
            "b": "extra",
            "c": "context",
            "first": "argument",
            "level": "INFO",
            "said": "group argument",
        }


@both
def test_group_distinct_id_is_the_user(opened):
    """A group named `distinct_id` is the user, unless the rule names another; one named `ip` is the event's."""
    pattern = r"user (?P<distinct_id>\d+) from (?P<ip>\S+)"
    rules = [
        {"level": "WARNING", "pattern": pattern, "distinct_id": "u-{distinct_id}", "event": "Warned"},
        {"pattern": pattern, "event": "Came", "profile": {"seen": True}},
    ]
    with opened(rules=rules) as door:
        door.log("user 7 from 10.0.0.1")
        assert (sent(door), door.update()["$distinct_id"]) == ({"distinct_id": "7", "ip": "10.0.0.1"}, "7")


@both
def test_rendered_text_names_the_event(opened):
    """Without `event` and `profile` the rendered text is the name: the template isn't what the pattern looked at."""
    with opened(rules=[{"pattern": "^order"}]) as door:
        door.log("order %s placed", 17)
        assert door.event()["event"] == "order 17 placed"


@both
@pytest.mark.parametrize(("message", "args"), [("%d apples", ("x",)), ("%s %s", ("x",)), ("%(a)s", ({"b": 1},))])
def test_call_that_cannot_be_rendered_is_searched_as_written(opened, message, args):
    """Arguments that don't fit: the pattern sees the template."""
    with opened(rules=[{"pattern": "^%", "event": "X"}]) as door:
        if opened is StructlogDoor:  # structlog fills in by itself, and raises
            door.door(None, "info", {"event": message, "positional_args": args})
        else:
            door.door.handle(door.logger.makeRecord(door.name, 20, "f", 1, message, args, None))
        assert door.event()["event"] == "X"


@both
def test_muted_call_matches_no_pattern(opened):
    """`track=False` keeps a call from being tracked whatever a pattern says."""
    with opened(rules=[{"pattern": "x"}]) as door:
        door.log("x", track=False)
        assert door.is_quiet()
        assert door.door.stats().rules == {"rules[0]": 0}


def test_hopeless_pattern_hangs_nothing(caplog):
    """A regex that would search for years is given up after a moment; soon its rule matches nothing, and others do."""
    with StdlibDoor(rules=[{"pattern": "^(a|aa)+$"}, {"message": "a" * 60 + "!", "event": "X"}]) as door:
        for _ in range(MAX_TIMEOUTS + 50):
            door.log("a" * 60 + "!")
        assert [event["event"] for event in door.events()] == ["X"] * (MAX_TIMEOUTS + 50)
    (told,) = [record for record in caplog.records if "too slow" in record.message]
    assert "'^(a|aa)+$' takes more than 0.05 s" in told.message


def test_given_up_pattern_is_not_searched_any_more():
    """After a few searches that took too long a pattern costs nothing."""
    told = []
    pattern = Pattern("^(a|aa)+$")
    for _ in range(MAX_TIMEOUTS + 5):
        assert pattern.search("a" * 60 + "!", lambda cause, error: told.append(str(error))) is None
    assert len(told) == MAX_TIMEOUTS
    assert told[-1].endswith(f"after {MAX_TIMEOUTS} such searches its rule matches nothing any more")


def test_long_text_is_cut_and_that_is_said(caplog):
    """Of a long message the first characters are searched; what lies behind isn't, and a line says so."""
    with StdlibDoor(rules=[{"pattern": "needle", "event": "X"}]) as door:
        door.log("needle" + "." * SEARCHED)
        door.log("." * SEARCHED + "needle")
        assert door.event()["event"] == "X"
    assert any("of 8,198 characters the first 8,192 are searched" in record.message for record in caplog.records)


def test_without_the_regex_library(monkeypatch):
    """Patterns need the regex library; without it the error says how to get it, and rules without patterns work."""
    monkeypatch.setitem(sys.modules, "regex", None)
    with pytest.raises(ConfigurationError, match=r"pip install 'robotmia_logging\[patterns\]'") as caught:
        RobotmiaHandler(token="T", rules=[{"pattern": "x"}])
    assert caught.value.option == "rules[0].pattern"
    RobotmiaHandler(token="T", rules=[{"message": "x"}]).close()


def test_hits_are_counted_by_rule(tmp_path):
    """`stats().rules` says how often each rule matched: by its name, those that never did, and muting ones, too."""
    path = tmp_path / "rules.toml"
    path.write_text('[[rule]]\nmessage = "a"\n[[rule]]\npattern = "b"\ntrack = false\n[[rule]]\nlogger = "c"\n')
    with StdlibDoor(rules=path) as door:
        for message in ("a", "a", "b", "d"):
            door.log(message)
        door.log("a", track=True)
        assert door.door.stats().rules == {f"{path}: rule[0]": 3, f"{path}: rule[1]": 1, f"{path}: rule[2]": 0}
    with StdlibDoor() as door:
        assert door.door.stats().rules == {}


def test_record_that_comes_by_twice_is_one_hit():
    """Propagation brings a record by again; its rule has matched one call."""
    with StdlibDoor(rules=[{"message": "a"}]) as door:
        record = logging.makeLogRecord({"msg": "a", "levelno": 20, "name": door.name})
        door.door.handle(record)
        door.door.handle(record)
        assert door.door.stats().rules == {"rules[0]": 1}


def test_field_of_an_argument_that_raises_is_missing():
    """A mapping that fails when it is read costs that property only."""

    class Broken(dict):
        def __contains__(self, _name):
            raise RuntimeError

    (rule,) = compile_rules([{"pattern": "x", "properties": {"a": "{a}", "b": "1"}}])
    call = Call("l", 20, "x", Broken(), {}, {}, 0.0, None, None)
    assert dict(Filling(Match(rule, {}), call, {}).properties(frozenset())) == {"b": "1"}


def test_rendering_takes_no_lock():
    """While one thread renders, for as long as that takes, others log on; so does a child forked meanwhile."""
    rendering, over = threading.Event(), threading.Event()

    class Slow:
        def __str__(self):
            rendering.set()
            over.wait(30)
            return "slow"

    with StdlibDoor(rules=[{"pattern": "quick", "event": "X"}]) as door:
        thread = threading.Thread(target=door.log, args=("%s", Slow()))
        thread.start()
        assert rendering.wait(30)
        door.log("quick")
        assert door.door.stats().rules == {"rules[0]": 1}
        child = multiprocessing.get_context("fork").Process(target=door.log, args=("quick",))
        child.start()
        child.join(30)
        ended = child.exitcode
        over.set()
        thread.join()
        assert ended == 0


def test_alarm_amid_a_search_is_the_programs_own():
    """A TimeoutError that isn't the regex library's counts as no slow search."""
    pattern = Pattern("x")

    class Interrupted:
        def search(self, *_args, **_kwargs):
            raise TimeoutError("time is up")

    pattern._regex = Interrupted()
    for _ in range(5):
        with pytest.raises(TimeoutError, match="time is up"):
            pattern.search("x", lambda *_: None)
    assert not pattern.is_given_up


def test_composer_without_rules_matches_nothing():
    """No rules, no look-ups."""
    assert Composer(CaptureSettings(token="T")).match_event_dict("a", 20, {"event": "x"}) is None
