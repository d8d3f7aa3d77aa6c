"""What a rule gives for one call: its values, filled in."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

from robotmia_logging.capture.call import Call
from robotmia_logging.capture.fields import MISSING, Value
from robotmia_logging.capture.rules import Match, Rule
from robotmia_logging.messages import OPERATIONS, as_text

_USER = "distinct_id"
_WHOLE = re.compile(r"\s*[+-]?[0-9]+\s*")
_DECIMAL = re.compile(r"\s*[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?\s*")
_LONGEST_NUMBER = 300


class Filling:
    """A rule's values for one call.

    Args:
        match: the rule, and what it found in the rendered text.
        call: the call.
        context: what is bound in structlog's context.

    Attributes:
        rule: the rule.
    """

    __slots__ = ("_call", "_context", "_found", "rule")

    def __init__(self, match: Match, call: Call, context: Mapping[str, Any]) -> None:
        self.rule: Rule = match.rule
        self._found = match.found
        self._call = call
        self._context = context

    def event(self) -> str | None:
        """The event's name; None if the rule only updates profiles."""
        name = self._filled(self.rule.event)
        if name is not MISSING:
            return as_text(name)
        if self.rule.name is not None:
            return self.rule.name  # a field is missing: that shows, and it is one name, not one for each call
        if self.rule.profile is not None:
            return None
        if self.rule.message is not None:
            return self.rule.message  # not the call's: a past log holds the rendered text in its place
        return as_text(self._call.template if self.rule.pattern is None else self._call.rendered())

    def user(self) -> Any:
        """The user, of whatever type; MISSING if the rule names none."""
        if self.rule.distinct_id is None and self.rule.pattern is not None:
            return self._found.get(_USER, MISSING)
        return self._filled(self.rule.distinct_id)

    def profile(self) -> Any:
        """The profile's operations; MISSING if the rule has none, or none of their fields is there."""
        profile = self._filled(self.rule.profile)
        if profile is MISSING:
            return MISSING
        filled = {name: value for name, value in profile.items() if name not in OPERATIONS or value not in ({}, [])}
        return filled or MISSING

    def properties(self, exclude: frozenset[str]) -> Iterator[tuple[str, Any]]:
        """The event's properties: named groups, the extras that the rule includes, then its own properties.

        Args:
            exclude: names of groups and extras that are kept back.
        """
        exclude |= self.rule.privacy.exclude
        include = self.rule.privacy.include
        if self.rule.pattern is not None:
            for name in self._groups():
                if name not in exclude and (include is None or name in include):
                    yield name, self.find(name)
        for name in (include or frozenset()) - exclude:
            place = next((place for place in (self._call.extras, self._context) if name in place), None)
            if place is not None and (self.rule.pattern is None or name not in self._found):
                yield name, place[name]
        for name, value in self.rule.properties.items():
            filled = self._filled(value)
            if filled is not MISSING:
                yield name, filled

    def _groups(self) -> Iterator[str]:
        """The named groups that can be properties: not the user's, if the rule names another one."""
        return (name for name in self._found if name != _USER or self.rule.distinct_id is None)

    def missing(self) -> list[str]:
        """The fields that aren't there, of all the rule's values."""
        missed: dict[str, None] = {}

        def look(field: str) -> Any:
            found = self.find(field)
            if found is MISSING:
                missed[field] = None
            return found

        rule = self.rule
        for value in (rule.event, rule.distinct_id, *rule.properties.values(), rule.profile):
            if value is not None:
                value(look)
        return list(missed)

    def find(self, field: str) -> Any:
        """Look a field up: in the regex's groups, the arguments, the extras, the context, the record's attributes."""
        value = self._look(field)
        return _number(value) if field in self.rule.numbers and isinstance(value, str) else value

    def _look(self, field: str) -> Any:
        call = self._call
        try:
            if field in self._found:
                return self._found[field]
            if field.isdigit():
                return _argument(call.args, int(field))
            for place in (call.args, call.extras, self._context):
                if isinstance(place, Mapping) and field in place:
                    return place[field]
            return call.attribute(field)
        except Exception:  # a mapping that raises
            return MISSING

    def _filled(self, value: Value | None) -> Any:
        return MISSING if value is None else value(self.find)


def _argument(args: Any, position: int) -> Any:
    return args[position] if isinstance(args, tuple) and position < len(args) else MISSING


def _number(text: str) -> Any:
    """A text as the number that it says; as it is if it says none that JSON has."""
    if len(text) <= _LONGEST_NUMBER and _WHOLE.fullmatch(text):
        return int(text)
    if len(text) <= _LONGEST_NUMBER and _DECIMAL.fullmatch(text) and math.isfinite(number := float(text)):
        return number
    return text
