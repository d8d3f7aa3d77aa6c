"""A robotmia endpoint that misbehaves on purpose, over real sockets, and writes down what it saw.

A script says how requests are met: one `Behaviour`, an iterable of them (one a request, the last one for all
further requests, `accept` if there is none), or a callable from `Request` to `Behaviour`, called in the
connection's thread (so possibly in several at once).
"""

from __future__ import annotations

import base64
import io
import json
import os
import socket
import struct
import threading
import time
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime
from http.client import parse_headers, responses
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

if TYPE_CHECKING:
    from email.message import Message

    from typing_extensions import Self

OK = b'{"status":1,"error":""}'


@dataclass(eq=False)
class Request:
    """One request as it arrived; `form` and `messages` stay empty where a behaviour didn't read the body."""

    method: str
    path: str
    query: dict[str, str]
    headers: Message  # looked up without regard to case
    connection: int
    at: float  # time.monotonic() when its head had arrived
    form: dict[str, str] = field(default_factory=dict)
    messages: list[dict[str, Any]] = field(default_factory=list)
    taken: bool = False  # the server counts the messages as accepted, whatever the client was told


Step = Callable[["Connection", Request], object]


@dataclass(frozen=True)
class Behaviour:
    """Steps that meet one request, up to the one that ends the connection.

    An `early` one acts before the body is read, unless a callable script chose it: that sees the body first.
    """

    name: str
    steps: tuple[Step, ...] = field(repr=False)
    early: bool = False


Script = Behaviour | Iterable[Behaviour] | Callable[[Request], Behaviour]


class Connection:
    """One connection, served in its own thread until a behaviour, the client or an outage ends it."""

    def __init__(self, server: HostileServer, sock: socket.socket, number: int) -> None:
        self.server, self.sock, self.number = server, sock, number
        self.ended = threading.Event()  # also ends the pauses of behaviours
        self.stale = False
        self._buffer = b""

    def serve(self) -> None:
        """Meet request after request."""
        try:
            with suppress(OSError):  # the client has gone, or we were cut
                while not self.ended.is_set() and self._serve_one():
                    pass
        finally:
            self.close()
            self.server.forget(self)

    def close(self, *, reset: bool = False) -> None:
        """End the connection with a FIN, or with a RST; in its own thread only."""
        self.ended.set()
        if reset:  # no shutdown here: its FIN would leave first
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        else:
            self.cut()
        self.sock.close()

    def cut(self) -> None:
        """End the connection from any thread: pauses end, reads and writes fail, its own thread closes it."""
        self.ended.set()
        with suppress(OSError):  # already gone
            self.sock.shutdown(socket.SHUT_RDWR)

    def _serve_one(self) -> bool:
        while b"\r\n\r\n" not in self._buffer:
            if not self._receive():
                return False
            if self.stale:
                self.close(reset=True)
                return False
        head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
        line, _, fields = head.partition(b"\r\n")
        method, target, _ = line.decode("ascii").split(" ")
        headers, url = parse_headers(io.BytesIO(fields + b"\r\n\r\n")), urlsplit(target)
        query = dict(parse_qsl(url.query, keep_blank_values=True))
        request = Request(method, url.path, query, headers, self.number, time.monotonic())
        behaviour = self.server.next_scripted()
        if behaviour is None or not behaviour.early:
            size = int(headers["Content-Length"] or 0)
            while len(self._buffer) < size:
                if not self._receive():
                    return False  # ended in the middle of the body: that was no request
            body, self._buffer = self._buffer[:size], self._buffer[size:]
            for problem in _read_form(request, body):
                self.server.note(violation=f"connection {self.number}, {method} {url.path}: {problem}")
        self.server.note(request=request)
        for step in (behaviour or self.server.choose(request)).steps:
            if not self.ended.is_set():
                step(self, request)
        return str(headers["Connection"]).lower() != "close"

    def _receive(self) -> bool:
        chunk = self.sock.recv(65_536)
        self._buffer += chunk
        return bool(chunk)


