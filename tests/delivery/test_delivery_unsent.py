"""Failures before anything is sent, and proxies."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress

import pytest

from robotmia_logging.delivery import Parcel, Verdict
from tests.delivery.http_delivering import (
    NAMES,
    OK_REPLY,
    delivering,
    put,
    put_updates,
    taken,
    transport_to,
)
from tests.hostile import HostileServer

# --- before anything is sent


@pytest.fixture
def silent():
    """The port of a server that accepts connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def check_unsent(outcome):
    assert outcome.verdict is Verdict.FAILED
    assert (outcome.ambiguous, outcome.bytes_sent) == (False, 0)
    assert outcome.error


def test_a_handshake_that_never_ends_sent_nothing(silent):
    """When TLS isn't even agreed on, nothing was sent, and the failure isn't ambiguous."""
    transport = transport_to(f"https://127.0.0.1:{silent}", timeout=(0.2, 0.2))
    check_unsent(transport.send(Parcel(path="engage", bodies=[b"{}"])))
    transport.close()


def test_a_server_without_tls_sent_nothing():
    """A peer that doesn't speak TLS got nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer():
            with suppress(OSError):
                peer, _ = listener.accept()
                with peer:
                    peer.recv(1000)
                    peer.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
                    peer.recv(1000)

        thread = threading.Thread(target=answer)
        thread.start()
        transport = transport_to(f"https://127.0.0.1:{listener.getsockname()[1]}")
        check_unsent(transport.send(Parcel(path="engage", bodies=[b"{}"])))
        transport.close()
        thread.join()


def test_a_bad_certificate_path_sent_nothing(silent, monkeypatch):
    """An environment that names a missing certificate bundle fails clearly, and nothing was sent."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/no/such/bundle.pem")
    transport = transport_to(f"https://127.0.0.1:{silent}")
    outcome = transport.send(Parcel(path="engage", bodies=[b"{}"]))
    assert "/no/such/bundle.pem" in outcome.error
    check_unsent(outcome)
    transport.close()


def test_a_bad_proxy_sent_nothing(monkeypatch):
    """An environment that names a proxy without a host fails, and nothing was sent."""
    monkeypatch.setenv("HTTP_PROXY", "http://")
    monkeypatch.setenv("http_proxy", "http://")
    transport = transport_to("http://robotmia.invalid")
    check_unsent(transport.send(Parcel(path="engage", bodies=[b"{}"])))
    transport.close()


@pytest.mark.parametrize("url", ["http://robotmia.invalid", "http://127.0.0.1:1"])
def test_nobody_there_sent_nothing(url):
    """An unknown host and a closed port are failures in which nothing was sent."""
    transport = transport_to(url)
    check_unsent(transport.send(Parcel(path="engage", bodies=[b"{}"])))
    transport.close()


# --- proxies


@pytest.fixture
def no_proxies(monkeypatch):
    """An environment without proxies."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    return monkeypatch


def test_a_proxy_from_the_environment_is_used(no_proxies):
    """With `http_proxy` requests go to the proxy, for the API's host, with the proxy's credentials."""
    with HostileServer() as proxy:
        no_proxies.setenv("http_proxy", f"http://user:secret@127.0.0.1:{proxy.port}")
        with delivering(proxy, url="http://robotmia.invalid/base") as delivery:
            put(delivery)
            assert delivery.flush()
            assert taken(proxy) == NAMES
            [request] = proxy.requests
            assert (request.headers["Host"], request.path) == ("robotmia.invalid", "/base/track/")
            assert request.headers["Proxy-Authorization"] == "Basic dXNlcjpzZWNyZXQ="


def test_a_proxy_gets_the_whole_url(no_proxies):
    """The request line that a proxy gets has the absolute form."""
    lines = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        no_proxies.setenv("http_proxy", f"http://127.0.0.1:{listener.getsockname()[1]}")

        def answer():
            peer, _ = listener.accept()
            with peer, peer.makefile("rb") as read:
                lines.append(read.readline())
                peer.sendall(OK_REPLY)

        thread = threading.Thread(target=answer)
        thread.start()
        transport = transport_to("http://robotmia.invalid")
        outcome = transport.send(Parcel(path="track", bodies=[b"{}"]))
        transport.close()
        thread.join()
    assert outcome.verdict is Verdict.DELIVERED
    assert lines == [b"POST http://robotmia.invalid/track/?verbose=1 HTTP/1.1\r\n"]


def test_no_proxy_is_heeded(no_proxies):
    """A host named in `no_proxy` is reached without the proxy."""
    with HostileServer() as server, HostileServer() as proxy:
        no_proxies.setenv("http_proxy", proxy.url)
        no_proxies.setenv("no_proxy", "127.0.0.1")
        with delivering(server) as delivery:
            put(delivery)
            assert delivery.flush()
        assert taken(server) == NAMES
        assert proxy.connections == 0


def test_the_environment_is_read_once(no_proxies):
    """A proxy that appears in the environment after the first request changes nothing."""
    with HostileServer() as server, HostileServer() as proxy:
        with delivering(server) as delivery:
            put(delivery, ["a"])
            assert delivery.flush()
            no_proxies.setenv("http_proxy", proxy.url)
            put(delivery, ["b"])
            assert delivery.flush()
        assert taken(server) == ["a", "b"]
        assert proxy.connections == 0


def test_a_proxy_that_is_down_loses_nothing(no_proxies):
    """Messages wait for a proxy that refuses connections, and what counts isn't given up for it."""
    with HostileServer() as proxy:
        no_proxies.setenv("http_proxy", proxy.url)
        proxy.refuse_connections()
        with delivering(
            proxy, url="http://robotmia.invalid", random=lambda: 0.1, on_ambiguous="dead_letter"
        ) as delivery:
            put_updates(delivery)
            assert delivery.flush(0.1) is False
            proxy.accept_connections()
            assert delivery.flush()
            assert len(proxy.taken) == 8
