"""A server that takes every batch and does next to nothing: faster than any client it measures."""

from __future__ import annotations

import socket
import threading

REPLY = b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n1"


def serve(connection: socket.socket) -> None:
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    buffer = b""
    while True:
        while b"\r\n\r\n" not in buffer:
            data = connection.recv(65536)
            if not data:
                return
            buffer += data
        head, _, buffer = buffer.partition(b"\r\n\r\n")
        line = next(line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:"))
        length = int(line.split(b":")[1])
        while len(buffer) < length:
            buffer += connection.recv(65536)
        buffer = buffer[length:]
        connection.sendall(REPLY)


def main() -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=serve, args=(connection,), daemon=True).start()


if __name__ == "__main__":
    main()