class HostileServer:
    """Serves a script on 127.0.0.1 within a `with` block; its journal may be read at any time."""

    def __init__(self, script: Script = ()) -> None:
        self.choose: Callable[[Request], Behaviour] = script if callable(script) else lambda _: accept
        one_by_one = [script] if isinstance(script, Behaviour) else script
        self._script = None if callable(one_by_one) else iter(one_by_one)
        self._last = accept
        self._journal = threading.Condition()
        self._switch = threading.Lock()  # one outage at a time
        self._listening = False
        self._threads: list[threading.Thread] = []
        self._open: list[Connection] = []
        self.requests: list[Request] = []
        self.taken: list[tuple[str, dict[str, Any]]] = []
        self.violations: list[str] = []
        self.connections = self.port = 0

    def __repr__(self) -> str:
        state = "listening" if self._listening else "refusing"
        connections = f"{self.open_connections}/{self.connections} connections open"
        counts = f"{len(self.requests)} requests, {len(self.taken)} taken, {len(self.violations)} violations"
        return f"<HostileServer :{self.port} {state}, {connections}, {counts}>"

    def __enter__(self) -> Self:
        self._bind()
        self.accept_connections()
        _servers.add(self)
        return self

    def __exit__(self, *_: object) -> None:
        self.refuse_connections()
        self._socket.close()

    @property
    def url(self) -> str:
        """The client's base URL."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def open_connections(self) -> int:
        """Connections that the server has not ended."""
        return len(self._open)

    def wait_for(self, predicate: Callable[[HostileServer], object], timeout: float = 5.0) -> bool:
        """Wait, looking after every change of the journal, until the predicate holds; say whether it did."""
        with self._journal:
            return bool(self._journal.wait_for(lambda: predicate(self), timeout))

    def accept_connections(self) -> None:
        """End an outage: listen again, on the same port."""
        with self._switch:
            if not self._listening:
                self._listening = True
                self._socket.listen(128)
                self._acceptor = threading.Thread(target=self._accept, name="hostile-acceptor", daemon=True)
                self._acceptor.start()

    def refuse_connections(self, *, cut: bool = True) -> None:
        """Begin an outage: no new connections, and open ones are cut. On return nothing more is taken.

        Called from a script it doesn't wait for the other connections; with `cut=False` they go on.
        """
        with self._switch:
            if self._listening:
                self._listening = False
                with suppress(OSError):  # connecting wakes accept() on every platform; closing wouldn't
                    socket.create_connection(("127.0.0.1", self.port), 1.0).close()
                self._acceptor.join()
                self._socket.close()
                self._bind()  # a bound socket that doesn't listen refuses, and keeps the port ours
        for connection in list(self._open) if cut else ():
            connection.cut()
        for thread in self._threads if cut and threading.current_thread() not in self._threads else ():
            thread.join()

    def next_scripted(self) -> Behaviour | None:
        """The next behaviour of a script that doesn't look at requests; None when it is a callable."""
        if self._script is None:
            return None
        with self._journal:
            self._last = next(self._script, self._last)
            return self._last

    def note(self, *, request: Request | None = None, taken: Request | None = None, violation: str = "") -> None:
        """Write into the journal and wake those who wait for it."""
        with self._journal:
            self.requests += [request] if request else []
            self.violations += [violation] if violation else []
            if taken:
                taken.taken = True
                self.taken += [(taken.path, message) for message in taken.messages]
            self._journal.notify_all()

    def forget(self, connection: Connection) -> None:
        """Count a connection as ended."""
        with self._journal:
            self._open.remove(connection)
            self._journal.notify_all()

    def _bind(self) -> None:
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        for _ in range(100):  # a process that is being started holds the old socket until it is
            try:
                self._socket.bind(("127.0.0.1", self.port))
                break
            except OSError:
                threading.Event().wait(0.02)
        self.port = self._socket.getsockname()[1]

    def _accept(self) -> None:
        while True:
            sock, _ = self._socket.accept()
            if not self._listening:
                sock.close()
                return
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._journal:
                self.connections += 1
                connection = Connection(self, sock, self.connections)
                thread = threading.Thread(target=connection.serve, daemon=True)
                self._open.append(connection)
                self._threads.append(thread)
                thread.start()
                self._journal.notify_all()


_servers: weakref.WeakSet[HostileServer] = weakref.WeakSet()


def _close_inherited() -> None:
    """Let go of our sockets in a forked child, or no FIN, RST or refusal would leave while it lives."""
    for server in list(_servers):
        for sock in (server._socket, *(connection.sock for connection in server._open)):
            if sock.fileno() >= 0:
                os.close(sock.detach())


os.register_at_fork(after_in_child=_close_inherited)


