"""The errors a user can meet. All of them come from configuring; a log call raises none."""

from __future__ import annotations

__all__ = ["ConfigurationError", "RobotmiaError"]


class RobotmiaError(Exception):
    """The base of every error this package raises."""


class ConfigurationError(RobotmiaError, ValueError):
    """An option or a rule that can't be used.

    Attributes:
        option: the option's name as the user spelt it (``"capacity"``, ``"rules[2].level"``).
        value: what was given.
        allowed: what would be accepted, in words.
    """

    def __init__(self, option: str, value: object, allowed: str) -> None:
        super().__init__(option, value, allowed)
        self.option = option
        self.value = value
        self.allowed = allowed

    def __str__(self) -> str:
        return f"robotmia_logging: {self.option} is {_shown(self.value)}: {self.allowed}"


def _shown(value: object, limit: int = 100) -> str:
    try:
        text = repr(value)
    except Exception:
        text = f"<{type(value).__name__}>"
    return text if len(text) <= limit else text[: limit - 3] + "..."
