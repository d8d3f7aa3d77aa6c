"""Makes logs to be replayed, and replays them without a server."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone

from robotmia_logging.capture import CaptureSettings, Composer, Rules, compile_rules
from robotmia_logging.logs import open_format
from robotmia_logging.messages import Message
from robotmia_logging.replay import Account, LineReader, LogLines, Span

BEGAN = datetime(2026, 11, 24, 10, 0, 0, tzinfo=timezone.utc)
RULES = """
[[rule]]
logger = "shop"
message = "order placed"
event = "Order Placed"
distinct_id = "{user}"
properties = { n = "{n}" }
"""


def at(n):
    """When line `n` was written: one a second."""
    return (BEGAN + timedelta(seconds=n)).isoformat()


def line(n, event="order placed", **fields):
    """A line of structlog's JSONRenderer."""
    own = {"event": event, "level": "info", "logger": "shop", "timestamp": at(n), "n": n, "user": f"u{n % 7}"}
    return json.dumps({**own, **fields}).encode() + b"\n"


def asking(n, count):
    """A line that asks for so many messages itself, up to three."""
    fields = {"track": True, "distinct_id": "u"} if count else {}
    if count > 1:
        fields["profile"] = {name: {"n": n} for name in ("$set", "$add")[: count - 1]}
    return line(n, "asked", **fields)


def names(message):
    """What a message of `asking` is known by: its number, and what it is."""
    wire = json.loads(message.body)
    if "event" in wire:
        return wire["properties"]["n"], "event"
    [(operation, values)] = [(name, value) for name, value in wire.items() if isinstance(value, dict)]
    return values["n"], operation


def expected(counts):
    """The names of all messages of such lines, given how many each asks for."""
    kinds = ("event", "$set", "$add")
    return [(n, kind) for n, count in enumerate(counts) for kind in kinds[:count]]


def lines_of(file, done, rules=(), *, account=None, rejects=None, span=None, **options):
    """What is to be replayed of an open log."""
    account = account or Account()
    compiled = rules if isinstance(rules, Rules) else compile_rules(list(rules))
    composer = Composer(CaptureSettings(token="t", rules=compiled.for_rendered()), account.note)
    reader = LineReader(open_format(), composer, span or Span(), account, rejects)
    return LogLines(file, reader, done, account, rejects=rejects, **options)


def messages(items):
    """Those that are messages."""
    return [item for item in items if isinstance(item, Message)]
