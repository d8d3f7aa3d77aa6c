"""Who is measured, each with what its documentation says is best for batches of fifty.

A contestant's packages are imported when it is set up: each runs in a fresh process, which has nothing else loaded.
"""

# ruff: noqa: PLC0415  (that is why imports stand in functions)

from __future__ import annotations

import importlib.util
import json
import logging
import socket
import tempfile
from typing import Any, ClassVar
from urllib.parse import urlsplit

from benchmarks.event import BATCH, IDS, NAME, PROPERTIES, TRACKED, UNTRACKED, USERS

TOKEN = "bench"


def plain_logger(name: str, handler: logging.Handler) -> logging.Logger:
    """A logger with this handler only."""
    log = logging.getLogger(name)
    log.propagate = False
    log.setLevel(logging.DEBUG)
    log.addHandler(handler)
    return log


class Contestant:
    """One way to ship an event.

    Attributes:
        name: as the table calls it.
        distributions: what is to be installed.
        modules: what a program that uses it imports.
        sends: it ships messages; the floors don't.
        tracks_what_asks: it tells log calls that ask for tracking from others, and knows rules.
    """

    name: ClassVar[str]
    distributions: ClassVar[tuple[str, ...]] = ()
    modules: ClassVar[tuple[str, ...]] = ()
    sends: ClassVar[bool] = True
    tracks_what_asks: ClassVar[bool] = False

    def setup(self, url: str, *, room: int | None = None, **options: Any) -> None:
        """Begin.

        Args:
            url: of the sink.
            room: messages that its queue must hold; None for its own default.
            options: of robotmia's doors.
        """
        raise NotImplementedError

    def log(self, number: int) -> None:
        """The call that is measured: ship the event of this number."""
        raise NotImplementedError

    def log_untracked(self, number: int) -> None:
        """The same call, asking for no tracking."""
        raise NotImplementedError

    def flush(self, timeout: float) -> None:
        """Wait until all is delivered, as its documentation says; some know no timeout."""

    def close(self) -> None:
        """End."""

    def floor(self) -> Contestant:
        """The same call, shipping nothing."""
        return NullHandler()

    @classmethod
    def missing(cls) -> list[str]:
        """The modules that aren't installed."""
        return [name for name in cls.modules if not _is_there(name)]


