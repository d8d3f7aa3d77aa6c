"""Connections to the API: requests finds proxies and certificates, urllib3 connects, and a forked child can let go."""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Iterable, Mapping
from http.client import HTTPResponse
from typing import Any
from weakref import WeakSet

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError

from robotmia_logging.delivery.exchange import Incoming

_pool_log = logging.getLogger("urllib3.connectionpool")


class Connector(HTTPAdapter):
    """Connects to one host, through the proxy and with the certificates that the environment names.

    The environment is read once. The sockets are remembered: a forked child has to close them.

    Args:
        urls: what requests will be for, all of them at one host.
        fields: the header fields of requests.

    Attributes:
        heads: for each URL the head of a POST request, but for its length and the empty line.

    Raises:
        OSError: the environment names a certificate that isn't there.
        requests.RequestException: it names a proxy that is none.
    """

    def __init__(self, urls: Iterable[str], fields: Mapping[str, str]) -> None:
        super().__init__(pool_connections=1, pool_maxsize=1)
        self._sockets: WeakSet[Any] = WeakSet()
        targets = {url: _target(url) for url in urls}
        url, target = next(iter(targets.items()))
        with requests.Session() as session:
            environment: Any = session.merge_environment_settings(url, {}, None, None, None)
        proxies = environment["proxies"]
        self._pool = self._find_pool(target, **environment)
        self._pool.ConnectionCls = _abandonable(self._pool.ConnectionCls, self._sockets)
        if self._pool.proxy is not None and self._pool.scheme == "http":
            fields = {**fields, **self._pool.proxy_headers}
        self.heads = {url: self._head(self.request_url(target, proxies), fields) for url, target in targets.items()}

    def connect(self, within_s: float) -> Any:
        """Connect.

        Args:
            within_s: how long each step may take.

        Returns:
            A connection of urllib3, ready for a request.

        Raises:
            Exception: there is no connection; nothing of a request was sent.
        """
        pool = self._pool
        connection = pool._new_conn()  # noqa: SLF001
        connection.timeout = within_s
        try:
            if pool.proxy is not None:
                pool._prepare_proxy(connection)  # noqa: SLF001  # for HTTPS: connects through a tunnel
            if connection.is_closed:
                connection.connect()
        except BaseException as error:
            connection.close()
            if isinstance(error, Exception):
                raise _plain(error, connection.host, within_s) from None
            raise
        return connection

    def log(self, head: bytes, status: int, size: int) -> None:
        """Log a request as urllib3 does where it makes requests itself."""
        if _pool_log.isEnabledFor(logging.DEBUG):
            method, target, version = head.partition(b"\r\n")[0].decode("latin-1").split(" ")
            pool = self._pool
            with contextlib.suppress(Exception):  # a handler or filter of the user's: the request is over all the same
                _pool_log.debug(
                    '%s://%s:%s "%s %s %s" %s %s',
                    pool.scheme,
                    pool.host,
                    pool.port,
                    method,
                    target,
                    version,
                    status,
                    size,
                )

    def abandon(self) -> None:
        """Close the descriptors, those in use too. Not the sockets: TLS would say goodbye for the parent."""
        for sock in list(self._sockets):
            with contextlib.suppress(Exception):
                descriptor = sock.detach()
                if descriptor >= 0:
                    os.close(descriptor)

    def _find_pool(self, target: requests.PreparedRequest, *, proxies: Any, verify: Any, cert: Any, **_: Any) -> Any:
        pool = self.get_connection_with_tls_context(target, verify, proxies=proxies, cert=cert)
        self.cert_verify(pool, target.url, verify, cert)  # type: ignore[no-untyped-call]
        return pool

    def _head(self, target: str, fields: Mapping[str, str]) -> bytes:
        writer = _HeadWriter(self._pool.host, self._pool.port)
        writer.default_port = self._pool.ConnectionCls.default_port  # type: ignore[misc]
        writer.putrequest("POST", target, skip_accept_encoding=True)
        for name, value in fields.items():
            writer.putheader(name, value)
        writer.endheaders()
        return writer.written.removesuffix(b"\r\n")


class _HeadWriter(HTTPConnection):
    """Keeps what urllib3's connection would send."""

    written = b""

    def send(self, data: Any) -> None:
        self.written += data


def _target(url: str) -> requests.PreparedRequest:
    """A request as requests' adapter wants it, to ask for what depends on the URL alone."""
    request = requests.PreparedRequest()
    request.prepare_url(url, None)
    return request


def _reply_to_connect(sock: Any, *args: Any, **kwargs: Any) -> HTTPResponse:
    """A proxy's reply to CONNECT: it may trickle no longer than any other."""
    return HTTPResponse(Incoming(sock, sock.gettimeout()), *args, **kwargs)  # type: ignore[arg-type]


def _abandonable(base: Any, sockets: WeakSet[Any]) -> type:
    """A class of connections like the base's, but the sockets are remembered."""

    class Connection(base):  # type: ignore[misc]
        # http.client makes its replies with this, and so does urllib3's connection (2.2 to 2.8 checked).
        response_class = staticmethod(_reply_to_connect)

        def connect(self) -> None:
            super().connect()
            sockets.add(getattr(self.sock, "socket", self.sock))  # of TLS within TLS the outer has the descriptor

    return Connection


def _plain(error: Exception, host: str, within_s: float) -> Exception:
    """What kept a connection from being made, without urllib3's wrapping."""
    if isinstance(error, NameResolutionError):
        return ConnectionError(f"no address found for {host}: {error.__cause__}")
    if isinstance(error, NewConnectionError):
        cause = error.__cause__
        return cause if isinstance(cause, Exception) else ConnectionError(str(error).partition(": ")[2])
    if isinstance(error, (TimeoutError, ConnectTimeoutError)):
        return TimeoutError(f"no connection within {within_s:.4g} s")
    return error
