"""`explain`: what would become of a call, and why; nothing is sent or counted."""

from __future__ import annotations

import logging

import pytest
import structlog
from structlog.contextvars import bound_contextvars

from robotmia_logging import Explanation, RobotmiaHandler, RobotmiaProcessor
from robotmia_logging.capture import CaptureSettings, Composer, compile_rules, explain, from_event_dict

RULES = [
    {"logger": "shop", "message": "order %s placed", "event": "Order Placed", "properties": {"order": "{0}"}},
    {"logger": "shop", "level": "ERROR", "pattern": "failed: (?P<cause>.*)"},
    {"logger": "shop.noise", "track": False},
    {"logger": "other", "profile": {"$add": {"n": "many {0}"}}},
]


def record(message, *args, name="shop.orders", level=logging.INFO, **extras):
    made = logging.LogRecord(name, level, "shop.py", 1, message, args, None)
    made.__dict__.update(extras)
    return made


@pytest.fixture
def handler():
    handler = RobotmiaHandler(token="secret", rules=RULES, url="http://127.0.0.1:9")
    logger = logging.getLogger("shop")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    yield handler
    logger.removeHandler(handler)
    logger.setLevel(logging.NOTSET)
    assert handler.stats().accepted == 0
    assert not any(handler.stats().rules.values())
    handler.close()


def test_rule_and_message(handler):
    """It names the rule that matches, and shows what comes of it, without the token."""
    with bound_contextvars(distinct_id="ada"):
        explanation = handler.explain(record("order %s placed", 17))
    assert isinstance(explanation, Explanation)
    assert (explanation.tracked, explanation.rule, explanation.asked, explanation.why) == (True, "rules[0]", (), ())
    (line,) = explanation.messages
    assert (line["endpoint"], line["user"]) == ("track", "ada")
    assert line["message"]["event"] == "Order Placed"
    assert line["message"]["properties"].items() >= {"token": "...", "order": 17}.items()
    assert str(explanation).startswith('tracked\n  matches rules[0]\n  {"endpoint":"track"')
    assert "secret" not in str(explanation)


def test_call_that_asks(handler):
    """It says which keys of the call asked; several messages stand in their order."""
    explanation = handler.explain(record("x", name="shop", event="X", profile={"a": 1}, distinct_id="ada"))
    assert (explanation.tracked, explanation.rule, explanation.asked) == (True, None, ("event", "profile"))
    assert [line["endpoint"] for line in explanation.messages] == ["track", "engage"]


def test_refused_message(handler):
    """A message that robotmia would refuse is shown with the reason."""
    explanation = handler.explain(record("x", event="X", mp_a=1))
    (line,) = explanation.messages
    assert (explanation.tracked, line["reason"], line["message"]["properties"]["token"]) == (
        False,
        "reserved_name",
        "...",
    )


def test_sampled_out():
    """A user who isn't in the sample is told so."""
    handler = RobotmiaHandler(token="T", sample=0)
    logging.getLogger("shop").addHandler(handler)
    (line,) = handler.explain(record("x", event="X", level=logging.ERROR)).messages
    logging.getLogger("shop").removeHandler(handler)
    assert (line["reason"], line["error"]) == ("sampled", "its user isn't in the sample")
    handler.close()


@pytest.mark.parametrize(
    ("made", "why"),
    [
        (
            record("order placed"),
            [
                "rules[0] doesn't match: its message is 'order %s placed', the call's 'order placed'",
                "rules[1] doesn't match: its level is ERROR, the call's INFO",
            ],
        ),
        (
            record("payment %s", "refused", level=logging.ERROR),
            [
                "rules[0] doesn't match: its message is 'order %s placed', the call's 'payment %s'",
                "rules[1] doesn't match: its pattern 'failed: (?P<cause>.*)' isn't found in 'payment refused'",
            ],
        ),
        (record("x", name="shop.noise"), ["rules[0] doesn't", "rules[1] doesn't", "rules[2] says track = false"][2:]),
        (record("order %s placed", 1, track=False), ["the call says track=False"]),
    ],
    ids=["near", "pattern", "muted by a rule", "muted by the call"],
)
def test_why_nothing_matches(handler, made, why):
    """Rule by rule, it says what doesn't fit; and what mutes a call."""
    explanation = handler.explain(made)
    assert (explanation.tracked, explanation.messages, list(explanation.why)) == (False, (), why)
    assert str(explanation).startswith("not tracked")


