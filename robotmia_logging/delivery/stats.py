"""The account of every message."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Stats:
    """What became of the messages so far: `accepted == delivered + pending + dropped + dead_lettered`, summed.

    Attributes:
        accepted: messages asked for by log calls, those then refused or dropped included.
        delivered: messages that the server said it took.
        pending: messages that wait or are being sent.
        dropped: messages dropped, by reason (`overflow`, `sampled`, `before_send`, `before_send_error`).
        dead_lettered: messages that can't be delivered, by reason.
        retries: requests sent again.
        requests: requests made.
        bytes_sent: bytes of their bodies.
        rendered: values without a JSON form, rendered as text.
        last_error: the latest trouble in delivery, in words.
        last_delivery: when a batch was last delivered, in seconds since 1970.
        rules: how many log calls each of the door's rules matched, by its name (``"rules.toml: rule[2]"``).
    """

    accepted: int = 0
    delivered: int = 0
    pending: int = 0
    dropped: Mapping[str, int] = field(default_factory=dict)
    dead_lettered: Mapping[str, int] = field(default_factory=dict)
    retries: int = 0
    requests: int = 0
    bytes_sent: int = 0
    rendered: int = 0
    last_error: str | None = None
    last_delivery: float | None = None
    rules: Mapping[str, int] = field(default_factory=dict)


class Counters:
    """The numbers behind `Stats`, changed only under the delivery's lock."""

    def __init__(self) -> None:
        self.accepted = 0
        self.delivered = 0
        self.dropped: Counter[str] = Counter()
        self.dead_lettered: Counter[str] = Counter()
        self.retries = 0
        self.requests = 0
        self.bytes_sent = 0
        self.rendered = 0
        self.last_error: str | None = None
        self.last_delivery: float | None = None

    def snapshot(self, pending: int) -> Stats:
        """The numbers as they stand."""
        return Stats(
            accepted=self.accepted,
            delivered=self.delivered,
            pending=pending,
            dropped=dict(self.dropped),
            dead_lettered=dict(self.dead_lettered),
            retries=self.retries,
            requests=self.requests,
            bytes_sent=self.bytes_sent,
            rendered=self.rendered,
            last_error=self.last_error,
            last_delivery=self.last_delivery,
        )
