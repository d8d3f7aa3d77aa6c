"""Arguments: what a call is given, where a rule finds it, and the name proposed for it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robotmia_logging.capture import SPECIAL
from robotmia_logging.scan.arguments import Names
from tests.scan.sources import call_in

LOGGERS = "import logging, structlog\nlogger = logging.getLogger('a')\nlog = structlog.get_logger()\n"


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ("logger.info('%s %s', user.id, len(x))", [("user.id", "0", "user_id"), ("len(x)", "1", "len_x")]),
        ("logger.info('%s %s', x, x)", [("x", "0", "x"), ("x", "1", "x_2")]),
        ("logger.info('%s %s', a, *rest)", [("a", "0", "a"), ("*rest", None, None)]),
        ("logger.info('%s %s', *rest, a)", [("*rest", None, None), ("a", None, None)]),
        ("logger.info('%(a)s', {'a': x.y})", [("x.y", "a", "a")]),
        ("logger.info('%(a)s %(b)d', data)", [("data['a']", "a", "a"), ("data['b']", "b", "b")]),
        ("logger.info('%s', {'a': 1})", [("1", "a", "a")]),
        ("logger.info('m', extra={'a': x, **more})", [("x", "a", "a"), ("**more", None, None)]),
        ("logger.info('m', extra=dict(a=x))", [("x", "a", "a")]),
        ("logger.info('m', extra=data)", [("data", None, None)]),
        ("logger.info('m', extra={'a.b': x, 'mp_c': y})", [("x", None, None), ("y", "mp_c", "field_mp_c")]),
        ("logger.info('m', extra={'event': x, 'distinct_id': y})", [("x", None, None), ("y", None, None)]),
        ("logger.info('m', exc_info=True, stacklevel=2)", []),
        ("logger.info('%s', x, extra={'x': y})", [("x", "0", "x_2"), ("y", "x", "x")]),
        ("log.info('m', a=x, extra=y, **more)", [("x", "a", "a"), ("y", "extra", "extra"), ("**more", None, None)]),
        ("log.info('m', exc_info=True)", []),
    ],
)
def test_arguments(tmp_path, call, expected):
    """Each argument is listed with its source, where a rule finds it, and a name that is free."""
    arguments = call_in(tmp_path, LOGGERS + call).arguments
    assert [(argument.expression, argument.field, argument.name) for argument in arguments] == expected


@given(st.lists(st.text(max_size=60), max_size=8))
def test_names_are_plain_unique_and_harmless(expressions):
    """Whatever the source, names are plain identifiers, each given once, none of which has a meaning of its own."""
    names = Names()
    proposed = [names.propose(expression) for expression in expressions]
    assert len(set(proposed)) == len(proposed)
    for name in proposed:
        assert name.isidentifier()
        assert name.isascii()
        assert not name.startswith("mp_")
        assert name not in SPECIAL
        assert len(name) < 60
