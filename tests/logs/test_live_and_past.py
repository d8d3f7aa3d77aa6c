"""The same rules on a live call and on the log line it wrote: the same events."""

from __future__ import annotations

import json
import logging
import time

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from robotmia_logging.capture import CaptureSettings, Composer, compile_rules, from_record
from robotmia_logging.logs import open_format

RULES = compile_rules(
    [
        {"logger": "shop", "message": "order %s placed"},
        {"logger": "shop", "message": "%s paid %d cents (%.2f)", "event": "Paid", "distinct_id": "{0}",
         "properties": {"cents": "{1}", "amount": "{2}"}, "profile": {"$add": {"Cents": "{1}"}}},
        {"logger": "shop", "message": "%(who)s bought %(plan)s", "include": ["plan"], "properties": {"who": "{who}"}},
        {"logger": "shop", "pattern": r"took (?P<ms>\d+) ms", "numbers": ["ms"], "event": "Took"},
        {"logger": "shop", "pattern": "^lost"},
        {"logger": "shop", "level": "ERROR"},
    ]
)  # fmt: skip
LINE = "%(asctime)s %(levelname)s %(name)s: %(message)s"
WORDS = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=12)

BOUGHT = st.fixed_dictionaries({"who": WORDS, "plan": WORDS}).map(lambda found: (found,))
CALLS = st.one_of(
    st.tuples(st.just("order %s placed"), st.tuples(WORDS)),
    st.tuples(st.just("%s paid %d cents (%.2f)"), st.tuples(WORDS, st.integers(), st.sampled_from([0.5, 2.25]))),
    st.tuples(st.just("%(who)s bought %(plan)s"), BOUGHT),
    st.tuples(st.just("it took %d ms"), st.tuples(st.integers(0, 10_000))),
    st.tuples(st.just("lost %s"), st.tuples(WORDS)),
    st.tuples(st.just("%s happened"), st.tuples(WORDS)),
)


def messages(rules, call):
    composer = Composer(CaptureSettings(token="T", rules=rules))
    captured, _ = composer.compose(call, composer.match_call(call))
    return [json.loads(message.body) for message in captured]


@given(CALLS, st.sampled_from([logging.INFO, logging.ERROR]))
def test_live_and_past_agree(call, level):
    """What a rule makes of a call, it makes of the line in the log: event, user, properties, numbers, updates."""
    template, args = call
    record = logging.LogRecord("shop", level, "shop.py", 1, template, args, None)
    record.created = float(int(record.created))
    formatter = logging.Formatter(LINE)
    formatter.converter = time.gmtime
    past = open_format(log_format=LINE).read(formatter.format(record).encode())
    live = messages(RULES, from_record(record))
    assume(template != "%s happened" or level != logging.ERROR)  # without message or event only the template names it
    assert messages(RULES.for_rendered(), past) == live
    assert bool(live) == (template != "%s happened")


@pytest.mark.parametrize("template", ["order %s placed", "%s paid %d cents (%.2f)"])
def test_template_in_a_text_is_that_text(template):
    """A log that holds the template itself, unrendered, matches the rule that names it, and no other."""
    line = f"2026-11-25 13:00:00 INFO shop: {template}".encode()
    past = open_format(log_format=LINE).read(line)
    found = RULES.for_rendered().match(past.logger, past.level, past.template, past.rendered, None)
    assert found.rule.message == template
