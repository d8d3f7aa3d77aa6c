"""From what a message should hold to the message, or to the account of why there is none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from robotmia_logging.capture.privacy import Hidden
from robotmia_logging.messages import (
    TRACK,
    Message,
    Refusal,
    Refused,
    as_text,
    plain,
    seal_event,
    seal_update,
)

Captured = Message | Refusal
BeforeSend = Callable[[dict[str, Any]], "dict[str, Any] | None"]


class About:
    """Who, when, where: what all messages of one call share; and what of them is hidden."""

    __slots__ = ("hidden", "ignore_time", "ip", "time", "token", "user")

    def __init__(
        self,
        token: str | None,
        user: str | None,
        time: Any,
        ip: str | None,
        ignore_time: bool,
        hidden: Hidden | None,
    ) -> None:
        self.token = token
        self.user = user
        self.time = time
        self.ip = ip
        self.ignore_time = ignore_time
        self.hidden = hidden

    def update(self, content: dict[Any, Any]) -> dict[str, Any]:
        """A profile update as it stands on the wire, with its operation as content."""
        wire: dict[str, Any] = {"$token": self.token, "$distinct_id": self.user, "$time": self.time}
        if self.ip is not None:
            wire["$ip"] = self.ip
        if self.ignore_time:
            wire["$ignore_time"] = True
        wire.update(content)
        return wire


class _Dropped(Exception):  # noqa: N818  (a verdict, not an error)
    """`before_send` dropped the message, or failed."""

    def __init__(self, reason: str, error: str) -> None:
        self.reason = reason
        self.error = error


def seal(endpoint: str, about: About, make: Callable[[], dict[str, Any]], before_send: BeforeSend | None) -> Captured:
    """Make a message, show it to `before_send`, hide what is to be hidden, check and encode it. Raises no Exception."""
    wire: Any = None
    try:
        wire = make()
        if before_send is not None:
            wire = _shown(before_send, wire)
        sealed = wire if about.hidden is None else about.hidden.wire(wire)
        return seal_event(sealed) if endpoint == TRACK else seal_update(sealed)
    except Exception as error:
        return refusal(error, endpoint, about, wire)


def refusal(error: Exception, endpoint: str, about: About | None, wire: Any) -> Refusal:
    """The account of a message that failed; its wire a snapshot, for it may be written later."""
    reason, words, dropped = "unencodable", f"it can't be encoded: {type(error).__name__}: {as_text(error)}", False
    if isinstance(error, (_Dropped, Refused)):
        reason, words, dropped = error.reason, error.error, isinstance(error, _Dropped)
    user, time = (None, None) if about is None else (about.user, about.time)
    if type(time) is not int:
        time = None
    wire = plain(wire)
    if about is not None and about.hidden is not None:
        user, wire = about.hidden.user(user), about.hidden.wire(wire)
    return Refusal(reason, words, endpoint, wire, user=user, time=time, dropped=dropped)


def sampled_out(endpoint: str, about: About, _make: Callable[[], dict[str, Any]]) -> Refusal:
    """The account of a message whose user isn't in the sample."""
    return refusal(_Dropped("sampled", "its user isn't in the sample"), endpoint, about, None)


def _shown(before_send: BeforeSend, wire: dict[str, Any]) -> dict[str, Any]:
    """Let the user redact or drop: on a copy of plain values, so that the caller's own objects stay as they are."""
    try:
        changed: Any = before_send(plain(wire))
    except Exception as error:
        raise _Dropped("before_send_error", f"before_send raised {type(error).__name__}: {as_text(error)}") from None
    if changed is None:
        raise _Dropped("before_send", "before_send returned None")
    if not isinstance(changed, dict):
        raise _Dropped("before_send_error", f"before_send returned {type(changed).__name__}, not a dict or None")
    return changed
