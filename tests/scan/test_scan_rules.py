"""The rules file: uncommented, each of its rules matches the calls that stand above it."""

from __future__ import annotations

import importlib.util
import json
import logging
import re
import string
import sys
import threading

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from robotmia_logging.capture import CaptureSettings, Composer, compile_rules, from_event_dict, from_record
from robotmia_logging.scan import rules_file
from tests.scan.sources import scanned, written

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

SHOP = '''
    """A shop that logs in every way there is."""
    import logging
    import structlog

    logger = logging.getLogger(__name__)
    below = logger.getChild("below")
    log = structlog.get_logger()
    GREETING = "hello %s"

    def run(order_id, total, user):
        logger.info("order %s placed", order_id, extra={"total": total})
        logger.info("order %(id)s shipped to %(user)s", {"id": order_id, "user": user})
        logger.warning(f"user {user} paid {total:.2f} (really?) for [{order_id}]")
        logger.warning(f"user {user} paid")
        logger.error("order " + str(order_id) + " is lost\\n\\t\\"for good\\"")
        logger.debug("it's %s%% of %r" % (total, user))
        logger.critical("order {} of {u!r} burns".format(order_id, u=user))
        logger.log(logging.INFO, GREETING, user)
        logger.log(25, "C:\\\\path '%s'", user)
        below.info("order %s placed", order_id)
        below.info(f"order {order_id} has moved")
        logger.info(f"order {order_id} has {total}")
        logging.getLogger("shop-\\u00e4").info("schl\\u00fc\\u00dfel \\U0001f511 %s", user)
        log.info("signed up", plan=user)
        log.error("invoice %s failed", order_id, user=user)
        log.warning(f"stock of {order_id} is low", total=total)
'''


def blocks(calls):
    """The rules of a file, uncommented, with the lines of the code that each is for."""
    text = "\n".join(rules_file(calls)) + "\n"
    assert tomllib.loads(text) == {}
    rules = tomllib.loads(re.sub(r"^# ", "", text, flags=re.MULTILINE)).get("rule", [])
    places = [
        {int(line) for line in re.findall(r"^## .*?\.py:(\d+)", block, flags=re.MULTILINE)}
        for block in text.split("\n\n")
        if "# [[rule]]" in block
    ]
    assert len(rules) == len(places)
    return rules, places


def imported(path, name):
    """Run a file as a module."""
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Recorded(logging.Handler):
    """Keeps this thread's records, with the line of the code that each is from."""

    def __init__(self):
        super().__init__()
        self.calls = []
        self.addFilter(lambda record: record.thread == threading.get_ident())

    def emit(self, record):
        self.calls.append((record.lineno, from_record(record)))


@pytest.fixture
def recorded():
    """What is logged meanwhile, through the standard library and structlog."""
    handler = Recorded()
    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.NOTSET)
    root.addHandler(handler)

    def keep(logger, method, event_dict):
        line = event_dict.pop("lineno")
        handler.calls.append((line, from_event_dict(logger, method, event_dict, 0.0)))
        raise structlog.DropEvent

    line = structlog.processors.CallsiteParameterAdder([structlog.processors.CallsiteParameter.LINENO])
    structlog.configure(processors=[line, keep])
    yield handler.calls
    structlog.reset_defaults()
    root.removeHandler(handler)
    root.setLevel(level)


def test_every_rule_matches_its_call(tmp_path, recorded):
    """For calls that are really made, the first of all the rules that matches is the one proposed for that call."""
    written(tmp_path, {"shop.py": SHOP})
    calls, _ = scanned(tmp_path)
    rules, places = blocks(calls)
    composer = Composer(CaptureSettings(token="t", rules=compile_rules(rules)))
    module = imported(tmp_path / "shop.py", "shop")
    module.run(17, 49.9, "ada")
    assert len(recorded) == len(calls) == 16
    for line, call in recorded:
        match = composer.match_call(call)
        assert match is not None, (line, call.template)
        assert line in places[match.rule.position], (line, call.template, rules[match.rule.position])


