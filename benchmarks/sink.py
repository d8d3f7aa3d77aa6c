"""A server that takes every batch and does next to nothing: faster than any client it measures.

Requests are kept as they come and counted only when somebody asks. It prints a line of JSON with its two ports, and
ends with its standard input. On the second port: `GET /count`; `POST /away/refusing` and `POST /away/silent`
(connections are refused, or requests never answered) until `POST /back`.
"""

from __future__ import annotations

import argparse
import json
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from typing import NamedTuple

from benchmarks.counting import messages_in

TAKEN = b'{"status": 1, "error": null}'
KEPT_BYTES = 256 * 1024 * 1024  # more than that is counted at once
HOST = "127.0.0.1"


class Request(NamedTuple):
    """An HTTP request."""

    target: str
    headers: dict[str, str]
    body: bytes


class Reply(NamedTuple):
    """An HTTP reply."""

    status: str
    body: bytes

    def encoded(self) -> bytes:
        head = f"HTTP/1.1 {self.status}\r\nContent-Type: application/json\r\nContent-Length: {len(self.body)}\r\n\r\n"
        return head.encode() + self.body


ALL_WELL = Reply("200 OK", TAKEN).encoded()
UNAVAILABLE = Reply("503 Service Unavailable", b'{"status": 0, "error": "unavailable"}').encoded()


class Connection:
    """A client's connection: requests in, replies out."""

    def __init__(self, connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket = connection
        self._rest = b""

    def receive(self) -> Request | None:
        """The next request; None when there is none any more."""
        data = self._rest
        while (end := data.find(b"\r\n\r\n")) < 0:
            more = self._socket.recv(262_144)
            if not more:
                return None
            data += more
        first, *lines = data[:end].decode("latin-1").split("\r\n")
        headers = {}
        for line in lines:
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        start = end + 4
        end = start + int(headers.get("content-length", 0))
        while len(data) < end:
            more = self._socket.recv(262_144)
            if not more:
                return None
            data += more
        self._rest = data[end:]
        return Request(first.split(" ")[1], headers, data[start:end])

    def send(self, reply: bytes) -> None:
        self._socket.sendall(reply)

    def close(self) -> None:
        self._socket.close()


class Port:
    """A port that may be closed and opened again. Each connection has a thread, which `answer` serves."""

    def __init__(self, answer: Callable[[Request], bytes]) -> None:
        self._answer = answer
        self._open: set[socket.socket] = set()
        self.number = 0
        self.open()

    def open(self) -> None:
        self._listener = socket.create_server((HOST, self.number), backlog=256)
        self.number = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def close(self) -> None:
        """Refuse new connections, and break those that are open."""
        self._listener.shutdown(socket.SHUT_RDWR)  # close() alone doesn't wake the thread in accept()
        self._listener.close()
        for connection in list(self._open):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # it was closed meanwhile

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, accepted: socket.socket) -> None:
        self._open.add(accepted)
        connection = Connection(accepted)
        try:
            while (request := connection.receive()) is not None:
                connection.send(self._answer(request))
        except OSError:
            pass  # the client went away
        finally:
            self._open.discard(accepted)
            connection.close()


class Sink:
    """Takes batches, and counts what it took."""

    def __init__(self, *, latency_s: float = 0.0, failing: float = 0.0) -> None:
        self._latency_s = latency_s
        self._failing = failing
        self._owed = 0.0
        self._lock = threading.Lock()
        self._answering = threading.Event()
        self._answering.set()
        self._kept: list[Request] = []
        self._kept_bytes = 0
        self._counts = {"messages": 0, "requests": 0, "failed": 0, "unreadable": 0}
        self._refusing = False
        self.port = Port(self._take)
        self.control = Port(self._command)

    def _take(self, request: Request) -> bytes:
        if self._latency_s:
            time.sleep(self._latency_s)
        self._answering.wait()
        with self._lock:
            self._owed += self._failing
            if self._owed >= 1:
                self._owed -= 1
                self._counts["failed"] += 1
                return UNAVAILABLE
            self._kept.append(request)
            self._kept_bytes += len(request.body)
            if self._kept_bytes > KEPT_BYTES:
                self._count()
        return ALL_WELL

    def _count(self) -> None:
        for request in self._kept:
            try:
                self._counts["messages"] += messages_in(request.headers, request.body)
            except (ValueError, OSError, EOFError):
                self._counts["unreadable"] += 1
        self._counts["requests"] += len(self._kept)
        self._kept.clear()
        self._kept_bytes = 0

    def _command(self, request: Request) -> bytes:
        with self._lock:
            if request.target == "/count":
                self._count()
            elif request.target == "/away/silent":
                self._answering.clear()
            elif request.target == "/away/refusing" and not self._refusing:
                self.port.close()
                self._refusing = True
            elif request.target == "/back":
                if self._refusing:
                    self.port.open()
                self._refusing = False
                self._answering.set()
            return Reply("200 OK", json.dumps(self._counts).encode()).encoded()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--latency-ms", type=float, default=0.0, help="Wait so long before each reply.")
    parser.add_argument("--failing", type=float, default=0.0, help="The share of requests answered with 503.")
    asked = parser.parse_args()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the conductor, which ends it
    sink = Sink(latency_s=asked.latency_ms / 1000, failing=asked.failing)
    print(json.dumps({"port": sink.port.number, "control": sink.control.number}), flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
