"""Which logger a call is on, as far as the code tells."""

from __future__ import annotations

import pytest

from tests.scan.sources import call_in, calls_in, scanned, written

IMPORTS = "import logging, structlog\nfrom logging import getLogger\n"


@pytest.mark.parametrize(
    ("source", "logger"),
    [
        ("logging.info('m')", "root"),
        ("from logging import info as say\nsay('m')", "root"),
        ("getLogger().info('m')", "root"),
        ("logging.root.info('m')", "root"),
        ("logger = getLogger(__name__)\nlogger.info('m')", "shop.orders"),
        ("logger = getLogger(name=__name__)\nlogger.info('m')", "shop.orders"),
        ("NAME = 'a.b'\nlogger = getLogger(NAME)\nlogger.info('m')", "a.b"),
        ("logger = getLogger(f'{__name__}.x')\nlogger.info('m')", "shop.orders.x"),
        ("logger = getLogger(__name__ + '.x')\nlogger.info('m')", "shop.orders.x"),
        ("logger = getLogger(__name__.split('.')[0])\nlogger.info('m')", "shop"),
        ("logger = getLogger('a').getChild('b')\nlogger.info('m')", "a.b"),
        ("logger: logging.Logger = getLogger('a')\nlogger.info('m')", "a"),
        ("x, spy = 1, getLogger('a')\nspy.info('m')", "a"),
        ("if (spy := getLogger('a')):\n    spy.info('m')", "a"),
        ("logger = None\ndef f():\n    global logger\n    logger = getLogger('a')\n    logger.info('m')", "a"),
        ("def f(logger=None):\n    logger = logger or getLogger('a')\n    logger.info('m')", "a"),
        ("spy = getLogger('a')\ndef f(say=spy.info):\n    say('m')", "a"),
        ("spy = getLogger('a')\ninfo, error = spy.info, spy.error\ninfo('m')", "a"),
        ("def make(name):\n    return getLogger('a.' + name)\nspy = make('b')\nspy.info('m')", "a.b"),
        ("adapter = logging.LoggerAdapter(getLogger('a'), {'k': 1})\nadapter.info('m')", "a"),
        ("from typing import cast\nspy = cast('X', getLogger('a'))\nspy.info('m')", "a"),
        ("from celery.utils.log import get_task_logger\nspy = get_task_logger('a')\nspy.info('m')", "a"),
        ("import celery.utils.log\nspy = celery.utils.log.get_logger('a')\nspy.info('m')", "a"),
        ("get_logger = structlog.get_logger\nspy = get_logger('a')\nspy.info('m')", "a"),
        ("spy = structlog.stdlib.get_logger('a').bind(x=1).new(y=2).try_unbind('y')\nspy.info('m')", "a"),
        ("spy = structlog.get_logger()\nspy.info('m')", "shop.orders"),
        ("spy = structlog.wrap_logger(getLogger('a'))\nspy.info('m')", "a"),
        ("class A:\n    spy = getLogger('a')\n    def f(self):\n        self.spy.info('m')", "a"),
        ("class A:\n def g(self):\n  self.spy = getLogger('a')\n def f(self):\n  self.spy.info('m')", "a"),
        ("class A:\n @property\n def spy(self):\n  return getLogger('a')\n def f(self):\n  self.spy.info('m')", "a"),
        ("class A:\n    spy = getLogger('a')\n    @classmethod\n    def f(cls):\n        cls.spy.info('m')", "a"),
        ("class A:\n    spy = getLogger('a')\ndef f(x: A):\n    x.spy.info('m')", "a"),
        ("class A:\n    spy = getLogger('a')\nA().spy.info('m')", "a"),
        ("class Base:\n    spy = getLogger('a')\nclass A(Base):\n    def f(self):\n        self.spy.info('m')", "a"),
        ("def f():\n    [spy.info('m') for spy in ()]\nspy = getLogger('a')\nspy.info('m')", "a"),
    ],
)
def test_known(tmp_path, source, logger):
    """A logger is followed through what the code binds, hands on and returns."""
    assert call_in(tmp_path, IMPORTS + source).logger == logger


