"""RobotmiaHandler as the standard library uses it."""

from __future__ import annotations

import copy
import gc
import logging
import logging.config
import logging.handlers
import sys
import weakref

import pytest

from robotmia_logging import RobotmiaHandler
from tests.doors import StdlibDoor, conserves
from tests.hostile import HostileServer


def shout(message):
    """A `before_send` for `ext://`."""
    message["properties"]["shouted"] = True
    return message


def find_user(record):
    """A `distinct_id` for `ext://`."""
    return record.who


RELEASE = "1.2.3"


@pytest.fixture
def configured():
    """Configure the logger `configured` by dictConfig with these options; gives logger and handler."""
    made = []

    def configure(**options):
        logging.config.dictConfig(
            {
                "version": 1,
                "disable_existing_loggers": False,
                "handlers": {"robotmia": {"class": "robotmia_logging.RobotmiaHandler", "token": "T", **options}},
                "loggers": {"configured": {"handlers": ["robotmia"], "level": "DEBUG", "propagate": False}},
            }
        )
        logger = logging.getLogger("configured")
        made.extend(logger.handlers)
        return logger, logger.handlers[0]

    yield configure
    for handler in made:
        logging.getLogger("configured").removeHandler(handler)
        handler.close()


def test_dict_config_gives_all_options(configured):
    """Everything comes from a dictConfig: plain values, `ext://` callables, the handler's own level."""
    with StdlibDoor() as door:
        logger, handler = configured(
            url=door.server.url,
            level="INFO",
            flush_level="CRITICAL",
            timeout=[1, 2.5],
            include=["plan"],
            properties={"release": "ext://tests.test_handler.RELEASE", "nested": {"list": [1, {"a": 2}]}},
            before_send="ext://tests.test_handler.shout",
            distinct_id="ext://tests.test_handler.find_user",
        )
        logger.debug("below", extra={"track": True})
        logger.info("Seen", extra={"track": True, "plan": "pro", "who": 5})
        assert handler.flush(10)
        (_, event) = door.server.taken[0]
        properties = event["properties"]
        assert properties.pop("time") > 0
        expected = {"token": "T", "distinct_id": "5", "plan": "pro", "release": "1.2.3", "shouted": True}
        assert properties == {**expected, "nested": {"list": [1, {"a": 2}]}}
        assert handler.level == logging.INFO


def test_options_are_copied(configured):
    """What dictConfig, or the program, later does to its own dicts and lists doesn't show."""
    given = {"release": "1", "nested": {"a": [1]}}
    with StdlibDoor(properties=given, rules=[rule := {"message": "x"}]) as door:
        given["release"] = "2"
        given["nested"]["a"].append(2)
        rule["message"] = "y"
        door.log("x")
        assert (door.properties()["release"], door.properties()["nested"]) == ("1", {"a": [1]})
    properties = {"release": "1", "nested": {"a": [1]}}
    _, handler = configured(properties=properties)
    settings = handler._door.composer._settings
    assert type(settings.properties) is dict
    assert type(settings.properties["nested"]) is dict
    assert type(settings.properties["nested"]["a"]) is list


def test_record_that_comes_by_twice_is_tracked_once():
    """Propagation and a second logger bring a record by again: it is tracked once."""
    with StdlibDoor() as door:
        child = door.logger.getChild("child")
        child.addHandler(door.door)
        child.info("once", extra={"track": True})
        child.info("once", extra={"track": True})
        assert len(door.events()) == 2
        child.removeHandler(door.door)


def test_record_tracked_once_though_others_log_in_between():
    """Between the two visits another handler logs a tracked record, and a MemoryHandler comes late."""

    class Chatty(logging.Handler):
        def emit(self, record):
            if record.msg == "outer":
                logger.info("inner", extra={"track": True})

    with StdlibDoor() as door:
        logger = door.logger
        child = logger.getChild("child")
        memory = logging.handlers.MemoryHandler(100, target=door.door, flushLevel=100)
        for handler in (door.door, Chatty(), memory):
            child.addHandler(handler)
        child.info("outer", extra={"track": True})
        memory.flush()
        assert [event["event"] for event in door.events()] == ["outer", "inner"]
        memory.setTarget(None)
        child.handlers.clear()


def test_records_are_not_kept_alive():
    """What is remembered of a tracked record ends with it."""
    with StdlibDoor() as door:
        record = logging.makeLogRecord({"msg": "x", "track": True})
        gone = weakref.ref(record)
        door.door.handle(record)
        del record
        gc.collect()
        assert gone() is None


def test_record_that_cannot_be_hashed_is_tracked():
    """A record class that can't be hashed can't be known again, but is tracked."""

    class Record(logging.LogRecord):
        __hash__ = None

    with StdlibDoor() as door:
        record = Record("x", logging.INFO, "f", 1, "Seen", (), None)
        record.track = True
        door.door.handle(record)
        assert door.event()["event"] == "Seen"


@pytest.mark.skipif(sys.version_info < (3, 12), reason="filters replace records from 3.12 on")
def test_filter_that_replaces_the_record():
    """A filter's replacement is what is tracked: once, though it is a new one each time."""
    with StdlibDoor() as door:

        def replace(record):
            changed = copy.copy(record)
            changed.plan = "pro"
            changed.distinct_id = "u"
            return changed

        door.door.addFilter(replace)
        child = door.logger.getChild("child")
        child.addHandler(door.door)
        child.info("x", extra={"track": True, "alias": "default"})
        child.removeHandler(door.door)
        assert (door.properties()["plan"], door.properties()["alias"]) == ("pro", "default")


