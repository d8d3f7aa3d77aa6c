"""Revenue: the transactions in a profile."""

from collections.abc import Iterable, Mapping
from typing import Any

from robotmia_logging.sandbox.people.dates import read_time
from robotmia_logging.sandbox.people.numbers import is_number, total

TRANSACTIONS = "$transactions"

Transaction = dict[str, Any]


def transactions(properties: Mapping[str, Any]) -> list[Transaction]:
    """The transactions by time, as they were sent; those whose time can't be read come last, in their order."""
    found = properties.get(TRANSACTIONS)
    items = [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []
    return sorted(items, key=_place)


def revenue(items: Iterable[Transaction]) -> float:
    """The sum of the amounts; what is no number counts for nothing."""
    return total(item["$amount"] for item in items if is_number(item.get("$amount")))


def _place(item: Transaction) -> tuple[bool, float]:
    time_s = read_time(item.get("$time"))
    return time_s is None, time_s or 0.0
