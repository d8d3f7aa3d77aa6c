"""Property names with a meaning, in events and updates alike: ids and addresses are texts, `mp_` is robotmia's."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from robotmia_logging.messages.encode import as_text, key_text
from robotmia_logging.messages.limits import RESERVED_PREFIX
from robotmia_logging.messages.message import Refused

#: Any reserved name shows in the bytes so: one search in C instead of a loop over the names.
RESERVED = b'"' + RESERVED_PREFIX.encode()


def settle_texts(wire: dict[str, Any], names: Iterable[str]) -> None:
    """Bring ids and addresses to text, and take out those that are absent: None and ``""``."""
    for name in names:
        value = wire.get(name, "-")  # one that isn't there passes
        if type(value) is not str or not value or not value.isascii():
            text = "" if value is None else as_text(value)
            if text:
                wire[name] = text
            else:
                del wire[name]


def refuse_reserved(names: Iterable[Any]) -> None:
    """Refuse property names that begin with `mp_`, which the API keeps for itself (Special properties in events)."""
    for name in map(key_text, names):
        if name.startswith(RESERVED_PREFIX):
            raise Refused("reserved_name", f"the property {name!r}: names may not begin with 'mp_'")
