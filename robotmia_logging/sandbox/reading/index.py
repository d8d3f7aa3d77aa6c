"""What there is to read, for a program or a person with curl."""

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from robotmia_logging.sandbox.api.endpoints import MAX_BODY_BYTES
from robotmia_logging.sandbox.api.events import MAX_EVENT_NAME
from robotmia_logging.sandbox.api.wire import MAX_BATCH
from robotmia_logging.sandbox.reading.filters import FILTERS
from robotmia_logging.sandbox.reading.respond import answer

_INDEX: Mapping[str, Any] = {
    "robotmia": ["/track/", "/engage/", "/import/"],
    "page": "/",
    "read": [
        "/sandbox/messages",
        "/sandbox/refusals",
        "/sandbox/arrivals",
        "/sandbox/arrivals/{id}",
        "/sandbox/profiles",
        "/sandbox/profiles/{distinct_id}",
        "/sandbox/summary",
        "/sandbox/stream",
    ],
    "filters": FILTERS,
    "control": ["/sandbox/reset", "/sandbox/faults"],
    "limits": {
        "messages in a batch": MAX_BATCH,
        "bytes of a body (the sandbox's own)": MAX_BODY_BYTES,
        "characters of an event's name (the sandbox's own)": MAX_EVENT_NAME,
    },
}


def index_route() -> Route:
    """The endpoint that lists the others."""
    return Route("/sandbox", _index)


async def _index(_request: Request) -> Response:
    return answer(_INDEX)
