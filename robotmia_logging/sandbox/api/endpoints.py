"""robotmia's endpoints as routes: HTTP on the outside, everything they decide elsewhere."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import get_args

from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from robotmia_logging.sandbox.api.answers import answer
from robotmia_logging.sandbox.api.intake import take
from robotmia_logging.sandbox.api.parameters import Parameters, read_parameters
from robotmia_logging.sandbox.faults.injector import REJECTED
from robotmia_logging.sandbox.store.records import Arrival, Endpoint, Rejected
from robotmia_logging.sandbox.store.store import Store

MAX_BODY_BYTES = 10_000_000
_SMALL_BYTES = 100_000  # a batch of 50 is mostly under 40,000; of megabytes the decoding would hold up the others
_MAX_DRAINED_BYTES = 10 * MAX_BODY_BYTES
_MAX_KEPT_DATA = 100_000  # characters of Base64: a batch of 50 ordinary messages has a third of it
_MAX_KEPT_TEXT = 1000  # characters of target and user agent
_METHODS = ("GET", "POST")

# Pages of any origin may send here, with credentials, as browsers' clients do; they may not read /sandbox.
_CORS = Middleware(
    CORSMiddleware, allow_origin_regex=".*", allow_credentials=True, allow_methods=_METHODS, allow_headers=["*"]
)


def endpoint_routes(store: Store, clock: Callable[[], float]) -> list[Route]:
    """The routes of all endpoints, with and without a slash at the end.

    Args:
        store: where messages are kept.
        clock: says when they arrive, in unix seconds.
    """
    return [
        Route(path, _endpoint(endpoint, store, clock), methods=[*_METHODS, "OPTIONS"], middleware=[_CORS])
        for endpoint in get_args(Endpoint)
        for path in (f"/{endpoint}/", f"/{endpoint}")
    ]


def _endpoint(endpoint: Endpoint, store: Store, clock: Callable[[], float]) -> Callable[[Request], Awaitable[Response]]:
    async def handle(request: Request) -> Response:
        # An OPTIONS that reaches this is no browser's. HEAD comes with every GET; here a GET stores something.
        if request.method not in _METHODS:
            return Response(status_code=405, headers={"Allow": ", ".join(_METHODS)})
        body = await _read_body(request) if request.method == "POST" else b""
        process = partial(_process, endpoint, store, clock(), request, body)
        # Not in a thread: to hand a batch over, and the GIL to and fro, costs as much as all that is done with it.
        return process() if body is not None and len(body) <= _SMALL_BYTES else await run_in_threadpool(process)

    return handle


def _process(endpoint: Endpoint, store: Store, arrived: float, request: Request, body: bytes | None) -> Response:
    query: bytes = request.scope["query_string"]
    if body is None:
        parameters = read_parameters(query)
        error = f"the request body is larger than {MAX_BODY_BYTES} bytes"
        store.refuse(_arrival(endpoint, arrived, request, parameters), Rejected(error=error, what={"data": ""}))
        return answer(endpoint, parameters, error, status_code=413)
    headers = request.headers
    parameters = read_parameters(query, body, headers.get("content-type", ""), headers.get("content-encoding", ""))
    arrival = _arrival(endpoint, arrived, request, parameters)
    return answer(endpoint, parameters, take(arrival, parameters, store, rejected=request.scope.get(REJECTED, "")))


def _arrival(endpoint: Endpoint, arrived: float, request: Request, parameters: Parameters) -> Arrival:
    return Arrival(
        endpoint=endpoint,
        arrived=arrived,
        method=request.method,
        target=_target(request),
        client_ip=request.client.host if request.client else None,
        user_agent=request.headers.get("user-agent", "")[:_MAX_KEPT_TEXT],
        data=parameters.data[:_MAX_KEPT_DATA],
        data_size=len(parameters.data),
    )


def _target(request: Request) -> str:
    """Path and query as they were sent, without `data`."""
    query = request.scope["query_string"].decode("latin-1")
    rest = "&".join(field for field in query.split("&") if not field.startswith("data="))
    path: str = request.scope["path"]
    return (f"{path}?{rest}" if rest else path)[:_MAX_KEPT_TEXT]


async def _read_body(request: Request) -> bytes | None:
    """The body, or None when it is too large.

    A body too large is still read, unless it is beyond all measure: a client that is answered while it
    sends sees a broken connection, not the answer.
    """
    chunks: list[bytes] = []
    size_bytes = 0
    async for chunk in request.stream():
        size_bytes += len(chunk)
        if size_bytes <= MAX_BODY_BYTES:
            chunks.append(chunk)
        else:
            chunks.clear()
        if size_bytes > _MAX_DRAINED_BYTES:
            break
    return b"".join(chunks) if size_bytes <= MAX_BODY_BYTES else None
