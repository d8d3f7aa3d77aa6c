"""Requests as clients of many kinds put them on the wire, byte by byte."""

import base64
import json
import socket

import pytest
from sandbox_client import encode, event, update

DATA = encode(event(distinct_id="u", sign="~~>>??"))
CLOSE = b"HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
ESCAPED = "".join(f"%{ord(character):02x}" for character in DATA)
BODY = f"verbose=1&ip=0&data={DATA}".encode()
FORM = b"Content-Type: application/x-www-form-urlencoded; charset=UTF-8\r\n"
LENGTH = f"Content-Length: {len(BODY)}\r\n".encode()
CHUNKED = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (BODY[:7], BODY[7:30], BODY[30:])) + b"0\r\n\r\n"


def exchange(sandbox, request):
    """Send bytes, and read until the server closes the connection."""
    with socket.create_connection(("127.0.0.1", sandbox.server.port), timeout=10) as connection:
        connection.sendall(request)
        received = b""
        while chunk := connection.recv(65536):
            received += chunk
    return received


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"GET /track?data=" + ESCAPED.encode() + b"&verbose=1 HTTP/1.0\r\n\r\n",
        b"GET /track/?verbose=1&_=1&data=" + DATA.encode() + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"POST /track HTTP/1.0\r\n" + FORM + LENGTH + b"\r\n" + BODY,
        b"POST /track HTTP/1.1\r\nhost: x\r\nConnection: close\r\n" + LENGTH + b"\r\n" + BODY,
        b"POST /track " + CLOSE + FORM + LENGTH + b"Expect: 100-continue\r\n\r\n" + BODY,
        b"POST /track " + CLOSE + FORM + b"Transfer-Encoding: chunked\r\n\r\n" + CHUNKED,
    ],
    ids=["http-1.0", "data-last", "http-1.0-post", "no-type", "expect", "chunked"],
)  # fmt: skip
def test_requests(sandbox, request_bytes):
    """A request is understood in every form that HTTP gives it."""
    answer = exchange(sandbox, request_bytes)
    assert answer.split(b"\r\n\r\n")[-1] == b'{"status": 1, "error": ""}'
    assert [sent["message"]["properties"]["sign"] for sent in sandbox.messages()] == ["~~>>??"]


def test_kept_connections(sandbox):
    """A second request on the same connection is answered, too, also after one that was refused."""
    first = b"GET /track?data=x HTTP/1.1\r\nHost: x\r\n\r\n"
    second = b"GET /track?data=" + DATA.encode() + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    answer = exchange(sandbox, first + second)
    assert answer.count(b"HTTP/1.1 200 OK") == 2
    assert answer.endswith(b"1")


@pytest.mark.parametrize(
    ("endpoint", "message"),
    [
        (
            "track",  # a page, with the browser's client of the time
            {
                "event": "$web_event",
                "properties": {"token": "t", "distinct_id": "$device:1", "time": 1_700_000_000.123, "mp_lib": "web",
                               "$current_url": "http://x", "$device_id": "1", "$had_persisted_distinct_id": False},
            },
        ),
        ("track", event(distinct_id=5, time=1_700_000_000_123) | {"$mp_metadata": {"$mp_id": "1"}}),
        ("engage", update("$set", {"$ios": "9"}, time=1_700_000_000_123, mp_metadata={"a": 1})),
        ("engage", update("$set_once", {"$initial_referrer": "x"}, device_id="d", user_id="u")),
        ("engage", update("$append", {"$transactions": {"$amount": 1}}, ip=0, ignore_alias=True)),
        ("engage", update("$delete", True)),
    ],
)  # fmt: skip
def test_messages_of_clients(sandbox, endpoint, message):
    """What clients send though the document doesn't have it is accepted as it stands."""
    assert sandbox.send(endpoint, message) == ""
    assert sandbox.messages()[0]["message"] == message


@pytest.mark.parametrize(
    "dump", [lambda m: json.dumps(m, indent=4), lambda m: json.dumps(m, ensure_ascii=False), json.dumps]
)
def test_json_of_clients(sandbox, dump):
    """JSON with blanks, with escapes and without is the same message."""
    message = event("Zoë 😀", distinct_id="u", path="a/b")
    data = base64.b64encode(dump(message).replace("a/b", "a\\/b").encode()).decode()
    assert sandbox.post("/track/", data=data).text == "1"
    assert sandbox.messages()[0]["message"] == message


# Browsers


def ask(sandbox, method="GET", path="/track/", **headers):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    data = {"data": DATA} if method == "POST" else None
    return sandbox.session.request(method, sandbox.server.url + path, data=data, headers=named, timeout=10)


@pytest.mark.parametrize("path", ["/track/", "/engage", "/import/"])
@pytest.mark.parametrize("origin", ["https://shop.example", "http://localhost:3000", "null"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_pages_of_any_origin(sandbox, method, path, origin):
    """A page of any origin may send and read the answer, with credentials, also one that is refused."""
    headers = ask(sandbox, method, path, Origin=origin).headers
    assert headers["Access-Control-Allow-Origin"] == origin
    assert headers["Access-Control-Allow-Credentials"] == "true"
    assert headers["Vary"] == "Origin"


def test_preflight(sandbox):
    """A browser that asks first may send any header, and nothing is stored by the question."""
    asked = {"Access_Control_Request_Method": "POST", "Access_Control_Request_Headers": "content-type,x-own"}
    response = ask(sandbox, "OPTIONS", Origin="https://shop.example", **asked)
    assert response.status_code == 200
    assert response.headers["Access-Control-Allow-Origin"] == "https://shop.example"
    assert response.headers["Access-Control-Allow-Credentials"] == "true"
    assert response.headers["Access-Control-Allow-Headers"] == "content-type,x-own"
    assert "POST" in response.headers["Access-Control-Allow-Methods"]
    assert sandbox.messages() == sandbox.refusals() == []


@pytest.mark.parametrize("path", ["/sandbox/messages", "/sandbox/profiles", "/sandbox/faults", "/"])
def test_what_is_kept_is_for_no_page(sandbox, path):
    """A page of another origin can't read what the sandbox holds."""
    for method in ("GET", "OPTIONS"):
        response = ask(sandbox, method, path, Origin="https://evil.example", Access_Control_Request_Method="GET")
        assert not [name for name in response.headers if name.lower().startswith("access-control")]


def test_browsers_updates(sandbox):
    """The answers to pages have their forms: a pixel, a function called."""
    sandbox.get("/engage/", data=encode(update("$set", {"a": 1})), callback="done", _="1")
    assert ask(sandbox, "GET", f"/track/?img=1&data={DATA}", Origin="null").headers["Content-Type"] == "image/gif"
    assert len(sandbox.messages()) == 2
