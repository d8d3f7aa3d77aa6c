"""The one line format of spool, dead letters and `send`: JSON Lines, a message and how it travels.

    {"endpoint": "track", "user": "ada", "time": 1795467600, "message": {"event": ..., "properties": {...}}}

A dead letter adds `reason`, `error`, `attempts` and `at`. Lines end in a newline and hold no byte 0.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import orjson

from robotmia_logging.messages.encode import encode
from robotmia_logging.messages.event import CREATE_ALIAS
from robotmia_logging.messages.limits import NOT_REPEATABLE, OPERATIONS
from robotmia_logging.messages.message import ENGAGE, TRACK, Message, Refusal

LINE_START = b'{"endpoint":"'
"""What each line that we write begins with."""

_MESSAGE = b',"message":'  # never within a string, where quotes are escaped
_HEADS = {endpoint: LINE_START + endpoint.encode() + b'","user":' for endpoint in (TRACK, ENGAGE)}
_KNOWN_TIMES = 16
_join = b"".join


class _Times(dict[int, bytes]):
    """The bytes between the user and the message, by the time in them; remembered, for a second has many messages."""

    def __missing__(self, time: int) -> bytes:
        if len(self) >= _KNOWN_TIMES:
            self.clear()
        self[time] = text = b',"time":%d%b' % (time, _MESSAGE)
        return text


_TIMES = _Times()


class DeadLetter(NamedTuple):
    """A message with no way to go, and why.

    Attributes:
        letter: the message, or the account of one that was refused in the log call.
        reason: the name it is counted under.
        error: the reason in words, the server's if it said some.
        attempts: how many requests were made for it.
        at: when it was given up, in seconds since 1970; None until it is written.
    """

    letter: Message | Refusal
    reason: str
    error: str
    attempts: int
    at: int | None = None

    @property
    def place(self) -> Any:
        """Where the spool keeps it, if it does."""
        return self.letter.place

    def line(self, now: float) -> bytes:
        """The letter as one JSON line: the message, how it was to be delivered, why it can't be."""
        letter = self.letter
        body = letter.body if isinstance(letter, Message) else encode(letter.wire)[0]
        fields: dict[str, Any] = {
            "endpoint": letter.endpoint,
            "user": letter.user,
            "time": letter.time,
            "message": orjson.Fragment(body),
            "reason": self.reason,
            "error": self.error,
            "attempts": self.attempts,
            "at": int(now) if self.at is None else self.at,
        }
        try:
            return orjson.dumps(fields) + b"\n"
        except TypeError:  # a lone surrogate in an id or in the server's words
            del fields["message"]
            return encode(fields)[0][:-1] + _MESSAGE + body + b"}\n"


def message_line(message: Message) -> bytes:
    """A message as one JSON line."""
    # Joined, not formatted: a third of the price, in each log call with a spool.
    user = orjson.dumps(message.user)
    return _join((_HEADS[message.endpoint], user, _TIMES[message.time], message.body, b"}\n"))


def read_line(line: bytes) -> Message | DeadLetter:
    """What a line says; a message's bytes stay as they are.

    Raises:
        ValueError: it is no line of this format.
    """
    head, found, rest = line.partition(_MESSAGE)
    try:
        if found and rest.endswith(b"}\n"):
            body = rest[:-2]
            return _message(orjson.loads(head + b"}"), body, orjson.loads(body))
    except ValueError:  # more follows the message, or somebody else wrote the line
        pass
    fields = orjson.loads(line)
    wire = fields.get("message") if isinstance(fields, dict) else None
    if wire is None and not isinstance(fields, dict):
        raise ValueError("a line is a JSON object with a message")
    if "reason" in fields:
        return _letter(fields)
    try:
        return _message(fields, orjson.dumps(wire), wire)
    except TypeError as error:  # it can be nested deeper to be read than to be written
        raise ValueError(str(error)) from error


def _message(fields: Any, body: bytes, wire: Any) -> Message:
    endpoint, user, time = fields.get("endpoint"), fields.get("user"), fields.get("time")
    if (
        "reason" in fields
        or not isinstance(wire, dict)
        or type(time) is not int
        or not (user is None or (isinstance(user, str) and user))
    ):
        raise ValueError("endpoint, user, time and message haven't their types")
    if endpoint == ENGAGE and user is not None:
        operation = next((name for name in wire if name in OPERATIONS), None)
        return Message(ENGAGE, user, time, body, repeatable=operation not in NOT_REPEATABLE, located="$ip" in wire)
    if endpoint == TRACK:
        return Message(TRACK, user, time, body, _alias(wire))
    raise ValueError("the endpoint is track, or engage with a user")


def _alias(wire: dict[str, Any]) -> str | None:
    if wire.get("event") != CREATE_ALIAS:
        return None
    properties = wire.get("properties")
    alias = properties.get("alias") if isinstance(properties, dict) else None
    return alias if isinstance(alias, str) else None


def _letter(fields: dict[str, Any]) -> DeadLetter:
    reason, error, attempts, at = (fields.get(name) for name in ("reason", "error", "attempts", "at"))
    if not isinstance(reason, str) or not isinstance(error, str) or type(attempts) is not int:
        raise ValueError("reason, error and attempts haven't their types")
    refusal = Refusal(
        reason,
        error,
        ENGAGE if fields.get("endpoint") == ENGAGE else TRACK,
        fields.get("message"),
        user=fields.get("user"),
        time=fields.get("time"),
    )
    return DeadLetter(letter=refusal, reason=reason, error=error, attempts=attempts, at=at if type(at) is int else None)
