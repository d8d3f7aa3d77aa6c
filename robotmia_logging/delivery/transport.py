"""The seam to the network: a parcel in, an outcome out.

Delivery knows no more of the wire than this. Behind it stand HTTP, the fakes of the tests, one day a broker.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import NamedTuple, Protocol


class Verdict(Enum):
    """What became of a parcel."""

    DELIVERED = "delivered"
    REFUSED = "refused"
    """The server read it and refuses it whole: one message of it is bad."""
    TOO_LARGE = "too_large"
    REJECTED = "rejected"
    """Sending it again won't help: wrong credentials, no such endpoint."""
    FAILED = "failed"
    """It may go through later."""


class Parcel(NamedTuple):
    """At most 50 messages for one endpoint of the API.

    Attributes:
        path: ``"track"``, ``"import"`` or ``"engage"``.
        bodies: the messages, each a JSON object.
        located: all of them are profile updates that carry their own `$ip`.
        within_s: how long the request may take at most, where less than the timeouts allow.
    """

    path: str
    bodies: Sequence[bytes]
    located: bool = False
    within_s: float | None = None


class Outcome(NamedTuple):
    """What became of a parcel, and what to know for the next step.

    Attributes:
        verdict: see `Verdict`.
        error: the server's words, or what went wrong; empty on success.
        retry_after_s: how long the server asks us to wait, if it does.
        ambiguous: the reply was lost: the server may have taken the parcel.
        stale: a kept-alive connection broke before the reply began; a new one is worth an immediate try.
        bytes_sent: the size of the request's body, 0 if no connection was made.
    """

    verdict: Verdict
    error: str = ""
    retry_after_s: float | None = None
    ambiguous: bool = False
    stale: bool = False
    bytes_sent: int = 0


class Transport(Protocol):
    """Carries parcels. Each sender has its own; none is used by two threads at once."""

    def send(self, parcel: Parcel) -> Outcome:
        """Carry a parcel and say what became of it. Never raises an Exception."""
        ...

    def close(self) -> None:
        """Let go of connections. The transport may be used again."""
        ...

    def abandon(self) -> None:
        """In a forked child: close inherited descriptors without a word on the parent's connections."""
        ...
