"""Rules: log calls that exist already become events and updates, by configuration alone."""

from __future__ import annotations

import json
import logging
import logging.config
import re
import textwrap

import pytest
import structlog
from structlog.contextvars import bound_contextvars

from robotmia_logging import ConfigurationError, RobotmiaHandler, RobotmiaProcessor
from robotmia_logging.capture import compile_rules
from tests.doors import StdlibDoor, StructlogDoor, both

DONE = "Task %(name)s[%(id)s] succeeded in %(runtime)ss"


@both
def test_rule_turns_a_log_call_into_an_event(opened):
    """A matching call becomes an event: named, for a user, with properties from its arguments, and nothing else."""
    rule = {
        "message": DONE,
        "event": "Task Succeeded",
        "distinct_id": "{id}",
        "properties": {
            "task": "{name}",
            "seconds": "{runtime}",
            "queue": "default",
            "text": "{name}: {runtime} s {{}}",
        },
    }
    with opened(rules=[rule]) as door, bound_contextvars(request_id="r1"):
        door.log(DONE, {"name": "mail", "id": 77, "runtime": 1.5}, request=object())
        assert door.event()["event"] == "Task Succeeded"
        properties = door.properties()
        assert properties.pop("time") > 0
        assert properties == {
            "token": "T",
            "distinct_id": "77",
            "task": "mail",
            "seconds": 1.5,
            "queue": "default",
            "text": "mail: 1.5 s {}",
        }


@both
def test_template_is_the_default_name(opened):
    """Without `event` the template names the event."""
    with opened(rules=[{"message": "%s left"}]) as door:
        door.log("%s left", "Ann")
        door.log("%s came", "Ann")
        assert door.event()["event"] == "%s left"


@both
def test_rule_with_a_profile_alone_gives_no_event(opened):
    """A rule with a profile and no `event` only updates; with `event` it does both."""
    profile = {"$add": {"n": "{0}"}, "$set": {"last": "order {1}", "tags": ["{1}", "{nothing}"]}}
    rules = [{"message": "a %s %s", "profile": profile}, {"message": "b", "event": "B", "profile": {"seen": True}}]
    with opened(rules=rules) as door, bound_contextvars(distinct_id="u1"):
        door.log("a %s %s", 3, "A1")
        door.log("b")
        assert door.event()["event"] == "B"
        add, change, plain = door.updates()
        assert (add["$add"], change["$set"], plain["$set"]) == (
            {"n": 3},
            {"last": "order A1", "tags": ["A1"]},
            {"seen": True},
        )


@both
def test_first_match_wins(opened):
    """Of several rules that match the first wins, be it by message or not."""
    rules = [
        {"message": "x", "level": "ERROR", "event": "1"},
        {"message": "x", "event": "2"},
        {"level": "WARNING", "event": "3"},
        {"message": "y", "event": "4"},
        {"event": "5"},
    ]
    with opened(rules=rules) as door:
        for method, message in [("error", "x"), ("info", "x"), ("warning", "y"), ("info", "y"), ("info", "z")]:
            door.log(message, method=method)
        assert [event["event"] for event in door.events()] == ["1", "2", "3", "4", "5"]


@both
def test_track_false_in_a_rule_keeps_calls_out(opened):
    """A rule with `track = false` keeps what it matches from the rules below it, not from explicit tracking."""
    with opened(rules=[{"message": "x", "track": False}, {"event": "Any"}]) as door:
        door.log("x")
        door.log("y")
        door.log("x", track="Said")
        assert [event["event"] for event in door.events()] == ["Any", "Said"]


@pytest.mark.parametrize(
    ("logger", "level", "matches"),
    [
        ("lib.http", logging.ERROR, True),
        ("lib.http.pool", logging.CRITICAL, True),
        ("lib.http", logging.WARNING, False),
        ("lib.https", logging.ERROR, False),
        ("lib", logging.ERROR, False),
        (None, logging.ERROR, False),
    ],
)
def test_logger_and_level_decide(logger, level, matches):
    """`logger` means that one and those below it, `level` at least."""
    with StdlibDoor(rules=[{"logger": "lib.http", "level": "ERROR"}]) as door:
        door.door.handle(logging.makeLogRecord({"name": logger, "levelno": level, "msg": "x"}))
        assert door.is_quiet() is not matches


