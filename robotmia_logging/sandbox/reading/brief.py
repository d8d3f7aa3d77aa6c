"""JSON cut to what a line of a list shows of it: what arrives may have megabytes, and many of them arrive."""

from typing import Any

_MAX_TEXT = 200
_MAX_PARTS = 20
_MAX_LEVELS = 4
_CUT = "…"


def brief(value: Any, levels: int = _MAX_LEVELS) -> Any:
    """The value with long texts, many parts and deep levels cut; most are as they were.

    Args:
        value: anything JSON.
        levels: how many levels of lists and objects are kept.
    """
    if isinstance(value, str):
        return value if len(value) <= _MAX_TEXT else value[:_MAX_TEXT] + _CUT
    if isinstance(value, dict):
        if not levels:
            return _CUT
        return {brief(name): brief(value[name], levels - 1) for name in list(value)[:_MAX_PARTS]}
    if isinstance(value, list):
        return [brief(part, levels - 1) for part in value[:_MAX_PARTS]] if levels else _CUT
    return value