def test_logger_that_no_rule_concerns(handler):
    """It says which loggers the rules name; and that the handler isn't on the way of this one."""
    why = handler.explain(record("x", name="elsewhere")).why
    assert why == (
        "the level of the logger 'elsewhere' is WARNING",
        "the handler is neither on the logger 'elsewhere' nor on one above it",
        "no rule concerns the logger 'elsewhere': rules name 'other', 'shop', 'shop.noise'",
    )


def test_rule_of_another_logger(handler):
    """A rule whose message is the call's, but whose logger isn't, is named."""
    why = handler.explain(record("order %s placed", 1, name="shopping")).why
    assert why[-2:] == (
        "no rule concerns the logger 'shopping': rules name 'other', 'shop', 'shop.noise'",
        "rules[0] would match, but is for the logger 'shop', not 'shopping'",
    )


def test_fields_that_are_not_there():
    """Of a rule that matches, the fields that the call hasn't are noted."""
    rule = {"message": "x %s", "distinct_id": "{usr}", "properties": {"a": "{0}", "b": ["{b}"]}, "event": "X {0}"}
    processor = RobotmiaProcessor(token="T", rules=[rule])
    explanation = processor.explain(None, "info", {"event": "x %s", "positional_args": (1,)})
    assert explanation.notes == ("not there: {usr}, {b}",)
    assert explanation.tracked
    assert str(explanation).endswith("note: not there: {usr}, {b}")


def test_match_of_a_rendered_text():
    """In past logs a message is found in the text, and it is noted that live the template has to be the same."""
    rules = compile_rules([{"message": "order %s placed"}]).for_rendered()
    composer = Composer(CaptureSettings(token="T", rules=rules))
    (note,) = explain(composer, from_event_dict(None, "info", {"event": "order 7 placed"}, 0.0)).notes
    assert note == "found in the text; a live call matches if its template is 'order %s placed', and no f-string"
    assert explain(composer, from_event_dict(None, "info", {"event": "order %s placed"}, 0.0)).notes == ()


def test_many_rules_are_summed_up():
    """Of many rules that don't match the first are gone into."""
    processor = RobotmiaProcessor(token="T", rules=[{"message": f"m{n}"} for n in range(1_000)])
    why = processor.explain(None, "info", {"event": "x"}).why
    assert len(why) == 21
    assert why[-1] == "nor do 980 more rules that concern this logger"


def test_no_rules_and_no_keys():
    """Without rules only a call's own keys count, and it says so."""
    explanation = RobotmiaProcessor(token="T").explain(None, "info", {"event": "x"})
    assert explanation.why == ("the call has no tracking keys, and there are no rules",)


@pytest.mark.parametrize(
    ("arrange", "why"),
    [
        (lambda logger, handler: handler.setLevel("ERROR"), "the handler's level is ERROR, the record's INFO"),
        (lambda logger, handler: handler.addFilter(lambda _: False), "a filter of the handler keeps it out"),
        (lambda logger, handler: logger.addFilter(lambda _: False), "a filter of the logger 'shop' keeps it out"),
        (lambda logger, handler: logger.setLevel("ERROR"), "the level of the logger 'shop' is ERROR"),
        (
            lambda logger, handler: setattr(logger, "disabled", True),
            "the logger 'shop' is switched off: give dictConfig",
        ),
        (lambda logger, handler: logging.disable("ERROR"), "logging.disable(ERROR) keeps it out"),
        (
            lambda logger, handler: (logger.removeHandler(handler), setattr(logger, "propagate", False)),
            "the handler isn't on the logger 'shop', and 'shop' has propagate=False",
        ),
    ],
)
def test_obstacles_on_the_way(handler, arrange, why):
    """What keeps a record from the handler is said; what would come of it is shown all the same."""
    logger = logging.getLogger("shop")
    try:
        arrange(logger, handler)
        explanation = handler.explain(record("order %s placed", 1, name="shop"))
        assert (explanation.tracked, explanation.rule, len(explanation.messages)) == (False, "rules[0]", 1)
        assert explanation.why[0].startswith(why)
    finally:
        logging.disable(logging.NOTSET)
        logger.filters.clear()
        logger.disabled = False
        logger.propagate = True


