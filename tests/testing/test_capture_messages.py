"""capture_messages: which messages it gets, and that it leaves no trace."""

from __future__ import annotations

import logging
import logging.config
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robotmia_logging import ConfigurationError, RobotmiaHandler, RobotmiaProcessor
from robotmia_logging.testing import assert_tracked, capture_messages
from tests.doors import StdlibDoor, both, conserves

SIGNED_UP = {"event": "Signed Up", "distinct_id": "13793", "plan": "pro"}


@pytest.fixture
def log():
    """A logger without handlers."""
    logger = logging.Logger("shop")
    yield logger
    for handler in logger.handlers:
        handler.close()


def names(messages):
    return [message.event for message in messages]


@both
def test_what_a_door_would_send_is_captured_instead(opened):
    """Nothing goes over the network, and the door's account doesn't count it."""
    with opened() as door:
        with capture_messages() as messages:
            door.log("Signed Up", track=True, distinct_id="13793", plan="pro")
        assert names(messages) == ["Signed Up"]
        assert door.is_quiet()
        assert door.messages() == []


@both
def test_what_was_pending_before_is_delivered(opened):
    """A capture takes only what is logged within it."""
    with opened() as door:
        door.log("Before", track=True)
        with capture_messages() as messages:
            door.log("Within", track=True)
        door.log("After", track=True)
        assert names(messages) == ["Within"]
        assert [event["event"] for event in door.events()] == ["Before", "After"]
        assert conserves(door.door.stats())


def test_all_is_as_before_after_an_exception():
    """A capture that ends with an exception ends all the same."""
    with StdlibDoor() as door:
        with pytest.raises(ZeroDivisionError), capture_messages():
            1 / 0
        door.log("After", track=True)
        assert door.event()["event"] == "After"


def test_an_event_is_captured_as_it_is_sent(log):
    """With its properties, special ones too."""
    log.addHandler(RobotmiaHandler(token="T"))
    with capture_messages() as messages:
        log.info("signed up", extra={**SIGNED_UP, "time": 1358208000})
    (event,) = messages
    assert (event.endpoint, event.event, event.distinct_id, event.time) == ("track", "Signed Up", "13793", 1358208000)
    assert event.properties == {"distinct_id": "13793", "plan": "pro", "token": "T", "time": 1358208000}
    assert (event.operation, event.value) == (None, None)
    assert repr(event) == "<event 'Signed Up' distinct_id='13793' plan='pro'>"


def test_a_profile_update_is_captured_as_it_is_sent(log):
    """With its operation and value."""
    log.addHandler(RobotmiaHandler(token="T"))
    with capture_messages() as messages:
        log.info("x", extra={"profile": {"$add": {"Coins": 12}}, "distinct_id": "13793", "time": 1358208000})
    (update,) = messages
    assert (update.endpoint, update.operation, update.value) == ("engage", "$add", {"Coins": 12})
    assert (update.event, update.distinct_id, update.time, update.properties) == (None, "13793", 1358208000, {})
    assert (messages.events, messages.updates) == ([], [update])
    assert repr(messages) == "<captured: [<update of '13793': $add={'Coins': 12}>]>"


@pytest.mark.parametrize("make", [RobotmiaHandler, RobotmiaProcessor])
def test_doors_that_are_switched_off_are_captured_without_a_token(make, monkeypatch):
    """As test settings have them; after the block they are off again."""
    monkeypatch.delenv("ROBOTMIA_TOKEN", raising=False)
    monkeypatch.setenv("ROBOTMIA_ENABLED", "0")
    door = make()

    def call():
        if isinstance(door, logging.Handler):
            door.handle(logging.makeLogRecord({"msg": "signed up", **SIGNED_UP}))
        else:
            door(None, "info", {"event": "Signed Up", "track": True, "distinct_id": "13793"})

    with capture_messages() as messages:
        call()
    call()
    assert names(messages) == ["Signed Up"]
    assert messages[0].properties["token"]
    assert messages.refused == []
    assert "switched off" in repr(door)
    assert door.stats().accepted == 0


