"""The sandbox as a running server: in a thread for tests, in the foreground for the command."""

import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any

import uvicorn
from starlette.applications import Starlette
from uvicorn.protocols.http.h11_impl import H11Protocol

from robotmia_logging.sandbox.app import Clock, create_app
from robotmia_logging.sandbox.store import Store

_START_S = 10
_GRACE_S = 3  # for requests under way when the server ends


class SandboxServer:
    """A sandbox that runs in a daemon thread for as long as the `with` block.

    Args:
        host: the address to listen on.
        port: the port; 0 takes a free one.
        db: a file to keep messages in; without one they are gone when the block ends.
        clock: says when messages arrive, in unix seconds.

    Attributes:
        store: what arrived, for tests that would rather not ask over HTTP.

    Raises:
        OSError: on entering, when it can't listen there.
        sqlite3.Error: on entering, when the file can't be used.
    """

    store: Store

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        db: str | Path | None = None,
        clock: Clock = time.time,
    ) -> None:
        self._host, self._port, self._db, self._clock = host, port, db, clock
        self._socket: socket.socket | None = None

    def __repr__(self) -> str:
        return f"SandboxServer({self.url!r})" if self._socket else "SandboxServer(not running)"

    @property
    def port(self) -> int:
        """The port it listens on; before the block the one it was given."""
        return self._port

    @property
    def url(self) -> str:
        """The base of the endpoints' URLs, without a slash at the end."""
        return _url(self._host, self._port)

    def __enter__(self) -> "SandboxServer":  # noqa: PYI034 - Self came with 3.11
        self._socket = _listen(self._host, self._port)
        try:
            self.store = Store(self._db)
        except BaseException:
            self._socket.close()
            raise
        self._port = _port(self._socket)
        ready = threading.Event()
        self._server = _Server(create_app(self.store, self._clock), on_ready=ready.set)
        self._thread = threading.Thread(
            target=self._server.run, args=([self._socket],), name="robotmia-sandbox", daemon=True
        )
        self._thread.start()
        # The socket listens already; but a server told to end before it has started would leak it.
        ready.wait(_START_S)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.should_exit = True
        self._thread.join()
        self.store.close()
        self._socket = None


def serve(
    host: str,
    port: int,
    db: str | Path | None = None,
    *,
    clock: Clock = time.time,
    on_ready: Callable[[str], None] = lambda _url: None,
) -> None:
    """Run a sandbox in the main thread until SIGINT or SIGTERM; a second signal doesn't wait for requests.

    Args:
        host: the address to listen on.
        port: the port; 0 takes a free one.
        db: a file to keep messages in.
        clock: says when messages arrive, in unix seconds.
        on_ready: called with the URL once it listens.

    Raises:
        OSError: it can't listen there.
        sqlite3.Error: the file can't be used.
    """
    with _listen(host, port) as listening, Store(db) as store:
        url = _url(host, _port(listening))
        server = _Server(create_app(store, clock), on_ready=lambda: on_ready(url))
        with _ended_by_signals(server):
            server.run([listening])


class _QuietProtocol(H11Protocol):
    """Without access log, for this server only: uvicorn's own switch silences `uvicorn.access` process-wide.

    In a test the sandbox shares the process with a program whose logging is under test.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.access_log = False


class _Server(uvicorn.Server):
    """A uvicorn server that leaves logging and signals alone, and tells when it is up."""

    def __init__(self, app: Starlette, on_ready: Callable[[], None] = lambda: None) -> None:
        config = uvicorn.Config(
            app,
            http=_QuietProtocol,
            ws="none",
            lifespan="off",
            loop="asyncio",
            log_config=None,
            log_level=None,
            proxy_headers=False,  # the address of the request is part of what is tested
            server_header=False,
            timeout_graceful_shutdown=_GRACE_S,
        )
        super().__init__(config)
        self._on_ready = on_ready

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Nothing: uvicorn would raise SIGTERM again at the end, and the process would die of it."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to answer, and say so."""
        await super().startup(sockets)
        if self.started:
            self._on_ready()


@contextmanager
def _ended_by_signals(server: _Server) -> Iterator[None]:
    def stop(_number: int, _frame: FrameType | None) -> None:
        server.force_exit = server.should_exit
        server.should_exit = True

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _listen(host: str, port: int) -> socket.socket:
    """A listening socket, made here so that a port in use is an ordinary OSError, not uvicorn's sys.exit."""
    family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
    listening = socket.create_server((host, port), family=family, backlog=2048)
    # Connections inherit it. asyncio sets it only for sockets made with an explicit protocol, and without it
    # an answer's body waits some 40 ms for the client to acknowledge the headers.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening


def _port(listening: socket.socket) -> int:
    port: int = listening.getsockname()[1]
    return port


def _url(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
