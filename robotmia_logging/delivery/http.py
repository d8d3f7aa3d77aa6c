"""The transport over HTTP: requests prepared by hand and carried by requests' adapter.

A `Session.post` costs several times the rest of a delivery, most of it to read the environment anew and to encode
the form. Proxies and certificates are resolved once; the form is a few replacements in bytes.
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

import requests
import urllib3
from requests.structures import CaseInsensitiveDict

from robotmia_logging.delivery.connections import Adapter, Link
from robotmia_logging.delivery.replies import decides_alone, judge
from robotmia_logging.delivery.settings import DeliverySettings
from robotmia_logging.delivery.transport import Outcome, Parcel, Verdict

_REPLY_LIMIT_BYTES = 64 * 1024
_NOISY_LOGGERS = ("urllib3.connectionpool", "urllib3.util.retry", "urllib3.connection")


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
        self._import_fields = _fields(settings.import_auth)
        self._adapter: Adapter | None = None
        self._environment: Mapping[str, Any] = {}
        self._kept_alive = False
        self._link = Link()

    def send(self, parcel: Parcel) -> Outcome:
        """POST a parcel and judge the reply."""
        fields = self._import_fields if parcel.path == "import" else b""
        body = form_body(parcel.bodies, fields)
        was_kept_alive, self._kept_alive = self._kept_alive, False
        self._link.up = was_kept_alive
        try:
            return self._exchange(self._urls[parcel.path][parcel.located], body, self._timeout(parcel))
        except Exception as error:
            return _failure(error, len(body), was_kept_alive, sent=self._link.up)

    def close(self) -> None:
        """Close the connection."""
        self._kept_alive = False
        if self._adapter is not None:
            self._adapter.close()

    def abandon(self) -> None:
        """In a forked child: close the descriptors only; the connection is the parent's."""
        self._kept_alive = False
        adapter, self._adapter = self._adapter, None
        if adapter is not None:
            adapter.abandon()

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

    def _exchange(self, url: str, body: bytes, timeout: tuple[float, float]) -> Outcome:
        if self._adapter is None:
            self._connect(url)
        response = self._adapter.send(  # type: ignore[union-attr]
            _prepare(url, body), stream=True, timeout=timeout, **self._environment
        )
        try:
            text = self._read(response.raw)
            self._kept_alive = True
        except BaseException as error:
            response.raw.close()
            if not _tells_without_body(response.status_code, error):
                raise
            text = b""
        retry_after_s = retry_after(response.headers.get("Retry-After"))
        return judge(response.status_code, text, retry_after_s=retry_after_s, bytes_sent=len(body))

    def _connect(self, url: str) -> None:
        with requests.Session() as session:
            settings = session.merge_environment_settings(url, {}, None, None, None)
        self._environment = {key: settings[key] for key in ("proxies", "verify", "cert")}
        self._adapter = Adapter(self._link)

    @staticmethod
    def _read(raw: urllib3.HTTPResponse) -> bytes:
        """The reply's body, whole. The connection sees to it that it doesn't trickle past the read timeout."""
        chunks: list[bytes] = []
        size = 0
        while chunk := raw.read1(4096):
            chunks.append(chunk)
            size += len(chunk)
            if size > _REPLY_LIMIT_BYTES:
                raise _TooLongError("the reply is longer than any of robotmia's")
        if raw.length_remaining:
            raise urllib3.exceptions.HTTPError("the reply was cut short")
        raw.release_conn()
        return b"".join(chunks)


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


class _TooLongError(urllib3.exceptions.HTTPError):
    """The reply is longer than any of robotmia's."""


def _tells_without_body(status: int, error: BaseException) -> bool:
    """Whether the status alone says enough, though the body couldn't be read."""
    if not isinstance(error, Exception) or status == HTTPStatus.OK:
        return False
    return isinstance(error, _TooLongError) or decides_alone(status)


def _failure(error: Exception, size: int, was_kept_alive: bool, *, sent: bool) -> Outcome:
    if not sent:
        return Outcome(verdict=Verdict.FAILED, error=_words(error))
    broken = isinstance(error, requests.ConnectionError) and not isinstance(error, requests.Timeout)
    return Outcome(
        verdict=Verdict.FAILED,
        error=_words(error),
        ambiguous=True,
        stale=was_kept_alive and broken,
        bytes_sent=size,
    )


def _words(error: BaseException) -> str:
    """The innermost reason: requests and urllib3 wrap it several times."""
    inner: Any = error
    for _ in range(5):
        args = getattr(inner, "args", ())
        nested = getattr(inner, "reason", None) or next((a for a in args if isinstance(a, BaseException)), None)
        if not isinstance(nested, BaseException):
            break
        inner = nested
    return f"{type(inner).__name__}: {inner}"


def _fields(auth: Mapping[str, str]) -> bytes:
    return b"&" + urlencode(auth).encode() if auth else b""


def _prepare(url: str, body: bytes) -> requests.PreparedRequest:
    prepared = requests.PreparedRequest()
    prepared.method = "POST"
    prepared.url = url
    prepared.headers = CaseInsensitiveDict(
        {
            "Content-Type": "application/x-www-form-urlencoded",
            "Content-Length": str(len(body)),
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            "User-Agent": "robotmia_logging",
        }
    )
    prepared.body = body
    return prepared
