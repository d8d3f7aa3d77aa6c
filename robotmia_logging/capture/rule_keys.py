"""The keys of a rule: what each allows, checked when configured."""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Iterable, Mapping
from typing import Any

from robotmia_logging.capture.fields import Value, compile_value
from robotmia_logging.capture.rules import Rule, Rules
from robotmia_logging.errors import ConfigurationError
from robotmia_logging.messages import Refused, operations
from robotmia_logging.messages.limits import OPERATIONS, RESERVED_PREFIX

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


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
            what = "isn't supported yet" if key == "pattern" else "not a rule's key"
            raise ConfigurationError(f"{where}.{key}", rule[key], f"{what}; allowed are {', '.join(_KEYS)}")
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


def _level(where: str, value: Any) -> int:
    return logging.NOTSET if value is None else level_number(where, value)


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
        if not isinstance(name, str) or name.startswith(RESERVED_PREFIX):
            allowed = f"property names are strings that don't begin with {RESERVED_PREFIX!r}"
            raise ConfigurationError(f"{where}.{name}", item, allowed)
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
        allowed = f"{error.error}; give one or more of {', '.join(OPERATIONS)}, or properties alone"
        raise ConfigurationError(where, value, allowed) from None
    return _value(where, value)


def _probe(profile: Mapping[str, Any]) -> dict[str, Any]:
    """The profile with what its operation takes where a field will stand, for `operations` to check the rest."""
    probed = dict(profile)
    for operation, standing in (("$add", 0), ("$union", [])):
        values = probed.get(operation)
        if isinstance(values, Mapping):
            probed[operation] = {name: standing if _has_field(item) else item for name, item in values.items()}
    return probed


def _has_field(item: Any) -> bool:
    return isinstance(item, str) and "{" in item


_KEYS: dict[str, Any] = {
    "logger": _text,
    "level": _level,
    "message": _text,
    "track": _flag,
    "event": _filled_text,
    "distinct_id": _filled_text,
    "properties": _values,
    "profile": _profile,
}


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
        raise ConfigurationError("rules", name, f"it can't be read: {error}; give a TOML or JSON file") from None
    rules = data.get("rule") if isinstance(data, dict) else None
    if not isinstance(rules, list) or len(data) != 1:
        raise ConfigurationError("rules", name, 'the file holds rules only: [[rule]] in TOML, {"rule": [...]} in JSON')
    return compile_rules(rules, f"{name}: rule")
