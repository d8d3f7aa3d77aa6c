"""GET URLs: what they say, how it is encoded, and what is refused."""

from __future__ import annotations

import base64
import json
from datetime import datetime, timezone
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robotmia_logging.links import event_url, profile_url
from tests import absurd

URL = "http://api.robotmia.com"


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch):
    monkeypatch.delenv("ROBOTMIA_TOKEN", raising=False)
    monkeypatch.delenv("ROBOTMIA_URL", raising=False)


def read(url):
    """The URL's parameters, `data` decoded, as a server reads them."""
    parameters = dict(parse_qsl(urlsplit(url).query, keep_blank_values=True, strict_parsing=True))
    parameters["data"] = json.loads(base64.b64decode(parameters["data"], validate=True))
    return parameters


def others(url):
    """The query without `data`, as it stands."""
    return "&".join(part for part in urlsplit(url).query.split("&") if not part.startswith("data="))


def test_event():
    """An event's URL carries its name, its properties and the token, and nothing else."""
    url = event_url("Opened", {"distinct_id": 13793, "Mail": "welcome"}, token="t", url=URL)
    assert url.startswith("http://api.robotmia.com/track/?data=")
    properties = {"token": "t", "distinct_id": "13793", "Mail": "welcome"}
    assert read(url) == {"data": {"event": "Opened", "properties": properties}}


def test_event_alone():
    """An event needs no properties."""
    assert read(event_url("Opened", token="t"))["data"] == {"event": "Opened", "properties": {"token": "t"}}


def test_profile():
    """An update's URL carries the user as text, the operation and the token, and nothing else."""
    url = profile_url(13793, {"$add": {"Opened": 1}}, token="t", url=URL)
    assert url.startswith("http://api.robotmia.com/engage/?data=")
    assert read(url) == {"data": {"$token": "t", "$distinct_id": "13793", "$add": {"Opened": 1}}}


def test_profile_of_names_and_values():
    """Names and values alone mean `$set`."""
    assert read(profile_url("1", {"Plan": "pro"}, token="t"))["data"]["$set"] == {"Plan": "pro"}


def test_attributes():
    """An update may carry its address, its time and `$ignore_time`."""
    attributes = {"$ip": "0", "$time": datetime(2013, 1, 15, tzinfo=timezone.utc), "$ignore_time": True}
    data = read(profile_url("1", {"a": 1}, token="t", attributes=attributes))["data"]
    assert (data["$ip"], data["$time"], data["$ignore_time"]) == ("0", 1358208000, True)
    assert attributes["$time"] == datetime(2013, 1, 15, tzinfo=timezone.utc)


@pytest.mark.parametrize("absent", [None, ""])
def test_absent_specials_stay_away(absent):
    """What is None isn't sent, and neither are empty ids: robotmia then takes the time of the request."""
    data = read(event_url("E", {"time": None, "distinct_id": absent, "ip": absent}, token="t"))["data"]
    assert data["properties"] == {"token": "t"}
    data = read(profile_url("1", {"a": 1}, token="t", attributes={"$time": None, "$ip": absent}))["data"]
    assert data == {"$token": "t", "$distinct_id": "1", "$set": {"a": 1}}


def test_percent_encoding_of_base64():
    """The +, / and = of Base64 are encoded, for each means something else in a query."""
    url = event_url("E", {"a": "\u03fb\u03ff\u083f>>>???~~~"}, token="t")
    query = urlsplit(url).query.removeprefix("data=")
    data = dict(parse_qsl(urlsplit(url).query))["data"]
    for character, encoded in (("+", "%2B"), ("/", "%2F"), ("=", "%3D")):
        assert character not in query
        assert query.count(encoded) == data.count(character)
    assert "+" in data
    assert "/" in data


@pytest.mark.parametrize("length", range(4))
def test_padding(length):
    """Base64 is padded to fours, whatever the length."""
    assert len(dict(parse_qsl(urlsplit(event_url("E" * (length + 1), token="t")).query))["data"]) % 4 == 0


@pytest.mark.parametrize(
    ("redirect", "encoded"),
    [
        ("http://www.example.com", "http%3A%2F%2Fwww.example.com"),
        ("https://example.com/a?b=c&d=e#f", "https%3A%2F%2Fexample.com%2Fa%3Fb%3Dc%26d%3De%23f"),
        ("https://example.com/caf\xe9", "https%3A%2F%2Fexample.com%2Fcaf%C3%A9"),
        ("/50%25+1", "%2F50%2525%2B1"),
    ],
)
@pytest.mark.parametrize("make", [event_url, lambda _, **options: profile_url("1", {"a": 1}, **options)])
def test_redirect(make, redirect, encoded):
    """A redirect comes back as it was given, with its own query and any letters."""
    url = make("E", token="t", redirect=redirect)
    assert others(url) == f"redirect={encoded}"
    assert read(url)["redirect"] == redirect
    assert url.isascii()


