"""What the sink counts, in the wire format of each contestant."""

from __future__ import annotations

import base64
import gzip
import json
from urllib.parse import quote_plus, urlencode

import pytest

from benchmarks.counting import messages_in
from robotmia_logging.delivery.http import form_body

FORM = {"content-type": "application/x-www-form-urlencoded"}
JSON = {"content-type": "application/json"}
OTLP = {"content-type": "application/x-protobuf"}
EVENTS = [{"event": "Ünïcode + ?>&=", "properties": {"n": n}} for n in range(3)]


def field(number, content):
    """A length-delimited field of a Protocol Buffers message."""
    length, encoded = len(content), bytearray([number << 3 | 2])
    while length > 0x7F:
        encoded.append(length & 0x7F | 0x80)
        length >>= 7
    return bytes(encoded) + bytes([length]) + content


def test_count_own_form():
    """robotmia's form: as our own transport writes it, and with further fields."""
    bodies = [json.dumps(event).encode() for event in EVENTS]
    assert messages_in(FORM, form_body(bodies)) == 3
    assert messages_in(FORM, form_body(bodies, b"&verbose=1")) == 3


def test_count_base64_form():
    """The same form as urllib writes it, with one message instead of a list too."""
    for events, count in ((EVENTS, 3), (EVENTS[0], 1)):
        body = urlencode({"verbose": 1, "data": base64.b64encode(json.dumps(events).encode())})
        assert messages_in({"content-type": "application/x-www-form-urlencoded; charset=utf-8"}, body.encode()) == count


def test_count_mixpanel_form():
    """mixpanel's form: the JSON list itself."""
    body = f"data={quote_plus(json.dumps(EVENTS))}&verbose=1&ip=0"
    assert messages_in(FORM, body.encode()) == 3


@pytest.mark.parametrize("packed", [False, True])
def test_count_batch_json(packed):
    """posthog's and segment's JSON object with a batch, packed or not."""
    body = json.dumps({"batch": EVENTS, "api_key": "x"}).encode()
    headers = {**JSON, "content-encoding": "gzip"} if packed else JSON
    assert messages_in(headers, gzip.compress(body) if packed else body) == 3


def test_count_log_records():
    """OTLP: log records of several scopes and resources, beside fields of other kinds."""
    record = b"\x09" + bytes(8) + b"\x45" + bytes(4) + b"\x10\x96\x01" + field(5, b"x" * 200)
    scope = field(1, b"the scope") + field(2, record) * 2 + field(3, b"its schema")
    resource = field(1, b"the resource") + field(2, scope) * 3
    assert messages_in(OTLP, field(1, resource) * 2) == 12
    assert messages_in(OTLP, b"") == 0


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        (FORM, b"verbose=1"),
        (FORM, b"data=%21%21%21"),
        (FORM, b"data="),
        (JSON, b"17"),
        (JSON, b"[1, 2"),
        (OTLP, field(1, field(2, b"12"))[:-1]),
        (OTLP, b"\x0a"),
        (OTLP, b"\x0b"),
    ],
)
def test_count_unreadable(headers, body):
    """A body of no format is an error, not a number."""
    with pytest.raises(ValueError, match=r"\S"):
        messages_in(headers, body)