def test_structlog_logger_is_known_by_its_name():
    """structlog: the name that `add_logger_name` found, or the wrapped logger's own."""
    with StructlogDoor(rules=[{"logger": "lib"}]) as door:
        door.door(logging.getLogger("lib.sub"), "info", {"event": "a"})
        door.door(None, "info", {"event": "b", "logger": "lib"})
        door.door(None, "info", {"event": "c"})
        door.door(None, "info", {"event": "d", "logger": "other"})
        assert [event["event"] for event in door.events()] == ["a", "b"]


def test_fields_are_looked_up_in_order():
    """A field: in the arguments, then extras, then context, then the record's attributes."""
    fields = ("a", "b", "c", "levelname", "name", "lineno", "message", "0", "nothing", "bad name")[:9]
    rule = {"message": "%(a)s", "properties": {f"p{field}": f"{{{field}}}" for field in fields}}
    with StdlibDoor(rules=[rule]) as door, bound_contextvars(a="context", b="context", c="context"):
        door.log("%(a)s", {"a": "argument"}, a="extra", b="extra")
        properties = door.properties()
        assert properties.pop("plineno") > 0
        del properties["token"], properties["time"]
        assert properties == {
            "pa": "argument",
            "pb": "extra",
            "pc": "context",
            "plevelname": "INFO",
            "pname": door.name,
            "pmessage": "argument",
        }


def test_fields_of_structlog_events():
    """structlog has the record's attributes that it can have."""
    names = ("levelname", "name", "levelno", "message", "funcName")
    rule = {"message": "x", "properties": {f"p{name}": f"{{{name}}}" for name in names}}
    with StructlogDoor(rules=[rule]) as door:
        door.log("x", method="warning")
        properties = door.properties()
        expected = {"plevelname": "WARNING", "pname": door.name, "plevelno": 30, "pmessage": "x"}
        assert {name: value for name, value in properties.items() if name.startswith("p")} == expected


@both
@pytest.mark.parametrize("value", [1.5, True, None, ["a"], {"b": 1}])
def test_lone_field_keeps_its_type(opened, value):
    """A field that stands alone keeps its type."""
    with opened(rules=[{"message": "x %s", "properties": {"p": "{0}"}}]) as door:
        door.log("x %s", *([value] if value != {"b": 1} else [value, 1][:1]), other=1)
        expected = {} if value == {"b": 1} else {"p": value}  # logging makes a lone mapping the arguments
        assert {name: value for name, value in door.properties().items() if name == "p"} == expected


@both
def test_missing_fields(opened):
    """A field that isn't there leaves the property out; without the user an update is refused."""
    rule = {
        "message": "x",
        "distinct_id": "{who}",
        "event": "X",
        "properties": {"a": "{no}", "b": "{1} no"},
        "profile": {"c": 1},
    }
    with opened(rules=[rule]) as door:
        door.log("x")
        assert door.properties().keys() == {"token", "time"}
        assert door.letters() == {"no_distinct_id": 1}


@both
def test_explicit_keys_win(opened):
    """What the call itself says wins over the rule: name, user, address, time, profile, properties."""
    rule = {
        "message": "x",
        "event": "Rule",
        "distinct_id": "rule",
        "properties": {"a": "rule", "b": "rule", "ip": "9.9.9.9", "time": 5, "distinct_id": "rule"},
        "profile": {"from": "rule"},
    }
    with opened(rules=[rule]) as door:
        said = {"distinct_id": "call", "ip": "1.1.1.1", "time": 1_371_002_000}
        door.log("x", track="Call", properties={"a": "call"}, profile={"from": "call"}, loose=1, **said)
        assert door.event()["event"] == "Call"
        assert door.properties() == {"token": "T", "a": "call", "b": "rule", "loose": 1, **said}
        assert door.update()["$set"] == {"from": "call"}
        assert door.update()["$distinct_id"] == "call"


@both
def test_strange_time_beside_a_rule_is_left_alone(opened):
    """A library's own extra `time` doesn't spoil a rule's event."""
    with opened(rules=[{"message": "x"}]) as door:
        door.log("x", time="0.003s")
        assert door.properties()["time"] > 1_371_002_000


