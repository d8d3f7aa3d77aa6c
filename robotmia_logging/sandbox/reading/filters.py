"""Filters from the query string of a request."""

import re
from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timezone
from typing import Any, get_args

from starlette.datastructures import QueryParams

from robotmia_logging.sandbox.store.records import Endpoint, Filters

_MAX_INT = 2**63 - 1  # of SQLite


class BadFilter(ValueError):  # noqa: N818 - the answer to a request, not a failure of the sandbox
    """A filter that isn't there, or a value it can't have; the text says which, and what is allowed."""


def read_filters(query: QueryParams, *, allowed: Collection[str] = (), **fixed: Any) -> Filters:
    """Read filters.

    Args:
        query: the parameters of the request; an empty value is no filter.
        allowed: parameters beside the filters, by name; they are left alone.
        fixed: filters that the endpoint itself sets, and no parameter can.

    Raises:
        BadFilter: an unknown name, or a value that a filter can't have.
    """
    readers = {name: reader for name, reader in _READERS.items() if name not in fixed}
    values = dict(fixed)
    for name, text in query.items():
        if name in readers:
            if text:
                values[_FIELDS.get(name, name)] = readers[name](name, text)
        elif name not in allowed:
            raise BadFilter(f"{name!r} is no filter here; there are {', '.join(readers)}")
    return Filters(**values)


def _text(_name: str, text: str) -> str:
    return text


def _endpoint(name: str, text: str) -> str:
    endpoint = text.strip("/")
    if endpoint not in get_args(Endpoint):
        raise BadFilter(f"{name} must be one of {', '.join(get_args(Endpoint))}, not {text!r}")
    return endpoint


def _number(name: str, text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,19}", text) or int(text) > _MAX_INT:
        raise BadFilter(f"{name} must be a whole number, 0 or more, not {text!r}")
    return int(text)


def _switch(name: str, text: str) -> bool:
    if text not in ("0", "1"):
        raise BadFilter(f"{name} must be 1 or 0, not {text!r}")
    return text == "1"


def _time(name: str, text: str) -> float:
    """Unix seconds, or a date in ISO form, UTC unless it says otherwise."""
    if re.fullmatch(r"[0-9]{1,12}(\.[0-9]{1,9})?", text):
        return float(text)
    try:
        date = datetime.fromisoformat(re.sub(r"[zZ]$", "+00:00", text))
        return (date if date.tzinfo else date.replace(tzinfo=timezone.utc)).timestamp()
    except (ValueError, OverflowError):
        raise BadFilter(f"{name} must be unix seconds or a date YYYY-MM-DDThh:mm:ss, not {text!r}") from None


_READERS: Mapping[str, Callable[[str, str], Any]] = {
    "event": _text,
    "distinct_id": _text,
    "endpoint": _endpoint,
    "since": _time,
    "limit": _number,
    "refused": _switch,
    "warnings": _switch,
    "search": _text,
    "after": _number,
    "before": _number,
}
_FIELDS = {"warnings": "warned"}
FILTERS = list(_READERS)
"""Their names, as parameters."""
