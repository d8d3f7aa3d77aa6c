"""The read side's view of one user: the profile, the events, the aliases."""

from operator import itemgetter
from typing import Any

from robotmia_logging.sandbox.aliases import Aliases
from robotmia_logging.sandbox.profiles import Update, as_date, fold
from robotmia_logging.sandbox.store import Message, Store


def person(store: Store, user: str) -> dict[str, Any] | None:
    """All that is known of a user.

    Args:
        store: where to look.
        user: a distinct_id; an alias stands for its original.

    Returns:
        The user's original id, properties, events (as sent, in the order they occurred), aliases and the
        date an update last showed the user; None for an id without profile, events or aliases.
    """
    aliases = Aliases(store.aliases())
    original = aliases.original(user)
    others = aliases.of(original)
    messages = store.messages_of([original, *others])
    profile = fold(
        Update(message=sent.message, arrived=sent.arrived, number=sent.id)
        for sent in messages
        if sent.endpoint == "engage"
    )
    events = _events(messages)
    if profile is None and not events and not others:
        return None
    seen = profile.last_seen if profile else None
    return {
        "distinct_id": original,
        "properties": profile.properties if profile else {},
        "events": events,
        "aliases": others,
        "last_seen": None if seen is None else as_date(seen),
    }


def _events(messages: list[Message]) -> list[dict[str, Any]]:
    """By the time they occurred; sorting is stable, so ties stay in arrival order."""
    timed = [
        (sent.message["properties"].get("time", sent.arrived), sent.message)
        for sent in messages
        if sent.endpoint != "engage"
    ]
    return [message for _, message in sorted(timed, key=itemgetter(0))]