FILES = {
    "rules.toml": """
        [[rule]]
        message = "x %s"
        event = "X"
        properties = { n = "{0}" }
    """,
    "rules.json": json.dumps({"rule": [{"message": "x %s", "event": "X", "properties": {"n": "{0}"}}]}),
}


@both
@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("kind", [str, lambda path: path], ids=["str", "Path"])
def test_rules_from_a_file(opened, name, kind, tmp_path):
    """Rules come from a TOML or a JSON file as well."""
    (tmp_path / name).write_text(textwrap.dedent(FILES[name]))
    with opened(rules=kind(tmp_path / name)) as door:
        door.log("x %s", 5)
        assert (door.event()["event"], door.properties()["n"]) == ("X", 5)


def test_rules_from_dict_config():
    """In a `dictConfig` rules are nested lists and tables."""
    with StdlibDoor() as door:
        config = {
            "version": 1,
            "disable_existing_loggers": False,
            "handlers": {
                "robotmia": {
                    "class": "robotmia_logging.RobotmiaHandler",
                    "token": "T",
                    "url": door.server.url,
                    "rules": [
                        {"message": "x %s", "properties": {"n": "{0}"}, "profile": {"$add": {"n": "{0}"}}, "event": "X"}
                    ],
                }
            },
            "loggers": {"ruled": {"handlers": ["robotmia"], "level": "INFO", "propagate": False}},
        }
        logging.config.dictConfig(config)
        (handler,) = logging.getLogger("ruled").handlers
        with bound_contextvars(distinct_id="u"):
            logging.getLogger("ruled").info("x %s", 5)
        assert handler.flush()
        logging.getLogger("ruled").removeHandler(handler)
        assert handler.stats().delivered == 2
        assert sorted(path for path, _ in door.server.taken) == ["/engage/", "/track/"]