def test_filter_that_names_the_user(handler):
    """A filter's changes count, on a copy: the record stays as it was."""
    handler.addFilter(lambda seen: setattr(seen, "distinct_id", "ada") or True)
    made = record("order %s placed", 1)
    assert handler.explain(made).messages[0]["user"] == "ada"
    assert not hasattr(made, "distinct_id")


def test_filter_that_fails(handler):
    """A filter that raises is said to, whoever's it is."""

    def fail(_record):
        raise RuntimeError("no")

    handler.addFilter(fail)
    assert handler.explain(record("x")).why[0] == "a filter of the handler raises RuntimeError"
    handler.filters.clear()
    logging.getLogger("shop").addFilter(fail)
    assert handler.explain(record("x", name="shop")).why[0] == "a filter of the logger 'shop' raises RuntimeError"
    logging.getLogger("shop").filters.clear()


def test_record_without_name_and_level(handler):
    """A record that `makeLogRecord` made of little can be explained, through either door."""
    bare = logging.makeLogRecord({"name": None, "levelno": None, "msg": "x", "track": True})
    assert handler.explain(bare).messages[0]["message"]["event"] == "x"
    processor = RobotmiaProcessor(token="T")
    assert processor.explain(None, "info", {"event": "x", "track": True, "_record": bare}).tracked


def test_slow_pattern_is_said_and_left_alone():
    """Explaining counts nothing against a slow pattern, and says that it is slow; of one given up it says that."""
    pattern = "(a|aa)+$"
    processor = RobotmiaProcessor(token="T", rules=[{"pattern": pattern}])
    for _ in range(5):
        (why,) = processor.explain(None, "info", {"event": "a" * 60 + "!"}).why
        assert why.startswith(f"rules[0] doesn't match: its pattern '{pattern}' takes more than 0.05 s on 'aaa")
    assert processor.explain(None, "info", {"event": "caaa"}).tracked
    for _ in range(3):
        processor(None, "info", {"event": "a" * 60 + "!"})
    (why,) = processor.explain(None, "info", {"event": "caaa"}).why
    assert "is given up, 3 searches took more than 0.05 s" in why
    processor.close()


def test_no_logger_is_made(handler):
    """Explaining a record of a logger that isn't there doesn't make it."""
    handler.explain(record("x", name="shop.never.made"))
    assert "shop.never.made" not in logging.root.manager.loggerDict


def test_own_logger_and_switched_off():
    """Our own logger is never tracked; a door that is switched off says so."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ROBOTMIA_ENABLED", "0")
        off = RobotmiaProcessor(token="T")
    assert off.explain(None, "info", {"event": "x", "track": True}).why[0].startswith("switched off")
    own = RobotmiaProcessor(token="T").explain(
        None, "info", {"event": "x", "track": True, "logger": "robotmia_logging"}
    )
    assert (own.tracked, own.why) == (False, ("what robotmia_logging itself logs is never tracked",))


def test_processor_explains_what_it_is_called_with():
    """Given logger, method and event dict, as structlog gives them; the event dict stays as it is."""
    processor = RobotmiaProcessor(token="T", level="WARNING", rules=[{"message": "x", "event": "X"}])
    event_dict = {"event": "x", "track": "Y", "plan": "pro"}
    explanation = processor.explain(structlog.get_logger(), "info", event_dict)
    assert event_dict == {"event": "x", "track": "Y", "plan": "pro"}
    assert explanation.why == ("the processor's level is WARNING, the call's info",)
    assert explanation.messages[0]["message"]["event"] == "Y"
    assert processor.explain(None, "error", event_dict).tracked
    assert processor.stats().accepted == 0
