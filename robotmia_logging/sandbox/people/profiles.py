"""What a profile is: its updates, applied one after another."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from robotmia_logging.sandbox.people.dates import as_date
from robotmia_logging.sandbox.people.operations import CREATE, SEEN_BY, State, operate, properties

LAST_SEEN = "Last Seen"


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """An accepted update.

    Attributes:
        operation: one of the eight.
        value: what the operation was given.
        arrived: when, in unix seconds.
        ip: the address that counts, if any.
        ignore_time: whether Last Seen stays as it is.
    """

    operation: str
    value: Any
    arrived: float
    ip: str | None = None
    ignore_time: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A profile.

    Attributes:
        properties: its properties.
        last_seen: when an update last showed its user, in unix seconds.
        ip: the address of the last update that had one.
    """

    properties: dict[str, Any]
    last_seen: float | None = None
    ip: str | None = None


def fold(profile: Profile | None, updates: Iterable[Update]) -> Profile | None:
    """Apply updates in the order given, which is the caller's business.

    Args:
        profile: what there is so far, if anything; it isn't changed.
        updates: what to apply to it.

    Returns:
        The profile, or None when no update created one or the last word was `$delete`.
    """
    state: State | None = None if profile is None else dict(profile.properties)
    seen, ip = (None, None) if profile is None else (profile.last_seen, profile.ip)
    for update in updates:
        if update.operation == "$delete" or (state is None and update.operation not in CREATE):
            state, seen, ip = None, None, None
            continue
        state = {} if state is None else state
        operate(state, update.operation, update.value)
        ip = update.ip or ip
        if update.operation in SEEN_BY and not update.ignore_time:
            # The current time, not $time: an old update that arrives late is still news of the user,
            # and an update applied later because of its $time doesn't take the property back.
            seen = update.arrived if seen is None else max(update.arrived, seen)
            state[LAST_SEEN] = as_date(seen)
    return None if state is None else Profile(properties=properties(state), last_seen=seen, ip=ip)