MISTAKES = [
    ("rule", "rules[0]", "give a table"),
    ({"mesage": "x"}, "rules[0].mesage", "did you mean 'message'? Allowed are logger, level, message, pattern"),
    ({"zzz": "x"}, "rules[0].zzz", "not a rule's key; allowed are logger, level, message, pattern"),
    ({5: "x"}, "rules[0].5", "allowed are logger"),
    ({"logger": 5}, "rules[0].logger", "non-empty string"),
    ({"message": ""}, "rules[0].message", "non-empty string"),
    ({"message": ["x"]}, "rules[0].message", "non-empty string"),
    ({"level": "LOUD"}, "rules[0].level", "DEBUG, INFO"),
    ({"level": True}, "rules[0].level", "DEBUG, INFO"),
    ({"track": "yes"}, "rules[0].track", "true, or false"),
    ({"event": 5}, "rules[0].event", "non-empty string"),
    ({"event": "{a.b}"}, "rules[0].event", "plain names or positions"),
    ({"event": "{a[0]}"}, "rules[0].event", "plain names or positions"),
    ({"event": "{a!r}"}, "rules[0].event", "plain names or positions"),
    ({"event": "{a:>5}"}, "rules[0].event", "plain names or positions"),
    ({"event": "{}"}, "rules[0].event", "plain names or positions"),
    ({"event": "{a b}"}, "rules[0].event", "plain names or positions"),
    ({"event": "{a"}, "rules[0].event", "literal braces are doubled"),
    ({"event": "a}"}, "rules[0].event", "literal braces are doubled"),
    ({"distinct_id": 5}, "rules[0].distinct_id", "non-empty string"),
    ({"properties": "a"}, "rules[0].properties", "table of names and values"),
    ({"properties": {"mp_a": 1}}, "rules[0].properties.mp_a", "don't begin with 'mp_'"),
    ({"properties": {5: 1}}, "rules[0].properties.5", "names are strings"),
    ({"properties": {"a": {"b": ["{c.d}"]}}}, "rules[0].properties.a", "plain names or positions"),
    ({"profile": ["$set"]}, "rules[0].profile", "table of operations"),
    ({"profile": {"$frob": {}}}, "rules[0].profile", "$set, $set_once, $add"),
    ({"profile": {"$add": {"n": "many"}}}, "rules[0].profile", "$add takes numbers"),
    ({"profile": {"$set": {}, "a": 1}}, "rules[0].profile", "stands beside 'a'"),
    ({"profile": {"$set": {"a": "{b.c}"}}}, "rules[0].profile", "plain names or positions"),
    ({"pattern": ""}, "rules[0].pattern", "non-empty string"),
    ({"pattern": 5}, "rules[0].pattern", "non-empty string"),
    ({"pattern": "("}, "rules[0].pattern", "it is no regular expression: missing )"),
    ({"pattern": "(?P<a b>x)"}, "rules[0].pattern", "bad character in group name"),
    ({"pattern": "(?P<mp_a>x)"}, "rules[0].pattern", "name them otherwise than token, time or mp_..."),
    ({"pattern": "(?P<time>x)"}, "rules[0].pattern", "name them otherwise than token, time or mp_..."),
    ({"pattern": "x", "message": "x"}, "rules[0].pattern", "`message` or `pattern`, not both"),
    ({"numbers": "status"}, "rules[0].numbers", "give a list of names"),
    ({"numbers": [4]}, "rules[0].numbers", "all of them strings"),
    ({"numbers": ["ms"]}, "rules[0].numbers", "'ms' is no field of this rule; it has none"),
    (
        {"numbers": ["mss"], "pattern": "(?P<ms>.)", "properties": {"a": ["{0}", {"b": "{c}"}]}},
        "rules[0].numbers",
        "'mss' is no field of this rule; it has 0, c, ms",
    ),
    ({"include": "plan"}, "rules[0].include", "give a list of names"),
    ({"exclude": [None]}, "rules[0].exclude", "all of them strings"),
    ({"hash": 5}, "rules[0].hash", "give a list of names"),
    ({"hash": ["email", "$ip"]}, "rules[0].hash", "robotmia reads '$ip' itself"),
    ({"hash": ["token"]}, "rules[0].hash", "names of properties, or distinct_id"),
    ({"hash": ["event"]}, "rules[0].hash", "robotmia reads 'event' itself"),
    ({"hash": ["$add"]}, "rules[0].hash", "robotmia reads '$add' itself"),
    ({"hash": ["email"]}, "hash_key", "a secret of at least 16 characters"),
    ({"sample": 1.5}, "rules[0].sample", "the share of users to track, from 0 to 1"),
    ({"sample": "10%"}, "rules[0].sample", "from 0 to 1"),
    ({"sample": True}, "rules[0].sample", "from 0 to 1"),
    ({"sample": float("nan")}, "rules[0].sample", "from 0 to 1"),
]


@pytest.mark.parametrize(("rule", "where", "allowed"), MISTAKES, ids=lambda value: str(value)[:40])
@pytest.mark.parametrize("door", [RobotmiaHandler, RobotmiaProcessor])
def test_mistake_names_rule_key_and_what_is_allowed(rule, where, allowed, door):
    """A rule is checked when configured: the error names the rule, the key and what is allowed."""
    with pytest.raises(ConfigurationError, match=re.escape(allowed)) as caught:
        door(token="T", rules=[rule])
    assert caught.value.option == where
    assert where in str(caught.value)


def test_backslash_in_toml(tmp_path):
    """A regex in double quotes is TOML's most common mistake: the error says what helps."""
    (tmp_path / "rules.toml").write_text('[[rule]]\npattern = "\\d+"\n')
    with pytest.raises(ConfigurationError, match="a regex stands in single quotes there"):
        RobotmiaHandler(token="T", rules=tmp_path / "rules.toml")


def test_rule_nested_too_deeply():
    """A value nested without end is an error like any other."""
    value = "x"
    for _ in range(5_000):
        value = [value]
    with pytest.raises(ConfigurationError, match="nested too deeply"):
        compile_rules([{"message": "x", "properties": {"a": value}}])


@both
def test_missing_field_leaves_no_empty_update(opened):
    """An operation all of whose fields are missing is left out, like a property; what is said outright stays."""
    profile = {"$set": {"plan": "{plan}"}, "$add": {"n": 1}, "$unset": ["{nothing}"], "$delete": ""}
    with opened(rules=[{"message": "x", "profile": profile, "distinct_id": "ada"}]) as door:
        door.log("x")
        assert [update.keys() & set(profile) for update in door.updates()] == [{"$add"}, {"$delete"}]