def test_properties_hold_the_values(tmp_path, recorded):
    """The fields proposed for a call find its values."""
    written(tmp_path, {"shop.py": SHOP})
    rules, _ = blocks(scanned(tmp_path)[0])
    composer = Composer(CaptureSettings(token="t", rules=compile_rules(rules)))
    imported(tmp_path / "shop.py", "shop").run(17, 49.9, "ada")
    found = {}
    for _, call in recorded:
        (message,), _ = composer.compose(call, composer.match_call(call))
        wire = json.loads(message.body)
        found.setdefault(wire["event"], wire["properties"])
    names = {
        "Order Placed": {"order_id": 17, "total": 49.9},
        "Order Shipped To": {"id": 17, "user": "ada"},
        "User Paid Really For": {"user": "ada", "total": "49.90", "order_id": "17"},
        "Hello": {"user": "ada"},
        "Invoice Failed": {"order_id": "17", "user": "ada"},
        "Stock Of Is Low": {"order_id": "17", "total": 49.9},
        "Signed Up": {"plan": "ada"},
    }
    for event, properties in names.items():
        assert {name: found[event].get(name) for name in properties} == properties


LITERAL = st.text(st.characters(exclude_categories=["Cs", "Cn"]), max_size=30)
VALUE = st.text(string.ascii_letters + string.digits, min_size=1, max_size=5)


def expressions(before, between):
    """The expressions of `x` between two texts, in every way there is."""
    braced = [text.replace("{", "{{").replace("}", "}}") for text in (before, between)]
    doubled = [text.replace("%", "%%") for text in (before, between)]
    return {
        "arguments": f"{'%s'.join(doubled)!r}, x",
        "f-string": "f" + repr("{x}".join(braced)),
        "concatenation": f"{before!r} + x + {between!r}",
        "%-formatted": f"{'%s'.join(doubled)!r} % x",
        "format": f"{'{}'.join(braced)!r}.format(x)",
    }


@given(before=LITERAL, between=LITERAL, value=VALUE, kind=st.sampled_from(list(expressions("", ""))))
def test_any_text(tmp_path_factory, before, between, value, kind):
    """Whatever the text of a template, its rule is valid TOML, and matches the call."""
    source = expressions(before, between)[kind]
    folder = tmp_path_factory.mktemp("any")
    written(folder, {"m.py": f"import logging\nlogging.getLogger('a').info({source})\n"})
    calls, problems = scanned(folder)
    assert problems == []
    rules, _ = blocks(calls)
    template, *arguments = eval(f"(lambda *given: given)({source})", {"x": value})
    record = logging.LogRecord("a", logging.INFO, "m.py", 1, template, tuple(arguments), None)
    match = compile_rules(rules).match("a", record.levelno, record.msg, record.getMessage, pytest.fail)
    if kind == "arguments" or any(char.isalnum() for char in before + between):
        assert match is not None, rules
        assert 0 < len(rules[0]["event"]) <= 255


def test_equal_templates_are_one_rule(tmp_path):
    """Calls of one template on one logger share a rule: with all places, and the lowest of their levels."""
    source = """
        import logging
        logger = logging.getLogger("a")
        logger.error("m")
        logger.info("m")
        logging.getLogger("b").info("m")
        logger.info(f"x {a} y")
        logger.info("x " + b + " y")
    """
    rules, places = blocks(scanned(written(tmp_path, {"m.py": source}))[0])
    assert places == [{4, 5}, {7, 8}, {6}]
    assert [rule["level"] for rule in rules] == ["INFO", "INFO", "INFO"]


def test_what_no_rule_can_be_told_for(tmp_path):
    """Calls whose text isn't known are in the file, in an explanation that stays a comment."""
    unknown = "logging.info(text)\nlogging.info('')\nlogging.info('\\ud800')\nlogging.getLogger('\\ud800').info('n')\n"
    source = f"import logging\n{unknown}def f(logger):\n    logger.info('m')"
    calls, _ = scanned(written(tmp_path, {"m.py": source}))
    rules, places = blocks(calls)
    assert rules == [{"level": "INFO", "message": "m", "event": "M"}]
    assert places == [{7}]
    text = "\n".join(rules_file(calls))
    assert all(f"m.py:{line}" in text for line in (2, 3, 4, 5, 7))
    assert "\ud800" not in text
