"""capture_messages beside structlog's capture_logs, which switches all processors off."""

from __future__ import annotations

from contextlib import ExitStack

import pytest
import structlog
from structlog.testing import LogCapture, capture_logs

from robotmia_logging import RobotmiaProcessor
from robotmia_logging.testing import Sandbox, capture_messages


def add_user(_logger, _name, event_dict):
    event_dict["distinct_id"] = "ada"
    return event_dict


def drop_debug(_logger, name, event_dict):
    if name == "debug":
        raise structlog.DropEvent
    return event_dict


@pytest.fixture(autouse=True)
def configuration():
    """Nothing stays configured."""
    with structlog.contextvars.bound_contextvars():
        yield
    structlog.reset_defaults()


def configure(*processors, **options):
    structlog.configure(
        processors=[structlog.contextvars.merge_contextvars, *processors, structlog.processors.JSONRenderer()],
        **options,
    )


ORDERS = pytest.mark.parametrize("is_outside", [True, False], ids=["capture_logs outside", "capture_logs inside"])


def both_captures(*, is_outside):
    """Both blocks, in either order: what the stack gives, and the two lists."""
    stack = ExitStack()
    if is_outside:
        lines = stack.enter_context(capture_logs())
        messages = stack.enter_context(capture_messages())
    else:
        messages = stack.enter_context(capture_messages())
        lines = stack.enter_context(capture_logs())
    return stack, lines, messages


@ORDERS
@pytest.mark.parametrize("is_cached", [True, False])
def test_a_call_is_captured_as_both(is_outside, is_cached):
    """As a message and, unchanged, as a line; also on a logger that was bound before."""
    configure(RobotmiaProcessor(enabled=False), cache_logger_on_first_use=is_cached, logger_factory=lambda: None)
    log = structlog.get_logger().bind(plan="pro")
    stack, lines, messages = both_captures(is_outside=is_outside)
    with stack:
        log.info("Signed Up", track=True, distinct_id="ada")
    messages.assert_tracked_once("Signed Up", distinct_id="ada", plan="pro")
    line = {"event": "Signed Up", "track": True, "distinct_id": "ada", "plan": "pro", "log_level": "info"}
    assert lines == [line]


@ORDERS
def test_the_processor_of_the_chain_is_asked_with_what_stands_before_it(is_outside):
    """Its rules and options, the context, and filters in front of it count; other processors don't."""
    others = [RobotmiaProcessor(enabled=False, properties={"whose": "another's"}) for _ in range(2)]
    rules = [{"message": "opened", "event": "Shop Opened"}]
    ours = RobotmiaProcessor(enabled=False, properties={"release": "2.4"}, rules=rules)
    others.append(RobotmiaProcessor(enabled=False, properties={"whose": "another's"}))
    configure(add_user, drop_debug, ours)
    log = structlog.get_logger()
    stack, lines, messages = both_captures(is_outside=is_outside)
    with stack, structlog.contextvars.bound_contextvars(ip="203.0.113.9"):
        log.info("opened")
        log.debug("opened")
    event = messages.assert_tracked_once("Shop Opened", distinct_id="ada", release="2.4", ip="203.0.113.9")
    assert "whose" not in event.properties
    assert [line["event"] for line in lines] == ["opened", "opened"]


@ORDERS
def test_a_chain_without_our_processor_is_not_tracked(is_outside):
    """Though there is one elsewhere."""
    elsewhere = RobotmiaProcessor(enabled=False)
    configure()
    stack, lines, messages = both_captures(is_outside=is_outside)
    with stack:
        structlog.get_logger().info("Signed Up", track=True)
    assert (len(lines), len(messages)) == (1, 0)
    del elsewhere


def test_without_a_capture_of_messages_nothing_is_tracked():
    """capture_logs alone does what it always did."""
    processor = RobotmiaProcessor(token="T")
    configure(processor)
    with capture_logs() as lines:
        structlog.get_logger().info("Signed Up", track=True)
    assert len(lines) == 1
    assert processor.stats().accepted == 0


def test_capture_logs_within_capture_logs():
    """The inner one replaces the outer one's LogCapture, and knows the chain all the same."""
    configure(RobotmiaProcessor(enabled=False))
    with capture_logs(), capture_messages() as messages, capture_logs() as lines:
        structlog.get_logger().info("Signed Up", track=True)
    messages.assert_tracked_once("Signed Up")
    assert len(lines) == 1


def test_a_log_capture_of_ones_own():
    """As structlog's documentation has it in a fixture."""
    configure(RobotmiaProcessor(enabled=False))
    capture = LogCapture()
    structlog.configure(processors=[capture])
    with capture_messages() as messages:
        structlog.get_logger().info("Signed Up", track=True)
    messages.assert_tracked_once("Signed Up")
    assert capture.entries == [{"event": "Signed Up", "track": True, "log_level": "info"}]


def test_the_chain_is_as_before():
    """And tracks as before."""
    processor = RobotmiaProcessor(enabled=False)
    configure(processor, logger_factory=structlog.testing.CapturingLoggerFactory())
    chain = structlog.get_config()["processors"]
    before = list(chain)
    with capture_messages(), capture_logs():
        pass
    assert structlog.get_config()["processors"] is chain
    assert chain == before
    with capture_messages() as messages:
        structlog.get_logger().info("Signed Up", track=True)
    messages.assert_tracked_once("Signed Up")


def test_a_sandbox_beside_capture_logs():
    """What is logged within capture_logs arrives there."""
    with Sandbox() as sandbox:
        processor = RobotmiaProcessor(token="T", url=sandbox.url)
        configure(processor)
        with capture_logs():
            structlog.get_logger().info("Signed Up", track=True)
        sandbox.assert_tracked_once("Signed Up")
        processor.close()


def test_a_log_capture_behind_our_processor():
    """A chain that tracks by itself isn't run a second time for its LogCapture."""
    ours = RobotmiaProcessor(enabled=False, rules=[{"message": "signup", "event": "Signed Up"}])
    structlog.configure(processors=[ours, LogCapture()])
    with capture_messages() as messages:
        structlog.get_logger().info("signup", distinct_id="u")
    messages.assert_tracked_once("Signed Up")
