"""One request and its reply: the quick reading and `http.client` agree, and a reply has one deadline."""

from __future__ import annotations

import errno
import socket
import ssl
from http.client import HTTPException, RemoteDisconnected
from itertools import pairwise, product
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robotmia_logging.delivery import exchange
from robotmia_logging.delivery.exchange import (
    LONGEST_REPLY_BYTES,
    Incoming,
    TooLongError,
    read_any_reply,
    read_reply,
    send_request,
)

YES = b'{"status": 1, "error": null}'
PLAIN = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 28\r\n\r\n" + YES


class Pieces:
    """A socket that receives these pieces; then the peer has closed it, or says nothing more."""

    def __init__(self, *pieces, silent=False):
        self.pieces = [piece for piece in pieces if piece]
        self.silent = silent

    def settimeout(self, _seconds):
        pass

    def recv(self, size):
        if not self.pieces and self.silent:
            raise TimeoutError
        data = self.pieces.pop(0) if self.pieces else b""
        if data[size:]:
            self.pieces.insert(0, data[size:])
        return data[:size]


def read(reader, data, cuts=(), *, silent=False):
    """What a reader makes of data that comes in pieces: status, body, wait, whether the connection lives; or None."""
    places = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    pieces = [data[start:end] for start, end in pairwise(places)]
    try:
        reply = reader(Incoming(Pieces(*pieces, silent=silent), 5.0))
    except (OSError, HTTPException):
        return None
    return (*reply[:4], type(reply.body_error))


# The first of each is plain.
LINES = [
    b"HTTP/1.1 200 OK\r\n", *(b"HTTP/1.1 %d X\r\n" % status for status in (100, 101, 103, 204, 304, 429, 999, 1000)),
    b"HTTP/1.0 200 OK\r\n", b"HTTP/1.1 200\r\n", b"HTTP/1.1  200 OK\r\n", b"HTTP/2 200 OK\r\n", b"http/1.1 200 OK\r\n",
    b"HTTP/1.1 2OO OK\r\n", b"HTTP/1.1 200 OK\n", b"", b"\r\n", b"HTTP/1.1 200 \xff\r\n", b"HTTP/1.1 200 O\rK\r\n",
]  # fmt: skip
LENGTHS = [
    b"Content-Length: %d\r\n", b"content-length:%d\r\n", b"Content-Length: %d \r\n", b"Content-Length: +%d\r\n",
    b"Content-Length : %d\r\n", b"Content-Length: 0%d\r\n", b"Content-Length: %d\n", b"Content-Length:\r\n %d\r\n",
    b"Content-Length: 2%d\r\n", b"Content-Length: 70000\r\n", b"Content-Length: -%d\r\n", b"Content-Length: x\r\n",
    b"X-Content-Length: %d\r\n", b"Content-Length %d\r\n", b"Content-Length: 9\r\nContent-Length: %d\r\n", b"",
    b"Content-Length: " + b"1" * 5_000 + b"\r\n",
]  # fmt: skip
FIELDS = [
    b"", b"Server: nginx\r\n", b"Connection: close\r\n", b"Connection: keep-alive\r\n", b"Connection: x, Close\r\n",
    b"Connection: Upgrade\r\n", b"Transfer-Encoding: chunked\r\n", b"Transfer-Encoding: gzip\r\n", b"Keep-Alive: 5\r\n",
    b"Retry-After: 7\r\n", b"retry-after:\t8 \r\n", b"Retry-After: \xe4\x85\r\n", b"X-\xe4: a\r\n", b"X-A: a\rb\r\n",
    b"From x\r\n", b" folded\r\n", b": no name\r\n", b"no colon\r\n", b"X-A: a\n", b"X-A: Content-Length: 3\r\n",
    b"X-A: \x00\r\n",
]  # fmt: skip
BODIES = [YES, b"", b"1\r\n1\r\n0\r\n\r\n", b"5\r\nhello\r\n"]
RESTS = [b"", b"1", PLAIN]


def a_reply(line, length, fields, body, rest):
    return line + length.replace(b"%d", b"%d" % len(body)) + fields + b"\r\n" + body + rest


@pytest.mark.parametrize("silent", [False, True])
def test_both_readings_agree_on_odd_replies(silent):
    """What the quick reading makes of a reply with an oddity or two is what `http.client` makes of it."""
    for line, length, *rest in product(LINES, LENGTHS, FIELDS, BODIES, RESTS):
        if line is LINES[0] or length is LENGTHS[0]:
            data = a_reply(line, length, *rest)
            assert read(read_reply, data, silent=silent) == read(read_any_reply, data, silent=silent), data


@given(
    st.builds(
        a_reply,
        st.just(LINES[0]) | st.sampled_from(LINES),
        st.just(LENGTHS[0]) | st.sampled_from(LENGTHS),
        st.lists(st.sampled_from(FIELDS) | st.binary(max_size=9), max_size=3).map(b"".join),
        st.sampled_from(BODIES),
        st.sampled_from(RESTS),
    ),
    st.lists(st.integers(0, 200), max_size=4),
    st.booleans(),
)
def test_both_readings_agree(data, cuts, silent):
    """The same for any number of oddities, however the reply comes in pieces and wherever it ends."""
    whole = data[: cuts[-1] if silent and cuts else None]
    assert read(read_reply, whole, cuts, silent=silent) == read(read_any_reply, whole, silent=silent)


