"""Rules: log calls that already exist, tracked by configuration alone.

A rule is checked when configured. For a record, the rules that concern its logger are looked up once and kept;
of those, the ones that name a message are found by a look-up of the template.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from robotmia_logging.capture.call import Call
from robotmia_logging.capture.fields import MISSING, Value, compile_value
from robotmia_logging.errors import ConfigurationError
from robotmia_logging.messages import Refused, operations

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

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

    def concern(self, logger: str, level: int) -> bool:
        """Whether any rule could match a record of this logger and level: the quick no."""
        concerned = self._concerned(logger)
        return concerned is not None and level >= concerned.level

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


def _is_below(logger: str, parent: str | None) -> bool:
    return parent is None or logger == parent or logger.startswith(parent + ".")


def _first(rules: Iterable[Rule], level: int) -> Rule | None:
    for rule in rules:
        if level >= rule.level:
            return rule
    return None


def compile_rules(rules: Iterable[Mapping[str, Any]], source: str = "rules") -> Rules:
    """Check and prepare rules.

    Args:
        rules: each a mapping with the keys of the README's section on rules.
        source: the option or file they come from, for the error.

    Raises:
        ConfigurationError: naming the rule, the key and what is allowed.
    """
    return Rules(_compile(rule, position, f"{source}[{position}]") for position, rule in enumerate(rules))


def _compile(rule: Any, position: int, where: str) -> Rule:
    if not isinstance(rule, Mapping):
        raise ConfigurationError(where, rule, f"give a table with the keys {', '.join(_KEYS)}")
    for key in rule:
        if key not in _KEYS:
            raise ConfigurationError(f"{where}.{key}", rule[key], f"not a rule's key; allowed are {', '.join(_KEYS)}")
    checked = {key: check(f"{where}.{key}", rule.get(key)) for key, check in _KEYS.items()}
    if checked["track"] is None:
        checked["track"] = True
    return Rule(position=position, **checked)


def _text(where: str, value: Any) -> str | None:
    if value is None or (isinstance(value, str) and value):
        return value
    raise ConfigurationError(where, value, "give a non-empty string")


def _flag(where: str, value: Any) -> bool | None:
    if value is None or isinstance(value, bool):
        return value
    raise ConfigurationError(where, value, "give true, or false for records that are never to be tracked")


def level_number(where: str, value: Any) -> int:
    """A level's number from its number or name.

    Raises:
        ConfigurationError: no such level.
    """
    if value is None:
        return logging.NOTSET
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    number = logging.getLevelName(value.upper()) if isinstance(value, str) else None
    if not isinstance(number, int):
        raise ConfigurationError(where, value, "give a level's name (DEBUG, INFO, WARNING, ERROR, CRITICAL) or number")
    return number


def _value(where: str, value: Any) -> Value | None:
    if value is None:
        return None
    try:
        return compile_value(value)
    except ValueError as error:
        raise ConfigurationError(where, value, str(error)) from None


def _filled_text(where: str, value: Any) -> Value | None:
    return _value(where, _text(where, value))


def _values(where: str, value: Any) -> dict[str, Value]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise ConfigurationError(where, value, "give a table of names and values")
    compiled = {}
    for name, item in value.items():
        if not isinstance(name, str) or name.startswith("mp_"):
            raise ConfigurationError(f"{where}.{name}", item, "property names are strings that don't begin with 'mp_'")
        compiled[name] = _value(f"{where}.{name}", item) or (lambda _lookup: None)
    return compiled


def _profile(where: str, value: Any) -> Value | None:
    if value is None:
        return None
    if not isinstance(value, Mapping):
        raise ConfigurationError(where, value, 'give a table of operations, such as {"$add": {"Errors": 1}}')
    try:
        operations(_probe(value))
    except Refused as error:
        raise ConfigurationError(where, value, error.error) from None
    return _value(where, value)


def _probe(profile: Mapping[str, Any]) -> dict[str, Any]:
    """The profile with a number in place of each text in `$add`, where a field will stand."""
    probed = dict(profile)
    additions = probed.get("$add")
    if isinstance(additions, Mapping):
        probed["$add"] = {key: 0 if isinstance(item, str) and "{" in item else item for key, item in additions.items()}
    lists = probed.get("$union")
    if isinstance(lists, Mapping):
        probed["$union"] = {key: [] if isinstance(item, str) and "{" in item else item for key, item in lists.items()}
    return probed


_KEYS: dict[str, Any] = {
    "logger": _text,
    "level": level_number,
    "message": _text,
    "track": _flag,
    "event": _filled_text,
    "distinct_id": _filled_text,
    "properties": _values,
    "profile": _profile,
}


def fill(value: Value | None, call: Call, context: Mapping[str, Any]) -> Any:
    """A rule's value for this call; MISSING if it has none, or if one of its fields isn't there."""
    if value is None:
        return MISSING
    return value(lambda field: find(field, call, context))


def find(field: str, call: Call, context: Mapping[str, Any]) -> Any:
    """Look a field up: in the call's arguments, its extras, the context, then the record's attributes."""
    args = call.args
    if field.isdigit():
        position = int(field)
        found = args[position] if isinstance(args, tuple) and position < len(args) else MISSING
    elif isinstance(args, Mapping) and field in args:
        found = args[field]
    else:
        found = call.extras.get(field, MISSING)
        if found is MISSING:
            found = context.get(field, MISSING)
        if found is MISSING:
            found = call.attributes.get(field, MISSING)
    return found


def load_rules(path: str | os.PathLike[str]) -> Rules:
    """Read rules from a TOML file (``[[rule]]``) or a JSON file (``{"rule": [...]}``).

    Raises:
        ConfigurationError: the file can't be read, or a rule in it can't be used.
    """
    name = os.fspath(path)
    try:
        with open(name, "rb") as file:
            data = json.load(file) if name.endswith(".json") else tomllib.load(file)
    except (OSError, ValueError) as error:
        raise ConfigurationError("rules", name, f"the file can't be read: {error}") from None
    rules = data.get("rule") if isinstance(data, dict) else None
    if not isinstance(rules, list) or len(data) != 1:
        raise ConfigurationError("rules", name, 'the file holds rules only: [[rule]] in TOML, {"rule": [...]} in JSON')
    return compile_rules(rules, f"{name}: rule")
