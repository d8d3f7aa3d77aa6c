"""Loggers of our own, and of what carries our requests: what they log must not feed itself."""

from __future__ import annotations

OWN_LOGGER = "robotmia_logging"
_CARRIERS = frozenset({"urllib3", "requests"})
_KNOWN_LOGGERS = 10_000


def is_own(logger: str) -> bool:
    """Whether it is our own logger, which is never tracked."""
    return logger.startswith(OWN_LOGGER) and logger[len(OWN_LOGGER) :][:1] in ("", ".")


def is_carrier(logger: str) -> bool:
    """Whether it is a logger of what carries our requests."""
    return logger.partition(".")[0] in _CARRIERS


class _IsOrdinary(dict[str, bool]):
    def __missing__(self, logger: str) -> bool:
        ordinary = type(logger) is str and not is_own(logger) and not is_carrier(logger)
        if len(self) < _KNOWN_LOGGERS:
            self[logger] = ordinary
        return ordinary


is_ordinary = _IsOrdinary()
"""Whether a logger is neither, by its name; remembered."""
