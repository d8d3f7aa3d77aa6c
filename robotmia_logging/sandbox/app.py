"""The sandbox as an ASGI application: HTTP on the outside, everything it decides elsewhere."""

import sqlite3
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, get_args

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from robotmia_logging.sandbox.answers import answer, plain_answer
from robotmia_logging.sandbox.intake import Arrival, take
from robotmia_logging.sandbox.parameters import read_parameters
from robotmia_logging.sandbox.people import person
from robotmia_logging.sandbox.rules import MAX_EVENT_NAME, Endpoint
from robotmia_logging.sandbox.store import Message, Refusal, Store
from robotmia_logging.sandbox.wire import MAX_BATCH

Clock = Callable[[], float]
"""Says the time in unix seconds."""

_Handler = Callable[[Request], Awaitable[Response]]

MAX_BODY_BYTES = 10_000_000
_MAX_DRAINED_BYTES = 10 * MAX_BODY_BYTES


def create_app(store: Store, clock: Clock = time.time) -> Starlette:
    """The application: robotmia's three endpoints, and a read side under `/sandbox/`.

    Args:
        store: where messages are kept; closing it is the caller's business.
        clock: the time of arrival.
    """
    reads = [
        Route("/", _index),
        Route("/sandbox/messages", _reader(lambda _: [_message(sent) for sent in store.messages()])),
        Route("/sandbox/refusals", _reader(lambda _: [_refusal(refused) for refused in store.refusals()])),
        Route("/sandbox/profiles/{distinct_id:path}", _reader(partial(_profile, store))),
    ]
    endpoints = [
        Route(path, _endpoint(endpoint, store, clock), methods=["GET", "POST"])
        for endpoint in get_args(Endpoint)
        for path in (f"/{endpoint}/", f"/{endpoint}")
    ]
    handlers: dict[Any, Any] = {sqlite3.Error: _store_failed, ClientDisconnect: _client_left}
    return Starlette(routes=[*endpoints, *reads], exception_handlers=handlers)


# robotmia's endpoints


def _endpoint(endpoint: Endpoint, store: Store, clock: Clock) -> _Handler:
    async def handle(request: Request) -> Response:
        if request.method == "HEAD":  # Starlette adds it to every GET; here a GET stores something
            return Response(status_code=405, headers={"Allow": "GET, POST"})
        body = await _read_body(request) if request.method == "POST" else b""
        # Decoding megabytes and writing to disk would hold up the other connections here.
        return await run_in_threadpool(_process, endpoint, store, clock, request, body)

    return handle


def _process(endpoint: Endpoint, store: Store, clock: Clock, request: Request, body: bytes | None) -> Response:
    query: bytes = request.scope["query_string"]
    if body is None:
        error = f"the request body is larger than {MAX_BODY_BYTES} bytes"
        store.refuse(Refusal(endpoint=endpoint, arrived=clock(), error=error, what={"data": ""}))
        return plain_answer(read_parameters(query), error, status_code=413)
    arrival = Arrival(
        endpoint=endpoint,
        arrived=clock(),
        client_ip=request.client.host if request.client else None,
        parameters=read_parameters(query, body, request.headers.get("content-type", "")),
    )
    return answer(endpoint, arrival.parameters, take(arrival, store))


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


# The read side


def _reader(read: Callable[[Request], Any]) -> _Handler:
    """An endpoint that answers with what `read` finds, as JSON, and 404 for None."""

    async def handle(request: Request) -> Response:
        return await run_in_threadpool(answer_with, request)

    def answer_with(request: Request) -> Response:
        found = read(request)
        if found is None:
            return JSONResponse({"error": "not found"}, status_code=404)
        return JSONResponse(found)

    return handle


def _profile(store: Store, request: Request) -> dict[str, Any] | None:
    return person(store, request.path_params["distinct_id"])


def _message(sent: Message) -> dict[str, Any]:
    return {
        "id": sent.id,
        "endpoint": sent.endpoint,
        "arrived": sent.arrived,
        "message": sent.message,
        "distinct_id": sent.user,
        "ip": sent.ip,
    }


def _refusal(refused: Refusal) -> dict[str, Any]:
    return {"endpoint": refused.endpoint, "arrived": refused.arrived, "error": refused.error, **refused.what}


async def _index(_request: Request) -> Response:
    return JSONResponse(
        {
            "robotmia sandbox": ["/track/", "/engage/", "/import/"],
            "read": ["/sandbox/messages", "/sandbox/refusals", "/sandbox/profiles/{distinct_id}"],
            "limits": {
                "messages in a batch": MAX_BATCH,
                "bytes of a body (the sandbox's own)": MAX_BODY_BYTES,
                "characters of an event's name (the sandbox's own)": MAX_EVENT_NAME,
            },
        }
    )


# What can go wrong on the way


async def _store_failed(_request: Request, error: Exception) -> Response:
    """A full disk, a locked file: the sandbox's trouble, not the request's fault, so a client may retry."""
    return PlainTextResponse(f"the sandbox can't use its database: {error}", status_code=503)


async def _client_left(_request: Request, _error: Exception) -> Response:
    return Response(status_code=400)  # for nobody: without it a traceback would be logged
