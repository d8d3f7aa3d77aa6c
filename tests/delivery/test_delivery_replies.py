"""What a reply means: a table of statuses and bodies, and what follows from each."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robotmia_logging.delivery import Verdict
from robotmia_logging.delivery.replies import judge

NO = b'{"status": 0, "error": "time is wrong"}'
YES = b'{"status": 1, "error": ""}'
PAGE = b"<!doctype html><title>Welcome</title>"

DELIVERED, REFUSED, REJECTED = Verdict.DELIVERED, Verdict.REFUSED, Verdict.REJECTED
TOO_LARGE, FAILED = Verdict.TOO_LARGE, Verdict.FAILED


@pytest.mark.parametrize(
    ("body", "verdict", "error", "ambiguous"),
    [
        (b"1", DELIVERED, "", False),
        (b" 1\r\n", DELIVERED, "", False),
        (b"\xef\xbb\xbf1", DELIVERED, "", False),
        (YES, DELIVERED, "", False),
        (b'{"error": "", "status": 1, "more": [1, 2]}', DELIVERED, "", False),
        (b'{"status": 1}', DELIVERED, "", False),
        (b"0", REFUSED, "refused without a reason", False),
        (NO, REFUSED, "time is wrong", False),
        (b'{"status": 0}', REFUSED, "refused without a reason", False),
        (b'{"status": 0, "error": null}', REFUSED, "refused without a reason", False),
        (b'{"status": 0, "error": ["a", 1]}', REFUSED, "['a', 1]", False),
        (b"", FAILED, "the reply can't be read", True),
        (PAGE, FAILED, "the reply can't be read", True),
        (YES[:-2], FAILED, "the reply can't be read", True),
        (b"11", FAILED, "the reply can't be read", True),
        (b"1 1", FAILED, "the reply can't be read", True),
        (b"-1", FAILED, "the reply can't be read", True),
        (b"2", FAILED, "the reply can't be read", True),
        (b"true", FAILED, "the reply can't be read", True),
        (b"null", FAILED, "the reply can't be read", True),
        (b"[1]", FAILED, "the reply can't be read", True),
        (b"{}", FAILED, "the reply can't be read", True),
        (b'{"status": "ok"}', FAILED, "the reply can't be read", True),
        (b'{"status": {"status": 1}}', FAILED, "the reply can't be read", True),
        (b"\xff\xfe\xff", FAILED, "the reply can't be read", True),
        (b"[" * 60_000, FAILED, "the reply can't be read", True),
        (b"1" * 60_000, FAILED, "the reply can't be read", True),
    ],
)
def test_a_200_means_what_its_body_says(body, verdict, error, ambiguous):
    """With HTTP 200 only `1` or status 1 is success, `0` or status 0 a refusal, anything else a lost reply."""
    outcome = judge(200, body)
    assert (outcome.verdict, outcome.error, outcome.ambiguous) == (verdict, error, ambiguous)


@pytest.mark.parametrize(
    ("status", "body", "verdict", "error"),
    [
        (400, NO, REFUSED, "time is wrong"),
        (400, b"0", REFUSED, "refused without a reason"),
        (400, b"", REJECTED, "HTTP 400 Bad Request"),
        (400, PAGE, REJECTED, "HTTP 400 Bad Request"),
        (401, b"", REJECTED, "HTTP 401 Unauthorized"),
        (401, NO, REJECTED, "HTTP 401 Unauthorized: time is wrong"),
        (401, b"0", REJECTED, "HTTP 401 Unauthorized"),
        (403, PAGE, REJECTED, "HTTP 403 Forbidden"),
        (404, PAGE, REJECTED, "HTTP 404 Not Found"),
        (405, b"", REJECTED, "HTTP 405 Method Not Allowed"),
        (410, b"", REJECTED, "HTTP 410 Gone"),
        (422, NO, REFUSED, "time is wrong"),
        (499, b"", REJECTED, "HTTP 499"),
        (408, b"", FAILED, "HTTP 408 Request Timeout"),
        (429, NO, FAILED, "HTTP 429 Too Many Requests"),
        (500, b"", FAILED, "HTTP 500 Internal Server Error"),
        (501, b"", FAILED, "HTTP 501 Not Implemented"),
        (503, NO, FAILED, "HTTP 503 Service Unavailable"),
        (503, YES, FAILED, "HTTP 503 Service Unavailable"),
        (599, b"", FAILED, "HTTP 599"),
        (301, YES, FAILED, "HTTP 301 Moved Permanently"),
        (302, b"", FAILED, "HTTP 302 Found"),
        (304, b"", FAILED, "HTTP 304 Not Modified"),
    ],
)
def test_a_status_decides_whether_to_try_again(status, body, verdict, error):
    """408, 429, 5xx and redirects are worth another try; 401, 403 and what the API didn't answer itself are not."""
    outcome = judge(status, body)
    assert (outcome.verdict, outcome.error, outcome.ambiguous) == (verdict, error, False)


@pytest.mark.parametrize("body", [b"", PAGE, b"0", NO, YES])
def test_413_is_too_large_whatever_it_says(body):
    """413 asks for smaller batches: its body changes nothing."""
    outcome = judge(413, body)
    assert (outcome.verdict, outcome.ambiguous) == (TOO_LARGE, False)
    assert outcome.error.startswith("HTTP 413 ")


@pytest.mark.parametrize("status", [502, 504])
def test_a_gateway_may_have_lost_the_reply(status):
    """Behind a 502 or a 504 the API may have taken the request."""
    outcome = judge(status, PAGE)
    assert (outcome.verdict, outcome.ambiguous) == (FAILED, True)


@pytest.mark.parametrize("status", [400, 402, 404, 405, 409, 410, 422, 451])
@pytest.mark.parametrize("body", [b"1", YES])
def test_no_4xx_is_tried_for_ever(status, body):
    """A 4xx other than 408 and 429 is never retried, though its body claims success."""
    assert judge(status, body).verdict is REJECTED


@pytest.mark.parametrize("words", ["line one\nline two", "a\r\nb", "x" * 60_000])
def test_the_servers_words_stay_a_line(words):
    """Whatever the server says ends up in log lines: it is one line, of a length that a log can bear."""
    body = b'{"status": 0, "error": "%s"}' % words.replace("\r", "\\r").replace("\n", "\\n").encode()
    error = judge(200, body).error
    assert len(error.splitlines()) == 1
    assert len(error) <= 2000


def test_what_the_transport_knows_goes_along():
    """The wait that the server asks for and the bytes sent are part of the outcome."""
    outcome = judge(429, b"", retry_after_s=7.0, bytes_sent=321)
    assert (outcome.retry_after_s, outcome.bytes_sent, outcome.stale) == (7.0, 321, False)


@given(st.integers(100, 999), st.binary(max_size=200) | st.sampled_from([b"1", b"0", YES, NO, PAGE]))
def test_every_reply_has_a_verdict(status, body):
    """No status and no body makes the judge raise, and only a 200 that says so counts as delivered."""
    outcome = judge(status, body)
    assert (outcome.error == "") == (outcome.verdict is DELIVERED)
    assert outcome.verdict is not DELIVERED or status == 200
    assert not outcome.ambiguous or outcome.verdict is FAILED
