"""The keys of a rule: what each allows, checked when configured."""

from __future__ import annotations

import difflib
import json
import logging
import os
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from robotmia_logging.capture.checks import PRIVACY, level_number, names
from robotmia_logging.capture.fields import Value, compile_value, fields_of
from robotmia_logging.capture.patterns import NEEDED, Pattern
from robotmia_logging.capture.privacy import Privacy
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
        raise ConfigurationError(where, rule, f"give a table with the keys {', '.join(ALLOWED)}")
    for key in rule:
        if key not in ALLOWED:
            close = difflib.get_close_matches(str(key), ALLOWED, 1)
            hint = f"did you mean {close[0]!r}? Allowed are" if close else "allowed are"
            raise ConfigurationError(f"{where}.{key}", rule[key], f"not a rule's key; {hint} {', '.join(ALLOWED)}")
    checked = {key: check(f"{where}.{key}", rule.get(key)) for key, check in _KEYS.items()}
    privacy = {key: check(f"{where}.{key}", rule[key]) for key, check in PRIVACY.items() if rule.get(key) is not None}
    if checked["track"] is None:
        checked["track"] = True
    if checked["message"] is not None and checked["pattern"] is not None:
        raise ConfigurationError(f"{where}.pattern", rule["pattern"], "give `message` or `pattern`, not both")
    _check_numbers(f"{where}.numbers", rule, checked)
    return Rule(label=where, position=position, name=rule.get("event"), privacy=Privacy(**privacy), **checked)


def _check_numbers(where: str, rule: Mapping[str, Any], checked: Mapping[str, Any]) -> None:
    """A name that the rule uses nowhere is misspelt."""
    used = {*fields_of([rule.get(key) for key in ("event", "distinct_id", "properties", "profile")])}
    if checked["pattern"] is not None:
        used.update(checked["pattern"].names)
    for name in sorted(checked["numbers"] - used):
        allowed = f"{name!r} is no field of this rule; it has {', '.join(sorted(used)) or 'none'}"
        raise ConfigurationError(where, rule["numbers"], allowed)


def _text(where: str, value: Any) -> str | None:
    if value is None or (isinstance(value, str) and value):
        return value
    raise ConfigurationError(where, value, "give a non-empty string")


def _pattern(where: str, value: Any) -> Pattern | None:
    text = _text(where, value)
    if text is None:
        return None
    try:
        pattern = Pattern(text)
    except ValueError as error:
        advice = "" if str(error) == NEEDED else "; give one in the syntax of Python's re"
        raise ConfigurationError(where, value, f"{error}{advice}") from None
    for name in pattern.names:
        if name.startswith(RESERVED_PREFIX) or name in ("token", "time"):
            allowed = f"groups become properties: name them otherwise than token, time or {RESERVED_PREFIX}..."
            raise ConfigurationError(where, value, allowed)
    return pattern


def _flag(where: str, value: Any) -> bool | None:
    if value is None or isinstance(value, bool):
        return value
    raise ConfigurationError(where, value, "give true, or false for records that are never to be tracked")


def _level(where: str, value: Any) -> int:
    return logging.NOTSET if value is None else level_number(where, value)


def _value(where: str, value: Any) -> Value | None:
    if value is None:
        return None
    try:
        return compile_value(value)
    except ValueError as error:
        raise ConfigurationError(where, value, str(error)) from None
    except RecursionError:
        raise ConfigurationError(where, "...", "it is nested too deeply") from None


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


def _numbers(where: str, value: Any) -> frozenset[str]:
    return frozenset() if value is None else names(where, value)


_KEYS: dict[str, Callable[[str, Any], Any]] = {
    "logger": _text,
    "level": _level,
    "message": _text,
    "pattern": _pattern,
    "track": _flag,
    "event": _filled_text,
    "distinct_id": _filled_text,
    "properties": _values,
    "profile": _profile,
    "numbers": _numbers,
}

ALLOWED = (*_KEYS, *PRIVACY)


def load_rules(path: str | os.PathLike[str]) -> Rules:
    """Read rules from a TOML file (``[[rule]]``) or a JSON file (``{"rule": [...]}``).

    Raises:
        ConfigurationError: the file can't be read, or a rule in it can't be used.
    """
    name = os.fspath(path)
    try:
        with open(name, "rb") as file:
            data = json.load(file) if name.endswith(".json") else tomllib.load(file)
    except (OSError, ValueError, RecursionError) as error:
        hint = " (a regex stands in single quotes there)" if "\\" in str(error) else ""
        raise ConfigurationError("rules", name, f"it can't be read: {error}{hint}; give a TOML or JSON file") from None
    rules = data.get("rule") if isinstance(data, dict) else None
    if not isinstance(rules, list) or len(data) != 1:
        raise ConfigurationError("rules", name, 'the file holds rules only: [[rule]] in TOML, {"rule": [...]} in JSON')
    return compile_rules(rules, f"{name}: rule")
