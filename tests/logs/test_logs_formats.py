"""Formats by name and found out; what stands around lines; what belongs to the line before."""

from __future__ import annotations

import json
import logging
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robotmia_logging.errors import ConfigurationError
from robotmia_logging.logs import FORMATS, Continued, PastCall, Unread, open_format
from tests.logs.log_reading import WHEN, read

LINES = {
    "json": '{"event": "m", "level": "info", "timestamp": "2026-11-25T13:00:00.125Z"}',
    "python": "2026-11-25 13:00:00,125 INFO shop.orders m",
    "uvicorn": '2026-11-25 13:00:00,125 INFO:     10.0.0.1:5 - "GET / HTTP/1.1" 200 OK',
    "gunicorn": "[2026-11-25 13:00:00 +0000] [4711] [INFO] m",
    "access": '10.0.0.1 - - [25/Nov/2026:13:00:00 +0000] "GET / HTTP/1.1" 200 17 "-" "curl"',
    "django": '[25/Nov/2026 13:00:00] "GET / HTTP/1.1" 200 17',
    "celery": "[2026-11-25 13:00:00,125: INFO/MainProcess] m",
}


def seen(line):
    """All that can be told of what a line was read as."""
    if not isinstance(line, PastCall):
        return line
    return line.logger, line.level, line.template, line.args, line.extras, line.keys, line.created


@pytest.mark.parametrize("name", LINES)
def test_a_format_by_name_reads_what_auto_finds_out(name):
    """Each line is of one format and of no other."""
    line = LINES[name].encode()
    assert seen(open_format(name).read(line)) == seen(open_format().read(line))
    auto = open_format()
    auto.read(line)
    assert auto.name == f"auto ({name})"
    for other in set(LINES) - {name} - ({"gunicorn"} if name == "access" else set()):
        assert open_format(other).read(line) == Unread(f"it isn't of the format {other}")


@given(st.lists(st.sampled_from([*LINES.values(), "INFO:shop:m", "hello", "2026-11-25T13:00:00.125Z hello"])))
def test_lines_before_decide_nothing(lines):
    """In a file of mixed formats each line is read as it would be alone."""
    mixed = open_format()
    for line in lines:
        assert seen(mixed.read(line.encode())) == seen(open_format().read(line.encode()))


@given(st.binary() | st.text().map(str.encode) | st.sampled_from(list(LINES.values())).map(str.encode), st.integers(0))
def test_any_bytes_are_read_as_something(text, cut):
    """No line raises: whole, or cut anywhere."""
    for name in FORMATS:
        line = open_format(name).read(text[: cut % (len(text) + 1)])
        assert isinstance(line, (PastCall, Unread, Continued))


@given(
    st.dictionaries(
        st.sampled_from(
            [
                "event",
                "message",
                "time",
                "level",
                "logger",
                "log",
                "stream",
                "msg",
                "args",
                "labels",
                "ecs.version",
                "positional_args",
                "timestamp",
                "created",
                "x",
            ]
        ),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
            lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(), children, max_size=3),
            max_leaves=5,
        ),
    )
)
def test_any_json_object_is_read_as_something(fields):
    """Whatever the fields are, no line raises; nor does what may be looked up in its call."""
    line = open_format().read(json.dumps(fields).encode())
    assert not isinstance(line, Unread) or not line.reason.startswith("it can't be read")
    if isinstance(line, PastCall):
        assert isinstance(line.attribute("message"), str)
        assert isinstance(line.level, int)


@pytest.mark.parametrize(
    "text",
    [
        b"[" * 20_000_000,
        b'"' * 2_000_000,
        b"a b [" * 500_000,
        b'{"a":' * 2_000_000,
        b'1 - - [25/Nov/2026:13:00:00 +0000] "' + b"\\a" * 1_000_000,
        b"Task a[" * 100_000,
        b"2026-11-25 13:00:00,125 INFO " + b"a." * 4_000_000,
        b"2026-11-25 13:00:00,125 " + b"a-" * 4_000_000,
        b" " * 8_000_000 + b"x",
    ],
)
def test_lines_as_long_as_they_may_be(text):
    """They take neither long nor much memory."""
    tracemalloc.start()
    for name in FORMATS:
        open_format(name).read(text)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 14 * len(text) + 1_000_000


@pytest.mark.parametrize(
    ("prefix", "when"),
    [
        ("2026-11-25T12:59:59.5Z ", WHEN - 0.625),
        ("2026-11-25T12:59:59.500000000Z stdout F ", WHEN - 0.625),
        ("web-1  | 2026-11-25T13:59:59.500000000+01:00 ", WHEN - 0.625),
        ("2026-11-25T12:59:59+00:00 host app[17]: ", WHEN - 1.125),
        ("2026-11-25T12:59:59.5+00:00 host app: ", WHEN - 0.625),
        ("Nov 25 12:59:59 host app[17]: ", WHEN - 1.125),
        ("Nov 25 12:59:59 host app: ", WHEN - 1.125),
        ("<14>Nov 25 12:59:59 host app[17]: ", WHEN - 1.125),
    ],
)
def test_what_collectors_put_in_front(prefix, when):
    """The line behind it is read as ever; if it has no time, the collector's counts."""
    for name, line in LINES.items():
        behind = open_format(latest=WHEN).read((prefix + line).encode())
        assert seen(behind) == seen(open_format(name).read(line.encode()))
    assert read(prefix + "WARNING:shop:m", latest=WHEN).created == when
    call = read(prefix + 'INFO:     10.0.0.1:5 - "GET / HTTP/1.1" 200 OK', latest=WHEN)
    assert (call.logger, call.created) == ("uvicorn.access", when)
    call = read(prefix + "hello", latest=WHEN)
    assert (call.template, call.level, call.created) == ("hello", logging.INFO, when)
    for inside in ('  File "shop.py", line 7', "Traceback (most recent call last):"):
        assert open_format(latest=WHEN).read((prefix + inside).encode()) == Continued()


