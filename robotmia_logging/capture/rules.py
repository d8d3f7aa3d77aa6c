"""Rules: log calls that already exist, tracked by configuration alone.

For a record, the rules that concern its logger are looked up once and kept;
of those, the ones that name a message are found by a look-up of the template.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from robotmia_logging.capture.call import Call
from robotmia_logging.capture.fields import MISSING, Value

_KNOWN_LOGGERS = 10_000
"""Logger names kept; a program that makes more of them pays for the look-up again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule, compiled. Values are filled in for a call by `fields`."""

    position: int
    track: bool
    logger: str | None
    level: int
    message: str | None
    event: Value | None
    distinct_id: Value | None
    properties: Mapping[str, Value]
    profile: Value | None


@dataclass(frozen=True, slots=True)
class _Concerned:
    """The rules that concern a logger: found by the message, and those that take any."""

    level: int
    by_message: Mapping[str, tuple[Rule, ...]]
    any_message: tuple[Rule, ...]


class Rules:
    """All rules of a door. First match wins."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._rules = tuple(rules)
        self._known: dict[str, _Concerned | None] = {}

    def __len__(self) -> int:
        return len(self._rules)

    def concern(self, logger: str, level: int, template: Any) -> bool:
        """Whether a rule could match such a call: a few look-ups, for most records a quick no."""
        concerned = self._concerned(logger)
        if concerned is None or level < concerned.level:
            return False
        return bool(concerned.any_message) or (type(template) is str and template in concerned.by_message)

    def match(self, call: Call) -> Rule | None:
        """The first rule that matches the call, or None."""
        concerned = self._concerned(call.logger)
        if concerned is None or call.level < concerned.level:
            return None
        found = _first(concerned.any_message, call.level)
        if concerned.by_message and type(call.template) is str:
            named = _first(concerned.by_message.get(call.template, ()), call.level)
            if found is None or (named is not None and named.position < found.position):
                found = named
        return found

    def _concerned(self, logger: str) -> _Concerned | None:
        try:
            return self._known[logger]
        except KeyError:
            pass
        if len(self._known) >= _KNOWN_LOGGERS:
            self._known.clear()
        self._known[logger] = concerned = self._look(logger)
        return concerned

    def _look(self, logger: str) -> _Concerned | None:
        concerned = [rule for rule in self._rules if _is_below(logger, rule.logger)]
        if not concerned:
            return None
        by_message: dict[str, tuple[Rule, ...]] = {}
        for rule in concerned:
            if rule.message is not None:
                by_message[rule.message] = (*by_message.get(rule.message, ()), rule)
        return _Concerned(
            min(rule.level for rule in concerned),
            by_message,
            tuple(rule for rule in concerned if rule.message is None),
        )


def _is_below(logger: Any, parent: str | None) -> bool:
    if parent is None or logger == parent:
        return True
    return isinstance(logger, str) and logger.startswith(parent + ".")


def _first(rules: Iterable[Rule], level: int) -> Rule | None:
    for rule in rules:
        if level >= rule.level:
            return rule
    return None


def fill(value: Value | None, call: Call, context: Mapping[str, Any]) -> Any:
    """A rule's value for this call; MISSING if it has none, or if one of its fields isn't there."""
    if value is None:
        return MISSING
    return value(lambda field: find(field, call, context))


def find(field: str, call: Call, context: Mapping[str, Any]) -> Any:
    """Look a field up: in the call's arguments, its extras, the context, then the record's attributes."""
    try:
        if field.isdigit():
            return _argument(call.args, int(field))
        for place in (call.args, call.extras, context):
            if isinstance(place, Mapping) and field in place:
                return place[field]
        return call.attribute(field)
    except Exception:  # a mapping that raises
        return MISSING


def _argument(args: Any, position: int) -> Any:
    return args[position] if isinstance(args, tuple) and position < len(args) else MISSING
