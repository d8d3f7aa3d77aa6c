"""What of a door's options decides how messages are delivered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from os import PathLike
from typing import Literal

from robotmia_logging.messages import DEFAULT_URL, MAX_BATCH

Overflow = Literal["drop_oldest", "drop_newest", "block"]
OnAmbiguous = Literal["resend", "dead_letter"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliverySettings:
    """Options of delivery; the README's table of options has each one's meaning. Times are in seconds."""

    url: str = DEFAULT_URL
    capacity: int = MAX_BATCH
    flush_interval: float = 2.0
    max_pending: int = 100_000
    max_pending_bytes: int = 64 * 1024 * 1024
    overflow: Overflow = "drop_oldest"
    block_timeout: float = 1.0
    senders: int = 8
    timeout: tuple[float, float] = (3.05, 10.0)
    shutdown_timeout: float = 5.0
    spool: str | PathLike[str] | None = None
    spool_max_bytes: int = 1024 * 1024 * 1024
    spool_fsync: float | None = None
    dead_letters: str | PathLike[str] | None = None
    on_ambiguous: OnAmbiguous = "resend"
    import_auth: Mapping[str, str] = field(default_factory=dict, repr=False)
    request_ip: bool = False
