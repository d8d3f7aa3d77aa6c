"""The hostile server does what its behaviours say: otherwise the tests that lean on it prove nothing."""

from __future__ import annotations

import base64
import http.client
import json
import os
import socket
import threading
import time
from datetime import datetime, timezone
from urllib.parse import quote

import pytest
import requests

from tests import hostile
from tests.hostile import HostileServer, accept

EVENT = {"event": "Signed Up", "properties": {"distinct_id": "13793", "token": "t"}}


def form(messages, encode=quote):
    return "verbose=1&data=" + encode(base64.b64encode(json.dumps(messages).encode()).decode(), safe="")


@pytest.fixture
def connect():
    """Make keep-alive clients that are closed at the end."""
    made = []

    def make(server):
        made.append(http.client.HTTPConnection("127.0.0.1", server.port, timeout=5))
        return made[-1]

    yield make
    for client in made:
        client.close()


def post(client, body=None, kind="application/x-www-form-urlencoded", path="/track/"):
    client.request("POST", path, body or form([EVENT]), {"Content-Type": kind})
    reply = client.getresponse()
    return reply.status, reply.read()


def test_journal_tells_what_arrived_and_in_which_order(connect):
    with HostileServer() as server:
        client, before = connect(server), time.monotonic()
        post(client, form([EVENT, {"event": "Left"}]), path="/track/?ip=1")
        post(client, form({"$set": {}}), path="/engage/")
        first, second = server.requests
        assert (first.method, first.path, first.query, first.form["verbose"]) == (
            "POST",
            "/track/",
            {"ip": "1"},
            "1",
        )
        assert first.headers["content-type"] == "application/x-www-form-urlencoded"
        assert first.messages == [EVENT, {"event": "Left"}]
        assert before <= first.at <= second.at
        assert (first.connection, second.connection, server.connections) == (1, 1, 1)
        assert server.taken == [
            ("/track/", EVENT),
            ("/track/", {"event": "Left"}),
            ("/engage/", {"$set": {}}),
        ]
        assert server.violations == []
        state = "listening, 1/1 connections open, 2 requests, 3 taken, 0 violations"
        assert repr(server) == f"<HostileServer :{server.port} {state}>"


def test_get_carries_its_message_in_the_query():
    with HostileServer() as server:
        assert requests.get(f"{server.url}/track/?{form(EVENT)}", timeout=5).json()["status"] == 1
        assert (server.requests[0].messages, server.violations) == ([EVENT], [])


