"""uvicorn as the sandbox needs it: silent, no signal handlers, and able to break connections on demand."""

import asyncio
import socket
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from starlette.types import Scope
from uvicorn.protocols.http.h11_impl import H11Protocol

from robotmia_logging.sandbox.app import Clock, create_app
from robotmia_logging.sandbox.faults import FaultSwitch
from robotmia_logging.sandbox.store.store import Store

_BACKLOG = 2048
_GRACE_S = 1  # for requests under way when the server ends; then their connections are reset
_GIVE_UP_S = 10  # on those that end in spite of that; uvicorn would log a traceback for each
_LINGER_NOT = struct.pack("ii", 1, 0)  # SO_LINGER: close with a reset, at once


class Serving(uvicorn.Server):
    """A uvicorn server of one sandbox; it leaves logging and signals alone, and tells when it is up.

    Args:
        store: where messages are kept.
        switch: the faults in force.
        clock: says when messages arrive, in unix seconds.
        on_ready: called once it answers.
    """

    def __init__(self, store: Store, switch: FaultSwitch, clock: Clock, on_ready: Callable[[], None]) -> None:
        config = uvicorn.Config(
            create_app(store, switch, self, clock),
            http=_QuietProtocol,
            ws="none",
            lifespan="off",
            log_config=None,
            proxy_headers=False,  # the address of the request is part of what is tested
            server_header=False,
            timeout_graceful_shutdown=_GIVE_UP_S,
        )
        super().__init__(config)
        self._switch, self._on_ready = switch, on_ready
        self._held: socket.socket | None = None
        self._refusal: asyncio.TimerHandle | None = None
        self._following = asyncio.Lock()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Nothing: uvicorn would raise SIGTERM again at the end, and the process would die of it."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to answer, and say so."""
        self.loop = asyncio.get_running_loop()
        await super().startup(sockets)
        if self.started:
            self._address = self.servers[0].sockets[0].getsockname()
            await self.follow()
            self._on_ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End; also while connections are refused."""
        self._cancel_refusal()
        if self._held is not None:
            self._held.close()
        self.loop.call_later(_GRACE_S, self._reset_all)
        await super().shutdown(sockets)

    # What faults need

    def is_closing(self) -> bool:
        """Whether it ends."""
        return self.should_exit

    def reset(self, scope: Scope) -> None:
        """Reset the connection of a request."""
        for connection in list(self.server_state.connections):
            if getattr(connection, "client", None) == tuple(scope["client"] or ()):
                _reset(connection)

    def _reset_all(self) -> None:
        for connection in list(self.server_state.connections):
            _reset(connection)

    async def follow(self) -> None:
        """Refuse connections for as long as the faults in force say; accept them when they say nothing of it."""
        async with self._following:  # to listen again takes a moment, in which another thread may set faults
            await self._follow()

    async def _follow(self) -> None:
        self._cancel_refusal()
        seconds = self._switch.faults.refuse
        if not seconds:
            await self._accept()
            return
        if self._held is None:
            for server in self.servers:
                server.close()
            # A socket that is bound and doesn't listen: connections are refused, and the port stays ours.
            self._held = bound(*self._address[:2])
            self._reset_all()
        self._refusal = self.loop.call_later(seconds, self._end_refusal)

    def _end_refusal(self) -> None:
        self._switch.no_longer_refuse()
        self._ending = self.loop.create_task(self.follow())

    def _cancel_refusal(self) -> None:
        if self._refusal is not None:
            self._refusal.cancel()
            self._refusal = None

    async def _accept(self) -> None:
        if self._held is not None and not self.should_exit:
            held, self._held = self._held, None
            self.servers = [await self.loop.create_server(self._protocol, sock=held, backlog=_BACKLOG)]

    def _protocol(self) -> asyncio.Protocol:
        return _QuietProtocol(config=self.config, server_state=self.server_state, app_state=self.lifespan.state)


class _QuietProtocol(H11Protocol):
    """Without access log, for this server only: uvicorn's own switch silences `uvicorn.access` process-wide.

    In a test the sandbox shares the process with a program whose logging is under test.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.access_log = False


def listening(host: str, port: int) -> socket.socket:
    """A listening socket, made here so that a port in use is an ordinary OSError, not uvicorn's sys.exit."""
    listener = bound(host, port)
    try:
        listener.listen(_BACKLOG)
    except BaseException:
        listener.close()
        raise
    return listener


def bound(host: str, port: int) -> socket.socket:
    """A socket bound to an address."""
    family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # Connections inherit it. asyncio sets it only for sockets made with an explicit protocol, and without it
        # an answer's body waits some 40 ms for the client to acknowledge the headers.
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        made.bind((host, port))
    except BaseException:
        made.close()
        raise
    return made


def _reset(connection: Any) -> None:
    """Break a connection as a crashed server's machine would: with a reset, nothing more sent."""
    transport = connection.transport
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)
    transport.abort()
