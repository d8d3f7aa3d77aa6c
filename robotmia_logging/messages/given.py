"""Lines that anybody may have written, in the format of `lines`: what they say is checked before it is believed.

All that a line needs is its message; `{"message": {...}}` will do. What stands beside it that a message says itself, or
that was said of it when it couldn't be delivered, counts for nothing.
"""

from __future__ import annotations

from typing import Any

import orjson

from robotmia_logging.messages.encode import as_text
from robotmia_logging.messages.event import seal_event
from robotmia_logging.messages.message import ENGAGE, TRACK, Message, Refusal, Refused
from robotmia_logging.messages.profile import seal_update

INVALID_LINE = "invalid_line"
"""The reason of lines that aren't of the format."""

MAX_LINE_BYTES = 16 * 1024 * 1024
"""No message is larger: no server takes one."""

_SHOWN_BYTES = 64 * 1024
_SURROUNDINGS = b" \t\r\n\0"  # a segment of the spool ends in zeros while its process lives


def is_blank(line: bytes) -> bool:
    """Whether nothing stands in a line."""
    return not line.strip(_SURROUNDINGS)


def given_line(line: bytes, now: int) -> Message | Refusal:
    """The message that a line asks for, or the account of why there is none. Raises nothing.

    Args:
        line: the line; a spool's, a dead letter's, or just `{"message": {...}}`.
        now: seconds since 1970, the time of a message that has none.
    """
    if len(line) > MAX_LINE_BYTES:
        return _no_line("too_large", f"a line has at most {MAX_LINE_BYTES} bytes", line)
    try:
        fields = orjson.loads(line.strip(_SURROUNDINGS))
    except ValueError as error:
        return _no_line(INVALID_LINE, f"no JSON: {error}", line)
    if not isinstance(fields, dict) or "message" not in fields:
        return _no_line(INVALID_LINE, 'a line is a JSON object with a "message"', line)
    wire = fields["message"]
    endpoint = fields.get("endpoint") or (TRACK if not isinstance(wire, dict) or "event" in wire else ENGAGE)
    if endpoint not in (TRACK, ENGAGE):
        return _no_line(INVALID_LINE, f"the endpoint is {TRACK!r} or {ENGAGE!r}, not {as_text(endpoint)!r}", line)
    try:
        return _sealed(endpoint, wire, now if fields.get("time") is None else fields["time"])
    except Refused as refused:
        return _refusal(refused, endpoint, fields)


def _sealed(endpoint: str, wire: Any, time: Any) -> Message:
    if not isinstance(wire, dict):
        raise Refused(INVALID_LINE, "a message is a JSON object")
    holder, name = (wire.get("properties"), "time") if endpoint == TRACK else (wire, "$time")
    if isinstance(holder, dict) and holder.get(name) is None:
        holder[name] = time
    message = seal_event(wire) if endpoint == TRACK else seal_update(wire)
    if len(message.body) > MAX_LINE_BYTES:  # numbers may have grown
        raise Refused("too_large", f"a message has at most {MAX_LINE_BYTES} bytes")
    message.body = b"".join((message.body, b""))  # a copy: orjson's own takes up to eight times as much memory
    return message


def _refusal(refused: Refused, endpoint: str, fields: dict[str, Any]) -> Refusal:
    user, time = fields.get("user"), fields.get("time")
    return Refusal(
        refused.reason,
        refused.error,
        endpoint,
        fields["message"],
        user=user if isinstance(user, str) else None,
        time=time if type(time) is int else None,
    )


def _no_line(reason: str, error: str, line: bytes) -> Refusal:
    return Refusal(reason, error, TRACK, as_text(line[:_SHOWN_BYTES].strip(_SURROUNDINGS)))
