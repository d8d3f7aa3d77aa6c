"""What goes into the store and what comes out of it."""

from dataclasses import dataclass
from typing import Any, Literal

Endpoint = Literal["track", "import", "engage"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """A request as it came in.

    Attributes:
        endpoint: which of robotmia's endpoints.
        arrived: when, in unix seconds.
        method: GET or POST.
        target: path and query as sent, without `data` (it may be long, and has a place of its own).
        client_ip: the address it came from.
        user_agent: what the client calls itself; empty when it doesn't.
        data: the Base64 text as sent, unless it was too long to keep: then its beginning.
        data_size: how many characters `data` had.
    """

    endpoint: Endpoint
    arrived: float
    method: str = "POST"
    target: str = ""
    client_ip: str | None = None
    user_agent: str = ""
    data: str = ""
    data_size: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """A message to be stored.

    Attributes:
        message: as it was sent.
        event: the event's name, or the update's operation.
        user: the distinct_id as sent (the request's address with ip=1), or None.
        time: when it happened, in unix seconds (read as what it means when it was sent in milliseconds);
            the whole second of its arrival when it doesn't say.
        ip: the address that counts, if any.
        alias: the new id of a `$create_alias`.
        warnings: what was accepted although the document advises against it, a sentence each.
    """

    message: dict[str, Any]
    event: str
    user: str | None
    time: float
    ip: str | None = None
    alias: str | None = None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """A refused request: why, and what could be read of it.

    Attributes:
        error: the sentence that a verbose answer gives.
        what: `{"messages": [...]}`, or `{"data": "..."}` when no messages could be read.
        event: of the message at fault, when it has one: the event's name or the operation.
        user: of the message at fault, when it has one.
    """

    error: str
    what: dict[str, Any]
    event: str | None = None
    user: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An accepted message or a refused request, as the store keeps it.

    Attributes:
        id: its number in arrival order; accepted and refused share one sequence.
        endpoint: where it was sent.
        arrived: unix seconds.
        time: when it happened, in unix seconds; of a refusal, when it arrived.
        event: the event's name or the update's operation; None when a refusal has none.
        distinct_id: the user it landed on, aliases resolved when it was stored.
        ip: the address that counts, if any.
        warnings: a sentence each.
        error: why it was refused; None when it was accepted.
        body: the message; of a refusal `{"messages": [...]}` or `{"data": "..."}`.
        position: which message of its request, from 0.
    """

    id: int
    endpoint: Endpoint
    arrived: float
    time: float
    event: str | None
    distinct_id: str | None
    ip: str | None
    warnings: tuple[str, ...]
    error: str | None
    body: dict[str, Any]
    position: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """Which entries are asked for: those that all given filters let through, in arrival order.

    Attributes:
        event: this event's name or operation.
        distinct_id: this user; an alias stands for its original.
        endpoint: this endpoint.
        since: arrived at this time or later, in unix seconds.
        limit: the newest so many (still in arrival order).
        refused: True: refusals alone; False: accepted messages alone; None: both.
        warned: only messages with warnings.
        search: this text, in any case, somewhere in the event's name, the user, the body or the error.
        after: ids above this one.
        before: ids below this one.
    """

    event: str | None = None
    distinct_id: str | None = None
    endpoint: Endpoint | None = None
    since: float | None = None
    limit: int | None = None
    refused: bool | None = None
    warned: bool = False
    search: str = ""
    after: int | None = None
    before: int | None = None
