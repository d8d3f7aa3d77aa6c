"""What a line of a log is read as."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from robotmia_logging.capture import Call
from robotmia_logging.capture.fields import MISSING


@dataclass(frozen=True, slots=True)
class Unread:
    """A line that can't be read: why, in words."""

    reason: str


NO_TIME = Unread("no time")
"""When nothing says when it was."""


@dataclass(frozen=True, slots=True)
class Continued:
    """A line that belongs to the one before: of a traceback, or indented."""


class PastCall(Call):
    """A log call as a log tells of it.

    Args:
        logger: the logger's name.
        level: its numeric level.
        template: the message as written where that is known, else the rendered text.
        args: what the template was filled with, as far as that is known.
        extras: fields that were the call's own keys.
        fields: all fields of the line.
        created: when, in seconds since 1970.
        source: the line, parsed or as text.
        text: the message as the log has it; None if it is the template and the arguments that the log has.
    """

    __slots__ = ("text",)

    def __init__(
        self,
        logger: str,
        level: int,
        template: Any,
        args: Any,
        extras: dict[str, Any],
        fields: Mapping[str, Any],
        created: float,
        source: Any,
        text: str | None,
    ) -> None:
        super().__init__(logger, level, template, args, extras, fields, created, source, None)
        self.text = text

    def rendered(self) -> str:
        """The message as the log has it."""
        return super().rendered() if self.text is None else self.text

    def attribute(self, name: str) -> Any:
        """A field of the line, or what a LogRecord would say of it."""
        found = super().attribute(name)
        if found is MISSING and name == "msecs":
            return math.floor(self.created * 1000) % 1000
        return found


Line = Call | Unread | Continued
"""What a line is read as."""
