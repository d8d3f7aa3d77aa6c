"""Lines as real formatters write them are read back as the calls that they were."""

from __future__ import annotations

import io
import logging
from datetime import timedelta
from types import SimpleNamespace

import pytest
from celery.app.defaults import DEFAULT_PROCESS_LOG_FMT, DEFAULT_TASK_LOG_FMT
from celery.app.log import TaskFormatter
from celery.app.trace import LOG_RECEIVED, LOG_SUCCESS
from celery.utils.log import ColorFormatter
from django.utils.log import ServerFormatter
from gunicorn.config import Config
from gunicorn.glogging import Logger as GunicornLogger
from uvicorn.logging import AccessFormatter, DefaultFormatter

from robotmia_logging.logs import open_format
from tests.logs.log_reading import WHEN, assert_as_live, in_utc, read, record

FORMATS_OF_PYTHON = [
    "%(asctime)s %(levelname)s %(name)s %(message)s",
    "%(asctime)s %(levelname)-8s %(name)s %(message)s",
    "%(asctime)s %(levelname)s %(name)s: %(message)s",
    "%(asctime)s %(levelname)s [%(name)s] %(message)s",
    "%(asctime)s [%(levelname)s] %(name)s: %(message)s",
    "%(asctime)s [%(levelname)s] %(name)s - %(message)s",
    "[%(asctime)s] [%(levelname)s] %(name)s: %(message)s",
    "%(asctime)s - %(name)s - %(levelname)s - %(message)s",
    "%(asctime)s - %(levelname)s - %(name)s - %(message)s",
    "%(asctime)s | %(levelname)-8s | %(name)s | %(message)s",
    "%(asctime)s %(name)s %(levelname)s %(message)s",
    "%(asctime)s %(name)-12s %(levelname)-8s %(message)s",
    "%(asctime)s [%(name)s] %(levelname)s: %(message)s",
    "%(asctime)s - [%(name)s] - %(levelname)s - %(message)s",
    "%(asctime)s | %(name)-12s | %(levelname)-8s | %(message)s",
    "%(asctime)s:%(name)s:%(levelname)s:%(message)s",
    "%(asctime)s:%(levelname)s:%(name)s:%(message)s",
    "%(asctime)s %(levelname)s:%(name)s:%(message)s",
]


@pytest.mark.parametrize("layout", FORMATS_OF_PYTHON)
@pytest.mark.parametrize("level", [logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR, logging.CRITICAL])
def test_the_usual_formats_of_python(layout, level):
    """Logger, level, time and text come back from each of them, found out without being told."""
    made = record("order %s: placed - [%s]", 17, "gold", level=level)
    assert_as_live(read(in_utc(logging.Formatter(layout)).format(made)), made, rendered=True)


@pytest.mark.parametrize(
    "layout",
    [
        "%(asctime)s %(levelname)s %(message)s",
        "%(asctime)s - %(levelname)s - %(message)s",
        "%(asctime)s [%(levelname)s] %(message)s",
        "%(asctime)s %(levelname)s: %(message)s",
        "[%(asctime)s] %(levelname)s in %(module)s: %(message)s",
    ],
)
def test_formats_without_a_logger(layout):
    """The message is whole, and the logger is the one that the caller names."""
    line = in_utc(logging.Formatter(layout)).format(record(name="shop"))
    assert read(line, logger="shop").logger == "shop"
    assert read(line).rendered() == "order %s placed"


@pytest.mark.parametrize(
    ("line", "logger", "message"),
    [
        ("INFO shop.orders order placed", "shop.orders", "order placed"),
        ("INFO shop order placed", "", "shop order placed"),
        ("INFO shop: order placed", "shop", "order placed"),
        ("INFO root order placed", "root", "order placed"),
        ("INFO http://shop/ asked", "", "http://shop/ asked"),
        ("INFO order [17] placed", "", "order [17] placed"),
        ("INFO [shop] order placed", "shop", "order placed"),
        ("INFO 17 - 18", "", "17 - 18"),
        ("INFO - shop - a - b", "shop", "a - b"),
        ("INFO - a b - c", "", "a b - c"),
        ("shop ERROR INFO done", "shop", "INFO done"),
        ("shop  -  ERROR done", "shop", "done"),
        ("[shop]ERROR done", None, None),
        ("INFO ERROR done", "", "ERROR done"),
        ("INFO", None, None),
        ("INFORMATION is out", None, None),
    ],
)
def test_what_counts_as_the_logger(line, logger, message):
    """A dotted name, or one set apart by brackets, a colon or dashes; else the word is the message's first."""
    line = f"2026-11-25 13:00:00,125 {line}"
    if logger is None:
        assert "none of the formats" in open_format().read(line.encode()).reason
    else:
        call = read(line)
        assert (call.logger, call.rendered()) == (logger, message)


