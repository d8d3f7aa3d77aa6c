"""The common form of the endpoints under `/sandbox`: JSON, an error as `{"error": ...}`."""

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from robotmia_logging.sandbox.reading.filters import BadFilter

Handler = Callable[[Request], Awaitable[Response]]
_NO_STORE = {"Cache-Control": "no-store"}


def reader(read: Callable[[Request], Any]) -> Handler:
    """An endpoint that answers with what `read` finds: 404 for None, 400 for a bad filter.

    `read` runs in a thread: it may take its time with the store.
    """

    def answered(request: Request) -> Response:
        try:
            found = read(request)
        except BadFilter as error:
            return refuse(str(error), 400)
        return refuse("not found", 404) if found is None else answer(found)

    async def handle(request: Request) -> Response:
        return await run_in_threadpool(answered, request)

    return handle


def answer(value: Any) -> JSONResponse:
    """A JSON answer."""
    return JSONResponse(value, headers=_NO_STORE)


def refuse(error: str, status_code: int) -> JSONResponse:
    """An error in the form of all these endpoints."""
    return JSONResponse({"error": error}, status_code=status_code, headers=_NO_STORE)
