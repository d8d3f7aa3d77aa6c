"""Finding the rule for a call: by look-ups, with the result of trying them all in turn."""

from __future__ import annotations

import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robotmia_logging.capture import compile_rules
from robotmia_logging.capture import rules as rules_module

LOGGERS = ["", "a", "a.b", "a.b.c", "ab", "c", "a..b", "."]
MESSAGES = ["x", "y %s", "z"]
LEVELS = [0, 10, 20, 30]


def no_trouble(cause, error):
    pytest.fail(f"{cause}: {error}")


def match(rules, logger, level, template, render=None):
    return rules.match(logger, level, template, render or (lambda: str(template)), no_trouble)


def must_not_render():
    pytest.fail("it was rendered")


def naive(rules, logger, level, template):
    """The rule that the README's words mean."""
    for position, rule in enumerate(rules):
        named = rule.get("logger")
        if named is not None and logger != named and not logger.startswith(named + "."):
            continue
        if level < rule.get("level", 0) or rule.get("message", template) != template:
            continue
        if "pattern" in rule and rule["pattern"] not in template:
            continue
        return position
    return None


RULES = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "logger": st.sampled_from([name for name in LOGGERS if name]),
            "level": st.sampled_from(LEVELS),
        },
    ).flatmap(
        lambda rule: st.one_of(
            st.just(rule),
            st.sampled_from(MESSAGES).map(lambda message: {**rule, "message": message}),
            st.sampled_from(["x", "y", "q"]).map(lambda pattern: {**rule, "pattern": pattern}),
        )
    ),
    max_size=8,
)


@given(RULES, st.sampled_from(LOGGERS), st.sampled_from(LEVELS), st.sampled_from(MESSAGES))
def test_lookups_find_the_first_rule_that_matches(rules, logger, level, template):
    """Whatever the rules, the one found is the first that fits by logger, level, and message or pattern."""
    compiled = compile_rules(rules)
    for _ in range(2):  # looked up, then remembered
        found = match(compiled, logger, level, template)
        assert (None if found is None else found.rule.position) == naive(rules, logger, level, template)


def test_a_record_that_no_rule_concerns_is_not_rendered():
    """Logger, level and template are looked up; the message isn't rendered for that."""
    rules = compile_rules(
        [
            *[{"logger": "lib", "level": "ERROR", "message": f"x{n}"} for n in range(1000)],
            {"logger": "lib.sub", "level": "ERROR", "pattern": "x"},
        ]
    )
    assert match(rules, "app", logging.ERROR, "x1", must_not_render) is None
    assert match(rules, "lib.sub", logging.INFO, "x1", must_not_render) is None
    assert match(rules, "lib", logging.ERROR, "y", must_not_render) is None
    assert match(rules, "lib", logging.ERROR, ["unhashable"], must_not_render) is None
    assert match(rules, "lib.sub", logging.ERROR, "x1", must_not_render).rule.message == "x1"


def test_patterns_share_one_rendering():
    """However many patterns look into a message, it is rendered once."""
    rendered = []
    rules = compile_rules([{"pattern": "q"}, {"pattern": "r"}, {"pattern": "x"}])
    assert match(rules, "a", 20, "x", lambda: rendered.append(1) or "x").rule.position == 2
    assert len(rendered) == 1


def test_more_loggers_than_are_remembered():
    """Programs that make loggers without end are served too, within bounded memory."""
    rules = compile_rules([{"logger": "a", "message": "x"}])
    assert not any(match(rules, f"logger{n}", logging.INFO, "x") for n in range(10_050))
    assert match(rules, "a.b", logging.INFO, "x")
    assert len(rules._known) <= rules_module._KNOWN_LOGGERS


def test_a_logger_that_begins_with_a_dot_has_each_rule_once():
    """The root's rules are tried once, however odd the logger's name."""
    rules = compile_rules([{"pattern": "x"}])
    assert len(rules.of_logger(".a")) == len(rules.of_logger("a..b")) == 1


@pytest.mark.parametrize("logger", ["a.b.c.d", "a.b"])
def test_loggers_without_rules_of_their_own_share_one_entry(logger):
    """A thousand loggers below one cost a name each, not a list of rules each."""
    rules = compile_rules([{"logger": "a", "message": "x"}, {"message": "y"}])
    match(rules, "a", 20, "x")
    match(rules, logger, 20, "x")
    assert rules._known["a"] is rules._known[logger]
