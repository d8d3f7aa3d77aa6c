"""Counts what a scan found."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from robotmia_logging.scan.calls import LogCall


@dataclass(slots=True)
class Counts:
    """What a scan found, in numbers.

    Attributes:
        files: how many were to be scanned.
        problems: what of it couldn't be.
        calls: log calls.
        kinds: those by the kind of their templates.
        no_logger: those whose logger isn't known.
        no_level: those whose level isn't.
        no_template: those whose template isn't.
    """

    files: int = 0
    problems: int = 0
    calls: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    no_logger: int = 0
    no_level: int = 0
    no_template: int = 0

    def add(self, call: LogCall) -> None:
        """Another call."""
        self.calls += 1
        self.kinds[call.template.kind] += 1
        self.no_logger += call.logger is None
        self.no_level += call.level is None
        self.no_template += not call.template.is_resolved
