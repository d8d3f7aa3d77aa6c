"""Both doors in front of a real server, with one way to log through either."""

from __future__ import annotations

import itertools
import logging

import pytest
import structlog

from robotmia_logging import RobotmiaHandler, RobotmiaProcessor
from tests.hostile import HostileServer

_numbers = itertools.count()


def conserves(stats):
    """Whether every message is accounted for; when callers are quiet."""
    ended = stats.delivered + sum(stats.dropped.values()) + sum(stats.dead_lettered.values())
    return stats.accepted == ended + stats.pending


class _Open:
    """A door, open within a `with` block."""

    def __init__(self, **options):
        self.options = {"token": "T", "flush_interval": 60.0, **options}
        self.server = HostileServer()
        self.name = f"shop{next(_numbers)}"

    def __enter__(self):
        self.server.__enter__()
        try:
            self.door = self.make(url=self.server.url, **self.options)
        except BaseException:
            self.server.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.door.close()
        self.leave()
        self.server.__exit__()
        assert self.server.violations == []
        assert conserves(self.door.stats())

    def leave(self):
        pass

    def messages(self):
        """What has arrived: (endpoint, message), in order of arrival."""
        assert self.door.flush(10)
        return [(path.strip("/"), message) for path, message in self.server.taken]

    def events(self):
        return [message for endpoint, message in self.messages() if endpoint != "engage"]

    def updates(self):
        return [message for endpoint, message in self.messages() if endpoint == "engage"]

    def event(self):
        (event,) = self.events()
        return event

    def properties(self):
        return self.event()["properties"]

    def update(self):
        (update,) = self.updates()
        return update

    def letters(self):
        """Dead letters by reason."""
        self.door.flush(10)
        return dict(self.door.stats().dead_lettered)

    def is_quiet(self):
        """Whether nothing at all was tracked."""
        return self.door.stats().accepted == 0


class StdlibDoor(_Open):
    """A logger with a RobotmiaHandler."""

    make = RobotmiaHandler

    def __enter__(self):
        super().__enter__()
        self.logger = logging.getLogger(self.name)
        self.logger.setLevel(logging.DEBUG)
        self.logger.propagate = False
        self.logger.addHandler(self.door)
        return self

    def leave(self):
        for handler in self.logger.handlers[:]:
            self.logger.removeHandler(handler)

    def log(self, message, *args, method="info", **extras):
        getattr(self.logger, method)(message, *args, extra=extras)


class StructlogDoor(_Open):
    """A structlog logger with a RobotmiaProcessor behind `merge_contextvars`; `lines` is what comes out below."""

    make = RobotmiaProcessor

    def __enter__(self):
        super().__enter__()
        self.lines = []
        self.logger = self.wrap(structlog.contextvars.merge_contextvars, self.door)
        return self

    def wrap(self, *processors):
        def end(_logger, _name, event_dict):
            self.lines.append(event_dict)
            raise structlog.DropEvent

        return structlog.wrap_logger(
            logging.getLogger(self.name),
            processors=[*processors, end],
            wrapper_class=structlog.stdlib.BoundLogger,
            context_class=dict,
        )

    def log(self, message, *args, method="info", **extras):
        getattr(self.logger, method)(message, *args, **extras)


both = pytest.mark.parametrize("opened", [StdlibDoor, StructlogDoor], ids=["handler", "processor"])
