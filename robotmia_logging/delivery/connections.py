"""Connections that can be left behind in a fork, end their replies in time, and know whether a request left."""

from __future__ import annotations

import contextlib
import io
import os
import time
from http.client import HTTPResponse
from typing import Any
from weakref import WeakSet

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool


class Link:
    """What a transport has to know of its connection.

    Attributes:
        up: whether there is a connection over which a request may have left. Exceptions don't tell: requests calls a
            broken TLS handshake and a broken reply by the same name.
    """

    up = False


class Adapter(HTTPAdapter):
    """requests' adapter for one connection. It remembers its sockets: a forked child has to close them."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._sockets: WeakSet[Any] = WeakSet()
        super().__init__(pool_connections=1, pool_maxsize=1)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Make the pool manager, with our connections in it."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _pool_classes(self._sockets, self._link)

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
        """Make the pool manager of a proxy, with our connections in it."""
        manager = super().proxy_manager_for(*args, **kwargs)
        manager.pool_classes_by_scheme = _pool_classes(self._sockets, self._link)
        return manager

    def abandon(self) -> None:
        """Close the descriptors, those in use too. Not the sockets: TLS would say goodbye for the parent."""
        for sock in list(self._sockets):
            with contextlib.suppress(Exception):
                descriptor = sock.detach()
                if descriptor >= 0:
                    os.close(descriptor)


class _Reader(io.RawIOBase):
    """Reads a reply, head and body, by one deadline, however slowly it trickles.

    A socket's own timeout begins anew with each byte.
    """

    def __init__(self, raw: Any, sock: Any) -> None:
        self._raw = raw
        self._sock = sock
        timeout = sock.gettimeout()
        self._deadline = None if timeout is None else time.monotonic() + timeout

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        if self._deadline is not None:
            left = self._deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError("the reply trickled past the read timeout")
            self._sock.settimeout(left)
        count: int | None = self._raw.readinto(buffer)
        return count

    def close(self) -> None:
        if not self.closed:
            self._raw.close()
        super().close()


class _Reply(HTTPResponse):
    def __init__(self, sock: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp = io.BufferedReader(_Reader(self.fp.detach(), sock))


def _pool_classes(sockets: WeakSet[Any], link: Link) -> dict[str, type]:
    class Ours:
        """What both kinds of connection have of us."""

        sock: Any
        # http.client makes its replies with this, and so does urllib3's connection (2.2 to 2.8 checked).
        response_class: Any = _Reply

        def connect(self) -> None:
            link.up = False
            super().connect()  # type: ignore[misc]
            link.up = True
            sockets.add(self.sock)

    class Plain(Ours, HTTPConnection):
        pass

    class Secure(Ours, HTTPSConnection):
        pass

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = Secure

    return {"http": PlainPool, "https": SecurePool}
