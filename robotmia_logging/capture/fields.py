"""`{field}` in rules: plain names and positions, looked up in a call, never evaluated."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from string import Formatter
from typing import Any

from robotmia_logging.messages import as_text

#: A field that isn't there.
MISSING: Any = object()

Lookup = Callable[[str], Any]
"""A field's name or position to its value, or MISSING."""

Value = Callable[[Lookup], Any]
"""A value of a rule, to be filled in for a call; gives MISSING if one of its fields is missing."""

ALLOWED = "fields are plain names or positions, such as {status} or {0}: no attributes, indexes, formats or code"


def compile_value(value: Any) -> Value:
    """Prepare a rule's value: text with fields, or lists and tables of it; anything else stands for itself.

    Raises:
        ValueError: a field is not a plain name or position; the text says what is allowed.
    """
    if isinstance(value, str):
        return _compile_text(value)
    if isinstance(value, Mapping):
        items = {as_text(key): compile_value(item) for key, item in value.items()}
        return lambda lookup: _present({key: item(lookup) for key, item in items.items()})
    if isinstance(value, (list, tuple)):
        parts = [compile_value(item) for item in value]
        return lambda lookup: [found for part in parts if (found := part(lookup)) is not MISSING]
    return lambda _lookup: value


def fields_of(value: Any) -> Iterator[str]:
    """The fields in a value, at whatever depth; the value is one that `compile_value` takes."""
    if isinstance(value, str):
        yield from (field for _, field in _parse(value) if field is not None)
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from fields_of(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from fields_of(item)


def _present(items: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in items.items() if value is not MISSING}


def _compile_text(text: str) -> Value:
    parts = _parse(text)
    if len(parts) == 1 and parts[0][0] == "" and parts[0][1] is not None:
        lone = parts[0][1]
        return lambda lookup: lookup(lone)  # keeps its type
    if all(field is None for _, field in parts):
        literal = "".join(words for words, _ in parts)
        return lambda _lookup: literal
    return lambda lookup: _fill(parts, lookup)


def _parse(text: str) -> list[tuple[str, str | None]]:
    parts: list[tuple[str, str | None]] = []
    try:
        parsed = list(Formatter().parse(text))
    except ValueError as error:
        raise ValueError(f"{text!r}: {error}; {ALLOWED}; literal braces are doubled") from None
    for words, field, form, conversion in parsed:
        if field is not None and (form or conversion or not _is_plain(field)):
            raise ValueError(f"the field {{{field}}} of {text!r}: {ALLOWED}")
        parts.append((words, field))
    return parts


def _is_plain(field: str) -> bool:
    return field.isidentifier() or (field.isascii() and field.isdigit())


def _fill(parts: list[tuple[str, str | None]], lookup: Lookup) -> Any:
    filled = []
    for words, field in parts:
        filled.append(words)
        if field is not None:
            value = lookup(field)
            if value is MISSING:
                return MISSING
            filled.append(as_text(value))
    return "".join(filled)