def test_fields_are_looked_up_as_in_live_calls():
    """What rules may name of a record's attributes is there, as far as the line has it."""
    call = read("2026-11-25 13:00:00,125 WARNING shop.orders order 17 placed")
    looked_up = [
        call.attribute(name) for name in ("message", "levelname", "levelno", "name", "msecs", "created", "msg")
    ]
    assert looked_up == ["order 17 placed", "WARNING", 30, "shop.orders", 125, WHEN, "order 17 placed"]


def test_basic_config_writes_no_time():
    """Without a time there is no call; behind the prefix of a collector there is."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter(logging.BASIC_FORMAT))
    handler.emit(record())
    line = stream.getvalue().rstrip("\n")
    assert open_format().read(line.encode()).reason == "no time"
    assert_as_live(read(f"2026-11-25T13:00:00.125Z {line}"), record(), rendered=True)


UVICORN = '%s - "%s %s HTTP/%s" %d'
REQUEST = ("127.0.0.1:50000", "GET", "/orders?page=2", "1.1", 404)


@pytest.mark.parametrize("colours", [False, True])
@pytest.mark.parametrize("start", ["%(asctime)s ", "%(asctime)s - ", "[%(asctime)s] ", "%(asctime)s [%(name)s] "])
def test_uvicorns_access_lines(start, colours):
    """The template and its typed arguments are those of the live call."""
    layout = start + '%(levelprefix)s %(client_addr)s - "%(request_line)s" %(status_code)s'
    made = record(UVICORN, *REQUEST, name="uvicorn.access")
    line = in_utc(AccessFormatter(layout, use_colors=colours)).format(made)
    live = record(UVICORN, *REQUEST, name="uvicorn.access")
    call = read(line)
    assert (call.logger, call.template, call.args) == (live.name, live.msg, live.args)
    assert call.created == WHEN


@pytest.mark.parametrize("level", [logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR])
def test_uvicorns_other_lines(level):
    """They are uvicorn.error's."""
    made = record("Started server process [%d]", 4711, name="uvicorn.error", level=level)
    line = in_utc(DefaultFormatter("%(asctime)s %(levelprefix)s %(message)s", use_colors=False)).format(made)
    assert_as_live(read(line), made, rendered=True)


def test_uvicorns_default_lines_have_no_time():
    """They can't be replayed, and that is said."""
    layout = '%(levelprefix)s %(client_addr)s - "%(request_line)s" %(status_code)s'
    line = AccessFormatter(layout, use_colors=False).format(record(UVICORN, *REQUEST, name="uvicorn.access"))
    assert open_format().read(line.encode()).reason == "no time"


def test_uvicorns_access_log_by_a_plain_formatter():
    """The template is found by the logger's name, whatever the layout."""
    made = record(UVICORN, *REQUEST, name="uvicorn.access")
    line = in_utc(logging.Formatter("%(asctime)s %(name)s %(levelname)s %(message)s")).format(made)
    assert_as_live(read(line), made)


def test_gunicorns_error_log():
    """Lines by gunicorn's own formatter."""
    made = record("Booting worker with pid: %s", 4711, name="gunicorn.error", when=1_795_611_600.0)
    made.process = 4711
    call = read(in_utc(logging.Formatter(GunicornLogger.error_fmt, "[%Y-%m-%d %H:%M:%S +0000]")).format(made))
    assert_as_live(call, made, rendered=True)
    assert call.attribute("process") == 4711
    assert call.extras == {}


