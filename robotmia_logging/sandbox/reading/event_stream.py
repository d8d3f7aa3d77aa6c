"""Server-sent events: their text, and an answer that goes on until the client leaves or the server ends."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

KEEP_ALIVE = ": still here\n\n"
"""A comment: it says nothing, and keeps proxies and browsers from giving the connection up."""

_WATCH_S = 0.1
_GRACE_S = 0.2


def event_text(name: str, data: Any, number: str = "") -> str:
    """An event as it is sent.

    Args:
        name: its name.
        data: anything JSON. It takes one line, as `json.dumps` escapes line breaks.
        number: what a client that connects again says it saw last.
    """
    numbered = f"id: {number}\n" if number else ""
    return f"event: {name}\n{numbered}data: {json.dumps(data, separators=(',', ':'))}\n\n"


class EventStream(StreamingResponse):
    """An answer of server-sent events.

    Args:
        events: the texts; they should end by themselves soon after the server does.
        closing: whether the server ends.
        reset: resets the connection of a request.
    """

    media_type = "text/event-stream"

    def __init__(self, events: AsyncIterator[str], closing: Callable[[], bool], reset: Callable[[Scope], None]) -> None:
        super().__init__(events, headers={"Cache-Control": "no-store"})
        self._closing, self._reset = closing, reset

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send until the events or the server end.

        A client that stopped reading holds up the sending for ever; the server's end doesn't wait for it.
        """
        sending = asyncio.ensure_future(super().__call__(scope, receive, send))
        try:
            while not sending.done() and not self._closing():
                await asyncio.wait({sending}, timeout=_WATCH_S)
            await asyncio.wait({sending}, timeout=_GRACE_S)
            if not sending.done():
                self._reset(scope)
                await asyncio.wait({sending}, timeout=_GRACE_S)
            if sending.done():
                sending.result()
        finally:
            sending.cancel()
