"""Faults on the way to an endpoint and back, as ASGI middleware."""

import asyncio
import math
from collections.abc import Awaitable, Callable, Collection
from typing import Protocol

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from robotmia_logging.sandbox.faults.faults import Faults
from robotmia_logging.sandbox.faults.switch import FaultSwitch

Sleep = Callable[[float], Awaitable[object]]

REJECTED = "robotmia_sandbox.rejected"
"""A key of the ASGI scope: why the endpoint is to refuse the data, whatever they are."""

_A_MOMENT_S = 0.1


class Network(Protocol):
    """What faults need of the server: it alone has the connections."""

    def reset(self, scope: Scope) -> None:
        """Reset the connection of a request; `receive` then gives its disconnect."""

    def is_closing(self) -> bool:
        """Whether the server ends: then nobody may be kept waiting."""


class FaultInjector:
    """An application whose endpoints for messages have faults; all else passes.

    Args:
        app: the application without faults.
        endpoints: the names of these endpoints, which are their paths, too.
        switch: says which faults a request has.
        network: breaks connections.
        sleep: waits so many seconds.
    """

    def __init__(
        self,
        app: ASGIApp,
        endpoints: Collection[str],
        switch: FaultSwitch,
        network: Network,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._app, self._endpoints, self._switch, self._network, self._sleep = app, endpoints, switch, network, sleep

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        endpoint = scope.get("path", "").strip("/")
        if endpoint in self._endpoints and scope.get("method") in ("GET", "POST"):
            await self._with_faults(endpoint, scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _with_faults(self, endpoint: str, scope: Scope, receive: Receive, send: Send) -> None:
        faults, fault = self._switch.next(endpoint)
        if faults.latency:
            await self._pause(faults.latency)
        if faults.slow:
            send = _Slowly(send, faults.slow, self._pause)
        if isinstance(fault, int):
            await self._fail(fault, faults, scope, receive, send)
        elif fault == "hang":
            await self._hang(scope, receive)
        elif fault == "reset":
            await self._reset(scope, receive)
        elif fault == "lose_reply":
            await self._app(scope, receive, _to_nobody)
            await self._reset(scope, receive)
        else:
            if fault == "reject":
                scope[REJECTED] = "refused on demand: the sandbox was told to reject"
            await self._app(scope, receive, send)

    async def _fail(self, status: int, faults: Faults, scope: Scope, receive: Receive, send: Send) -> None:
        while (await receive()).get("more_body"):  # a client that is answered while it sends sees a broken connection
            pass
        headers = {} if faults.retry_after is None else {"Retry-After": str(math.ceil(faults.retry_after))}
        answer = PlainTextResponse(f"the sandbox was told to answer {status}", status_code=status, headers=headers)
        await answer(scope, receive, send)

    async def _hang(self, scope: Scope, receive: Receive) -> None:
        await self._until_closing(_left(receive))
        await self._reset(scope, receive)

    async def _pause(self, seconds: float) -> None:
        await self._until_closing(self._sleep(seconds))

    async def _until_closing(self, awaited: Awaitable[object]) -> None:
        """Wait, but not for longer than the server lives."""
        waiting = asyncio.ensure_future(awaited)
        try:
            while not waiting.done() and not self._network.is_closing():
                await asyncio.wait({waiting}, timeout=_A_MOMENT_S)
        finally:
            waiting.cancel()

    async def _reset(self, scope: Scope, receive: Receive) -> None:
        self._network.reset(scope)
        await _left(receive)  # only then doesn't the server miss an answer


class _Slowly:
    """An ASGI `send` that lets the body through at so many bytes a second."""

    def __init__(self, send: Send, bytes_per_s: float, pause: Sleep) -> None:
        self._send, self._pause, self._bytes_per_s = send, pause, bytes_per_s
        self._size = max(1, round(bytes_per_s * _A_MOMENT_S))

    async def __call__(self, message: Message) -> None:
        body = message.get("body", b"")
        for start in range(0, len(body), self._size):
            part = body[start : start + self._size]
            await self._pause(len(part) / self._bytes_per_s)
            await self._send({"type": "http.response.body", "body": part, "more_body": True})
        await self._send({**message, "body": b""} if body else message)


async def _to_nobody(_message: Message) -> None:
    """An ASGI `send` whose reply is lost."""


async def _left(receive: Receive) -> None:
    """Wait until the client is gone."""
    while (await receive())["type"] != "http.disconnect":
        pass
