"""The sandbox as a running server: in a thread for tests, in the foreground for the command."""

import asyncio
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType, TracebackType

from robotmia_logging.sandbox.app import Clock
from robotmia_logging.sandbox.faults import Faults, FaultSwitch
from robotmia_logging.sandbox.serving import Serving, listening
from robotmia_logging.sandbox.store.store import Store

MAX_MESSAGES = 100_000
MAX_BYTES = 256 * 2**20

_START_S = 10


class SandboxServer:
    """A sandbox that runs in a daemon thread for as long as the `with` block.

    Args:
        host: the address to listen on.
        port: the port; 0 takes a free one.
        db: a file to keep messages in; without one they are gone when the block ends.
        clock: says when messages arrive, in unix seconds.
        max_messages: how many messages are kept; the oldest give way.
        max_bytes: how many bytes of them are kept.
        faults: the faults it shows from the start.

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
        max_messages: int = MAX_MESSAGES,
        max_bytes: int = MAX_BYTES,
        faults: Faults | None = None,
    ) -> None:
        self._host, self._port, self._db, self._clock = host, port, db, clock
        self._max_messages, self._max_bytes = max_messages, max_bytes
        self._switch = FaultSwitch(faults)
        self._socket: socket.socket | None = None

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.url!r})" if self._socket else f"{type(self).__name__}(not running)"

    @property
    def port(self) -> int:
        """The port it listens on; before the block the one it was given."""
        return self._port

    @property
    def url(self) -> str:
        """The base of the endpoints' URLs, without a slash at the end."""
        return _url(self._host, self._port)

    @property
    def current_faults(self) -> Faults:
        """The faults in force."""
        return self._switch.faults

    def set_faults(self, faults: Faults) -> None:
        """Put these faults in force, in place of all others; when it returns, they are."""
        self._switch.set(faults)
        if self._socket is not None:
            asyncio.run_coroutine_threadsafe(self._server.follow(), self._server.loop).result()

    def __enter__(self) -> "SandboxServer":  # noqa: PYI034 - Self came with 3.11
        self._socket = listening(self._host, self._port)
        try:
            self.store = Store(self._db, max_messages=self._max_messages, max_bytes=self._max_bytes)
        except BaseException:
            self._socket.close()
            self._socket = None
            raise
        self._port = _port(self._socket)
        ready = threading.Event()
        self._server = Serving(self.store, self._switch, self._clock, on_ready=ready.set)
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
    max_messages: int = MAX_MESSAGES,
    max_bytes: int = MAX_BYTES,
    faults: Faults | None = None,
    on_ready: Callable[[str], None] = lambda _url: None,
) -> None:
    """Run a sandbox in the main thread until SIGINT or SIGTERM; a second signal doesn't wait for requests.

    Args:
        host: the address to listen on.
        port: the port; 0 takes a free one.
        db: a file to keep messages in.
        clock: says when messages arrive, in unix seconds.
        max_messages: how many messages are kept; the oldest give way.
        max_bytes: how many bytes of them are kept.
        faults: the faults it shows from the start.
        on_ready: called with the URL once it listens.

    Raises:
        OSError: it can't listen there.
        sqlite3.Error: the file can't be used.
    """
    with listening(host, port) as listener, Store(db, max_messages=max_messages, max_bytes=max_bytes) as store:
        url = _url(host, _port(listener))
        server = Serving(store, FaultSwitch(faults), clock, on_ready=lambda: on_ready(url))
        with _ended_by_signals(server):
            server.run([listener])


@contextmanager
def _ended_by_signals(server: Serving) -> Iterator[None]:
    def stop(_number: int, _frame: FrameType | None) -> None:
        server.force_exit = server.should_exit
        server.should_exit = True

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _port(listener: socket.socket) -> int:
    port: int = listener.getsockname()[1]
    return port


def _url(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
