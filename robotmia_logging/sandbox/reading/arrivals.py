"""What arrived, as JSON: accepted messages, refused requests, both, and one with its wire form."""

import re
from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.routing import Route

from robotmia_logging.sandbox.reading.filters import read_filters
from robotmia_logging.sandbox.reading.respond import reader
from robotmia_logging.sandbox.store.records import Arrival, Entry
from robotmia_logging.sandbox.store.store import Store

_NUMBER = re.compile(r"[0-9]{1,18}")  # as many digits as SQLite has room for


def arrival_routes(store: Store) -> list[Route]:
    """The endpoints that show what arrived."""

    def lister(**fixed: Any) -> Callable[[Request], list[dict[str, Any]]]:
        return lambda request: [
            entry_json(entry) for entry in store.entries(read_filters(request.query_params, **fixed))
        ]

    def one(request: Request) -> dict[str, Any] | None:
        number = request.path_params["number"]
        found = store.entry(int(number)) if _NUMBER.fullmatch(number) else None
        return None if found is None else _with_request(*found)

    return [
        Route("/sandbox/messages", reader(lister(refused=False))),
        Route("/sandbox/refusals", reader(lister(refused=True))),
        Route("/sandbox/arrivals", reader(lister())),
        Route("/sandbox/arrivals/{number}", reader(one)),
    ]


def entry_json(entry: Entry) -> dict[str, Any]:
    """An entry as the endpoints give it."""
    common = {
        "id": entry.id,
        "endpoint": entry.endpoint,
        "arrived": entry.arrived,
        "event": entry.event,
        "distinct_id": entry.distinct_id,
    }
    if entry.error is not None:
        return {**common, "error": entry.error, **entry.body}
    of_message = {"time": entry.time, "ip": entry.ip, "warnings": list(entry.warnings), "message": entry.body}
    return common | of_message


def _with_request(entry: Entry, arrival: Arrival, messages: int) -> dict[str, Any]:
    request = {
        "method": arrival.method,
        "target": arrival.target,
        "client_ip": arrival.client_ip,
        "user_agent": arrival.user_agent,
        "data": arrival.data,
        "data_size": arrival.data_size,
    }
    return {**entry_json(entry), "request": request, "position": entry.position, "of": messages}