@both
def test_missing_field_in_the_name(opened):
    """A name one of whose fields is missing is sent as written: a mistake shows, and is one name for all calls."""
    with opened(rules=[{"message": "%s cancelled", "event": "Cancelled {why}"}]) as door:
        door.log("%s cancelled", "order 7")
        assert door.event()["event"] == "Cancelled {why}"


def test_mistake_in_a_later_rule_of_a_file(tmp_path):
    """The error names the file and which of its rules."""
    path = tmp_path / "rules.toml"
    path.write_text('[[rule]]\nmessage = "x"\n[[rule]]\nlevl = "INFO"\n')
    with pytest.raises(ConfigurationError, match=r"rules\.toml: rule\[1\]\.levl"):
        RobotmiaHandler(token="T", rules=path)


@pytest.mark.parametrize(
    ("name", "content", "allowed"),
    [
        ("rules.toml", "[[rule]", "TOML or JSON"),
        ("rules.json", '{"rule": [', "TOML or JSON"),
        ("rules.json", "[]", "rules only"),
        ("rules.toml", "rules = []", "rules only"),
        ("rules.toml", '[rule]\nmessage = "x"', "rules only"),
        ("rules.toml", '[[rule]]\nmessage = "x"\n[other]', "rules only"),
        ("missing.toml", None, "TOML or JSON"),
        ("rules.toml", "a = " + "[" * 5_000, "TOML or JSON"),
        ("rules.json", '{"rule": ' + "[" * 100_000, "TOML or JSON"),
    ],
)
def test_file_that_holds_no_rules(name, content, allowed, tmp_path):
    """A file that can't be read, or holds anything but rules, is an error when configured."""
    if content is not None:
        (tmp_path / name).write_text(content)
    with pytest.raises(ConfigurationError, match=allowed) as caught:
        RobotmiaHandler(token="T", rules=str(tmp_path / name))
    assert caught.value.option == "rules"


def test_rule_on_urllib3_does_not_feed_itself():
    """What the sending threads log is never tracked, though a rule says so and urllib3 logs at DEBUG."""
    urllib3 = logging.getLogger("urllib3")
    with StdlibDoor(rules=[{"logger": "urllib3"}, {"level": "DEBUG"}], capacity=1) as door:
        urllib3.addHandler(door.door)
        level = urllib3.level
        urllib3.setLevel(logging.DEBUG)
        try:
            for _ in range(3):
                door.log("x")
                assert door.door.flush(10)
            urllib3.debug("by the program itself")
            assert [event["event"] for event in door.events()] == ["x"] * 3 + ["by the program itself"]
        finally:
            urllib3.setLevel(level)
            urllib3.removeHandler(door.door)


@pytest.mark.parametrize("name", ["robotmia_logging", "robotmia_logging.delivery"])
def test_own_logger_is_never_tracked(name):
    """What robotmia_logging logs is never tracked, neither by a rule nor explicitly; a name alike is."""
    with StdlibDoor(rules=[{"level": "DEBUG"}]) as door:
        door.door.handle(logging.makeLogRecord({"name": name, "msg": "x", "track": True, "levelno": 40}))
        assert door.is_quiet()
        door.door.handle(logging.makeLogRecord({"name": "robotmia_logging_extra", "msg": "x", "levelno": 40}))
        assert door.event()["event"] == "x"


def test_own_logger_is_never_tracked_by_structlog():
    """The same for structlog."""
    with StructlogDoor(rules=[{"level": "DEBUG"}]) as door:
        door.door(None, "error", {"event": "x", "logger": "robotmia_logging", "track": True})
        assert door.is_quiet()


def test_capture_logs_turns_processors_off():
    """structlog's `capture_logs` disables all processors, ours too."""
    structlog.reset_defaults()
    with StructlogDoor(rules=[{"message": "x"}]) as door:
        structlog.configure(processors=[door.door])
        try:
            with structlog.testing.capture_logs() as lines:
                structlog.get_logger().info("x")
            assert lines == [{"event": "x", "log_level": "info"}]
            assert door.is_quiet()
        finally:
            structlog.reset_defaults()
