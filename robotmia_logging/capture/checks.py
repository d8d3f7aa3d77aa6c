"""What values are allowed where options of a door and keys of a rule have the same."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import Any

from robotmia_logging.capture.privacy import NOT_HASHED
from robotmia_logging.errors import ConfigurationError


def level_number(where: str, value: Any) -> int:
    """A level's number from its number or name.

    Raises:
        ConfigurationError: no such level.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    number = logging.getLevelName(value.upper()) if isinstance(value, str) else None
    if not isinstance(number, int):
        raise ConfigurationError(where, value, "give a level's name (DEBUG, INFO, WARNING, ERROR, CRITICAL) or number")
    return number


def names(where: str, value: Any) -> frozenset[str]:
    """Names from a list of them.

    Raises:
        ConfigurationError: it is no list, or not of names.
    """
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise ConfigurationError(where, value, "give a list of names")
    listed = list(value)
    if not all(isinstance(name, str) for name in listed):
        raise ConfigurationError(where, value, "give a list of names, all of them strings")
    return frozenset(listed)


def hashed_names(where: str, value: Any) -> frozenset[str]:
    """Names whose values can be sent hashed.

    Raises:
        ConfigurationError: robotmia needs one of them as it is.
    """
    listed = frozenset("distinct_id" if name == "$distinct_id" else name for name in names(where, value))
    for name in sorted(listed & NOT_HASHED):
        raise ConfigurationError(
            where, value, f"robotmia reads {name!r} itself: hash names of properties, or distinct_id"
        )
    return listed


def share(where: str, value: Any) -> float:
    """A share of users.

    Raises:
        ConfigurationError: it isn't between 0 and 1.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1:
        raise ConfigurationError(where, value, "give the share of users to track, from 0 to 1")
    return float(value)


PRIVACY: dict[str, Callable[[str, Any], Any]] = {
    "include": names,
    "exclude": names,
    "hash": hashed_names,
    "sample": share,
}
"""Keys that a door has as options, too."""
