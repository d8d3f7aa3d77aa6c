"""What travels: a message as bytes, or the account of one that was refused."""

from __future__ import annotations

from typing import Any

TRACK = "track"
ENGAGE = "engage"


class Refused(Exception):  # noqa: N818  (not an error of the user's program: the API would say no)
    """The API would refuse this message.

    Attributes:
        reason: a short name to count by, such as ``"no_distinct_id"``.
        error: the reason in a sentence.
    """

    def __init__(self, reason: str, error: str) -> None:
        super().__init__(reason, error)
        self.reason = reason
        self.error = error

    def __str__(self) -> str:
        return self.error


class Message:
    """One message, encoded: a true snapshot of what the log call said.

    A plain slotted class, not a dataclass: one is made for every tracked log call.

    Attributes:
        endpoint: ``"track"`` or ``"engage"``; `/import/` is chosen when the message is sent.
        user: the distinct id, whose messages keep their order; None if the event has none.
        time: when it happened, in seconds since 1970.
        body: the JSON object, as UTF-8.
        alias: for `$create_alias` the new id, else None: nothing of either id may overtake it.
        repeatable: whether sending it twice does no harm beyond a second event (not `$add`, `$append`).
        located: whether a profile update carries its own `$ip`.
        rendered: how many values had no JSON form and were rendered as text.
        seq: its place in the order of arrival, given by the buffer.
        place: where the spool keeps it, given by the spool; None if it is in memory only.
    """

    __slots__ = ("alias", "body", "endpoint", "located", "place", "rendered", "repeatable", "seq", "time", "user")

    def __init__(
        self,
        endpoint: str,
        user: str | None,
        time: int,
        body: bytes,
        alias: str | None = None,
        repeatable: bool = True,
        located: bool = False,
        rendered: int = 0,
    ) -> None:
        self.endpoint = endpoint
        self.user = user
        self.time = time
        self.body = body
        self.alias = alias
        self.repeatable = repeatable
        self.located = located
        self.rendered = rendered
        self.seq = 0
        self.place: Any = None

    def __repr__(self) -> str:
        return f"<Message {self.endpoint} user={self.user!r} time={self.time} {len(self.body)} bytes>"


class Refusal:
    """A message that never left the log call: refused (a dead letter) or dropped, and why.

    Attributes:
        reason: the name it is counted under.
        error: the reason in a sentence.
        dropped: True if it was dropped on the user's own word (`before_send`), False for a dead letter.
        endpoint: ``"track"`` or ``"engage"``.
        user: the distinct id, if it was known.
        time: when it happened, in seconds since 1970; None if that is what was wrong.
        wire: the message as it stood, any Python values in it.
        place: where the spool keeps it, given by the spool; None if it is in memory only.
    """

    __slots__ = ("dropped", "endpoint", "error", "place", "reason", "time", "user", "wire")

    def __init__(
        self,
        reason: str,
        error: str,
        endpoint: str,
        wire: Any = None,
        *,
        user: str | None = None,
        time: int | None = None,
        dropped: bool = False,
    ) -> None:
        self.reason = reason
        self.error = error
        self.endpoint = endpoint
        self.wire = wire
        self.user = user
        self.time = time
        self.dropped = dropped
        self.place: Any = None

    def __repr__(self) -> str:
        return f"<Refusal {self.reason}: {self.error}>"
