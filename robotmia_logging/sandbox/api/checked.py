"""What the rules read from a message that they let pass."""

from dataclasses import dataclass, field


@dataclass(slots=True, kw_only=True)
class Checked:
    """A message that is accepted.

    Attributes:
        event: the event's name, or the update's operation.
        user: the distinct_id, if any.
        time: the time it gives itself, in unix seconds, if any.
        ip: the address it gives itself, if any; an update's "0" means that none counts.
        alias: the new id of a `$create_alias`.
        warnings: what the document advises against, a sentence each.
    """

    event: str
    user: str | None = None
    time: float | None = None
    ip: str | None = None
    alias: str | None = None
    warnings: list[str] = field(default_factory=list)
