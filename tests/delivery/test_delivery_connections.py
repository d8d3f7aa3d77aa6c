"""Connecting: whose name a request carries, tunnels, and the words for what went wrong."""

from __future__ import annotations

import logging
import shutil
import socket
import ssl
import subprocess
import threading
from contextlib import contextmanager, suppress

import pytest

from robotmia_logging.delivery import DeliverySettings, Parcel, Verdict
from robotmia_logging.delivery.connections import Connector
from robotmia_logging.delivery.http import HttpTransport
from tests.hostile import HostileServer

YES = b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n1"
PARCEL = Parcel(path="track", bodies=[b"{}"])

needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl to make a certificate")


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    """An environment that names no proxy."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    return monkeypatch


@contextmanager
def sending_to(url, timeout=(2.0, 2.0)):
    transport = HttpTransport(DeliverySettings(url=url, timeout=timeout))
    try:
        yield transport
    finally:
        transport.close()


@contextmanager
def listening(serve, host="127.0.0.1"):
    """A server whose one connection is served by a function; its port."""
    with socket.create_server((host, 0), family=socket.AF_INET6 if ":" in host else socket.AF_INET) as listener:

        def answer():
            with suppress(OSError):
                peer, _ = listener.accept()
                with peer:
                    serve(peer)

        thread = threading.Thread(target=answer)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def head_of(sock):
    """The lines of a request's head; its body is read too."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += sock.recv(65_536)
    head, _, body = data.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    size = next((int(line.split(":")[1]) for line in lines if line.startswith("Content-Length")), 0)
    while len(body) < size:
        body += sock.recv(65_536)
    return lines


@pytest.mark.parametrize(
    ("url", "target", "host"),
    [
        ("http://robotmia.test/track/?verbose=1", "/track/?verbose=1", "robotmia.test"),
        ("http://robotmia.test:80/track/", "/track/", "robotmia.test"),
        ("http://robotmia.test:8080/track/", "/track/", "robotmia.test:8080"),
        ("https://robotmia.test/track/", "/track/", "robotmia.test"),
        ("https://robotmia.test:443/track/", "/track/", "robotmia.test"),
        ("https://robotmia.test:80/track/", "/track/", "robotmia.test:80"),
        ("http://[::1]:8080/track/", "/track/", "[::1]:8080"),
        ("https://[2001:db8::1]/track/", "/track/", "[2001:db8::1]"),
        ("http://bücher.test/track/", "/track/", "xn--bcher-kva.test"),
        ("http://robotmia.test/a b/ü/track/", "/a%20b/%C3%BC/track/", "robotmia.test"),
        ("http://user:secret@robotmia.test/track/", "/track/", "robotmia.test"),
    ],
)
def test_a_request_names_what_it_is_for(url, target, host):
    """The head of a request names the target and the host as HTTP asks for it, and has the fields given."""
    head = Connector([url], {"Accept": "application/json"}).heads[url]
    assert head.decode().split("\r\n") == [f"POST {target} HTTP/1.1", f"Host: {host}", "Accept: application/json", ""]


def test_a_proxy_gets_its_credentials_and_the_whole_url(environment):
    """The head of a request through a proxy has the absolute form and what the proxy asks for."""
    environment.setenv("http_proxy", "http://user:secret@proxy.test:3128")
    url = "http://robotmia.test/track/"
    lines = Connector([url], {}).heads[url].decode().split("\r\n")
    assert lines == [
        f"POST {url} HTTP/1.1",
        "Host: robotmia.test",
        "Proxy-Authorization: Basic dXNlcjpzZWNyZXQ=",
        "",
    ]


def test_everything_is_sent_to_an_ipv6_address():
    """A server at an IPv6 address gets its requests."""
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("no IPv6 here")
    heads = []
    with (
        listening(lambda peer: (heads.append(head_of(peer)), peer.sendall(YES)), "::1") as port,
        sending_to(f"http://[::1]:{port}") as transport,
    ):
        assert transport.send(PARCEL).verdict is Verdict.DELIVERED
    assert f"Host: [::1]:{port}" in heads[0]


# --- TLS, and tunnels through proxies


