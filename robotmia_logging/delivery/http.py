"""The transport over HTTP: a parcel is a POST over a kept-alive connection.

A `Session.post` costs several times the rest of a delivery, most of it to read the environment anew, to encode the
form, and to parse the reply's head like an e-mail's. Here the environment is read once, a request's head is written
once, and the form is a few replacements in bytes.
"""

from __future__ import annotations

import binascii
import email.utils
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import timezone
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from robotmia_logging.delivery.connections import Connector
from robotmia_logging.delivery.exchange import Incoming, Reply, TooLongError, read_reply, send_request
from robotmia_logging.delivery.replies import decides_alone, judge
from robotmia_logging.delivery.settings import DeliverySettings
from robotmia_logging.delivery.transport import Outcome, Parcel, Verdict

_FIELDS = {
    "Content-Type": "application/x-www-form-urlencoded",
    "Accept": "application/json",
    "Accept-Encoding": "identity",
    "User-Agent": "robotmia_logging",
}
_NOISY_LOGGERS = ("urllib3.connectionpool", "urllib3.connection")


def form_body(bodies: Sequence[bytes], fields: bytes = b"") -> bytes:
    """The POST body of a batch: ``data=`` and the Base64 of the JSON list, percent-encoded (Batch requests)."""
    encoded = binascii.b2a_base64(b"[" + b",".join(bodies) + b"]", newline=False)
    encoded = encoded.replace(b"+", b"%2B").replace(b"/", b"%2F").replace(b"=", b"%3D")
    return b"data=" + encoded + fields


def warm_urllib3_loggers() -> None:
    """Make urllib3's loggers answer `isEnabledFor` without logging's module lock.

    `dictConfig` holds that lock while it flushes handlers. A sender would wait for it at urllib3's next `debug()`,
    even a disabled one, and the flush would wait for the sender.
    """
    for name in _NOISY_LOGGERS:
        logger = logging.getLogger(name)
        for level in (logging.DEBUG, logging.INFO, logging.WARNING):
            logger.isEnabledFor(level)


class HttpTransport:
    """Carries parcels to the API, over one kept-alive connection."""

    def __init__(self, settings: DeliverySettings) -> None:
        self._settings = settings
        self._urls = {path: self._url(path) for path in ("track", "import", "engage")}
        self._import_fields = _form_fields(settings.import_auth)
        self._connector: Connector | None = None
        self._connection: Any = None

    def send(self, parcel: Parcel) -> Outcome:
        """POST a parcel and judge the reply."""
        body = form_body(parcel.bodies, self._import_fields if parcel.path == "import" else b"")
        timeout = self._timeout(parcel)
        kept_alive = self._connection is not None and self._connection.is_connected
        try:
            connector = self._connector or self._read_environment()
            if not kept_alive:
                self._connect(connector, timeout[0])
            head = connector.heads[self._urls[parcel.path][parcel.located]]
        except Exception as error:  # nothing was sent
            return Outcome(verdict=Verdict.FAILED, error=_words(error))
        incoming = Incoming(self._connection.sock, timeout[1])
        try:
            reply = self._exchange(head, body, incoming, timeout[0])
        except Exception as error:
            stale = kept_alive and not incoming.began and not isinstance(error, TimeoutError)
            return _lost(error, len(body), stale=stale)
        connector.log(head, reply.status, len(reply.body))
        if reply.body_error is not None and not _tells_without_body(reply.status, reply.body_error):
            return _lost(reply.body_error, len(body))
        return judge(reply.status, reply.body, retry_after_s=retry_after(reply.retry_after), bytes_sent=len(body))

    def close(self) -> None:
        """Close the connection."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def abandon(self) -> None:
        """In a forked child: close the descriptors only; the connection is the parent's."""
        if self._connector is not None:
            self._connector.abandon()
        self._connector = self._connection = None

    def _url(self, path: str) -> tuple[str, str]:
        """The endpoint's URL for messages without, and with an IP address of their own."""
        base = f"{self._settings.url.rstrip('/')}/{path}/?verbose=1"
        if path == "engage":  # else robotmia would locate every user at our server
            return base + "&ip=0", base
        return (base + "&ip=1",) * 2 if self._settings.request_ip else (base, base)

    def _timeout(self, parcel: Parcel) -> tuple[float, float]:
        connect_s, read_s = self._settings.timeout
        if parcel.within_s is None:
            return connect_s, read_s
        within_s = max(0.001, parcel.within_s)
        return min(connect_s, within_s), min(read_s, within_s)

    def _read_environment(self) -> Connector:
        urls = {url for pair in self._urls.values() for url in pair}
        self._connector = Connector(urls, _FIELDS)
        return self._connector

    def _connect(self, connector: Connector, within_s: float) -> None:
        self.close()
        self._connection = connector.connect(within_s)

    def _exchange(self, head: bytes, body: bytes, incoming: Incoming, send_within_s: float) -> Reply:
        keeps_alive = False
        try:
            request = b"%bContent-Length: %d\r\n\r\n%b" % (head, len(body), body)
            all_sent = send_request(self._connection.sock, request, send_within_s)
            reply = read_reply(incoming)
            if not all_sent and reply.status < HTTPStatus.BAD_REQUEST:
                raise ConnectionError("an answer to a request that hadn't left")
            keeps_alive = all_sent and reply.keeps_alive
            return reply
        finally:  # a KeyboardInterrupt leaves half an exchange behind too
            if not keeps_alive:
                self.close()


def retry_after(value: str | None, now: Callable[[], float] = time.time) -> float | None:
    """The wait that a `Retry-After` header asks for, in seconds: a number, or a date. None if it says nothing."""
    if value is None:
        return None
    value = value.strip()
    if value.isascii() and value.isdigit():
        return float(value)
    try:
        date = email.utils.parsedate_to_datetime(value)
        if date.tzinfo is None:  # asctime's form, or -0000: HTTP means GMT
            date = date.replace(tzinfo=timezone.utc)
        return max(0.0, date.timestamp() - now())
    except (TypeError, ValueError, OverflowError):
        return None


def _tells_without_body(status: int, error: Exception) -> bool:
    """Whether the status alone says enough, though the body couldn't be read."""
    return status != HTTPStatus.OK and (isinstance(error, TooLongError) or decides_alone(status))


def _lost(error: Exception, bytes_sent: int, *, stale: bool = False) -> Outcome:
    """The outcome of a request that may have arrived, without a reply that tells."""
    return Outcome(verdict=Verdict.FAILED, error=_words(error), ambiguous=True, stale=stale, bytes_sent=bytes_sent)


def _words(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


def _form_fields(auth: Mapping[str, str]) -> bytes:
    return b"&" + urlencode(auth).encode() if auth else b""