def test_filters_and_level_come_first():
    """A filter that sets `record.distinct_id` works, one that says no is obeyed, and so is the level."""
    with StdlibDoor(level=logging.INFO) as door:

        def identify(record):
            record.distinct_id = "u1"
            return record.levelno < logging.ERROR

        door.door.addFilter(identify)
        door.log("below", track=True, method="debug")
        door.log("x", track=True)
        door.log("kept out", track=True, method="error")
        assert (door.event()["event"], door.properties()["distinct_id"]) == ("x", "u1")


def test_filter_that_a_subclass_overrides():
    """A subclass's own `filter()` and `emit()` are called."""

    class Choosy(RobotmiaHandler):
        def filter(self, record):
            return record.msg != "no" and super().filter(record)

        def emit(self, record):
            record.distinct_id = "own"
            super().emit(record)

    class ChoosyDoor(StdlibDoor):
        make = Choosy

    with ChoosyDoor() as door:
        door.log("no", track=True)
        door.log("yes", track=True)
        assert (door.event()["event"], door.properties()["distinct_id"]) == ("yes", "own")


def test_filter_that_raises_does_not_reach_the_caller():
    """A filter that raises costs the record, not the log call."""
    with StdlibDoor() as door:
        door.door.addFilter(lambda record: 1 / 0)
        door.log("x", track=True)
        assert door.is_quiet()


def test_level_by_name_and_flush_level_flushes_at_once():
    """A tracked record at or over `flush_level` leaves without waiting for the interval."""
    with StdlibDoor(flush_level="WARNING") as door:
        door.log("x", track=True, method="warning")
        assert door.server.wait_for(lambda server: server.taken)


def test_works_on_after_close():
    """A handler that was closed, and is still attached, starts again with the next message."""
    with StdlibDoor() as door:
        door.log("a", track=True)
        door.door.close()
        assert len(door.server.taken) == 1
        door.log("b", track=True)
        assert len(door.events()) == 2


def test_disabled_handler_does_nothing():
    """Switched off it needs no token, tracks nothing, and says so."""
    handler = RobotmiaHandler(enabled=False, rules=[{"message": "x"}], level="INFO")
    handler.handle(logging.makeLogRecord({"msg": "x", "track": True, "levelno": 20}))
    assert (handler.stats().accepted, handler.flush()) == (0, True)
    assert repr(handler) == "<RobotmiaHandler (INFO) switched off>"
    handler.close()


def test_untracked_records_are_let_go():
    """A record without any of the vocabulary leaves no trace."""
    with StdlibDoor() as door:
        door.log("plain %s", 5, plan="pro", user="u")
        assert door.is_quiet()
        assert not door.door._seen._by_address


def test_snapshot_of_the_moment():
    """Later changes to the caller's objects don't show, and log calls don't change them."""
    with StdlibDoor() as door:
        cart, profile, properties = {"items": [1]}, {"tags": ["a"]}, {"b": [1]}
        door.log("x", track=True, cart=cart, profile=profile, properties=properties, distinct_id="u")
        assert (cart, profile, properties) == ({"items": [1]}, {"tags": ["a"]}, {"b": [1]})
        cart["items"].append(2)
        profile["tags"].append("b")
        properties["b"].append(2)
        assert (door.properties()["cart"], door.properties()["b"]) == ({"items": [1]}, [1])
        assert door.update()["$set"] == {"tags": ["a"]}


def test_one_delivery_shared_by_several_doors():
    """Handlers that share a delivery share its account."""
    with StdlibDoor() as door:
        other = RobotmiaHandler(delivery=door.door.delivery)
        other.handle(logging.makeLogRecord({"msg": "x", "track": True}))
        door.log("y", track=True)
        assert [event["event"] for event in door.events()] == ["x", "y"]
        assert other.stats() == door.door.stats()
        assert conserves(other.stats())
        logging.Handler.close(other)


def test_trouble_is_told_though_dictconfig_disabled_the_logger():
    """The quick start's configuration disables loggers that exist; what goes wrong is told all the same."""
    with HostileServer() as server:
        handler = RobotmiaHandler(token="t", url=server.url)
        logging.getLogger("robotmia_logging").disabled = True
        log = logging.getLogger("test.disabled")
        log.addHandler(handler)
        try:
            log.warning("x", extra={"profile": {"$ad": {"n": 1}}, "distinct_id": "u"})
            assert handler.flush()
            handler.delivery.tell_news_here()
            handler.close()
        finally:
            log.removeHandler(handler)
        assert handler.stats().dead_lettered == {"bad_operation": 1}
        assert not logging.getLogger("robotmia_logging").disabled


def test_a_record_without_a_level_is_no_trouble():
    """`makeLogRecord` leaves the level None: the record is tracked like any other."""
    with StdlibDoor() as door:
        assert door.door.handle(logging.makeLogRecord({"name": "a", "msg": "Seen", "track": True})) is True
        assert [event["event"] for event in door.events()] == ["Seen"]