def _is_there(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:  # its parent isn't there
        return False


class LogCalls(Contestant):
    """Contestants that are handlers: the call is a log call."""

    logger: logging.Logger

    def log(self, number: int) -> None:
        self.logger.info(NAME, extra=TRACKED[number % USERS])

    def log_untracked(self, number: int) -> None:
        self.logger.info(NAME, extra=UNTRACKED[number % USERS])


class StructlogCalls(Contestant):
    """Contestants that are structlog processors."""

    logger: Any

    def log(self, number: int) -> None:
        self.logger.info(NAME, **TRACKED[number % USERS])

    def log_untracked(self, number: int) -> None:
        self.logger.info(NAME, **UNTRACKED[number % USERS])

    def configure(self, *processors: Any) -> None:
        """A logger whose chain ends without rendering: that would hide a part of what a processor costs."""
        import structlog

        wrapper = structlog.make_filtering_bound_logger(logging.INFO)
        chain = [structlog.contextvars.merge_contextvars, *processors]
        self.logger = structlog.wrap_logger(structlog.ReturnLogger(), processors=chain, wrapper_class=wrapper).bind()


class NullHandler(LogCalls):
    """The floor: what a log call costs that goes nowhere."""

    name = "NullHandler"
    sends = False

    def setup(self, url: str, *, room: int | None = None, **options: Any) -> None:
        del url, room, options
        self.logger = plain_logger("bench.null", logging.NullHandler())


class PlainStructlog(StructlogCalls):
    """The floor of structlog: the same chain without our processor."""

    name = "structlog alone"
    modules = ("structlog",)
    sends = False

    def setup(self, url: str, *, room: int | None = None, **options: Any) -> None:
        del url, room, options
        self.configure()

    def floor(self) -> Contestant:
        return PlainStructlog()


class Robotmia(LogCalls):
    """Our handler; messages wait in memory."""

    name = "robotmia"
    distributions = ("robotmia_logging",)
    modules = ("robotmia_logging",)
    tracks_what_asks = True

    def setup(self, url: str, *, room: int | None = None, **options: Any) -> None:
        from robotmia_logging import RobotmiaHandler

        self.handler = RobotmiaHandler(token=TOKEN, url=url, **_room(room), **options)
        self.logger = plain_logger(f"bench.{id(self)}", self.handler)

    def flush(self, timeout: float) -> None:
        self.handler.flush(timeout)

    def close(self) -> None:
        self.logger.removeHandler(self.handler)
        self.handler.close()


class RobotmiaSpool(Robotmia):
    """Our handler; messages are in a file when the log call returns."""

    name = "robotmia spool"

    def setup(self, url: str, *, room: int | None = None, **options: Any) -> None:
        super().setup(url, room=room, spool=tempfile.mkdtemp(), **options)  # the conductor removes it


class RobotmiaStructlog(StructlogCalls):
    """Our structlog processor; messages wait in memory."""

    name = "robotmia structlog"
    distributions = ("robotmia_logging", "structlog")
    modules = ("robotmia_logging", "structlog")
    tracks_what_asks = True

    def setup(self, url: str, *, room: int | None = None, **options: Any) -> None:
        from robotmia_logging import RobotmiaProcessor

        self.processor = RobotmiaProcessor(token=TOKEN, url=url, **_room(room), **options)
        self.configure(self.processor)

    def flush(self, timeout: float) -> None:
        self.processor.flush(timeout)

    def close(self) -> None:
        self.processor.close()

    def floor(self) -> Contestant:
        return PlainStructlog()


def _room(messages: int | None) -> dict[str, int]:
    return {} if messages is None else {"max_pending": messages, "max_pending_bytes": messages * 2048}


class HandWritten(LogCalls):
    """A QueueHandler, and thirty lines around requests."""

    name = "QueueHandler + requests"
    distributions = ("requests",)
    modules = ("requests", "logging.handlers")

    def setup(self, url: str, *, room: int | None = None, **options: Any) -> None:
        from benchmarks.hand_written import Sender

        del room, options  # its queue has no bound
        self._sender = Sender(url, TOKEN)
        self._sender.start()
        self.logger = plain_logger("bench.hand_written", self._sender.handler)

    def flush(self, timeout: float) -> None:
        self._sender.flush(timeout)


class Mixpanel(Contestant):
    """mixpanel's BufferedConsumer: every fiftieth call posts what it holds."""

    name = "mixpanel"
    distributions = ("mixpanel",)
    modules = ("mixpanel",)

    def setup(self, url: str, *, room: int | None = None, **options: Any) -> None:
        import mixpanel

        del room, options  # it holds fifty
        self._consumer = mixpanel.BufferedConsumer(max_size=BATCH, events_url=f"{url}/track", request_timeout=10)
        self._client = mixpanel.Mixpanel(TOKEN, consumer=self._consumer)

    def log(self, number: int) -> None:
        self._client.track(IDS[number % USERS], NAME, PROPERTIES[number % USERS])

    def flush(self, timeout: float) -> None:
        del timeout
        self._consumer.flush()


class Posthog(Contestant):
    """posthog's client, with its thread."""

    name = "posthog"
    distributions = ("posthog",)
    modules = ("posthog",)

    def setup(self, url: str, *, room: int | None = None, **options: Any) -> None:
        import posthog

        del options
        queue = {} if room is None else {"max_queue_size": room}
        self._client = posthog.Posthog("phc_bench", host=url, flush_at=BATCH, **queue)

    def log(self, number: int) -> None:
        self._client.capture(NAME, distinct_id=IDS[number % USERS], properties=PROPERTIES[number % USERS])

    def flush(self, timeout: float) -> None:
        self._client.flush(timeout_seconds=timeout)


class Segment(Contestant):
    """segment's client, with its thread."""

    name = "segment"
    distributions = ("segment-analytics-python",)
    modules = ("segment.analytics",)

    def setup(self, url: str, *, room: int | None = None, **options: Any) -> None:
        from segment.analytics.client import Client

        del options
        queue = {} if room is None else {"max_queue_size": room}
        self._client = Client(write_key=TOKEN, host=url, upload_size=BATCH, **queue)

    def log(self, number: int) -> None:
        self._client.track(IDS[number % USERS], NAME, PROPERTIES[number % USERS])

    def flush(self, timeout: float) -> None:
        del timeout
        self._client.flush()


class OpenTelemetry(LogCalls):
    """OpenTelemetry's handler, its batch processor, and its OTLP exporter over HTTP."""

    name = "OpenTelemetry"
    distributions = (
        "opentelemetry-sdk",
        "opentelemetry-exporter-otlp-proto-http",
        "opentelemetry-instrumentation-logging",
    )
    modules = (
        "opentelemetry.sdk._logs.export",
        "opentelemetry.exporter.otlp.proto.http._log_exporter",
        "opentelemetry.instrumentation.logging.handler",
    )

    def setup(self, url: str, *, room: int | None = None, **options: Any) -> None:
        from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
        from opentelemetry.instrumentation.logging.handler import LoggingHandler
        from opentelemetry.sdk._logs import LoggerProvider
        from opentelemetry.sdk._logs.export import BatchLogRecordProcessor

        del options
        exporter = OTLPLogExporter(endpoint=f"{url}/v1/logs")
        self._provider = LoggerProvider()
        self._provider.add_log_record_processor(
            BatchLogRecordProcessor(exporter, max_export_batch_size=BATCH, max_queue_size=room)
        )
        self.logger = plain_logger("bench.opentelemetry", LoggingHandler(logger_provider=self._provider))

    def flush(self, timeout: float) -> None:
        self._provider.force_flush(int(timeout * 1000))


class Libraries(Contestant):
    """What robotmia_logging stands on: the floor of its import."""

    name = "requests structlog orjson"
    distributions = ("requests", "structlog", "orjson")
    modules = ("requests", "structlog", "orjson")
    sends = False


class RawClient(Contestant):
    """The sink's own capacity: one prepared request of fifty messages, sent again and again over one socket."""

    name = "the sink itself"

    def setup(self, url: str, *, room: int | None = None, **options: Any) -> None:
        del room, options
        where = urlsplit(url)
        events = [{"event": NAME, "properties": {"token": TOKEN, "time": 1_800_000_000, **e}} for e in UNTRACKED]
        body = json.dumps(events[:BATCH]).encode()
        head = f"POST /track/ HTTP/1.1\r\nHost: {where.netloc}\r\nContent-Type: application/json\r\n"
        self._request = f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body
        self._socket = socket.create_connection((where.hostname, where.port))
        self._waiting = 0

    def log(self, number: int) -> None:
        del number
        self._waiting += 1
        if self._waiting == BATCH:
            self._socket.sendall(self._request)
            self._socket.recv(65536)
            self._waiting = 0


CONTESTANTS: dict[str, type[Contestant]] = {
    each.name: each
    for each in (
        NullHandler,
        PlainStructlog,
        Robotmia,
        RobotmiaSpool,
        RobotmiaStructlog,
        HandWritten,
        Mixpanel,
        Posthog,
        Segment,
        OpenTelemetry,
        Libraries,
        RawClient,
    )
}
PEERS = (HandWritten.name, Mixpanel.name, Posthog.name, Segment.name, OpenTelemetry.name)
