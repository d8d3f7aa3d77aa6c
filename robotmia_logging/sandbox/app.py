"""The sandbox as an ASGI application: robotmia's endpoints, with faults on demand, and what is read of them."""

import sqlite3
import time
from collections.abc import Callable
from typing import Any, Protocol, get_args

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response

from robotmia_logging.sandbox.api.endpoints import endpoint_routes
from robotmia_logging.sandbox.faults import FaultInjector, FaultSwitch, Network
from robotmia_logging.sandbox.reading.arrivals import arrival_routes
from robotmia_logging.sandbox.reading.control import control_routes
from robotmia_logging.sandbox.reading.index import index_route
from robotmia_logging.sandbox.reading.pages import page_routes
from robotmia_logging.sandbox.reading.profiles import profile_routes
from robotmia_logging.sandbox.reading.stream import stream_route
from robotmia_logging.sandbox.reading.summary import summary_route
from robotmia_logging.sandbox.store.records import Endpoint
from robotmia_logging.sandbox.store.store import Store

Clock = Callable[[], float]
"""Says the time in unix seconds."""


class Host(Network, Protocol):
    """The server that the application runs in."""

    async def follow(self) -> None:
        """Refuse connections, or accept them again, as the faults in force say."""


def create_app(store: Store, switch: FaultSwitch, host: Host, clock: Clock = time.time) -> Starlette:
    """The application.

    Args:
        store: where messages are kept; closing it is the caller's business.
        switch: the faults in force.
        host: the server.
        clock: the time of arrival.
    """
    routes = [
        *page_routes(),
        index_route(),
        *endpoint_routes(store, clock),
        *arrival_routes(store),
        *profile_routes(store),
        summary_route(store, clock),
        stream_route(store, host),
        *control_routes(store, switch, host.follow),
    ]
    faults = Middleware(FaultInjector, endpoints=get_args(Endpoint), switch=switch, network=host)
    handlers: dict[Any, Any] = {sqlite3.Error: _store_failed, ClientDisconnect: _client_left}
    return Starlette(routes=routes, middleware=[faults], exception_handlers=handlers)


async def _store_failed(_request: Request, error: Exception) -> Response:
    """A full disk, a locked file: the sandbox's trouble, not the request's fault, so a client may retry."""
    return PlainTextResponse(f"the sandbox can't use its database: {error}", status_code=503)


async def _client_left(_request: Request, _error: Exception) -> Response:
    return Response(status_code=400)  # for nobody: without it a traceback would be logged
