"""What a program may tell the sandbox: to forget everything, and to show faults."""

import json
from collections.abc import Awaitable, Callable
from functools import wraps

from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from robotmia_logging.sandbox.faults import Faults, FaultSwitch
from robotmia_logging.sandbox.reading.respond import Handler, answer, refuse
from robotmia_logging.sandbox.store.store import Store

_MAX_BODY_BYTES = 100_000


def control_routes(store: Store, switch: FaultSwitch, follow: Callable[[], Awaitable[None]]) -> list[Route]:
    """The endpoints of control.

    Args:
        store: what `POST /sandbox/reset` empties.
        switch: what `/sandbox/faults` shows and sets.
        follow: has the server refuse connections, or accept them again, as the switch says.
    """

    async def reset(_request: Request) -> Response:
        await run_in_threadpool(store.clear)
        return answer({})

    async def show(_request: Request) -> Response:
        return answer(switch.faults.to_mapping())

    async def change(request: Request) -> Response:
        try:
            faults = Faults() if request.method == "DELETE" else Faults.from_mapping(await _json(request))
        except ValueError as error:
            return refuse(str(error), 400)
        switch.set(faults)
        # In the background: to refuse connections resets this one, too, and its answer is wanted.
        return Response(
            json.dumps(faults.to_mapping()), media_type="application/json", background=BackgroundTask(follow)
        )

    return [
        Route("/sandbox/reset", _for_this_site(reset), methods=["POST"]),
        Route("/sandbox/faults", show, methods=["GET"]),
        Route("/sandbox/faults", _for_this_site(change), methods=["POST", "DELETE"]),
    ]


async def _json(request: Request) -> object:
    """The body, whatever its content type: `curl -d` calls everything a form."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MAX_BODY_BYTES:
            raise ValueError(f"faults take at most {_MAX_BODY_BYTES} bytes")
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"faults must be a JSON object: {error}") from None


def _for_this_site(handle: Handler) -> Handler:
    """Refuse a page of another site, which a browser lets POST here as it likes."""

    @wraps(handle)
    async def guarded(request: Request) -> Response:
        origin = request.headers.get("origin")
        if origin is not None and origin.partition("://")[2] != request.headers.get("host"):
            return refuse(f"a page of {origin} may not do this", 403)
        return await handle(request)

    return guarded
