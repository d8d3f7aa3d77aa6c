"""The commonest call by far: one event of loose extras and a user. It is read in a few steps of C.

`compose` knows the whole vocabulary, and says the same of these calls at several times the price. What is not plain
here, or not at once, is left to it: this module refuses nothing and tells nothing.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from contextvars import copy_context
from itertools import islice
from typing import Any

from structlog.contextvars import get_contextvars

from robotmia_logging.capture.asked import text
from robotmia_logging.capture.call import BLANK_COUNT, IS_EXTRA, LAST_BLANK
from robotmia_logging.capture.origins import is_ordinary
from robotmia_logging.capture.privacy import Privacy
from robotmia_logging.capture.vocabulary import SHAPED, SPECIAL
from robotmia_logging.messages import CREATE_ALIAS, RESERVED_PREFIX, Message, as_text, ready_event

_KNOWN_NAMES, _LONG = 10_000, 250
_USER = "distinct_id"
_SAYS_MORE = (SHAPED | SPECIAL) - {_USER}
_CONTEXT_SAYS_MORE = _SAYS_MORE - {"ip"}
_IDS = frozenset({str, int, type(None)})


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
        self._include, self._exclude = privacy.include, privacy.exclude
        self._user_key = user_key
        # Names that are sent as they are: programs use the same few. Looked at all at once, they cost one call of C.
        self._names = {_USER}
        self._are_sent = self._names.issuperset

    def of_record(self, record: logging.LogRecord) -> Message | None:
        """The message of a LogRecord, if that is a plain event; None: look closer. Raises no Exception."""
        try:
            if not is_ordinary[record.name]:
                return None
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
        except Exception:  # who looks closer says what is wrong
            return None

    def of_event_dict(self, logger: str, event_dict: Mapping[str, Any]) -> Message | None:
        """The message of a structlog call made just now, likewise."""
        try:
            if not is_ordinary[logger]:
                return None
            extras = dict(event_dict)
            event, track = extras.pop("event", None), extras.pop("track", None)
            return self._message(event if track is True else track, extras, int(time.time()))
        except Exception:  # who looks closer says what is wrong
            return None

    def _message(self, name: Any, extras: dict[str, Any], seconds: int) -> Message | None:
        """The message of a call, from its extras but those that asked for it."""
        if type(name) is not str or not name or name == CREATE_ALIAS:
            return None
        user = extras.get(_USER)
        context = get_contextvars() if copy_context() else None  # mostly there is none: one call of C tells
        if context or type(user) is not str or not user or not user.isascii():
            if not self._settle(extras, context or {}):
                return None
            user = extras.get(_USER)
        if not self._are_sent(extras) or self._properties:
            sent = self._sent(extras)
            if sent is None:
                return None
            extras = sent
        extras["token"] = self._token
        extras["time"] = seconds
        return ready_event(name, extras, user, seconds)

    def _settle(self, extras: dict[str, Any], context: Mapping[str, Any]) -> bool:
        """Find out who it is and where, by the context too; False: look closer."""
        said, ip = extras.get(_USER), context.get("ip")
        if not _CONTEXT_SAYS_MORE.isdisjoint(context) or said == "" or type(said) not in _IDS:
            return False
        user, key = text(said) or text(context.get(_USER)), self._user_key
        if user is None and key is not None:
            user = text(extras.get(key)) or text(context.get(key))
        _put(extras, _USER, user)
        if ip is not None and extras.get("ip", ip) is ip:  # the call says none: `merge_contextvars` put it there
            _put(extras, "ip", text(ip))
        return True

    def _sent(self, extras: dict[str, Any]) -> dict[str, Any] | None:
        """What is sent of extras whose names aren't all known, and what with them; None: look closer."""
        sent, outright = dict(self._properties), {}
        for name, value in extras.items():
            if name in self._names:
                sent[name] = value
            elif name == "properties" and type(value) is dict:
                outright = value
            elif name == "ip" and type(value) is str and value:
                sent[name] = as_text(value)
            # structlog's bridge has the call's own keys in the record's message, and `_logger` among its extras.
            elif _is_odd(name) or name in _SAYS_MORE or name == "_logger":
                return None
            elif IS_EXTRA[name] and self._is_wanted(name):
                sent[name] = value
                if len(self._names) < _KNOWN_NAMES and len(name) < _LONG:
                    self._names.add(name)
        if not SPECIAL.isdisjoint(outright) or any(map(_is_odd, list(outright))):
            return None
        sent.update(outright)
        return sent

    def _is_wanted(self, name: str) -> bool:
        return name not in self._exclude and (self._include is None or name in self._include)


def _put(extras: dict[str, Any], name: str, value: str | None) -> None:
    if value is None:
        extras.pop(name, None)
    else:
        extras[name] = value


def _is_odd(name: Any) -> bool:
    return type(name) is not str or name.startswith(RESERVED_PREFIX)
