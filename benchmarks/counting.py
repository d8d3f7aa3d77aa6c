"""How many messages a request holds, in the wire format of each contestant."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterator, Mapping
from urllib.parse import unquote_to_bytes

_JSON_BEGINS = (b"[", b"{")
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


def messages_in(headers: Mapping[str, str], body: bytes) -> int:
    """The number of messages in a request.

    Args:
        headers: the request's, their names in lower case.
        body: as it was sent.

    Raises:
        ValueError: the body has none of the formats.
    """
    if headers.get("content-encoding") == "gzip":
        body = gzip.decompress(body)
    kind = headers.get("content-type", "").partition(";")[0].strip()
    if kind == "application/x-www-form-urlencoded":
        return _in_form(body)
    if kind == "application/x-protobuf":
        return _in_logs_request(body)
    return _in_json(body)


def _in_form(body: bytes) -> int:
    """robotmia's and mixpanel's form: the field `data` holds a JSON list or message, in Base64 or as it is."""
    for field in body.split(b"&"):
        name, _, value = field.partition(b"=")
        if name == b"data":
            data = unquote_to_bytes(value.replace(b"+", b" "))
            return _in_json(data if data.startswith(_JSON_BEGINS) else base64.b64decode(data, validate=True))
    raise ValueError("the form has no field 'data'")


def _in_json(data: bytes) -> int:
    """A list of messages, posthog's and segment's object with a `batch`, or a single message."""
    parsed = json.loads(data)
    if isinstance(parsed, dict):
        parsed = parsed.get("batch", [parsed])
    if not isinstance(parsed, list):
        raise ValueError("the JSON holds neither a list nor an object")  # noqa: TRY004  (one kind of error for a body)
    return len(parsed)


def _in_logs_request(body: bytes) -> int:
    """OTLP's ExportLogsServiceRequest: resource_logs (1) of scope_logs (2) of log_records (2)."""
    return sum(
        1
        for resource_logs in _submessages(body, 1)
        for scope_logs in _submessages(resource_logs, 2)
        for _ in _submessages(scope_logs, 2)
    )


def _submessages(data: bytes, wanted: int) -> Iterator[bytes]:
    """The length-delimited fields of a number, of a message in the Protocol Buffers wire format."""
    position = 0
    while position < len(data):
        tag, position = _varint(data, position)
        number, wire_type = tag >> 3, tag & 7
        if wire_type == _VARINT:
            _, position = _varint(data, position)
        elif wire_type == _BYTES:
            length, position = _varint(data, position)
            if number == wanted:
                yield data[position : position + length]
            position += length
        elif wire_type in (_FIXED64, _FIXED32):
            position += 8 if wire_type == _FIXED64 else 4
        else:
            raise ValueError(f"there is no wire type {wire_type}")
    if position > len(data):
        raise ValueError("a field ends behind its message")


def _varint(data: bytes, position: int) -> tuple[int, int]:
    """A number in seven bits a byte, and where it ends."""
    value = shift = 0
    while True:
        if position >= len(data):
            raise ValueError("the message ends in a number")
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
        shift += 7
