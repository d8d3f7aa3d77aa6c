"""Where requests go, and with which fields."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from robotmia_logging.messages import IMPORT_AGE_S, seal_update
from tests.delivery.fakes import WALL, event, update
from tests.delivery.http_delivering import (
    NAMES,
    delivering,
    names_of,
    put,
    taken,
)
from tests.hostile import HostileServer, accept, status


def test_old_events_are_imported():
    """Events go to /import/ from the age on at which /track/ may refuse them, the others to /track/, in order."""
    ages = [0, IMPORT_AGE_S, IMPORT_AGE_S + 1, 10 * IMPORT_AGE_S, 5, -3600, IMPORT_AGE_S + 2, 1]
    with HostileServer() as server, delivering(server) as delivery:
        for i, age in enumerate(ages):
            delivery.put(event(f"e{i}", age=age))
        assert delivery.flush()
        assert [(path, message["event"]) for path, message in server.taken] == [
            ("/import/" if age > IMPORT_AGE_S else "/track/", f"e{i}") for i, age in enumerate(ages)
        ]
        assert len(server.requests) == 5


def test_the_age_counts_when_it_is_sent():
    """Events that waited out an outage of days go to /import/, also those that were tried at /track/ before."""
    now = [WALL]
    with HostileServer(status(503)) as server, delivering(server, wall=lambda: now[0], random=lambda: 0.1) as delivery:
        put(delivery)
        delivery.put(update("u", set={"a": 1}))
        assert delivery.flush(0.05) is False
        assert server.wait_for(lambda server: {"/track/", "/engage/"} <= {r.path for r in server.requests})
        now[0] += 5 * 24 * 3600
        delivery.put(event("fresh", age=-5 * 24 * 3600))
        server._script = iter([])
        server._last = accept
        assert delivery.flush()
        taken_at = {message.get("event", "update"): path for path, message in server.taken}
        assert taken_at == {**dict.fromkeys(NAMES, "/import/"), "fresh": "/track/", "update": "/engage/"}
        assert Counter(taken(server_events(server))) == Counter([*NAMES, "fresh"])


def server_events(server):
    class Events:
        taken = [(path, message) for path, message in server.taken if "event" in message]

    return Events


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), min_size=1, max_size=40),
    st.sampled_from(["/track/", "/import/"]),
    st.integers(0, 3),
)
@settings(max_examples=20, deadline=None)
def test_mixed_ages_keep_each_users_order(logged, down, failures):
    """Old and new events of a user arrive in the order logged, though they take two ways and one fails for a while."""

    def choose(request):
        failed = sum(1 for earlier in server.requests if earlier.path == down) - 1
        return status(503) if request.path == down and failed < failures else accept

    with HostileServer(choose) as server, delivering(server, capacity=7) as delivery:
        for i, (user, old) in enumerate(logged):
            delivery.put(event(f"e{i}", user, age=2 * IMPORT_AGE_S if old else 0))
        assert delivery.flush()
        for name in "abc":
            assert [
                message["event"] for _, message in server.taken if message["properties"]["distinct_id"] == name
            ] == [f"e{i}" for i, (user, _) in enumerate(logged) if user == name]
        for request in server.requests:
            old = {logged[int(name[1:])][1] for name in names_of(request)}
            assert old == {request.path == "/import/"}


def test_import_auth_goes_to_import_only():
    """The form fields for /import/ come with its requests, rightly encoded, and with no others."""
    auth = {"api_key": "k&y=1", "naïve": "ü +/%"}
    with HostileServer() as server, delivering(server, import_auth=auth) as delivery:
        delivery.put(event("old", age=2 * IMPORT_AGE_S))
        delivery.put(event("new"))
        delivery.put(update("u", set={"a": 1}))
        assert delivery.flush()
        forms = {request.path: dict(request.form) for request in server.requests}
        for form in forms.values():
            del form["data"]
        assert forms["/import/"] == auth
        assert forms["/track/"] == forms["/engage/"] == {}


@pytest.mark.parametrize("request_ip", [False, True])
def test_which_ip_address_counts(request_ip):
    """`ip=1` comes with events on demand; updates come with `ip=0` unless they carry an address of their own."""
    located = {"$token": "t", "$distinct_id": "l", "$ip": "203.0.113.9", "$set": {"a": 1}}
    with HostileServer() as server, delivering(server, request_ip=request_ip) as delivery:
        delivery.put(event("new"))
        delivery.put(event("old", age=2 * IMPORT_AGE_S))
        delivery.put(update("u", set={"a": 1}))
        assert delivery.flush()
        delivery.put(seal_update(dict(located, **{"$time": int(WALL)})))
        assert delivery.flush()
        delivery.put(seal_update(dict(located, **{"$time": int(WALL)})))
        delivery.put(update("u", set={"a": 2}))
        assert delivery.flush()
        seen = [(request.path, request.query) for request in server.requests]
        of_events = {"verbose": "1", "ip": "1"} if request_ip else {"verbose": "1"}
        of_updates = {"verbose": "1", "ip": "0"}
        assert sorted(seen[:3], key=str) == sorted(
            [("/track/", of_events), ("/import/", of_events), ("/engage/", of_updates)], key=str
        )
        assert seen[3] == ("/engage/", {"verbose": "1"})
        for path, query in seen[4:]:  # who has no address of their own is never located at our server
            assert path == "/engage/"
            assert query == of_updates or len(seen) > 5


def test_the_base_url_may_have_a_path():
    """A base URL with a path and a slash at its end is the front of each endpoint's URL."""
    with HostileServer() as server, delivering(server, url=server.url + "/proxy/robotmia/") as delivery:
        put(delivery)
        assert delivery.flush()
        assert {path for path, _ in server.taken} == {"/proxy/robotmia/track/"}
