"""What a reply means. The body is the authority: `1` or status 1 is success, `0` or status 0 a refusal."""

from __future__ import annotations

import json
from functools import lru_cache
from http import HTTPStatus
from typing import Any

from robotmia_logging.delivery.transport import Outcome, Verdict

_RETRIED_4XX = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS}
_CREDENTIALS = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}
_SERVER_ERROR = 500
_WORDS_LIMIT = 500  # the server's words end up in log lines
_CLIENT_ERROR = 400
#: A gateway lost the reply: what stands behind it may have taken the request.
_LOST_BEHIND = {HTTPStatus.BAD_GATEWAY, HTTPStatus.GATEWAY_TIMEOUT}


def decides_alone(status: int) -> bool:
    """Whether the status decides, whatever the body says."""
    return status >= _SERVER_ERROR or status in _RETRIED_4XX | _CREDENTIALS | {HTTPStatus.REQUEST_ENTITY_TOO_LARGE}


def judge(status: int, body: bytes, *, retry_after_s: float | None = None, bytes_sent: int = 0) -> Outcome:
    """The outcome that an HTTP status and body stand for."""
    verdict, error, ambiguous = _verdict(status, body)
    return Outcome(
        verdict=verdict, error=error, ambiguous=ambiguous, retry_after_s=retry_after_s, bytes_sent=bytes_sent
    )


@lru_cache(maxsize=16)  # nearly all replies of a server are the same
def _verdict(status: int, body: bytes) -> tuple[Verdict, str, bool]:
    if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return Verdict.TOO_LARGE, _named(status), False
    if status >= _SERVER_ERROR or status in _RETRIED_4XX:
        return Verdict.FAILED, _named(status), status in _LOST_BEHIND
    answer = _answer(body)
    if status in _CREDENTIALS or (status >= _CLIENT_ERROR and answer is None):
        return Verdict.REJECTED, _with_words(status, answer), False
    if answer is not None and answer[0] == 0:
        return Verdict.REFUSED, answer[1] or "refused without a reason", False
    if status >= _CLIENT_ERROR:
        return Verdict.REJECTED, _named(status), False
    if status != HTTPStatus.OK:
        return Verdict.FAILED, _named(status), False
    if answer is None:
        return Verdict.FAILED, "the reply can't be read", True
    return Verdict.DELIVERED, "", False


def _answer(body: bytes) -> tuple[int, str] | None:
    """The API's answer, (1 or 0, error), if the body is one."""
    try:
        parsed: Any = json.loads(body)
    except (ValueError, RecursionError):
        return None
    error = ""
    if isinstance(parsed, dict):
        error = " ".join(str(parsed.get("error") or "").split())[:_WORDS_LIMIT]
        parsed = parsed.get("status")
    return (parsed, error) if type(parsed) is int and parsed in (0, 1) else None


def _named(status: int) -> str:
    try:
        return f"HTTP {status} {HTTPStatus(status).phrase}"
    except ValueError:
        return f"HTTP {status}"


def _with_words(status: int, answer: tuple[int, str] | None) -> str:
    words = answer[1] if answer is not None else ""
    return f"{_named(status)}: {words}" if words else _named(status)
