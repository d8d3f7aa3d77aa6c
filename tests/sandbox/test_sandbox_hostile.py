import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sandbox_client import encode, event, update

from robotmia_logging.sandbox.aliases import Aliases
from robotmia_logging.sandbox.intake import Arrival, take
from robotmia_logging.sandbox.parameters import Parameters, read_parameters
from robotmia_logging.sandbox.people import person
from robotmia_logging.sandbox.store import Store
from robotmia_logging.sandbox.wire import MAX_DEPTH, Refused, decode

DEEP = b'{"event": "x", "properties": {"token": "t", "deep": ' + b"[" * 100_000 + b"]" * 100_000 + b"}}"


@pytest.mark.parametrize(
    ("data", "error"),
    [
        ("", "missing"),
        ("====", "missing"),
        ("e30", "not padded"),
        ("e3=0", "not Base64"),
        ("e30=\n", "not Base64"),
        ("-_-_", "'-'"),
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
    """A body over the limit gets 413 in the plain form, and is kept among the refusals without its data."""
    body = "data=" + "A" * 10_000_000
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    response = sandbox.session.post(f"{sandbox.server.url}/track/?verbose=1", body, headers=form, timeout=30)
    assert (response.status_code, response.json()["status"]) == (413, 0)
    assert sandbox.refusals()[0]["error"] == "the request body is larger than 10000000 bytes"


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


def test_strange_ids(sandbox):
    """Ids with slashes, NUL, quotes and non-ASCII letters find their profile."""
    for user in ("a/b", "a\x00b", "'; --", "é😀", "%41", "?#"):
        sandbox.send("engage", {"$token": "t", "$distinct_id": user, "$set": {"me": user}})
        path = "".join(f"%{byte:02X}" for byte in user.encode())
        assert sandbox.profile(path)["properties"]["me"] == user


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=12,
)
keys = st.sampled_from(
    (  # noqa: SIM905
        "event properties token distinct_id time ip alias mp_x $token $distinct_id $ip $time $ignore_time "
        "$set $set_once $add $append $union $remove $unset $delete $transactions $amount"
    ).split()
)
odd_values = json_values | st.dictionaries(keys, json_values, max_size=5) | st.sampled_from(["$create_alias", "t"])
near_messages = st.builds(
    lambda base, change: {**base, **change},
    st.sampled_from([event(distinct_id="u"), event("$create_alias", distinct_id="u", alias="v"), update("$set", {})]),
    st.dictionaries(keys, odd_values, max_size=3),
)
raw_data = st.binary().map(lambda raw: base64.b64encode(raw).decode())
any_data = st.text() | raw_data | (near_messages | json_values | st.lists(near_messages)).map(encode)


forms = st.dictionaries(
    st.sampled_from(["ip", "redirect", "img", "callback", "verbose"]),
    st.sampled_from(["0", "1", "http://example.com/é\n", "https://é.example", "wasTracked"]) | st.text(),
)


@given(data=any_data, endpoint=st.sampled_from(["track", "import", "engage"]), ip=st.sampled_from(["", "0", "1"]))
def test_any_data_has_an_answer(data, endpoint, ip):
    """Whatever the data, it is accepted as a whole or refused with a reason, and reads back as JSON."""
    values = {"data": data, "ip": ip}
    parameters = Parameters(values=values, data_in_body=True)
    arrival = Arrival(endpoint=endpoint, arrived=1e9, client_ip="::1", parameters=parameters)
    with Store() as store:
        error = take(arrival, store)
        kept = [sent.message for sent in store.messages()]
        assert bool(error) == (not kept) == bool(store.refusals())
        seen = [kept, person(store, "u"), [refused.what for refused in store.refusals()]]
        json.dumps(seen, ensure_ascii=False, allow_nan=False).encode()


@given(data=any_data, endpoint=st.sampled_from(["track", "import", "engage"]), form=forms)
def test_any_request_has_an_answer(shared_sandbox, data, endpoint, form):
    """Whatever is posted, the status is never one of a failure, and everything can still be read."""
    response = shared_sandbox.post(f"/{endpoint}/", **form | {"data": data})
    assert response.status_code in (200, 302)
    for path in ("messages", "refusals"):
        assert shared_sandbox.get(f"/sandbox/{path}").status_code == 200


@given(query=st.binary(), body=st.binary())
def test_any_form_is_read(query, body):
    """Parameters are read from any bytes without an exception, as text that UTF-8 can carry."""
    parameters = read_parameters(query, body)
    "".join([*parameters.values, *parameters.values.values()]).encode()


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.sampled_from("abcdef"))))
def test_aliases_end(pairs):
    """Whatever the pairs, circles too, every id has one original, its own, which lists it as an alias."""
    aliases = Aliases(pairs)
    for user in "abcdef":
        original = aliases.original(user)
        assert aliases.original(original) == original
        assert (user in aliases.of(original)) == (user != original)
