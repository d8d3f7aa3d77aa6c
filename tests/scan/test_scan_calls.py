"""Which calls are log calls, and what they say of level and place."""

from __future__ import annotations

import logging

import pytest
import structlog

from tests.scan.sources import call_in, calls_in

LOGGERS = "import logging, structlog\nlogger = logging.getLogger('a')\nlog = structlog.get_logger()\n"


@pytest.mark.parametrize(
    ("source", "level"),
    [
        ("logger.debug('m')", "DEBUG"),
        ("logger.info('m')", "INFO"),
        ("logger.warning('m')", "WARNING"),
        ("logger.warn('m')", "WARNING"),
        ("logger.error('m')", "ERROR"),
        ("logger.exception('m')", "ERROR"),
        ("logger.critical('m')", "CRITICAL"),
        ("logger.fatal('m')", "CRITICAL"),
        ("logger.log(logging.INFO, 'm')", "INFO"),
        ("logger.log(level=30, msg='m')", "WARNING"),
        ("from logging import DEBUG\nlogger.log(DEBUG, 'm')", "DEBUG"),
        ("TRACE = 5\nlogger.log(TRACE, 'm')", 5),
        ("logger.log(chosen(), 'm')", None),
        ("logger.log(logging.INFO if x else logging.ERROR, 'm')", None),
        ("logger.trace('m')", None),
        ("getattr(logger, 'info')('m')", "INFO"),
        ("getattr(logger, chosen())('m')", None),
        ("log.msg('m')", "INFO"),
        ("log.info(event='m')", "INFO"),
        ("async def f():\n    await log.ainfo('m')", "INFO"),
        ("async def f():\n    await log.aexception('m')", "ERROR"),
        ("async def f():\n    await log.alog(logging.INFO, 'm')", "INFO"),
    ],
)
def test_levels(tmp_path, source, level):
    """Every method that logs is found, with its level if the code tells it."""
    call = call_in(tmp_path, LOGGERS + source)
    assert (call.level_name, call.template.text) == (level, "m")


def test_all_methods_of_the_libraries():
    """No method by which the libraries' loggers log is forgotten."""
    from robotmia_logging.scan.methods import LEVEL_OF

    named = {
        "debug",
        "info",
        "warning",
        "warn",
        "error",
        "err",
        "exception",
        "critical",
        "fatal",
        "failure",
        "msg",
        "log",
    }
    for of in (
        logging.Logger,
        structlog.stdlib.BoundLogger,
        structlog.PrintLogger,
        structlog.make_filtering_bound_logger(0),
    ):
        methods = {name for name in dir(of) if name in named or (name[:1] == "a" and name[1:] in named)}
        assert methods
        assert methods <= set(LEVEL_OF)


@pytest.mark.parametrize(
    "source",
    [
        "parser.error('m')",
        "messages.info(request, 'm')",
        "import warnings\nwarnings.warn('m')",
        "import math\nmath.log(2)",
        "class A:\n    def f(self):\n        self.error('m')",
        "dialog.info('m'), blog.info('m'), catalog.error('m')",
        "logger.setLevel('INFO'), logger.isEnabledFor(20)",
        "logging.getLogger('a').msg('m')",
        "'logger.info(1)'  # logger.info('m')",
        "def info(x):\n    pass\ninfo('m')",
        "on_error(logger.error)",
    ],
)
def test_no_log_calls(tmp_path, source):
    """What only sounds like one isn't a log call."""
    assert calls_in(tmp_path, LOGGERS + source) == []


def test_place(tmp_path):
    """The place of a call is where it begins, and calls come in the order of their places."""
    source = "import logging\n\nlogging.info('a'); logging.info('b')\nif 1:\n    logging.info(\n        'c'\n    )\n"
    calls = calls_in(tmp_path, source)
    assert [(call.line, call.column, call.template.text) for call in calls] == [(3, 1, "a"), (3, 20, "b"), (5, 5, "c")]
    assert calls[0].place == f"{tmp_path}/shop/orders.py:3"


def test_a_function_that_logs_what_it_is_given(tmp_path):
    """A call of a function that logs its argument is a log call of that template, in the same file."""
    source = """
        import logging
        logger = logging.getLogger("a")
        def say(text, *args, level=20, **more):
            logger.log(level, text, *args, **more)
        say("order %s placed", order.id, level=logging.ERROR, extra={"total": total})
    """
    inner, outer = calls_in(tmp_path, source)
    assert (inner.template.kind, inner.template.text) == ("variable", "{text}")
    assert (outer.logger, outer.level_name, outer.template.text) == ("a", "ERROR", "order %s placed")
    assert [str(argument) for argument in outer.arguments] == ["order.id", "total=total"]


def test_a_method_called_on_its_class(tmp_path):
    """`Logger.info(self, ...)` has the object first, and then the template."""
    source = "class A(Logger):\n    def info(self, text):\n        Logger.info(self, 'm %s', text)"
    call = call_in(tmp_path, source)
    assert (call.template.text, [str(argument) for argument in call.arguments]) == ("m %s", ["text"])