@pytest.mark.parametrize(
    ("behaviour", "reply", "taken"),
    [
        (hostile.accept, (200, b'{"status":1,"error":""}'), 1),
        (hostile.accept_plain, (200, b"1"), 1),
        (hostile.refuse("no"), (200, b'{"status": 0, "error": "no"}'), 0),
        (hostile.refuse_plain, (200, b"0"), 0),
        (hostile.html, (200, b"<!doctype html><title>Welcome</title>"), 1),
        (hostile.status(503, body=b"busy"), (503, b"busy"), 0),
        (hostile.status(504, taken=True), (504, b""), 1),
        (hostile.redirect("/elsewhere"), (302, b""), 0),
        (hostile.trickle(b"1", 0.001), (200, b"1"), 1),
        (hostile.latency(0.001), (200, b'{"status":1,"error":""}'), 1),
        (hostile.latency(0.001, hostile.refuse_plain), (200, b"0"), 0),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_replies(connect, behaviour, reply, taken):
    with HostileServer(behaviour) as server:
        client = connect(server)
        assert [post(client), post(client)] == [reply, reply]
        assert (len(server.taken), server.requests[0].taken) == (2 * taken, bool(taken))
        assert (server.connections, server.violations) == (1, [])


@pytest.mark.parametrize(
    ("behaviour", "error", "taken"),
    [
        (hostile.reset_before, ConnectionResetError, 0),
        (hostile.reset_after, ConnectionResetError, 1),
        (hostile.close_silently(), http.client.RemoteDisconnected, 0),
        (hostile.close_silently(taken=True), http.client.RemoteDisconnected, 1),
        (hostile.truncated, http.client.IncompleteRead, 1),
        (hostile.hang(0.001), http.client.RemoteDisconnected, 0),
        (hostile.latency(0.001, hostile.reset_before), ConnectionResetError, 0),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_broken_connections(connect, behaviour, error, taken):
    with HostileServer([behaviour, accept]) as server:
        with pytest.raises(error) as caught:
            post(connect(server))
        assert caught.type is error
        assert server.wait_for(lambda s: s.open_connections == 0)
        assert len(server.taken) == taken
        assert post(connect(server))[0] == 200
        assert (len(server.taken), server.connections, server.violations) == (taken + 1, 2, [])


def test_reset_before_leaves_the_body_unread(connect):
    with HostileServer([hostile.reset_before]) as server:
        with pytest.raises((ConnectionResetError, BrokenPipeError)):
            post(connect(server), b"data=" + b"A" * 16_000_000)
        assert (server.requests[0].form, server.requests[0].messages) == ({}, [])


def test_refuse_if_refuses_the_whole_batch_over_one_message(connect):
    with HostileServer(hostile.refuse_if(lambda message: message["event"] == "Bad", "bad one")) as server:
        client = connect(server)
        assert json.loads(post(client, form([EVENT, {"event": "Bad"}]))[1]) == {
            "status": 0,
            "error": "bad one",
        }
        assert (server.taken, server.requests[0].taken) == ([], False)
        post(client)
        assert server.taken == [("/track/", EVENT)]


@pytest.mark.parametrize(
    ("retry_after", "header"),
    [(7, "7"), (datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc), "Fri, 02 Jan 2026 03:04:05 GMT")],
)
def test_retry_after_has_two_forms(retry_after, header):
    with HostileServer(hostile.status(429, {"X-Other": "1"}, retry_after=retry_after)) as server:
        reply = requests.post(server.url, form(EVENT), headers={"Content-Type": "text/plain"}, timeout=5)
        assert (reply.headers["Retry-After"], reply.headers["X-Other"]) == (header, "1")


def test_redirect_names_its_location():
    with HostileServer(hostile.redirect("/elsewhere")) as server:
        reply = requests.post(f"{server.url}/track/", {"data": "e30="}, timeout=5, allow_redirects=False)
        assert (reply.headers["Location"], server.violations) == ("/elsewhere", [])


def test_close_idle_announces_keep_alive_and_leaves(connect):
    with HostileServer(hostile.close_idle) as server:
        client = connect(server)
        client.request("POST", "/track/", form(EVENT), {"Content-Type": "application/x-www-form-urlencoded"})
        reply = client.getresponse()
        assert (reply.headers["Connection"], reply.will_close, reply.read()) == (
            "keep-alive",
            False,
            hostile.OK,
        )
        assert server.wait_for(lambda s: s.open_connections == 0)
        assert client.sock.recv(1) == b""


def test_stale_connection_is_reset_when_the_next_request_begins(connect):
    with HostileServer([hostile.stale, accept]) as server:
        client = connect(server)
        assert post(client) == (200, hostile.OK)
        assert server.open_connections == 1
        with pytest.raises((ConnectionResetError, BrokenPipeError)):
            post(client)  # the RST may also meet it between head and body
        assert post(connect(server)) == (200, hostile.OK)
        assert [request.connection for request in server.requests] == [1, 2]
        assert len(server.taken) == 2


@pytest.mark.parametrize(
    "behaviour",
    [
        hostile.hang(),
        hostile.hang(3600),
        hostile.latency(3600),
        hostile.trickle(interval=3600, taken=False),
        hostile.held_until(threading.Event()),
    ],
    ids=lambda value: value.name,
)
def test_waiting_behaviours_end_with_the_server_and_take_nothing(connect, behaviour):
    threads = set(threading.enumerate())
    with HostileServer(behaviour) as server:
        client = connect(server)
        client.request("POST", "/track/", form(EVENT), {"Content-Type": "application/x-www-form-urlencoded"})
        assert server.wait_for(lambda s: s.requests)
        start = time.monotonic()
    assert time.monotonic() - start < 1
    assert (server.taken, server.open_connections, set(threading.enumerate())) == ([], 0, threads)


def test_hang_may_have_taken_the_messages(connect):
    with HostileServer(hostile.hang(taken=True)) as server:
        client = connect(server)
        client.request("POST", "/track/", form(EVENT), {"Content-Type": "application/x-www-form-urlencoded"})
        assert server.wait_for(lambda s: s.taken == [("/track/", EVENT)])


def test_held_until_replies_when_the_test_says_so(connect):
    event = threading.Event()
    with HostileServer(hostile.held_until(event)) as server:
        client = connect(server)
        client.request("POST", "/track/", form(EVENT), {"Content-Type": "application/x-www-form-urlencoded"})
        assert server.wait_for(lambda s: s.requests)
        assert not server.taken
        event.set()
        assert (client.getresponse().read(), len(server.taken)) == (hostile.OK, 1)


def test_scripts_repeat_their_last_behaviour_or_look_at_the_request(connect):
    with HostileServer(iter([hostile.refuse_plain, hostile.accept_plain])) as server:
        client = connect(server)
        assert [post(client)[1] for _ in range(3)] == [b"0", b"1", b"1"]
    with HostileServer(lambda request: hostile.status(500 if "$set" in request.messages[0] else 400)) as server:
        client = connect(server)
        assert [post(client, form({"$set": {}}))[0], post(client)[0]] == [500, 400]


def test_parallel_requests_each_get_one_behaviour(connect):
    with HostileServer([hostile.refuse_plain] * 10 + [hostile.accept_plain]) as server:
        bodies = []
        clients = [threading.Thread(target=lambda: bodies.append(post(connect(server))[1])) for _ in range(20)]
        for client in clients:
            client.start()
        for client in clients:
            client.join()
        assert (sorted(bodies), server.connections, len(server.taken)) == ([b"0"] * 10 + [b"1"] * 10, 20, 10)


def test_outage_refuses_cuts_and_ends_on_the_same_port(connect):
    with HostileServer() as server:
        client, port = connect(server), server.port
        post(client)
        server.refuse_connections()
        server.refuse_connections()  # twice is once
        assert (server.open_connections, client.sock.recv(1)) == (0, b"")
        with pytest.raises(ConnectionRefusedError):
            connect(server).connect()
        server.accept_connections()
        server.accept_connections()
        assert (post(connect(server))[0], server.port, len(server.taken)) == (200, port, 2)


def test_outage_may_spare_open_connections(connect):
    with HostileServer() as server:
        client = connect(server)
        post(client)
        server.refuse_connections(cut=False)
        assert (post(client)[0], server.connections) == (200, 1)


def test_a_script_may_begin_an_outage(connect):
    def once(_):
        server.refuse_connections()
        return accept

    with HostileServer(once) as server:
        with pytest.raises(OSError):
            post(connect(server))
        assert server.wait_for(lambda s: s.open_connections == 0)
        assert (len(server.requests), server.taken) == (1, [])


def test_wait_for_says_when_time_is_up():
    with HostileServer() as server:
        assert not server.wait_for(lambda s: s.requests, timeout=0.001)
        with socket.create_connection(("127.0.0.1", server.port)):
            assert server.wait_for(lambda s: s.connections == 1)


def test_request_cut_short_by_its_client_is_none():
    with HostileServer() as server:
        with socket.create_connection(("127.0.0.1", server.port)) as client:
            client.sendall(b"POST /track/ HTTP/1.1\r\nContent-Length: 10\r\n\r\ndata=")
        assert server.wait_for(lambda s: s.connections == 1 and s.open_connections == 0)
        assert (server.requests, server.violations) == ([], [])


def test_connection_close_is_honoured_in_both_directions(connect):
    with HostileServer([accept, hostile.status(503, {"Connection": "close"})]) as server:
        assert requests.post(server.url, form(EVENT), headers={"Connection": "close"}, timeout=5).ok
        post(connect(server))
        assert server.wait_for(lambda s: s.connections == 2 and s.open_connections == 0)


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (form([EVENT] * 51), "a batch of 51 messages"),
        (form([]), "a batch of 0 messages"),
        (form([EVENT, 1]), "no object"),
        ("verbose=1", "0 fields `data`"),
        ("data=e30=&data=e30=", "2 fields `data`"),
        ("data=e30", "padding"),
        ("data=e3 0=", "base64"),
        ("data=Pj4+", "base64"),  # an unescaped + is a space once decoded
        ("data=Pj4-", "base64"),  # the URL-safe alphabet
        ("data=e31=", "not padded standard Base64"),  # bits that no encoder leaves
        (form(float("nan")), "NaN is no JSON"),
        ("data=" + base64.b64encode(b"{").decode(), "Expecting"),
        ("data=" + base64.b64encode(b'{"a":"\xff"}').decode(), "utf-8"),
    ],
)
def test_breaches_of_the_protocol_are_written_down(connect, body, problem):
    with HostileServer() as server:
        post(connect(server), body, path="/engage/")
        (violation,) = server.violations
        assert violation.startswith("connection 1, POST /engage/: ")
        assert problem.lower() in violation.lower()


def test_another_content_type_is_a_breach(connect):
    with HostileServer() as server:
        post(connect(server), kind="application/json")
        assert server.violations == ["connection 1, POST /track/: Content-Type 'application/json'"]
        post(connect(server), kind="application/x-www-form-urlencoded; charset=utf-8")
        assert len(server.violations) == 1


@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")  # forking beside threads is the point
def test_forked_child_keeps_no_connection_and_no_port_alive(connect):
    with HostileServer(hostile.held_until(event := threading.Event(), hostile.reset_after)) as server:
        client = connect(server)
        client.request("POST", "/track/", form(EVENT), {"Content-Type": "application/x-www-form-urlencoded"})
        assert server.wait_for(lambda s: s.requests)
        alive, end = os.pipe()
        if not (child := os.fork()):
            os.close(end)
            os.read(alive, 1)  # until the parent closes its end
            os._exit(0)
        event.set()
        with pytest.raises(ConnectionResetError):
            client.getresponse()
        server.refuse_connections()
        with pytest.raises(ConnectionRefusedError):
            connect(server).connect()
        os.close(end)
        os.close(alive)
        assert os.waitpid(child, 0)[1] == 0