@pytest.fixture(scope="module")
def tls(tmp_path_factory):
    """The path of a certificate for 127.0.0.1, and a server's context with it."""
    folder = tmp_path_factory.mktemp("tls")
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "1"]
    command = ["openssl", "req", "-x509", *curve, *names, "-keyout", key, "-out", certificate]
    subprocess.run(command, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return certificate, context


@needs_openssl
def test_tls_is_spoken_and_the_connection_kept(tls, environment):
    """Requests go over one TLS connection, checked by the certificates that the environment names."""
    certificate, context = tls
    environment.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    heads = []

    def serve(peer):
        with context.wrap_socket(peer, server_side=True) as secure:
            for _ in range(3):
                heads.append(head_of(secure))
                secure.sendall(YES)

    with listening(serve) as port, sending_to(f"https://127.0.0.1:{port}") as transport:
        outcomes = [transport.send(PARCEL) for _ in range(3)]
    assert [outcome.verdict for outcome in outcomes] == [Verdict.DELIVERED] * 3
    assert len(heads) == 3


@needs_openssl
def test_tls_that_breaks_after_the_request_is_ambiguous(tls, environment):
    """When TLS breaks while the reply is read, the server may have taken what was sent."""
    certificate, context = tls
    environment.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    heads = []

    def serve(peer):
        secure = context.wrap_socket(peer, server_side=True)
        heads.append(head_of(secure))
        with socket.socket(fileno=secure.detach()) as plain:
            plain.sendall(b"\x17\x03\x03\x00\x20" + b"z" * 32)  # a record that can't be deciphered
            plain.recv(1000)

    with listening(serve) as port, sending_to(f"https://127.0.0.1:{port}") as transport:
        outcome = transport.send(PARCEL)
    assert len(heads) == 1
    assert outcome.verdict is Verdict.FAILED
    assert outcome.ambiguous
    assert outcome.bytes_sent > 0


@needs_openssl
def test_https_goes_through_a_tunnel(tls, environment):
    """A proxy for HTTPS is asked for a tunnel, with its credentials; what is sent through it doesn't carry them."""
    certificate, context = tls
    environment.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    heads = []

    def serve(peer):
        heads.append(head_of(peer))
        peer.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        with context.wrap_socket(peer, server_side=True) as secure:
            for _ in range(2):
                heads.append(head_of(secure))
                secure.sendall(YES)

    with listening(serve) as port:
        environment.setenv("https_proxy", f"http://user:secret@127.0.0.1:{port}")
        with sending_to("https://127.0.0.1:4430") as transport:
            outcomes = [transport.send(PARCEL) for _ in range(2)]
    assert [outcome.verdict for outcome in outcomes] == [Verdict.DELIVERED] * 2
    asked, *sent = heads
    assert asked[0].startswith("CONNECT 127.0.0.1:4430 ")
    assert "Proxy-Authorization: Basic dXNlcjpzZWNyZXQ=" in asked
    for head in sent:
        assert head[:2] == ["POST /track/?verbose=1 HTTP/1.1", "Host: 127.0.0.1:4430"]
        assert not any(line.startswith("Proxy") for line in head)


def test_a_proxy_that_refuses_a_tunnel_is_quoted(environment):
    """A refused tunnel is a failure in the proxy's words, and nothing was sent."""
    refusal = b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n"
    with listening(lambda peer: (head_of(peer), peer.sendall(refusal))) as port:
        environment.setenv("https_proxy", f"http://127.0.0.1:{port}")
        with sending_to("https://robotmia.test") as transport:
            check_unsent(transport.send(PARCEL), "OSError: Tunnel connection failed: 407 Proxy Authentication Required")


def test_a_proxy_that_trickles_has_one_deadline(environment):
    """A proxy that never finishes its reply, a little at a time, holds a sender up for one connect timeout."""
    gone = threading.Event()

    def trickle(peer):
        head_of(peer)
        while not gone.wait(0.02):
            peer.sendall(b"x")

    with listening(trickle) as port:
        environment.setenv("https_proxy", f"http://127.0.0.1:{port}")
        with sending_to("https://robotmia.test", timeout=(0.2, 9.0)) as transport:
            outcome = transport.send(PARCEL)
        gone.set()
    check_unsent(outcome, "TimeoutError: no connection within 0.2 s")


# --- the words


def check_unsent(outcome, words):
    assert outcome.verdict is Verdict.FAILED
    assert (outcome.ambiguous, outcome.stale, outcome.bytes_sent) == (False, False, 0)
    assert outcome.error == words


def test_a_refused_connection_in_words():
    """A closed port is named by the system's own error."""
    with HostileServer() as server:
        server.refuse_connections()
        with sending_to(server.url) as transport:
            check_unsent(transport.send(PARCEL), "ConnectionRefusedError: [Errno 111] Connection refused")


def test_an_unknown_host_in_words():
    """A host that doesn't exist is named."""
    with sending_to("http://robotmia.invalid") as transport:
        outcome = transport.send(PARCEL)
    assert outcome.error.startswith("ConnectionError: no address found for robotmia.invalid: [Errno ")
    check_unsent(outcome, outcome.error)


def test_a_handshake_without_end_in_words():
    """A server that never answers TLS's greeting is named by how long was waited."""
    gone = threading.Event()
    with (
        listening(lambda _peer: gone.wait(5)) as port,
        sending_to(f"https://127.0.0.1:{port}", (0.1, 9.0)) as transport,
    ):
        check_unsent(transport.send(PARCEL), "TimeoutError: no connection within 0.1 s")
        gone.set()


@needs_openssl
def test_an_unknown_certificate_in_words(tls):
    """A certificate that nobody vouches for is named by TLS's own error, and nothing was sent."""

    def serve(peer):
        with suppress(OSError), tls[1].wrap_socket(peer, server_side=True) as secure:
            secure.recv(1)

    with listening(serve) as port, sending_to(f"https://127.0.0.1:{port}") as transport:
        outcome = transport.send(PARCEL)
    assert outcome.error.startswith("SSLCertVerificationError: [SSL: CERTIFICATE_VERIFY_FAILED]")
    check_unsent(outcome, outcome.error)


def test_a_silent_server_in_words():
    """A server that never replies is named by how long was waited, and may have taken the request."""
    gone = threading.Event()
    with (
        listening(lambda peer: (head_of(peer), gone.wait(5))) as port,
        sending_to(f"http://127.0.0.1:{port}", (9.0, 0.1)) as transport,
    ):
        outcome = transport.send(PARCEL)
        gone.set()
    assert outcome.error == "TimeoutError: no answer within 0.1 s"
    assert outcome.ambiguous
    assert not outcome.stale


# --- keeping a connection


def test_a_reply_cut_short_is_no_stale_connection():
    """A kept-alive connection that breaks in the middle of a reply isn't stale: the server did begin to answer."""

    def serve(peer):
        head_of(peer)
        peer.sendall(YES)
        head_of(peer)
        peer.sendall(YES[:20])

    with listening(serve) as port, sending_to(f"http://127.0.0.1:{port}") as transport:
        assert transport.send(PARCEL).verdict is Verdict.DELIVERED
        outcome = transport.send(PARCEL)
    assert outcome.ambiguous
    assert not outcome.stale


def test_a_request_is_logged_as_urllib3_does(caplog):
    """Who has urllib3 log at DEBUG sees connections and requests in urllib3's own words."""
    caplog.set_level(logging.DEBUG, logger="urllib3")
    with HostileServer() as server, sending_to(server.url) as transport:
        for _ in range(2):
            transport.send(PARCEL)
    address = f"127.0.0.1:{server.port}"
    reply = f'http://{address} "POST /track/?verbose=1 HTTP/1.1" 200 23'
    assert caplog.messages == [f"Starting new HTTP connection (1): {address}", reply, reply]
    assert {record.name for record in caplog.records} == {"urllib3.connectionpool"}


def test_a_handler_that_raises_at_the_debug_line_changes_nothing(monkeypatch):
    """By then the request is over: its outcome counts, whatever somebody's handler does with the line."""

    class Raising(logging.Handler):
        def emit(self, record):
            if "POST" in record.getMessage():
                raise RuntimeError

    logger = logging.getLogger("urllib3.connectionpool")
    monkeypatch.setattr(logger, "handlers", [Raising()])
    monkeypatch.setattr(logger, "level", logging.DEBUG)
    logger.manager._clear_cache()
    with HostileServer() as server, sending_to(server.url) as transport:
        assert [transport.send(PARCEL).verdict for _ in range(2)] == [Verdict.DELIVERED] * 2
        assert len(server.requests) == 2
    monkeypatch.undo()
    logger.manager._clear_cache()


def test_success_said_before_the_request_has_left_is_none():
    """A server that answers 200 and hangs up amid a large request can't have taken it."""

    def hasty(listener):
        connection, _ = listener.accept()
        with connection:
            connection.recv(100)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n1")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = threading.Thread(target=hasty, args=(listener,))
        server.start()
        with sending_to(f"http://127.0.0.1:{listener.getsockname()[1]}") as transport:
            outcome = transport.send(Parcel(path="track", bodies=[b'{"x":"' + b"y" * 20_000_000 + b'"}']))
        server.join()
    assert (outcome.verdict, outcome.ambiguous) == (Verdict.FAILED, True)