@given(st.binary(max_size=300), st.lists(st.integers(0, 300), max_size=4))
def test_both_readings_agree_on_anything(data, cuts):
    """The same for any bytes after the beginning of a reply."""
    data = b"HTTP/1.1 200 " + data
    assert read(read_reply, data, cuts) == read(read_any_reply, data)


@pytest.fixture
def no_http_client(monkeypatch):
    """Let no reply be read by `http.client`."""

    def fail(_incoming):
        pytest.fail("read by http.client")

    monkeypatch.setattr(exchange, "read_any_reply", fail)


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 28\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nServer: nginx\r\ncontent-length:28\r\nConnection: keep-alive\r\nSet-Cookie: a=b\r\n\r\n",
        b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 7\r\nContent-Length: 28\r\n\r\n",
        b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 28\r\n\r\n",
    ],
)
@pytest.mark.usefixtures("no_http_client")
def test_what_servers_nearly_always_say_is_read_quickly(head):
    """Replies in their plain form, head and body apart or not, don't need `http.client`."""
    reply = read(read_reply, head + YES, silent=True)
    assert reply == read(read_reply, head + YES, [20, len(head)], silent=True)
    assert reply[1] == YES


@pytest.mark.parametrize(
    ("pieces", "words"),
    [
        ((), "no answer within 5 s"),
        ((PLAIN[:30],), "the answer wasn't complete within 5 s"),
        ((b"HTTP/1.1 100 Continue\r\n\r\n",), "the answer wasn't complete within 5 s"),
    ],
)
def test_a_server_that_stays_silent_is_named_so(pieces, words):
    """A reply that doesn't come, or not whole, is a timeout that says which and how long was waited."""
    with pytest.raises(TimeoutError, match=words):
        read_reply(Incoming(Pieces(*pieces, silent=True), 5.0))


@pytest.mark.parametrize("reader", [read_reply, read_any_reply])
def test_a_reply_has_one_deadline(reader, monkeypatch):
    """However often a little more comes, a reply that isn't whole at its deadline is late."""
    now = [100.0]
    monkeypatch.setattr(exchange, "time", SimpleNamespace(monotonic=lambda: now[0]))

    class Trickle(Pieces):
        left = []

        def settimeout(self, seconds):
            self.left.append(seconds)

        def recv(self, _size):
            now[0] += 2.0
            return super().recv(1)

    sock = Trickle(PLAIN)
    with pytest.raises(TimeoutError, match="complete within 5 s"):
        reader(Incoming(sock, 5.0))
    assert sock.left == [5.0, 3.0, 1.0]


def test_a_connection_closed_without_a_reply_is_named_so():
    """The end of the connection instead of a reply is `http.client`'s own error, and nothing has begun."""
    incoming = Incoming(Pieces(), 5.0)
    with pytest.raises(RemoteDisconnected):
        read_reply(incoming)
    assert not incoming.began


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (PLAIN[:-1], HTTPException),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc", HTTPException),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n1", HTTPException),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 70000\r\n\r\n" + b"1" * 70_000, TooLongError),
        (b"HTTP/1.1 200 OK\r\n\r\n" + b"1" * (LONGEST_REPLY_BYTES + 1), TooLongError),
    ],
)
def test_a_body_that_cannot_be_read_is_an_error_beside_the_status(data, error):
    """A body cut short, of several lengths or too long is no body; the status and the wait are known all the same."""
    reply = read_reply(Incoming(Pieces(data), 5.0))
    assert (reply.status, reply.body, reply.keeps_alive) == (200, b"", False)
    assert isinstance(reply.body_error, error)


def test_a_server_that_hangs_up_on_a_request_may_have_replied():
    """A request that the peer didn't want to read to its end is no error yet: its reply may have come before."""
    near, far = socket.socketpair()
    with near, far:
        far.sendall(PLAIN)
        far.close()
        assert send_request(near, b"x" * 10_000_000, 5.0) is False
        assert read_reply(Incoming(near, 5.0)).body == YES


def test_a_request_that_nobody_reads_is_late():
    """A peer that doesn't read holds a sender up for the time given, and the words say what it was."""
    near, far = socket.socketpair()
    with near, far, pytest.raises(TimeoutError, match=r"couldn't be sent within 0\.01 s"):
        send_request(near, b"x" * 10_000_000, 0.01)


class Broken:
    """A socket that fails to send."""

    def __init__(self, error):
        self._error = error

    def settimeout(self, _seconds):
        pass

    def sendall(self, _data):
        raise self._error


@pytest.mark.parametrize(
    "error",
    [BrokenPipeError(), ConnectionResetError(), ConnectionAbortedError(), OSError(errno.EPROTOTYPE, "of macOS")],
)
def test_hanging_up_is_said_in_many_ways(error):
    """Whatever a system calls it, a reply may have come before."""
    assert send_request(Broken(error), b"", 1.0) is False


@pytest.mark.parametrize("error", [ssl.SSLError(1, "broken"), OSError(errno.ENETDOWN, "down")])
def test_other_errors_are_errors(error):
    """What TLS finds broken, or the network, is no hang-up that a reply may follow."""
    with pytest.raises(type(error)):
        send_request(Broken(error), b"", 1.0)


def test_a_length_said_twice_is_one_length():
    """What a proxy has put together of two fields that agree is no reason to wait for the connection's end."""
    reply = read_any_reply(Incoming(Pieces(b"HTTP/1.1 200 OK\r\nContent-Length: 1, 1\r\n\r\n1", silent=True), 1.0))
    assert (reply.body, reply.body_error) == (b"1", None)
