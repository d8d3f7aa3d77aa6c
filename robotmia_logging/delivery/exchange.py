"""A request and its reply on an open connection.

A reply in the form that servers nearly always give is read by two regular expressions, at a fiftieth of what
`http.client` costs. `http.client` reads all others: it is the authority on HTTP, and what is read quickly it would read
alike.
"""

from __future__ import annotations

import errno
import io
import re
import time
from functools import lru_cache
from http import HTTPStatus
from http.client import HTTPException, HTTPResponse, IncompleteRead
from typing import Any, NamedTuple

LONGEST_REPLY_BYTES = 64 * 1024
_LONGEST_LENGTH = len(str(LONGEST_REPLY_BYTES))
_PIECE_BYTES = 16 * 1024
_VERSION = b"HTTP/1.1 "
_HEAD_END = re.compile(rb"\n\r?\n")
_PLAIN_HEAD = re.compile(
    rb"HTTP/1\.1 ([2-9]\d\d) [\t -~]*\r\n"  # no interim reply
    rb"(?:[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t -~\xa0-\xff]*\r\n){0,90}\r\n"  # http.client's limit is 100
)
_FIELDS_THAT_MATTER = re.compile(
    rb"\r\n(connection|content-length|retry-after|transfer-encoding):[\t ]*([^\r]*)", re.IGNORECASE
)
_WITHOUT_BODY = {HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED}


class Reply(NamedTuple):
    """What a server replied.

    Attributes:
        status: the HTTP status.
        body: the body, empty where it couldn't be read.
        retry_after: the field `Retry-After`, if there is one.
        keeps_alive: the connection can carry another request.
        body_error: what kept the body from being read.
    """

    status: int
    body: bytes
    retry_after: str | None
    keeps_alive: bool
    body_error: Exception | None = None


class TooLongError(HTTPException):
    """The reply is longer than any of robotmia's."""


class Incoming:
    """A reply's bytes as they come, by one deadline, however slowly they trickle.

    A socket's own timeout begins anew with each byte.

    Attributes:
        began: something of a reply has come.
        pending: what has come, and nobody has read yet.
    """

    __slots__ = ("_deadline", "_sock", "_within_s", "began", "pending")

    def __init__(self, sock: Any, within_s: float) -> None:
        self._sock = sock
        self._within_s = within_s
        self._deadline: float | None = None  # begins with the wait, once the request has left
        self.began = False
        self.pending = b""

    def receive(self) -> bool:
        """Wait for more.

        Returns:
            Whether there is more: False at the end of the connection.

        Raises:
            TimeoutError: it took too long.
            OSError: the connection broke.
        """
        now = time.monotonic()
        if self._deadline is None:
            self._deadline = now + self._within_s
        if now >= self._deadline:
            raise self._late()
        self._sock.settimeout(self._deadline - now)
        try:
            piece = self._sock.recv(_PIECE_BYTES)
        except TimeoutError:
            raise self._late() from None
        self.pending += piece
        self.began = self.began or bool(piece)
        return bool(piece)

    def makefile(self, _mode: str) -> io.BufferedReader:
        """What `http.client` asks of a socket."""
        return io.BufferedReader(_IncomingFile(self))

    def _late(self) -> TimeoutError:
        what = "the answer wasn't complete" if self.began else "no answer"
        return TimeoutError(f"{what} within {self._within_s:.4g} s")


class _IncomingFile(io.RawIOBase):
    """What is pending, and then what comes, as a file."""

    def __init__(self, incoming: Incoming) -> None:
        self._incoming = incoming

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        incoming = self._incoming
        if not incoming.pending and not incoming.receive():
            return 0
        piece = incoming.pending[: len(buffer)]
        incoming.pending = incoming.pending[len(piece) :]
        buffer[: len(piece)] = piece
        return len(piece)