@pytest.mark.parametrize(
    ("source", "expression"),
    [
        ("def f(logger):\n    logger.info('m')", "logger"),
        ("def f(name):\n    spy = getLogger(name)\n    spy.info('m')", "spy"),
        ("def f(spy: logging.Logger):\n    spy.info('m')", "spy"),
        ("def f(spy: 'logging.Logger | None'):\n    spy.info('m')", "spy"),
        ("class A:\n    def f(self):\n        self.log.info('m')", "self.log"),
        ("class A(logging.Logger):\n    def f(self):\n        self.info('m')", "self"),
        ("class A(logging.LoggerAdapter):\n    def f(self):\n        super().info('m')", "super()"),
        ("def f(app):\n    app.logger.info('m')", "app.logger"),
        ("def f(loggers):\n    loggers['a'].info('m')", "loggers['a']"),
        ("def f(x):\n    x.get_logger().info('m')", "x.get_logger()"),
        ("def f(x):\n    x.accessLog.info('m')", "x.accessLog"),
        ("logger = getLogger('a') if x else getLogger('b')\nlogger.info('m')", "logger"),
        ("a = b\nb = a\nlogger = b\nlogger.info('m')", "logger"),
        ("from loguru import logger\nlogger.info('m')", "logger"),
    ],
)
def test_not_known(tmp_path, source, expression):
    """A call on a logger that only the program knows is listed all the same, with the code that stands for it."""
    call = call_in(tmp_path, IMPORTS + source)
    assert (call.logger, call.expression, call.template.text) == (None, expression, "m")


@pytest.mark.parametrize(
    "importing",
    [
        "from .log import logger",
        "from shop.log import logger",
        "from .log import *",
        "from . import log\nlogger = log.logger",
        "import shop.log\nlogger = shop.log.logger",
        "import shop.log as log\nlogger = log.logger",
        "from .again import logger",
        "from .log import Base\nclass A(Base):\n    pass\nlogger = A().logger",
    ],
)
def test_imported_from_another_file(tmp_path, importing):
    """A logger that is imported from another file of the code base is known by the name it has there."""
    log = "import logging\nlogger = logging.getLogger(__name__)\nclass Base:\n    logger = logger"
    source = f"{importing}\nlogger.info('m')"
    call = call_in(tmp_path, source, shop__log=log, shop__again="from .log import logger")
    assert call.logger == "shop.log"


def test_a_long_way(tmp_path):
    """A logger is followed through some dozens of names; beyond that it is unknown, and nothing else is lost."""
    names = "".join(f"log_{n + 1} = log_{n}\n" for n in range(5000))
    source = f"{IMPORTS}log_0 = getLogger('a')\n{names}logger = log_5000\nlogger.info('m')\nlog_40.info('n')\n"
    assert [(call.logger, call.template.text) for call in calls_in(tmp_path, source)] == [(None, "m"), ("a", "n")]


def test_many_ways(tmp_path):
    """Where the ways to a logger multiply with every line of the code, not all of them are gone."""
    returns = "".join(f"def f{n + 1}(x):\n" + f"    if x: return f{n}(x)\n" * 20 for n in range(7))
    bases = "".join(f"class A{n + 1}(A{n}, B{n}): pass\nclass B{n + 1}(A{n}, B{n}): pass\n" for n in range(30))
    functions = f"def f0(x): return getLogger('a')\n{returns}logger = f7(1)\nlogger.info('m')\n"
    classes = f"class A0: pass\nclass B0(logging.Logger): pass\n{bases}spy = B30('b')\nspy.info('n')\n"
    calls = calls_in(tmp_path, IMPORTS + functions + classes)
    assert [(call.logger, call.template.text) for call in calls] == [("a", "m"), ("b", "n")]


def test_imported_in_a_circle(tmp_path):
    """Files that import one another's loggers in a circle are no trouble."""
    files = {"a.py": "from b import logger\nlogger.info('m')", "b.py": "from a import logger\nlogger.info('m')"}
    calls, problems = scanned(written(tmp_path, files))
    assert [(call.logger, call.template.text) for call in calls] == [(None, "m")] * 2
    assert problems == []


def test_scripts_import_what_lies_beside_them(tmp_path):
    """A script imports the file in its own folder, by its bare name."""
    files = {"pyproject.toml": "", "tools/log.py": "import logging\nlogger = logging.getLogger('t')"}
    written(tmp_path, {**files, "tools/run.py": "from log import logger\nlogger.info('m')"})
    calls, _ = scanned(tmp_path)
    assert [call.logger for call in calls] == ["t"]


def test_two_loggers_of_a_name_are_told_apart_by_scope(tmp_path):
    """A function's own variable hides the module's."""
    source = """
        import logging
        log = logging.getLogger("outer")
        def inner():
            log = logging.getLogger("inner")
            log.info("a")
        log.info("b")
    """
    assert [(call.logger, call.template.text) for call in calls_in(tmp_path, source)] == [
        ("inner", "a"),
        ("outer", "b"),
    ]
