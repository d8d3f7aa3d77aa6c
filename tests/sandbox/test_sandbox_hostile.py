import json

import pytest
from hostile_requests import any_data, endpoints, forms
from hypothesis import given, settings
from hypothesis import strategies as st
from sandbox_client import encode

from robotmia_logging.sandbox.api.intake import take
from robotmia_logging.sandbox.api.parameters import Parameters, read_parameters
from robotmia_logging.sandbox.api.refused import Refused
from robotmia_logging.sandbox.api.wire import MAX_DEPTH, decode
from robotmia_logging.sandbox.store.records import Arrival, Filters
from robotmia_logging.sandbox.store.store import Store

DEEP = b'{"event": "x", "properties": {"token": "t", "deep": ' + b"[" * 100_000 + b"]" * 100_000 + b"}}"


@pytest.mark.parametrize(
    ("data", "error"),
    [
        ("", "missing"),
        ("====", "missing"),
        ("e30", "not padded: its 3 characters of Base64 must be followed by ="),
        ("e3=0", "not Base64: character 2 is '='"),
        ("e30=\n", "not Base64: character 4 is '\\n'"),
        ("e30é", "not Base64: character 3 is '\\xe9'"),
        ("e30-", "URL-safe alphabet (character 3 is '-')"),
        ("e3_0", "URL-safe alphabet (character 2 is '_')"),
        ("eyJhY", "no text encodes"),
        (encode(b"\xff\xfe"), "not UTF-8"),
        (encode(b"\xef\xbb\xbf{}"), "not JSON"),
        (encode(b"{"), "not JSON"),
        (encode(b'{"a": NaN}'), "NaN"),
        (encode(b'{"a": -Infinity}'), "-Infinity"),
        (encode(b'{"a": 1e999}'), "range of a double"),
        (encode(b'{"a": ' + b"9" * 310 + b"}"), "range of a double"),
        (encode(b'{"a": ' + b"9" * 50_000 + b"}"), "range of a double"),
        (encode(rb'{"a": "\ud83d"}'), "surrogate"),
        (encode(DEEP), "nested deeper"),
        (encode(b"3"), "JSON object"),
        (encode(b'"x"'), "JSON object"),
        (encode([1]), "messages[0]: a message must be a JSON object"),
    ],
)
def test_unreadable_data(sandbox, data, error):
    """Data that can't be read is refused with what is wrong with it, and kept among the refusals."""
    response = sandbox.post("/track/", data=data, verbose="1")
    assert response.status_code == 200
    assert error in response.json()["error"]
    assert sandbox.refusals()[0]["error"] == response.json()["error"]


def test_depth_limit():
    """Nesting up to the limit is read, one level more is refused."""
    for levels in (MAX_DEPTH, MAX_DEPTH + 1):
        data = encode(b'{"a": ' + b"[" * (levels - 1) + b"]" * (levels - 1) + b"}")
        if levels == MAX_DEPTH:
            assert decode(data, may_be_list=False).messages
        else:
            with pytest.raises(Refused, match="deeper than 200"):
                decode(data, may_be_list=False)


def test_deepest_message_can_be_read_back(sandbox):
    """A message at the depth limit is stored, folded and shown."""
    deep = [[]]
    for _ in range(MAX_DEPTH - 5):
        deep = [deep]
    assert sandbox.update("$union", {"deep": [deep]}) == ""
    assert sandbox.profile("u")["properties"]["deep"] == [deep]
    assert len(sandbox.messages()) == 1


def test_largest_body(sandbox):
    """A body over the limit gets 413, or the form it asked for, and is kept among the refusals without its data."""
    body = "data=" + "A" * 10_000_000
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    response = sandbox.session.post(f"{sandbox.server.url}/track/?verbose=1", body, headers=form, timeout=30)
    assert (response.status_code, response.json()["status"]) == (413, 0)
    assert sandbox.refusals()[0]["error"] == "the request body is larger than 10000000 bytes"
    response = sandbox.session.post(f"{sandbox.server.url}/track/?img=1", body, headers=form, timeout=30)
    assert (response.status_code, response.headers["Content-Type"]) == (200, "image/gif")


def test_overflowing_sums(sandbox):
    """Sums stay numbers that JSON can hold, however large."""
    for amount in (1e308, 1.7e308, 10**308, 10**308):
        assert sandbox.update("$add", {"n": amount, "m": -amount}) == ""
    sums = sandbox.profile("u")["properties"]
    assert sums["n"] == -sums["m"] > 1e308


def test_field_flood(sandbox):
    """A form of a million fields is refused by count."""
    url, form = (
        sandbox.server.url + "/track/?verbose=1",
        {"Content-Type": "application/x-www-form-urlencoded"},
    )
    assert "parameters" in sandbox.session.post(url, "&a=1" * 1_000_000, headers=form, timeout=10).json()["error"]


def test_escape_flood(sandbox):
    """A form of millions of percent signs, which would take a minute to read, is refused by count."""
    url, body = sandbox.server.url + "/track/?verbose=1", "data=" + "%" * 9_000_000
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert "percent-encoded" in sandbox.session.post(url, body, headers=form, timeout=10).json()["error"]


def test_strange_ids(sandbox):
    """Ids with slashes, NUL, quotes and non-ASCII letters find their profile."""
    for user in ("a/b", "a\x00b", "'; --", "é😀", "%41", "?#"):
        sandbox.send("engage", {"$token": "t", "$distinct_id": user, "$set": {"me": user}})
        path = "".join(f"%{byte:02X}" for byte in user.encode())
        assert sandbox.profile(path)["properties"]["me"] == user


@settings(deadline=None)
@given(data=any_data, endpoint=endpoints, ip=st.sampled_from(["", "0", "1"]))
def test_any_data_has_an_answer(data, endpoint, ip):
    """Whatever the data, it is accepted as a whole or refused with a reason, and reads back as JSON."""
    parameters = Parameters(values={"data": data, "ip": ip}, data_in_body=True)
    with Store() as store:
        error = take(Arrival(endpoint=endpoint, arrived=1e9, client_ip="::1"), parameters, store)
        kept = store.entries(Filters(refused=False))
        refused = store.entries(Filters(refused=True))
        assert bool(error) == (not kept) == bool(refused)
        seen = [[entry.body, entry.warnings, entry.event, entry.distinct_id] for entry in kept + refused]
        json.dumps(seen, ensure_ascii=False, allow_nan=False).encode()


@settings(deadline=None)  # a server answers when the machine lets it
@given(data=any_data, endpoint=endpoints, form=forms)
def test_any_request_has_an_answer(shared_sandbox, data, endpoint, form):
    """Whatever is posted, the status is never one of a failure, and everything can still be read."""
    response = shared_sandbox.post(f"/{endpoint}/", **form | {"data": data})
    assert response.status_code in (200, 302)
    for path in ("messages", "refusals"):
        assert shared_sandbox.get(f"/sandbox/{path}", limit=5).status_code == 200


@given(query=st.binary(), body=st.binary())
def test_any_form_is_read(query, body):
    """Parameters are read from any bytes without an exception, as text that UTF-8 can carry."""
    parameters = read_parameters(query, body)
    "".join([*parameters.values, *parameters.values.values()]).encode()
