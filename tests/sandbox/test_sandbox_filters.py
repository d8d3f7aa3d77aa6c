"""The filters of the read side: how they are read from a query, and what they let through."""

import pytest
from sandbox_client import NOW, event, update
from starlette.datastructures import QueryParams

from robotmia_logging.sandbox.reading.filters import BadFilter, read_filters
from robotmia_logging.sandbox.store.records import Filters


@pytest.mark.parametrize(
    ("query", "filters"),
    [
        ("", Filters()),
        ("event=Signed+Up&distinct_id=a%2Fb", Filters(event="Signed Up", distinct_id="a/b")),
        ("event=&distinct_id=&limit=", Filters()),
        ("endpoint=/track/", Filters(endpoint="track")),
        ("since=1700000000.5&limit=3", Filters(since=1700000000.5, limit=3)),
        ("since=2023-11-14T22:13:20", Filters(since=1700000000)),
        ("since=2023-11-14T22:13:20Z", Filters(since=1700000000)),
        ("since=2023-11-14T23:13:20%2B01:00", Filters(since=1700000000)),
        ("refused=1&warnings=1&search=x", Filters(refused=True, warned=True, search="x")),
        ("refused=0&warnings=0", Filters(refused=False)),
        ("after=1&before=9", Filters(after=1, before=9)),
    ],
)
def test_read_filters(query, filters):
    """Filters are read from the query; an empty value is none."""
    assert read_filters(QueryParams(query)) == filters


@pytest.mark.parametrize(
    ("query", "error"),
    [
        ("evnt=x", "'evnt' is no filter here; there are event, distinct_id, endpoint"),
        ("endpoint=api", "endpoint must be one of track, import, engage, not 'api'"),
        ("since=yesterday", "since must be unix seconds or a date YYYY-MM-DDThh:mm:ss, not 'yesterday'"),
        ("since=nan", "since must be unix seconds"),
        ("limit=-1", "limit must be a whole number, 0 or more, not '-1'"),
        ("limit=9999999999999999999", "limit must be a whole number, 0 or more"),
        ("limit=٣", "limit must be a whole number, 0 or more"),
        ("warnings=yes", "warnings must be 1 or 0, not 'yes'"),
    ],
)
def test_bad_filters(query, error):
    """A bad filter is refused by name, with what is allowed."""
    with pytest.raises(BadFilter) as raised:
        read_filters(QueryParams(query))
    assert str(raised.value).startswith(error)


def test_fixed_filters():
    """What an endpoint fixes can't be asked of it."""
    with pytest.raises(BadFilter, match="'refused' is no filter here"):
        read_filters(QueryParams("refused=1"), refused=False)


@pytest.fixture
def filled(sandbox):
    """A sandbox with three messages, a warning and a refusal among them, a second apart."""
    for number, send in enumerate(
        [
            lambda: sandbox.send("track", event("Signed Up", distinct_id="ada", plan="pro")),
            lambda: sandbox.send("engage", update("$set", {"plan": "Pro"}, distinct_id="ada")),
            lambda: sandbox.send("import", event("Signed Up", distinct_id="bob", mp_lib="x")),
            lambda: sandbox.send("track", event("", distinct_id="ada")),
        ]
    ):
        sandbox.clock.now = NOW + number
        send()
    return sandbox


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ({}, [1, 2, 3]),
        ({"event": "Signed Up"}, [1, 3]),
        ({"event": "$set"}, [2]),
        ({"distinct_id": "ada"}, [1, 2]),
        ({"endpoint": "import"}, [3]),
        ({"since": NOW + 1}, [2, 3]),
        ({"limit": 2}, [2, 3]),
        ({"limit": 0}, []),
        ({"warnings": 1}, [3]),
        ({"search": "PRO"}, [1, 2, 3]),  # the word properties is in the body of an event, too
        ({"search": '"pro"'}, [1, 2]),
        ({"after": 1, "before": 3}, [2]),
    ],
)
def test_filtered_messages(filled, query, ids):
    """Messages are asked for by filters, and come in arrival order."""
    assert [message["id"] for message in filled.get("/sandbox/messages", **query).json()] == ids


def test_filtered_refusals_and_profiles(filled):
    """Refusals and profiles take the same filters."""
    assert [refused["id"] for refused in filled.get("/sandbox/refusals", distinct_id="ada").json()] == [4]
    assert filled.get("/sandbox/refusals", distinct_id="bob").json() == []
    users = {"event": "Signed Up"}, {"endpoint": "engage"}, {"since": NOW + 2}, {"distinct_id": "bob"}, {"limit": 1}
    found = [[user["distinct_id"] for user in filled.get("/sandbox/profiles", **query).json()] for query in users]
    assert found == [["ada", "bob"], ["ada"], ["bob"], ["bob"], ["bob"]]


def test_bad_filter_over_http(filled):
    """A bad filter is a clear error over HTTP, too."""
    answer = filled.get("/sandbox/messages", evnt="x")
    assert (answer.status_code, answer.json()["error"][:23]) == (400, "'evnt' is no filter her")


def test_one_arrival(filled):
    """One arrival is shown with its request as it came in, and its place there."""
    filled.send("track", [event("A", distinct_id="u"), event("B", distinct_id="u")])
    found = filled.get("/sandbox/arrivals/6").json()
    assert (found["event"], found["position"], found["of"]) == ("B", 1, 2)
    request = found["request"]
    assert (request["method"], request["client_ip"]) == ("POST", "127.0.0.1")
    assert len(request["data"]) == request["data_size"] > 0
    assert filled.get("/sandbox/arrivals/99").status_code == 404
    for number in ("9" * 22, "9" * 5000, "x", "-1", "٣"):
        assert filled.get(f"/sandbox/arrivals/{number}").status_code == 404