def test_the_files_of_docker():
    """The line that Docker keeps in its JSON is read as it was written."""

    def kept(line):
        return json.dumps({"log": line + "\n", "stream": "stdout", "time": "2026-11-25T13:00:00.5Z"})

    assert seen(read(kept(LINES["json"]))) == seen(read(LINES["json"]))
    assert read(kept("INFO:shop:m")).created == WHEN + 0.375
    assert read(kept("hello")).template == "hello"
    assert read(kept("hello"), "docker").template == "hello"
    assert open_format().read(kept("  x").encode()) == Continued()


def test_compose_without_times():
    """The service's name in front doesn't matter; a line without a time can't be read."""
    assert seen(read("web-1  | " + LINES["python"])) == seen(read(LINES["python"]))
    assert open_format().read(b"web-1  | INFO:shop:m").reason == "no time"
    assert isinstance(open_format().read(b"web-1  | hello"), Unread)


def test_plain_text_behind_syslog_has_the_programs_name():
    """It is the logger, unless the caller names one."""
    line = "2026-11-25T12:59:59+00:00 host app[17]: hello"
    assert read(line, "syslog").logger == "app"
    assert read(line, "syslog", logger="shop").logger == "shop"
    assert open_format("syslog").read(LINES["python"].encode()).reason == "it doesn't begin as lines of syslog do"


def test_syslog_without_a_year_needs_the_logs_end():
    """Unless the line behind it has a time of its own."""
    assert open_format().read(b"Nov 25 12:59:59 host app[17]: hello").reason.endswith("when the log ended isn't known")
    assert read("Nov 25 12:59:59 host app[17]: " + LINES["python"]).created == WHEN


TRACEBACK = """\
2026-11-25 13:00:00,125 ERROR shop.orders order failed
Traceback (most recent call last):
  File "shop.py", line 7, in place
    raise ValueError("first line\\nsecond line")

During handling of the above exception, another exception occurred:

ValueError: first line
second line
2026-11-25 13:00:01,125 INFO shop.orders order placed
second line
"""


def test_tracebacks_belong_to_the_line_before():
    """Up to the next line that can be read; what comes behind that is no traceback."""
    log = open_format()
    kinds = [type(log.read(line)).__name__ for line in TRACEBACK.encode().splitlines()]
    assert kinds == ["PastCall", *["Continued"] * 8, "PastCall", "Unread"]


def test_a_traceback_has_an_end():
    """Lines of an unknown format aren't passed over for a traceback in front of them."""
    log = open_format()
    lines = [log.read(b"Traceback (most recent call last):")] + [log.read(b"hello") for _ in range(1000)]
    assert sum(isinstance(line, Continued) for line in lines) == 101


def test_a_traceback_behind_a_prefix():
    """Where any text is a message, the traceback ends with its exception."""
    log = open_format()
    lines = ["Traceback (most recent call last):", "  raise ValueError", "ValueError", "hello", "hello"]
    kinds = [type(log.read(f"2026-11-25T13:00:00.125Z {line}".encode())) for line in lines]
    assert kinds == [Continued, Continued, Continued, PastCall, PastCall]


def test_line_ends_marks_and_colours_do_not_disturb():
    """Neither a byte order mark nor a carriage return nor colours are part of what is read."""
    plain = seen(read(LINES["python"]))
    assert seen(read(b"\xef\xbb\xbf" + LINES["python"].encode() + b"\r")) == plain
    assert seen(read("\x1b[32m" + LINES["python"].replace("INFO", "\x1b[1;31mINFO\x1b[0m"))) == plain
    assert seen(read(b"\xef\xbb\xbf" + LINES["json"].encode() + b"\r\n")) == seen(read(LINES["json"]))
    assert read(LINES["python"].encode() + b" caf\xe9").rendered() == "m caf\ufffd"


def test_what_auto_says_of_itself():
    """Its name tells which formats were found; times without a zone are counted."""
    log = open_format()
    assert log.name == "auto"
    log.read(LINES["json"].encode())
    log.read(b"hello")
    log.read(LINES["python"].encode())
    log.read(LINES["celery"].encode())
    assert log.name == "auto (json, python, celery)"
    assert log.naive_times == 2


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"name": ["json"]}, "format is ['json']: give one of auto, json, python"),
        ({"name": "apache"}, "format is 'apache': give one of auto, json, python"),
        ({"zone": "Mars"}, "zone is 'Mars'"),
        ({"time_format": "%Q"}, "time_format is '%Q'"),
        ({"pattern": "(?P<time>.*)(?P<message>)", "name": "json"}, "pattern"),
        ({"pattern": "(?P<time>.*)(?P<message>)", "keys": {"time": "t"}}, "pattern"),
    ],
)
def test_options_that_can_not_be_used(options, words):
    """The error names the option, what was given and what is allowed."""
    with pytest.raises(ConfigurationError) as caught:
        open_format(**options)
    assert words in str(caught.value)
