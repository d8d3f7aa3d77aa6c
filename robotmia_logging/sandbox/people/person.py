"""A user as the sandbox shows one: the profile, the aliases, the revenue, the events."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from robotmia_logging.sandbox.people.dates import as_date, is_date
from robotmia_logging.sandbox.people.profiles import Profile
from robotmia_logging.sandbox.people.revenue import revenue, transactions


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """All that is known of a user.

    Attributes:
        distinct_id: the original id.
        aliases: the ids that stand for it, in the order they were given.
        properties: of the profile; empty without one.
        dates: the names of the properties that robotmia takes for dates.
        ip: the address of the last update, by time, that had one.
        last_seen: the date an update last showed the user, if any did.
        revenue: the sum of the transactions' amounts.
        transactions: by time, as they were sent.
        events: the activity feed, by the time they occurred, as they were sent; empty in a list of users.
        event_count: how many events there are.
    """

    distinct_id: str
    aliases: list[str]
    properties: dict[str, Any]
    dates: list[str]
    ip: str | None
    last_seen: str | None
    revenue: float
    transactions: list[dict[str, Any]]
    events: list[dict[str, Any]]
    event_count: int


def compose(
    distinct_id: str,
    profile: Profile | None,
    aliases: list[str],
    events: Sequence[dict[str, Any]],
    event_count: int,
) -> Person | None:
    """Put together what is known of a user; None when nothing is."""
    if profile is None and not aliases and not event_count:
        return None
    shown = profile or Profile(properties={})
    bought = transactions(shown.properties)
    return Person(
        distinct_id=distinct_id,
        aliases=aliases,
        properties=shown.properties,
        dates=[name for name, value in shown.properties.items() if is_date(value)],
        ip=shown.ip,
        last_seen=None if shown.last_seen is None else as_date(shown.last_seen),
        revenue=revenue(bought),
        transactions=bought,
        events=list(events),
        event_count=event_count,
    )
