"""From what a message should hold to the message, or to the account of why there is none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from robotmia_logging.capture.privacy import Hidden, is_sampled
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
    """Who, when, where: what all messages of one call have in common; what of them is hidden, and the sample."""

    __slots__ = ("hidden", "ignore_time", "ip", "share", "time", "token", "user")

    def __init__(
        self,
        token: str | None,
        user: str | None,
        time: Any,
        ip: str | None,
        ignore_time: bool,
        hidden: Hidden | None,
        share: float,
    ) -> None:
        self.token = token
        self.user = user
        self.time = time
        self.ip = ip
        self.ignore_time = ignore_time
        self.hidden = hidden
        self.share = share

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
    """The user's own word drops the message, or their code failed; `detail` may quote what is in it."""

    def __init__(self, reason: str, error: str, detail: str = "") -> None:
        self.reason = reason
        self.error = error
        self.detail = detail


def seal(endpoint: str, about: About, make: Callable[[], dict[str, Any]], before_send: BeforeSend | None) -> Captured:
    """Make a message, show it to `before_send`, hide what is to be hidden, check and encode it. Raises no Exception."""
    wire: Any = None
    try:
        wire = make()
        if before_send is not None:
            wire = _shown(before_send, wire)
        if about.share < 1 and not is_sampled(_user(wire), about.share):
            return refusal(_sampled_out(), endpoint, about, wire)
        sealed = wire if about.hidden is None else about.hidden.wire(wire)
        return seal_event(sealed) if endpoint == TRACK else seal_update(sealed)
    except Exception as error:
        return refusal(error, endpoint, about, wire)


def refusal(error: Exception, endpoint: str, about: About | None, wire: Any) -> Refusal:
    """The account of a message that failed; its wire a snapshot, for it may be written later."""
    if about is None:
        reason, words, dropped = _verdict(error, is_quoting=True)
        return Refusal(reason, words, endpoint, plain(wire), dropped=dropped)
    if about.share < 1 and not isinstance(error, _Dropped) and not is_sampled(_user(wire) or about.user, about.share):
        error = _sampled_out()
    reason, words, dropped = _verdict(error, is_quoting=about.hidden is None)
    user, wire = about.user, plain(wire)
    if about.hidden is not None:
        user, wire = about.hidden.user(user), about.hidden.wire(wire)
    time = about.time if type(about.time) is int else None
    return Refusal(reason, words, endpoint, wire, user=user, time=time, dropped=dropped)


def _verdict(error: Exception, *, is_quoting: bool) -> tuple[str, str, bool]:
    """The reason, the words for it, and whether the message is dropped rather than a dead letter.

    Args:
        error: what happened.
        is_quoting: whether the words may quote the message.
    """
    if isinstance(error, _Dropped):
        return error.reason, f"{error.error}: {error.detail}" if error.detail and is_quoting else error.error, True
    if isinstance(error, Refused):
        return error.reason, error.error, False
    words = f"it can't be encoded: {type(error).__name__}"
    return "unencodable", f"{words}: {as_text(error)}" if is_quoting else words, False


def _sampled_out() -> _Dropped:
    return _Dropped("sampled", "its user isn't in the sample")


def _user(wire: Any) -> str | None:
    """Whose message it is."""
    if not isinstance(wire, dict):
        return None
    properties = wire.get("properties")
    user = properties.get("distinct_id") if isinstance(properties, dict) else wire.get("$distinct_id")
    return None if user is None else as_text(user) or None


def _shown(before_send: BeforeSend, wire: dict[str, Any]) -> dict[str, Any]:
    """Let the user redact or drop: on a copy of plain values, so that the caller's own objects stay as they are."""
    try:
        changed: Any = before_send(plain(wire))
    except Exception as error:
        raise _Dropped("before_send_error", f"before_send raised {type(error).__name__}", as_text(error)) from None
    if changed is None:
        raise _Dropped("before_send", "before_send returned None")
    if not isinstance(changed, dict):
        raise _Dropped("before_send_error", f"before_send returned {type(changed).__name__}, not a dict or None")
    return changed
