"""How a request is refused: one exception, and the sentence it carries."""

import json
from typing import Any

_SHOWN = 60  # characters of a value: a length to look at, nothing more


class Refused(Exception):  # noqa: N818 - the answer to a request, not a failure of the sandbox
    """What was sent is not accepted; the text says why, for the `error` of a verbose answer."""


def need(holds: bool, name: str, wanted: str, value: Any) -> None:
    """Refuse a value unless the condition holds.

    Raises:
        Refused: with the field's name, what it must be and what it is.
    """
    if not holds:
        raise must_be(name, wanted, value)


def must_be(name: str, wanted: str, value: Any) -> Refused:
    """The refusal of a value that is something else."""
    return Refused(f"{name} must be {wanted}, not {show(value)}")


def show(value: Any) -> str:
    """A value as JSON, short enough for a sentence."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "..."