def _read_form(request: Request, body: bytes) -> Iterator[str]:
    """Fill in form and messages; yield each breach of the API document."""
    pairs = list(request.query.items())
    if request.method == "POST":
        if request.headers.get_content_type() != "application/x-www-form-urlencoded":
            yield f"Content-Type {request.headers['Content-Type']!r}"
        pairs = parse_qsl(body.decode("latin-1"), keep_blank_values=True)
        request.form = dict(pairs)
    try:
        texts = [value for name, value in pairs if name == "data"]
        if len(texts) != 1:
            raise ValueError(f"{len(texts)} fields `data`")
        decoded = base64.b64decode(texts[0], validate=True)
        if base64.b64encode(decoded).decode() != texts[0]:
            raise ValueError("not padded standard Base64")
        messages = json.loads(decoded.decode(), parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        yield f"{body[:80]!r}: {error}"
        return
    request.messages = messages if isinstance(messages, list) else [messages]
    if not 1 <= len(request.messages) <= 50:
        yield f"a batch of {len(request.messages)} messages"
    if not all(isinstance(message, dict) for message in request.messages):
        yield "a message that is no object"


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


# The steps that behaviours are made of; those after a step that ends the connection are left out.
def _take(connection: Connection, request: Request) -> None:
    connection.server.note(taken=request)


def _close(connection: Connection, _: Request) -> None:
    connection.close()


def _reset(connection: Connection, _: Request) -> None:
    connection.close(reset=True)


def _turn_stale(connection: Connection, _: Request) -> None:
    connection.stale = True


def _pause(seconds: float | None) -> Step:
    return lambda connection, _: connection.ended.wait(seconds)


def _send(body: bytes, code: int = 200, headers: Mapping[str, str] | None = None, interval: float = 0) -> Step:
    def step(connection: Connection, _: Request) -> None:
        fields = {"Content-Type": "application/json", "Content-Length": str(len(body)), **(headers or {})}
        head = f"HTTP/1.1 {code} {responses.get(code, 'Unknown')}\r\n"
        head += "".join(f"{name}: {value}\r\n" for name, value in fields.items()) + "\r\n"
        connection.sock.sendall(head.encode() + (b"" if interval else body))
        for byte in body if interval else b"":
            if not connection.ended.wait(interval):
                connection.sock.sendall(bytes([byte]))
        if fields.get("Connection", "").lower() == "close":
            connection.close()

    return step


_HTML, _KEPT = {"Content-Type": "text/html"}, {"Connection": "keep-alive"}
accept = Behaviour("accept", (_take, _send(OK)))
accept_plain = Behaviour("accept_plain", (_take, _send(b"1")))
refuse_plain = Behaviour("refuse_plain", (_send(b"0"),))
html = Behaviour("html", (_take, _send(b"<!doctype html><title>Welcome</title>", headers=_HTML)))
truncated = Behaviour("truncated", (_take, _send(OK[:-5], headers={"Content-Length": str(len(OK))}), _close))
reset_before = Behaviour("reset_before", (_reset,), early=True)
reset_after = Behaviour("reset_after", (_take, _reset))
close_idle = Behaviour("close_idle", (_take, _send(OK, headers=_KEPT), _close))
stale = Behaviour("stale", (_take, _send(OK, headers=_KEPT), _turn_stale))  # RST when the next request begins


def refuse(error: str = "invalid") -> Behaviour:
    """Refuse the whole batch, as the verbose API does."""
    return Behaviour(f"refuse({error!r})", (_send(json.dumps({"status": 0, "error": error}).encode()),))


def refuse_if(predicate: Callable[[dict[str, Any]], object], error: str = "invalid") -> Behaviour:
    """Refuse the whole batch if any message matches, else accept it."""

    def step(connection: Connection, request: Request) -> None:
        behaviour = refuse(error) if any(map(predicate, request.messages)) else accept
        for part in behaviour.steps:
            part(connection, request)

    return Behaviour("refuse_if", (step,))


def status(
    code: int,
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
    *,
    retry_after: float | datetime | None = None,
    taken: bool = False,
) -> Behaviour:
    """Answer with a status; `retry_after` in seconds, or an aware datetime for the header's other form."""
    fields = dict(headers or {})
    if isinstance(retry_after, datetime):
        fields["Retry-After"] = format_datetime(retry_after, usegmt=True)
    elif retry_after is not None:
        fields["Retry-After"] = str(retry_after)
    return Behaviour(f"status({code})", (*_taking(taken), _send(body, code, fields)))


def redirect(location: str, code: int = 302) -> Behaviour:
    """Send the client elsewhere; nothing is taken."""
    return Behaviour(f"redirect({location!r})", (_send(b"", code, {"Location": location}),))


def close_silently(*, taken: bool = False) -> Behaviour:
    """Read the whole request, then FIN without a reply."""
    return Behaviour("close_silently", (*_taking(taken), _close))


def hang(seconds: float | None = None, *, taken: bool = False) -> Behaviour:
    """Never reply; close after the seconds, or when the server stops."""
    return Behaviour("hang", (*_taking(taken), _pause(seconds), _close))


def latency(seconds: float, then: Behaviour = accept) -> Behaviour:
    """Wait before behaving; an outage or the server's end cancels what would follow."""
    return Behaviour(f"latency({seconds}, {then.name})", (_pause(seconds), *then.steps), early=then.early)


def held_until(event: threading.Event, then: Behaviour = accept) -> Behaviour:
    """Wait for the test's event before behaving."""

    def step(connection: Connection, _: Request) -> None:
        while not event.is_set() and not connection.ended.wait(0.005):
            pass

    return Behaviour(f"held_until({then.name})", (step, *then.steps), early=then.early)


def trickle(body: bytes = OK, interval: float = 0.01, *, taken: bool = True) -> Behaviour:
    """Reply byte by byte, with a pause before each."""
    return Behaviour("trickle", (*_taking(taken), _send(body, interval=interval)))


def _taking(taken: bool) -> tuple[Step, ...]:
    return (_take,) if taken else ()