@pytest.fixture
def atoms(monkeypatch):
    """The atoms of a request, by gunicorn's own hand."""
    monkeypatch.setattr(GunicornLogger, "now", lambda _self: "[25/Nov/2026:13:00:00 +0000]")
    logger = GunicornLogger(Config())
    environ = {
        "REMOTE_ADDR": "203.0.113.9",
        "REQUEST_METHOD": "GET",
        "RAW_URI": "/caf%C3%A9?q=1",
        "PATH_INFO": "/caf\u00c3\u00a9",
        "QUERY_STRING": "q=1",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_REFERER": "https://example.com/",
        "HTTP_USER_AGENT": 'a "quoted" agent',
    }
    response = SimpleNamespace(status="200 OK", sent=1234, headers=[])
    return logger.atoms_wrapper_class(logger.atoms(response, SimpleNamespace(headers=[]), environ, timedelta(0)))


def test_gunicorns_access_log(atoms):
    """The template is gunicorn's default, and the atoms are those of the live call, the decoded path too."""
    template = Config().access_log_format
    made = record(template, atoms, name="gunicorn.access", when=1_795_611_600.0)
    call = read(logging.Formatter("%(message)s").format(made))
    assert call.template == template
    assert call.rendered() == made.getMessage()
    assert {name: atoms[name] for name in call.args} == call.args
    assert set("hlutrsbBfamUqH") == set(call.args)
    assert (call.logger, call.level, call.created) == ("gunicorn.access", logging.INFO, made.created)


def test_the_common_log_format():
    """Without referrer and agent the atoms are fewer."""
    call = read('::1 - ada lovelace [25/Nov/2026:14:00:00 +0100] "POST /orders HTTP/1.1" 201 -')
    assert call.created == 1_795_611_600
    assert (call.args["u"], call.args["s"], call.args["b"]) == ("ada lovelace", "201", "-")
    assert not {"f", "a", "B"} & set(call.args)


@pytest.mark.parametrize(("status", "level"), [(200, logging.INFO), (404, logging.WARNING), (500, logging.ERROR)])
def test_djangos_runserver(status, level):
    """Template, arguments, level and status_code are those of the live call."""
    made = record(
        '"%s" %s %s',
        "GET /orders HTTP/1.1",
        str(status),
        "1234",
        name="django.server",
        level=level,
        when=1_795_611_600.0,
        server_time="25/Nov/2026 13:00:00",
        status_code=status,
    )
    line = ServerFormatter("[{server_time}] {message}", style="{").format(made)
    made.msg = '"%s" %s %s'  # Django's formatter colours the record itself
    call = read(line)
    assert_as_live(call, made)
    assert call.extras == {"server_time": "25/Nov/2026 13:00:00", "status_code": status}


TASK = {"name": "shop.tasks.add", "id": "9f3b2a6e-0000-4000-8000-000000000000"}


@pytest.mark.parametrize(
    ("template", "fields", "logger"),
    [
        (LOG_SUCCESS, {**TASK, "runtime": 0.0125, "return_value": "'x: y'"}, "celery.app.trace"),
        (LOG_RECEIVED, TASK, "celery.worker.strategy"),
    ],
)
@pytest.mark.parametrize("colours", [False, True])
def test_celerys_worker(template, fields, logger, colours):
    """What a worker says of its tasks has the live call's template, typed fields and logger."""
    made = record(template, fields, name=logger)
    made.processName = "MainProcess"
    line = in_utc(ColorFormatter(DEFAULT_PROCESS_LOG_FMT, use_color=colours)).format(made)
    call = read(line.splitlines()[0])
    assert (call.logger, call.level, call.created) == (logger, logging.INFO, WHEN)
    assert (call.template, call.args) == (template.rstrip("\n"), fields)
    assert call.attribute("processName") == "MainProcess"


def test_celerys_tasks():
    """What a task logs has its name and id as extras."""
    made = record("order %s placed", 17)
    formatter = TaskFormatter(DEFAULT_TASK_LOG_FMT, use_color=False)
    made.__dict__.update(task_name=TASK["name"], task_id=TASK["id"])
    call = read(in_utc(formatter).format(made), logger="shop.orders")
    assert_as_live(call, made, rendered=True)
    assert call.extras == {"task_name": TASK["name"], "task_id": TASK["id"]}
