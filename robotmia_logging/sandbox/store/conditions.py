"""Filters as SQL."""

from typing import Any

from robotmia_logging.sandbox.store.records import Filters

_SEARCHED = ("event", "user", "body", "error")


def condition(filters: Filters, user: str | None) -> tuple[str, dict[str, Any]]:
    """The condition that entries meet which the filters let through, all but `limit`.

    Args:
        filters: what is asked for.
        user: what its distinct_id stands for.

    Returns:
        SQL over the columns of `entries`, and its parameters by name.
    """
    terms = ["1"]
    values: dict[str, Any] = {}
    for name, term, value in (
        ("event", "event = :event", filters.event),
        ("user", "user = :user", user),
        ("endpoint", "endpoint = :endpoint", filters.endpoint),
        ("since", "arrived >= :since", filters.since),
        ("after", "id > :after", filters.after),
        ("before", "id < :before", filters.before),
    ):
        if value is not None:
            terms.append(term)
            values[name] = value
    if filters.refused is not None:
        terms.append("error IS NOT NULL" if filters.refused else "error IS NULL")
    if filters.warned:
        terms.append("warnings IS NOT NULL")
    if filters.search:
        term, values["search"] = _search(filters.search)
        terms.append(term)
    return " AND ".join(terms), values


def _search(text: str) -> tuple[str, str]:
    """`LIKE` would need escapes, stops at NUL, and limits the length of what is looked for."""
    # SQLite's lower() knows ASCII alone, and is several times as fast as a function of ours.
    found = "instr(lower({}), :search)" if text.isascii() else "holds({}, :search)"
    wanted = text.lower() if text.isascii() else text.casefold()
    return f"({' OR '.join(found.format(column) for column in _SEARCHED)})", wanted
