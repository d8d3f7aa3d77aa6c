"""How much arrived, as JSON: totals, by name, over time."""

import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from starlette.requests import Request
from starlette.routing import Route

from robotmia_logging.sandbox.reading.filters import read_filters
from robotmia_logging.sandbox.reading.respond import reader
from robotmia_logging.sandbox.store.store import Store


def summary_route(store: Store, clock: Callable[[], float] = time.time) -> Route:
    """The endpoint `/sandbox/summary`.

    Args:
        store: what is counted.
        clock: says the time in unix seconds, at which counts over time end.
    """

    def summary(request: Request) -> dict[str, Any]:
        counted = asdict(store.summary(read_filters(request.query_params), clock()))
        totals = {name: counted.pop(name) for name in ("messages", "refusals", "warnings", "users")}
        return {"totals": {**totals, "gave_way": store.gave_way}, **counted}

    return Route("/sandbox/summary", reader(summary))