def send_request(sock: Any, request: bytes, within_s: float) -> bool:
    """Send a request.

    Returns:
        Whether all of it left. A server may reply, and close the connection, before it has read a request that it
        finds too large: that reply is still to be read.

    Raises:
        TimeoutError: it took too long.
        OSError: the connection broke.
    """
    sock.settimeout(within_s)
    try:
        sock.sendall(request)
    except (BrokenPipeError, ConnectionResetError, ConnectionAbortedError):
        return False
    except TimeoutError:
        raise TimeoutError(f"the request couldn't be sent within {within_s:.4g} s") from None
    except OSError as error:
        if error.errno != errno.EPROTOTYPE:  # how macOS may say it
            raise
        return False
    return True


def read_reply(incoming: Incoming) -> Reply:
    """Read a reply.

    Raises:
        TimeoutError: the reply took too long.
        OSError: the connection broke.
        HTTPException: its head isn't HTTP.
    """
    while not (end := _HEAD_END.search(incoming.pending)):
        may_be_plain = incoming.pending.startswith(_VERSION[: len(incoming.pending)])
        if not may_be_plain or len(incoming.pending) > LONGEST_REPLY_BYTES or not incoming.receive():
            return read_any_reply(incoming)
    head = _plain_head(incoming.pending[: end.end()])
    if head is None or head.length > LONGEST_REPLY_BYTES:
        return read_any_reply(incoming)
    size = end.end() + head.length
    try:
        while len(incoming.pending) < size and incoming.receive():
            pass
    except OSError as error:
        return Reply(head.status, b"", head.retry_after, keeps_alive=False, body_error=error)
    if len(incoming.pending) != size:
        return read_any_reply(incoming)
    return Reply(head.status, incoming.pending[end.end() :], head.retry_after, head.keeps_alive)


def read_any_reply(incoming: Incoming) -> Reply:
    """Read a reply of any form with `http.client`. Raises like `read_reply`."""
    response = HTTPResponse(incoming, method="POST")  # type: ignore[arg-type]
    try:
        response.begin()
        retry_after = response.getheader("Retry-After")
        try:
            body = _body(response)
        except (OSError, HTTPException) as error:
            return Reply(response.status, b"", retry_after, keeps_alive=False, body_error=error)
        return Reply(response.status, body, retry_after, keeps_alive=not response.will_close)
    finally:
        response.close()


class _Head(NamedTuple):
    status: int
    length: int
    retry_after: str | None
    keeps_alive: bool


@lru_cache(maxsize=16)  # a server says nearly the same each time: the date is another once a second
def _plain_head(head: bytes) -> _Head | None:
    """Read the head of a reply, if there can be no two opinions on what it says."""
    match = _PLAIN_HEAD.fullmatch(head)
    if match is None:
        return None
    found = _FIELDS_THAT_MATTER.findall(head)
    fields = {name.lower(): value for name, value in found}
    status = int(match[1])
    length = fields.get(b"content-length", b"")
    connection = fields.get(b"connection", b"keep-alive").lower()
    if (
        len(fields) < len(found)
        or b"transfer-encoding" in fields
        or not length.isdigit()
        or len(length) > _LONGEST_LENGTH
        or connection not in {b"keep-alive", b"close"}
        or status in _WITHOUT_BODY
    ):
        return None
    retry_after = fields.get(b"retry-after")
    return _Head(
        status, int(length), None if retry_after is None else retry_after.decode("latin-1"), connection != b"close"
    )


def _body(response: HTTPResponse) -> bytes:
    lengths = {part.strip() for value in response.headers.get_all("Content-Length", ()) for part in value.split(",")}
    if len(lengths) > 1:
        raise HTTPException("the reply has several lengths")
    if response.length is None and not response.chunked and (length := "".join(lengths)).isdecimal():
        response.length = min(
            int(length[: _LONGEST_LENGTH + 1]), LONGEST_REPLY_BYTES + 1
        )  # it was said twice: "25, 25"
    try:
        body = response.read(LONGEST_REPLY_BYTES + 1)
    except IncompleteRead:
        raise HTTPException("the reply was cut short") from None
    if len(body) > LONGEST_REPLY_BYTES:
        raise TooLongError("the reply is longer than any of robotmia's")
    if response.length:
        raise HTTPException("the reply was cut short")
    return body
