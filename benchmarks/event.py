"""The event that every contestant sends: six extras, one of a thousand users."""

from __future__ import annotations

from typing import Any

NAME = "Signed Up"
EXTRAS: dict[str, Any] = {
    "plan": "pro",
    "amount": 25.34,
    "seats": 3,
    "trial": False,
    "source": "newsletter",
    "distinct_id": "13793",
}
USERS = 1000
BATCH = 50

# Made beforehand: what a contestant costs is measured, not what it costs to write its arguments down.
UNTRACKED = [{**EXTRAS, "distinct_id": str(user)} for user in range(USERS)]
TRACKED = [{**extras, "track": True} for extras in UNTRACKED]
PROPERTIES = [{name: value for name, value in EXTRAS.items() if name != "distinct_id"} for _ in range(USERS)]
IDS = [extras["distinct_id"] for extras in UNTRACKED]


def rules(count: int) -> list[dict[str, Any]]:
    """So many rules, of which none matches the event."""
    return [{"message": f"message {number}: %s"} for number in range(count)]
