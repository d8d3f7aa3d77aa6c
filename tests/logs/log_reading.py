"""Log lines as the real libraries write them, and what is read from them."""

from __future__ import annotations

import logging
import math
import time

from robotmia_logging.capture import from_record
from robotmia_logging.logs import PastCall, open_format

WHEN = 1_795_611_600.125  # 2026-11-25 13:00:00.125 UTC


def read(line, name="auto", **options):
    """The call that one line tells of."""
    call = open_format(name, **options).read(line if isinstance(line, bytes) else line.encode())
    assert isinstance(call, PastCall), call
    return call


def record(message="order %s placed", *args, name="shop.orders", level=logging.INFO, when=WHEN, **extras):
    """A LogRecord as a logger makes it."""
    made = logging.getLogger(name).makeRecord(name, level, "shop.py", 7, message, args, None, "place", extras or None)
    made.created = when
    made.msecs = math.floor(when * 1000) % 1000
    return made


def in_utc(formatter):
    """The formatter with its times in UTC."""
    formatter.converter = time.gmtime
    return formatter


def assert_as_live(call, live_record, *, rendered=False, within=0.001):
    """A call read from a log is the live one: but where the template isn't known, that is the rendered text."""
    live = from_record(live_record)
    assert (call.logger, call.level) == (live.logger, live.level)
    assert abs(call.created - live.created) <= within
    assert call.rendered() == live.rendered()
    if rendered:
        assert (call.template, call.args) == (live.rendered(), ())
    else:
        assert (call.template, call.args) == (live.template, live.args)
