"""Templates read backwards: a rendered text gives back what it was made with."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from robotmia_logging.capture import compile_rules
from robotmia_logging.capture.patterns import SEARCHED
from robotmia_logging.capture.templates import Template

CASES = [
    ("order %s placed", ("17",), {"0": "17"}),
    ("order %d placed", (17,), {"0": 17}),
    ("%s left %s", ("ada", "the room"), {"0": "ada", "1": "the room"}),
    ("%(name)s[%(id)s] in %(runtime).3fs", {"name": "mail", "id": "7", "runtime": 1.5}, None),
    ("100%% of %s", ("x",), {"0": "x"}),
    ("%5d|%-8s|%05.1f", (42, "ab", 2.5), {"0": 42, "1": "ab", "2": 2.5}),
    ("%x %o %e %r %c", (255, 8, 1500.0, "q", "c"), {"0": 255, "1": 8, "2": 1500.0, "3": "q", "4": "c"}),
    ("%r %r %r %a", ("it's", 5, [1], "\u00e4"), {"0": "it's", "1": 5, "2": "[1]", "3": "\u00e4"}),
    ("%+d %i", (5, -7), {"0": 5, "1": -7}),
    ("%f", (float("inf"),), {"0": float("inf")}),
    ("%F %E", (float("inf"), float("-inf")), {"0": float("inf"), "1": float("-inf")}),
    ("% d|%*d|%s", (3, 5, 7, "x"), {"0": 3, "2": 7, "3": "x"}),
    ("%.*f %s", (1, 2.5, "x"), {"1": 2.5, "2": "x"}),
    ("a.b* (%s) [c]", ("x",), {"0": "x"}),
    ("%s", ("two\nlines",), {"0": "two\nlines"}),
    ("%(a)s and %(a)s", {"a": "x"}, {"a": "x"}),
]


def ignore(_cause, _error):
    pass


@pytest.mark.parametrize(("template", "args", "fields"), CASES, ids=[case[0] for case in CASES])
def test_fields_come_back(template, args, fields):
    """What `%` put into the text is found again, numbers as numbers."""
    assert Template(template).fields(template % args, ignore) == (args if fields is None else fields)


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("order %s placed", "order 17 placed."),
        ("order %s placed", "an order 17 placed"),
        ("order %d placed", "order seventeen placed"),
        ("%s", "x" * (SEARCHED + 1)),
    ],
)
def test_other_texts_do_not_match(template, text):
    """A text that the template can't have made isn't taken for one; nor is one too long to be read whole."""
    assert Template(template).fields(text, ignore) is None


@given(st.text(), st.integers(), st.text("abc %{}[](.*+?\\|^$", max_size=12))
def test_every_rendered_text_is_recognized(words, number, literal):
    """Whatever stands around the fields, a text made from the template matches it."""
    template = f"{literal.replace('%', '%%')}%s:%d"
    text = template % (words, number)
    assume(len(text) <= SEARCHED)
    assert Template(template).fields(text, ignore) is not None


@pytest.mark.parametrize("template", ["%", "%z", "%(a", "%(", "100%", "100% sure"])
def test_what_is_no_conversion_is_literal(template):
    """A stray percent sign stands for itself."""
    assert not Template(template).has_fields
    assert Template(template).fields(template, ignore) == {}


def test_rules_for_past_logs_find_messages_in_rendered_texts():
    """`for_rendered` lets a rule's `message` match what a log holds, and still the template; the order stays."""
    rules = compile_rules([{"message": "order %s placed", "level": 20}, {"message": "plain"}, {"pattern": "order"}])

    def find(template, level=20):
        found = rules.for_rendered().match("x", level, template, lambda: template, ignore)
        return None if found is None else (found.rule.position, dict(found.found))

    assert find("order 17 placed") == (0, {"0": "17"})
    assert find("order %s placed") == (0, {})
    assert find("plain") == (1, {})
    assert find("order 17 placed", level=10) == (2, {})
    assert find("nothing") is None