@pytest.mark.parametrize(
    ("options", "query"),
    [
        ({}, ""), ({"img": True}, "img=1"), ({"img": False}, ""), ({"ip": True}, "ip=1"), ({"ip": False}, "ip=0"),
        ({"ip": None}, ""), ({"verbose": True}, "verbose=1"), ({"verbose": False}, ""), ({"redirect": None}, ""),
        ({"callback": "wasTracked"}, "callback=wasTracked"), ({"callback": "a.b"}, "callback=a.b"),
        ({"callback": None}, ""),
        ({"redirect": "/", "img": True, "callback": "f", "ip": True, "verbose": True},
         "redirect=%2F&img=1&callback=f&ip=1&verbose=1"),
    ],
    ids=str,
)  # fmt: skip
def test_parameters(options, query):
    """Each parameter stands in the URL when it is asked for, and only then."""
    assert others(event_url("E", token="t", **options)) == query
    assert others(profile_url("1", {"a": 1}, token="t", **options)) == query


def test_token_and_url_from_the_environment(monkeypatch):
    """Token and base come from the environment, unless they are given."""
    monkeypatch.setenv("ROBOTMIA_TOKEN", "from-environment")
    monkeypatch.setenv("ROBOTMIA_URL", "https://eu.example.com/base/")
    url = event_url("E")
    assert url.startswith("https://eu.example.com/base/track/?data=")
    assert read(url)["data"]["properties"]["token"] == "from-environment"
    assert read(profile_url("1", {"a": 1}))["data"]["$token"] == "from-environment"
    url = event_url("E", token="given", url=URL)
    assert url.startswith("http://api.robotmia.com/track/")
    assert read(url)["data"]["properties"]["token"] == "given"


def test_default_url():
    """The API's own base is the default, over TLS."""
    assert event_url("E", token="t").startswith("https://api.robotmia.com/track/?")
    assert profile_url("1", {"a": 1}, token="t").startswith("https://api.robotmia.com/engage/?")


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: event_url("", token="t"), "needs a name"),
        (lambda: event_url(None, token="t"), "is a name"),
        (lambda: event_url("E"), r"needs a token: give token=, or set \$ROBOTMIA_TOKEN"),
        (lambda: event_url("E", token=""), "needs a token"),
        (lambda: event_url("E", {"mp_lib": 1}, token="t"), "mp_"),
        (lambda: event_url("E", {b"mp_lib": 1}, token="t"), "mp_"),
        (lambda: event_url("E", {"time": "now"}, token="t"), "time"),
        (lambda: event_url("E", {"time": 1358208000_000}, token="t"), "milliseconds"),
        (lambda: event_url("$create_alias", {"alias": "b"}, token="t"), "distinct_id"),
        (lambda: profile_url("1", {"a": 1}), r"needs a \$token: give token="),
        (lambda: profile_url("", {"a": 1}, token="t"), r"\$distinct_id"),
        (lambda: profile_url(None, {"a": 1}, token="t"), r"\$distinct_id"),
        (lambda: profile_url("1", {"mp_lib": 1}, token="t"), "mp_"),
        (lambda: profile_url("1", {"$append": {"mp_lib": 1}}, token="t"), "mp_"),
        (lambda: profile_url("1", {"$add": {"a": 1}, "$set": {"b": 1}}, token="t"), "the profile has 2"),
        (lambda: profile_url("1", {"$add": {"a": "1"}}, token="t"), "takes numbers"),
        (lambda: profile_url("1", {"$increment": {"a": 1}}, token="t"), "neither an operation"),
        (lambda: profile_url("1", {"$set": {"a": 1}, "b": 1}, token="t"), "stands beside 'b'"),
        (lambda: profile_url("1", {"a": 1}, token="t", attributes={"$set": {}}), r"'\$set' is no attribute"),
        (lambda: profile_url("1", {"a": 1}, token="t", attributes={"ip": "0"}), "'ip' is no attribute"),
        (lambda: profile_url("1", {"a": 1}, token="t", attributes={"$time": "now"}), "time"),
    ],
)  # fmt: skip
def test_refused(make, words):
    """What the API would refuse, or ignore, is a ValueError that says why."""
    with pytest.raises(ValueError, match=words):
        make()


def test_properties_stay_as_they_were():
    """The caller's properties aren't changed."""
    properties = {"distinct_id": 5, "time": datetime(2013, 1, 15)}
    event_url("E", properties, token="t")
    assert properties == {"distinct_id": 5, "time": datetime(2013, 1, 15)}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)  # fmt: skip
NAMES = st.text().filter(lambda name: not name.startswith("mp_") and name not in ("token", "distinct_id", "time", "ip"))


@given(st.text(min_size=1), st.dictionaries(NAMES, JSON, max_size=5), st.text(min_size=1), st.text())
def test_any_event_decodes_to_itself(name, properties, user, redirect):
    """Any event that JSON can hold is read from its URL as it went in, and so is any redirect."""
    url = event_url(name, {**properties, "distinct_id": user}, token="t", redirect=redirect)
    given_back = read(url)
    expected = {"token": "t", **properties, "distinct_id": user}
    assert given_back == {"data": {"event": name, "properties": expected}, "redirect": redirect}
    assert url.isascii()


@given(absurd.properties())
@pytest.mark.filterwarnings("ignore")
def test_any_properties_give_a_url(drawn):
    """Absurd properties give a URL that can be read, or a ValueError."""
    properties = {**drawn.make(), "distinct_id": "1"}
    try:
        url = event_url("E", properties, token="t")
    except ValueError:
        return
    assert read(url)["data"]["properties"]["distinct_id"] == "1"
