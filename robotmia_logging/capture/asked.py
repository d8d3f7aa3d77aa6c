"""What a log call itself asks for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from robotmia_logging.capture.call import Call
from robotmia_logging.messages import as_text
from robotmia_logging.messages.numbers import is_number


class Asked:
    """What a call asks for, and `keys`, the extras that asked. Without slots: most calls set two of these."""

    event: str | None = None
    alias: str | None = None
    profile: Mapping[Any, Any] | None = None
    revenue: Any = None
    keys: frozenset[str] = frozenset()


_TRACK = frozenset({"track"})


def text(value: Any) -> str | None:
    """An id as text; None and "" count as absent."""
    return None if value is None else (as_text(value) or None)


def is_a(kind: Any, value: Any) -> bool:
    """`isinstance`, also for objects whose `__class__` raises: they are not ours."""
    try:
        return isinstance(value, kind)
    except Exception:
        return False


def own_extras(call: Call, context: Mapping[str, Any]) -> Mapping[str, Any]:
    """The extras that stand in the call itself: not those that `merge_contextvars` put there."""
    extras = call.extras
    merged = [key for key in context if key in extras and context[key] is extras[key] and not _was_said(call, key)]
    return {key: value for key, value in extras.items() if key not in merged} if merged else extras


def _was_said(call: Call, key: str) -> bool:
    """Whether a key that the context has too was said in the call all the same.

    structlog puts the event behind the call's own keys, and `merge_contextvars` its keys behind the event. A record
    has no such mark; only a `distinct_id` in front of the alias can't have been added by a filter.
    """
    is_plain_record = call.record is not None and call.keys is call.record.__dict__
    if is_plain_record and key != "distinct_id":
        return False
    mark = "alias" if is_plain_record else "event"
    return next((name for name in list(call.keys) if name in (key, mark)), None) == key


def read(call: Call, own: Mapping[str, Any]) -> Asked:
    """What stands in the call, in its stated form. All else is somebody else's extra, and left alone."""
    asked = Asked()
    track = own.get("track")
    if track is True or is_a(str, track):
        asked.event = as_text(call.template if track is True else track)
        asked.keys = _TRACK
    if "event" in own:
        _read_event(own["event"], track, asked)
    if "profile" in own or "revenue" in own or "alias" in own:
        _read_updates(call, own, asked)
    return asked


def _read_event(event: Any, track: Any, asked: Asked) -> None:
    if is_a(str, event):
        asked.keys |= {"event"}
        if not is_a(str, track):
            asked.event = as_text(event)


def _read_updates(call: Call, own: Mapping[str, Any], asked: Asked) -> None:
    profile, revenue, alias = own.get("profile"), own.get("revenue"), own.get("alias")
    if is_a(Mapping, profile):
        asked.profile = profile
        asked.keys |= {"profile"}
    if revenue is not None and _is_revenue(revenue):
        asked.revenue = revenue
        asked.keys |= {"revenue"}
    if is_a(str, alias) and alias and call.named and text(own.get("distinct_id")) is not None:
        asked.alias = as_text(alias)
        asked.keys |= {"alias"}


def _is_revenue(value: Any) -> bool:
    try:
        return is_number(value) or (isinstance(value, Mapping) and "$amount" in value)
    except Exception:  # a mapping that raises: not ours
        return False
