"""The commonest call by far: one event of loose extras and a user. It is read in a few steps of C.

`compose` knows the whole vocabulary, and says the same of these calls at several times the price. What is not plain
here, or not at once, is left to it: this module refuses nothing and tells nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextvars import copy_context
from itertools import islice
from typing import Any, NamedTuple

from structlog.contextvars import get_contextvars

from robotmia_logging.capture.asked import text
from robotmia_logging.capture.call import BLANK_COUNT, IS_EXTRA, LAST_BLANK
from robotmia_logging.capture.privacy import Privacy
from robotmia_logging.capture.vocabulary import SHAPED, SPECIAL
from robotmia_logging.messages import CREATE_ALIAS, RESERVED_PREFIX, Message, are_scalars, ready_event

_KNOWN_SHAPES = 10_000
_USER = "distinct_id"
_SAYS_MORE = (SHAPED | SPECIAL) - {_USER}
_CONTEXT_SAYS_MORE = _SAYS_MORE - {"ip"}
_NO_CONTEXT: Mapping[str, Any] = {}


class _Plan(NamedTuple):
    """What is to be done with the extras of a plain event.

    Attributes:
        left_out: names that are not sent.
        has_properties: whether there are `properties`, to be added to the others.
        are_scalars: whether all values are.
    """

    left_out: tuple[str, ...]
    has_properties: bool
    are_scalars: bool


_NOTHING = _Plan((), has_properties=False, are_scalars=True)


class _Plans(dict[tuple[Any, ...], "_Plan | None"]):
    """Plans by the names of a call's extras and the types of their values, in one tuple: programs use the same few.

    None stands for extras that are more than a plain event's.
    """

    def __init__(self, privacy: Privacy) -> None:
        self._include, self._exclude = privacy.include, privacy.exclude

    def __missing__(self, shape: tuple[Any, ...]) -> _Plan | None:
        half = len(shape) // 2
        plan = self._plan(shape[:half], shape[half:])
        if len(self) < _KNOWN_SHAPES:
            self[shape] = plan
        return plan

    def _plan(self, names: tuple[Any, ...], types: tuple[type, ...]) -> _Plan | None:
        left_out = []
        for name, kind in zip(names, types, strict=True):
            if name == _USER:
                if kind is not str and kind is not int:
                    return None
            elif name == "properties":
                if kind is not dict:
                    return None
            # A record of structlog's bridge has the call's keys in its message, and `_logger` among its own.
            elif type(name) is not str or name in _SAYS_MORE or name == "_logger" or name.startswith(RESERVED_PREFIX):
                return None
            elif not IS_EXTRA[name] or not self._is_sent(name):
                left_out.append(name)
        plan = _Plan(tuple(left_out), "properties" in names, are_scalars(types))
        return _NOTHING if plan == _NOTHING else plan

    def _is_sent(self, name: str) -> bool:
        return name not in self._exclude and (self._include is None or name in self._include)


class PlainEvents:
    """The plain events of one door, by its options.

    Args:
        token: the project's token.
        properties: put on every event.
        privacy: what of a call is sent, and of whom.
        user_key: the extra or context key that names the user where nothing else does.
    """

    def __init__(self, token: str, properties: Mapping[str, Any], privacy: Privacy, user_key: str | None) -> None:
        self._token = token
        self._properties = dict(properties)
        self._has_scalars = are_scalars(map(type, properties.values()))
        self._user_key = user_key
        self._plans = _Plans(privacy)

    def of_record(self, record: logging.LogRecord) -> Message | None:
        """The message of a LogRecord, if that is a plain event; None: look closer."""
        attributes = record.__dict__
        # Extras come behind the record's own attributes. Begun at the end, none of those is stepped over.
        items = reversed(attributes.items())
        extras = dict(islice(items, len(attributes) - BLANK_COUNT))
        if next(items)[0] != LAST_BLANK:  # somebody has moved them
            return None
        name = extras.pop("track", True)
        if name is True:
            name = extras.pop("event", record.msg)
        return self._message(name, extras, int(record.created))

    def of_event_dict(self, event_dict: Mapping[str, Any], now: float) -> Message | None:
        """The message of a structlog call, likewise."""
        extras = dict(event_dict)
        event, track = extras.pop("event", None), extras.pop("track", None)
        return self._message(event if track is True else track, extras, int(now))

    def _message(self, name: Any, extras: dict[str, Any], time: int) -> Message | None:
        """The message of a call, from its extras but those that asked for it."""
        if type(name) is not str or not name or name == CREATE_ALIAS:
            return None
        context = get_contextvars() if copy_context() else _NO_CONTEXT
        if context and not _is_plain(context, extras):
            return None
        plan = self._plans[(*extras, *map(type, extras.values()))]
        if plan is None:
            return None
        user = extras.get(_USER)
        if type(user) is not str or not user.isascii() or not user:
            if user == "":  # as good as none: somebody else may be the user
                return None
            user = self._settle_user(extras, context)
        if plan is not _NOTHING or self._properties:
            chosen = self._chosen(plan, extras)
            if chosen is None:
                return None
            extras = chosen
        if context and (ip := text(context.get("ip"))) is not None:
            extras["ip"] = ip
        extras["token"] = self._token
        extras["time"] = time
        return ready_event(name, extras, user, time, are_scalars=plan.are_scalars and self._has_scalars)

    def _settle_user(self, extras: dict[str, Any], context: Mapping[str, Any]) -> str | None:
        """Find the user, and put it among the extras as text."""
        user, key = text(extras.get(_USER)) or text(context.get(_USER)), self._user_key
        if user is None and key is not None:
            user = text(extras.get(key)) or text(context.get(key))
        if user is not None:
            extras[_USER] = user
        return user

    def _chosen(self, plan: _Plan, extras: dict[str, Any]) -> dict[str, Any] | None:
        """What of the extras is sent, and what else; None: look closer."""
        for name in plan.left_out:
            del extras[name]
        outright = extras.pop("properties") if plan.has_properties else {}
        if not SPECIAL.isdisjoint(outright) or any(map(_is_odd, list(outright))):
            return None
        return {**self._properties, **extras, **outright}


def _is_plain(context: Mapping[str, Any], extras: dict[str, Any]) -> bool:
    """Whether the context says no more than who and where; `merge_contextvars` may have put that among the extras."""
    ip = context.get("ip")
    return _CONTEXT_SAYS_MORE.isdisjoint(context) and (ip is None or extras.pop("ip", ip) is ip)


def _is_odd(name: Any) -> bool:
    return type(name) is not str or name.startswith(RESERVED_PREFIX)
