"""RobotmiaProcessor in the chains that people run."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import logging.handlers
import queue

import pytest
import structlog

from robotmia_logging import RobotmiaHandler, RobotmiaProcessor
from tests.doors import StdlibDoor, StructlogDoor


def in_formatter(door, **options):
    """A handler of the standard library whose ProcessorFormatter holds the door's processor."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    options.setdefault("processors", [door.door, structlog.stdlib.ProcessorFormatter.remove_processors_meta])
    options["processors"] = [*options["processors"], structlog.processors.JSONRenderer()]
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(**options))
    return handler, stream


@pytest.fixture
def stdlib_logger(request):
    logger = logging.getLogger(f"bridge.{request.node.name}")
    logger.propagate = False
    logger.setLevel(logging.DEBUG)
    yield logger
    for handler in logger.handlers[:]:
        logger.removeHandler(handler)


def test_triggers_are_taken_out_and_all_else_handed_on():
    """The event dict goes on less the keys that triggered, so that a handler below doesn't track the call again."""
    with StructlogDoor() as door:
        door.log("Bought", track="Sold", profile={"a": 1}, alias="n", distinct_id="u", revenue=5, plan="pro")
        (line,) = door.lines
        assert line == {"event": "Bought", "distinct_id": "u", "plan": "pro"}
        assert len(door.messages()) == 4


def test_track_false_and_strange_keys_stay():
    """`track=False` stays for the doors below, and so does what isn't ours."""
    with StructlogDoor() as door:
        door.log("x", track=False, profile={"a": 1})
        door.log("x", track=1, alias="default")
        assert door.lines == [
            {"event": "x", "track": False, "profile": {"a": 1}},
            {"event": "x", "track": 1, "alias": "default"},
        ]


def test_level_applies():
    """The `level` option: calls below it aren't tracked."""
    with StructlogDoor(level="WARNING") as door:
        door.log("a", track=True)
        door.log("b", track=True, method="warning")
        assert door.event()["event"] == "b"


@pytest.mark.parametrize("strange", ["text", None, 5, [], (({"event": "x"},), {}), {"event": object()}])
def test_never_raises_and_hands_on_whatever_it_gets(strange):
    """Behind a renderer, or in a chain of somebody's own, it hands on what it got."""
    with StructlogDoor(rules=[{"message": "x"}]) as door:
        assert door.door(None, None, strange) is strange


def test_event_may_be_absent():
    """structlog allows calls without an event."""
    with StructlogDoor() as door:
        door.logger.info(track="Seen")
        assert door.event()["event"] == "Seen"


def test_disabled_door_does_nothing():
    """Switched off it needs no token and leaves the event dict as it is."""
    processor = RobotmiaProcessor(enabled=False, rules=[{"message": "x"}])
    event_dict = {"event": "x", "track": True}
    assert processor(None, "info", event_dict) == {"event": "x", "track": True}
    assert (processor.stats().accepted, processor.flush()) == (0, True)
    assert repr(processor) == "<RobotmiaProcessor switched off>"


def test_repr_shows_state_and_no_token():
    """`repr()` shows where messages go and how many wait."""
    processor = RobotmiaProcessor(token="secret", url="http://127.0.0.1:9")
    assert repr(processor) == "<RobotmiaProcessor to http://127.0.0.1:9, 0 pending>"


def test_json_output_is_unaffected():
    """The line below is what it would be without the processor, less the triggers."""
    out = io.StringIO()
    with StructlogDoor() as door:
        log = structlog.wrap_logger(
            structlog.PrintLogger(out),
            processors=[structlog.processors.add_log_level, door.door, structlog.processors.JSONRenderer()],
        )
        log.info("Signed Up", track=True, plan="pro")
        assert json.loads(out.getvalue()) == {"event": "Signed Up", "plan": "pro", "level": "info"}
        assert door.properties()["plan"] == "pro"


def test_positional_arguments_keep_the_template():
    """stdlib BoundLogger: before PositionalArgumentsFormatter the template names the event, and rules see arguments."""
    with StructlogDoor(rules=[{"message": "%(n)s left", "properties": {"n": "{n}"}}]) as door:
        door.logger = door.wrap(door.door, structlog.stdlib.PositionalArgumentsFormatter())
        door.log("order %s placed", "A1", track=True)
        door.log("%(n)s left", {"n": 3})
        assert [event["event"] for event in door.events()] == ["order %s placed", "%(n)s left"]
        assert door.events()[1]["properties"]["n"] == 3
        assert [line["event"] for line in door.lines] == ["order A1 placed", "3 left"]


