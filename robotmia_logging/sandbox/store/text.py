"""Values as the text that is kept."""

import json
from typing import Any

import orjson

_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode


def to_json(value: Any) -> str:
    """A JSON value as text."""
    try:
        return orjson.dumps(value).decode()
    except TypeError:  # integers beyond 64 bits, very deep nesting
        return _encode(value)


def from_json(text: str) -> Any:
    """The JSON value that a text holds; orjson would read large integers as doubles."""
    return json.loads(text)
