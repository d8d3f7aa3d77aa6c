"""Events: what `/track/` and `/import/` accept (Tracking events; Creating a distinct_id alias)."""

from __future__ import annotations

from typing import Any

import orjson

from robotmia_logging.messages.encode import are_scalars, as_text, encode
from robotmia_logging.messages.message import TRACK, Message, Refused
from robotmia_logging.messages.special import RESERVED, refuse_reserved, settle_texts
from robotmia_logging.messages.times import YEAR_10000_S, unix_seconds, whole_seconds

CREATE_ALIAS = "$create_alias"

_TEXTS = ("token", "distinct_id", "ip")
_KNOWN_NAMES, _LONG = 10_000, 250  # longer ones are made up for each call, and not remembered
_join = b"".join


def alias_event(distinct_id: str, alias: str, token: str, time: int) -> dict[str, Any]:
    """The `$create_alias` event that makes `alias` another name of `distinct_id`."""
    return {
        "event": CREATE_ALIAS,
        "properties": {"token": token, "distinct_id": distinct_id, "alias": alias, "time": time},
    }


def seal_event(wire: dict[str, Any]) -> Message:
    """Check an event as it stands on the wire and encode it.

    Args:
        wire: ``{"event": name, "properties": {...}}``, its special properties (`token`, `distinct_id`, `time`)
            still of any type: they are brought to the API's here.

    Raises:
        Refused: the API would refuse it (`empty_event_name`, `no_token`, `no_distinct_id`, `reserved_name`,
            `bad_message`, `bad_time`).
    """
    user = check_event(wire)
    properties = wire["properties"]
    properties["time"] = time = whole_seconds(properties.get("time"))
    body, rendered = encode(wire)
    if body.find(RESERVED) >= 0:  # two thirds of what `in` takes
        refuse_reserved(properties)
    alias = properties["alias"] if wire["event"] == CREATE_ALIAS else None
    return Message(TRACK, user, time, body, alias, True, False, rendered)


class _Heads(dict[str, bytes]):
    """What the bytes of an event begin with, by its name; remembered, for programs use the same ones."""

    def __missing__(self, name: str) -> bytes:
        head = b'{"event":%b,"properties":' % encode(name)[0]
        if len(self) < _KNOWN_NAMES and len(head) < _LONG:
            self[name] = head
        return head


_HEADS = _Heads()


def ready_event(name: str, properties: dict[str, Any], user: str | None, time: int) -> Message:
    """Encode an event of which all is known to be well: `seal_event` without the checks.

    Args:
        name: the event's name, not empty and not `$create_alias`.
        properties: all of them, the special ones as the API has them.
        user: the distinct id, as it stands among them.
        time: likewise.

    Raises:
        Refused: the time lies past the year 9999 (`bad_time`).
    """
    if not 0 <= time < YEAR_10000_S:
        unix_seconds(time)
    if are_scalars(map(type, properties.values())):
        try:
            return Message(TRACK, user, time, _join((_HEADS[name], orjson.dumps(properties), b"}")))
        except TypeError:  # lone surrogates, integers past 64 bits
            pass
    body, rendered = encode({"event": name, "properties": properties})
    return Message(TRACK, user, time, body, None, True, False, rendered)


def check_event(wire: dict[str, Any]) -> str | None:
    """Refuse what the API would refuse in an event, property names aside; bring ids to text.

    Returns:
        The distinct id, if it has one.

    Raises:
        Refused: see `seal_event`.
    """
    name = wire.get("event")
    properties = wire.get("properties")
    if not isinstance(name, str) or not isinstance(properties, dict):
        raise Refused("bad_message", "an event is a name and an object of properties")
    if not name:
        raise Refused("empty_event_name", "an event needs a name, and this one's is empty")
    settle_texts(properties, _TEXTS)
    if "token" not in properties:
        raise Refused("no_token", "an event needs a token")
    user: str | None = properties.get("distinct_id")
    if name == CREATE_ALIAS:
        _check_alias(properties, user)
    return user


def _check_alias(properties: dict[str, Any], user: str | None) -> None:
    if user is None:
        raise Refused("no_distinct_id", "an alias needs the distinct_id that it stands for")
    alias = properties.get("alias")
    if not isinstance(alias, str) or not alias:
        raise Refused("bad_message", "an alias is a non-empty string")
    properties["alias"] = as_text(alias)