def test_native_filtering_logger():
    """Native loggers interpolate before the chain: the rendered text names the event, `track="..."` names it better."""
    with StructlogDoor() as door:
        log = structlog.wrap_logger(
            structlog.ReturnLogger(),
            processors=[door.door, structlog.processors.KeyValueRenderer()],
            wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        )
        log.debug("no", track=True)
        log.info("order %s placed", "A1", track=True)
        log.log(logging.WARNING, "order %s gone", "A1", track="Gone")
        assert [event["event"] for event in door.events()] == ["order A1 placed", "Gone"]


def test_async_calls_see_the_context():
    """`await log.ainfo(...)` runs the chain in an executor, with the context of the caller."""

    async def main():
        with structlog.contextvars.bound_contextvars(distinct_id="u1"):
            await log.ainfo("Signed Up", track=True, plan="pro")

    with StructlogDoor() as door:
        log = structlog.wrap_logger(
            structlog.ReturnLogger(),
            processors=[structlog.contextvars.merge_contextvars, door.door, structlog.processors.JSONRenderer()],
            wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        )
        asyncio.run(main())
        assert (door.event()["event"], door.properties()["distinct_id"]) == ("Signed Up", "u1")


def test_wrapped_records_are_read_as_event_dicts(stdlib_logger):
    """`wrap_for_formatter` to a stdlib logger: RobotmiaHandler reads `msg` as the event dict."""
    with StdlibDoor(rules=[{"message": "order %s", "properties": {"no": "{0}", "line": "{lineno}"}}]) as door:
        stdlib_logger.addHandler(door.door)
        log = structlog.wrap_logger(
            stdlib_logger,
            processors=[structlog.stdlib.add_log_level, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
            wrapper_class=structlog.stdlib.BoundLogger,
        )
        log.info("plain", plan="pro")
        log.info("Signed Up", track=True, plan="pro", name="Ann")
        log.info("order %s", "A1")
        first, second = door.events()
        assert (first["event"], first["properties"].keys()) == ("Signed Up", {"token", "time", "plan"})
        assert second["properties"]["no"] == "A1"
        assert second["properties"]["line"] > 0


def test_processor_above_and_handler_below_track_once(stdlib_logger):
    """A processor in the chain and a handler behind `wrap_for_formatter`: the call is tracked by the first."""
    with StructlogDoor() as door:
        handler = RobotmiaHandler(delivery=door.door.delivery)
        stdlib_logger.addHandler(handler)
        log = structlog.wrap_logger(
            stdlib_logger,
            processors=[door.door, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
            wrapper_class=structlog.stdlib.BoundLogger,
        )
        log.info("Signed Up", track=True, profile={"a": 1}, distinct_id="u")
        assert len(door.messages()) == 2


def test_render_to_log_kwargs_gives_extras(stdlib_logger):
    """`render_to_log_kwargs` hands the keys on as extras: the handler reads them; merged context doesn't trigger."""
    with StdlibDoor() as door, structlog.contextvars.bound_contextvars(distinct_id="u1", track="Bound"):
        stdlib_logger.addHandler(door.door)
        log = structlog.wrap_logger(
            stdlib_logger,
            processors=[structlog.contextvars.merge_contextvars, structlog.stdlib.render_to_log_kwargs],
            wrapper_class=structlog.stdlib.BoundLogger,
        )
        log.info("plain", plan="pro")
        assert door.is_quiet()
        log.info("x", track="Signed Up", plan="pro")
        assert door.event()["event"] == "Signed Up"
        assert door.properties().keys() == {"token", "time", "distinct_id", "plan"}


def test_inside_the_formatter_structlog_events_are_tracked(stdlib_logger):
    """In ProcessorFormatter's chain: structlog's own events, once, however many handlers format the record."""
    with StructlogDoor() as door:
        streams = []
        for _ in range(2):
            handler, stream = in_formatter(door)
            stdlib_logger.addHandler(handler)
            streams.append(stream)
        log = structlog.wrap_logger(
            stdlib_logger,
            processors=[structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
            wrapper_class=structlog.stdlib.BoundLogger,
        )
        log.info("Signed Up", track=True, plan="pro")
        log.info("Signed Up", track=True, plan="free")
        assert [event["properties"]["plan"] for event in door.events()] == ["pro", "free"]
        lines = [[json.loads(line) for line in stream.getvalue().splitlines()] for stream in streams]
        assert lines[0] == lines[1] == [{"event": "Signed Up", "plan": "pro"}, {"event": "Signed Up", "plan": "free"}]


def test_inside_the_formatter_foreign_records_are_tracked(stdlib_logger):
    """With ExtraAdder, records of the standard library too: the template names the event, the time is the record's."""
    with StructlogDoor(rules=[{"message": "%s left", "properties": {"by": "{funcName}"}}]) as door:
        handler, stream = in_formatter(
            door, foreign_pre_chain=[structlog.stdlib.ExtraAdder(), structlog.stdlib.add_log_level]
        )
        stdlib_logger.addHandler(handler)
        stdlib_logger.info("order %s placed", "A1", extra={"track": True, "plan": "pro"})
        stdlib_logger.info("plain %s", "A1", extra={"plan": "pro"})
        stdlib_logger.info("%s left", "A1")
        first, second = door.events()
        assert (first["event"], first["properties"]["plan"]) == ("order %s placed", "pro")
        assert second["properties"]["by"] == "test_inside_the_formatter_foreign_records_are_tracked"
        line = json.loads(stream.getvalue().splitlines()[0])
        assert (line["event"], "track" in line) == ("order A1 placed", False)


def test_foreign_record_with_an_event_name(stdlib_logger):
    """The extra `event` of a foreign record names the event, and the formatter still has one to print."""
    with StructlogDoor() as door:
        handler, stream = in_formatter(door, foreign_pre_chain=[structlog.stdlib.ExtraAdder()])
        stdlib_logger.addHandler(handler)
        stdlib_logger.info("user 5 signed up", extra={"event": "Signed Up"})
        assert door.event()["event"] == "Signed Up"
        assert json.loads(stream.getvalue())["event"] == "Signed Up"


def test_in_the_foreign_pre_chain_itself(stdlib_logger):
    """As a foreign_pre_chain processor it tracks foreign records, and a second look in the chain adds nothing."""
    with StructlogDoor(rules=[{"message": "x"}]) as door:
        handler, _ = in_formatter(door, foreign_pre_chain=[structlog.stdlib.ExtraAdder(), door.door])
        stdlib_logger.addHandler(handler)
        stdlib_logger.info("x", extra={"plan": "pro"})
        stdlib_logger.info("y", extra={"track": True})
        assert [event["event"] for event in door.events()] == ["x", "y"]


def test_queue_handler_and_listener_keep_extras(stdlib_logger):
    """Behind QueueHandler and QueueListener extras survive, and the record is tracked once."""
    with StdlibDoor() as door:
        records = queue.SimpleQueue()
        listener = logging.handlers.QueueListener(records, door.door)
        stdlib_logger.addHandler(logging.handlers.QueueHandler(records))
        listener.start()
        stdlib_logger.info("order %s placed", "A1", extra={"track": "Placed", "plan": "pro", "distinct_id": "u"})
        listener.stop()
        assert door.event()["event"] == "Placed"
        assert door.properties()["plan"] == "pro"


@pytest.mark.parametrize("born", [None, 0, 5])
def test_records_made_of_little_are_told_apart(born):
    """Records that `makeLogRecord` made of JSON may share what else tells copies apart: each is tracked."""
    with StructlogDoor() as door:
        for name in ("A", "B", None):
            record = logging.makeLogRecord({"name": name, "msg": "x", "relativeCreated": born, "levelno": 20})
            door.door(None, "info", {"event": "x", "track": str(name), "_record": record})
        assert [event["event"] for event in door.events()] == ["A", "B", "None"]


def test_wrapped_record_without_a_name():
    """structlog's event dict in a record without name and level is tracked as well."""
    with StdlibDoor() as door:
        record = logging.makeLogRecord(
            {"name": None, "levelno": None, "msg": {"event": "x", "track": True}, "_logger": 1}
        )
        door.door.handle(record)
        assert door.event()["event"] == "x"