def test_doors_made_within_the_block_are_captured():
    """By a dictConfig, say."""
    settings = {
        "version": 1,
        "disable_existing_loggers": False,
        "handlers": {"robotmia": {"class": "robotmia_logging.RobotmiaHandler", "enabled": False}},
        "loggers": {"testing_dictconfig": {"handlers": ["robotmia"], "level": "INFO"}},
    }
    log = logging.getLogger("testing_dictconfig")
    with capture_messages() as messages:
        logging.config.dictConfig(settings)
        log.info("x", extra=SIGNED_UP)
    log.info("x", extra=SIGNED_UP)
    log.handlers.clear()
    assert names(messages) == ["Signed Up"]


def test_messages_of_other_threads_are_captured(log):
    """Whichever thread logs."""
    log.addHandler(RobotmiaHandler(enabled=False))
    with capture_messages() as messages:
        threads = [threading.Thread(target=log.info, args=("x",), kwargs={"extra": SIGNED_UP}) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    messages.assert_tracked_times(8, "Signed Up")


def test_the_innermost_capture_gets_the_message(log):
    """And the outer one again, once that has ended."""
    log.addHandler(RobotmiaHandler(enabled=False))
    with capture_messages() as outer:
        log.info("A", extra={"track": True})
        with capture_messages() as inner:
            log.info("B", extra={"track": True})
            assert_tracked("B")
        log.info("C", extra={"track": True})
        assert_tracked("C")
    assert (names(outer), names(inner)) == (["A", "C"], ["B"])


@given(st.permutations(range(3)))
def test_captures_may_end_in_any_order(order):
    """Fixtures may end in another order than blocks: the last begun of those that are left counts."""
    logger = logging.Logger("shop")
    handler = RobotmiaHandler(enabled=False)
    logger.addHandler(handler)
    blocks = [capture_messages() for _ in range(3)]
    captures = dict(enumerate(block.__enter__() for block in blocks))
    for ended in order:
        logger.info("x", extra=SIGNED_UP)
        assert names(captures[max(captures)]) == ["Signed Up"]
        captures[max(captures)].clear()
        blocks[ended].__exit__(None, None, None)
        del captures[ended]
    handler.close()


def test_refused_messages_are_captured_apart(log):
    """With the reason that `stats()` would count, and the error in a sentence."""
    log.addHandler(RobotmiaHandler(enabled=False))
    with capture_messages() as messages:
        log.info("x", extra={"profile": {"$set": {"plan": "pro"}}})
        log.info("Bad Name", extra={"track": True, "mp_plan": "pro"})
    update, event = messages.refused
    assert len(messages) == 0
    assert (update.reason, update.endpoint, update.event) == ("no_distinct_id", "engage", "$set")
    assert (event.reason, event.event, event.dropped) == ("reserved_name", "Bad Name", False)
    assert repr(event) == f"<refused event 'Bad Name': {event.error} (reserved_name)>"


def test_what_before_send_drops_is_among_them(log):
    """As dropped."""
    log.addHandler(RobotmiaHandler(enabled=False, before_send=lambda _message: None))
    with capture_messages() as messages:
        log.info("x", extra=SIGNED_UP)
    assert [(each.reason, each.dropped) for each in messages.refused] == [("before_send", True)]


def test_options_put_a_door_on_the_root_logger():
    """For programs that have none in their tests: handlers and level are then as before."""
    root = logging.getLogger()
    before = root.level, list(root.handlers)
    with capture_messages(rules=[{"logger": "testing_shop", "event": "Shop Opened"}]) as messages:
        logging.getLogger("testing_shop").info("open")
    assert names(messages) == ["Shop Opened"]
    assert (root.level, root.handlers) == before


def test_wrong_options_are_refused():
    """As a handler refuses them; nothing is left of the capture."""
    with pytest.raises(ConfigurationError, match="did you mean 'rules'"), capture_messages(rulez=[]):
        pass
    with pytest.raises(RuntimeError, match="is active"):
        assert_tracked("x")


def test_a_capture_can_be_cleared(log):
    """To look at what comes next."""
    log.addHandler(RobotmiaHandler(enabled=False))
    with capture_messages() as messages:
        log.info("x", extra=SIGNED_UP)
        log.info("x", extra={"track": "A", "mp_x": 1})
        messages.clear()
        log.info("x", extra={"track": "B"})
    assert (names(messages), messages.refused) == (["B"], [])
