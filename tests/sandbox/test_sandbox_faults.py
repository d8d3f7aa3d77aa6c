"""Faults: the value, the draw, the middleware with an injected sleep, and a real server that breaks connections."""

import asyncio
import json
import socket
import threading
import time

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st
from sandbox_client import encode, event

from robotmia_logging.sandbox.faults import FaultInjector, Faults, FaultSwitch
from robotmia_logging.sandbox.server import SandboxServer


@pytest.fixture(scope="module")
def faulty_server():
    """A server of this module's own."""
    with SandboxServer() as server:
        yield server


@pytest.fixture
def server(faulty_server):
    """The module's server, empty and without faults."""
    faulty_server.store.clear()
    yield faulty_server
    faulty_server.set_faults(Faults())


def post(server, endpoint="track", **fields):
    """POST one event on a connection of its own."""
    data = {"data": encode(event())} | fields
    return requests.post(f"{server.url}/{endpoint}/", data=data, timeout=10)


def count(server):
    """How many messages the server has accepted."""
    return len(requests.get(server.url + "/sandbox/messages", timeout=10).json())


def until(holds):
    """Look again until it holds."""
    while not holds():
        time.sleep(0.001)


# The value


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"latency": -1}, "latency must be a number of seconds, 0 to 1e9, not -1"),
        ({"latency": "1"}, "latency must be a number of seconds, 0 to 1e9, not '1'"),
        ({"latency": True}, "latency must be a number of seconds, 0 to 1e9, not True"),
        ({"latency": float("nan")}, "latency must be a number of seconds, 0 to 1e9, not nan"),
        ({"hang": 1.5}, "hang must be a probability, 0 to 1, not 1.5"),
        ({"fail": {"503": 2}}, "503 must be a probability, 0 to 1, not 2"),
        ({"fail": {"503": "x"}}, "503 must be a probability, 0 to 1, not 'x'"),
        ({"fail": {"200": 0.1}}, "fail must be statuses of 400 to 599, not 200"),
        ({"fail": "503:often"}, "a failure is STATUS or STATUS:PROBABILITY, such as 503:0.1, not '503:often'"),
        ({"fail": None}, """fail must be statuses and probabilities, such as {"503": 0.1}, not None"""),
        ({"hang": 0.6, "reset": 0.5}, "the probabilities of faults must add up to at most 1, not 1.1"),
        ({"slow": 0}, "slow must be bytes a second, more than 0, at most 1e9, not 0"),
        ({"times": 0}, "times must be a whole number, 1 or more, not 0"),
        ({"endpoint": "api"}, "endpoint must be one of track, import, engage, not 'api'"),
        ({"sloow": 1}, "'sloow' is no fault; there are latency, fail, hang, reset, lose_reply, reject, slow, refuse"),
        ([], "faults must be an object with some of latency, fail"),
    ],
)
def test_bad_faults(given, error):
    """A fault that can't be is refused by name, with what is allowed."""
    with pytest.raises(ValueError) as raised:
        Faults.from_mapping(given)
    assert str(raised.value).startswith(error)


@pytest.mark.parametrize("given", [{"503": 0.1}, "503:0.1", ["503:0.1"]])
def test_forms_of_fail(given):
    """Failures may be given as in JSON or as on the command line."""
    assert Faults.from_mapping({"fail": given}) == Faults(fail={503: 0.1})


def test_status_alone():
    """A status without probability fails always."""
    assert Faults.from_mapping({"fail": "500"}) == Faults.from_mapping({"fail": 500}) == Faults(fail={500: 1.0})


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "latency": st.floats(0, 10),
            "fail": st.dictionaries(st.sampled_from(["429", "500", "503"]), st.floats(0, 0.2)),
            "hang": st.floats(0, 0.2),
            "reject": st.floats(0, 0.2),
            "slow": st.floats(1, 100),
            "retry_after": st.integers(0, 9),
            "times": st.integers(1, 9),
            "endpoint": st.sampled_from(["track", "engage"]),
        },
    )
)
def test_mapping_round_trip(given):
    """What faults say of themselves makes the same faults, and no faults say nothing."""
    faults = Faults.from_mapping(given)
    assert Faults.from_mapping(json.loads(json.dumps(faults.to_mapping()))) == faults
    assert Faults().to_mapping() == {}


# The draw


def test_shares():
    """Each fault has its share of the requests, and a seed makes the same sequence again."""
    switch = FaultSwitch(Faults(fail={503: 0.1, 429: 0.2}, hang=0.3, seed=1))
    drawn = [switch.next("track")[1] for _ in range(10_000)]
    for fault, share in ((503, 0.1), (429, 0.2), ("hang", 0.3), (None, 0.4)):
        assert abs(drawn.count(fault) / 10_000 - share) < 0.03
    switch.set(Faults(fail={503: 0.1, 429: 0.2}, hang=0.3, seed=1))
    assert [switch.next("track")[1] for _ in range(100)] == drawn[:100]


def test_times_and_endpoint():
    """`times` counts the requests of the endpoint concerned, then the faults are gone."""
    switch = FaultSwitch(Faults(reset=1, times=2, endpoint="engage"))
    asked = [switch.next(endpoint)[1] for endpoint in ("engage", "track", "engage", "engage")]
    assert asked == ["reset", None, "reset", None]
    assert switch.faults == Faults()


# The middleware, with a sleep that notes how long


class Notes:
    """A network without connections, and a sleep that takes no time."""

    def __init__(self):
        self.slept, self.sent, self.resets = [], [], 0

    async def sleep(self, seconds):
        self.slept.append(seconds)

    async def send(self, message):
        self.sent.append(message)

    def reset(self, scope):
        self.resets += 1

    def is_closing(self):
        return False


async def answer_ok(scope, receive, send):
    """An endpoint that answers with twenty bytes."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"x" * 20})


async def gone():
    return {"type": "http.disconnect"}


def passed(faults, path="/track/"):
    """What happens to a request with these faults."""
    notes = Notes()
    injector = FaultInjector(answer_ok, {"track"}, FaultSwitch(faults), notes, notes.sleep)
    scope = {"type": "http", "method": "POST", "path": path, "client": ("127.0.0.1", 1)}
    asyncio.run(injector(scope, gone, notes.send))
    return notes


def test_latency():
    """Latency comes before the request is taken."""
    notes = passed(Faults(latency=0.25))
    assert (notes.slept, len(notes.sent)) == ([0.25], 2)


@pytest.mark.parametrize(("bytes_per_s", "parts"), [(1, 20), (100, 2), (1e9, 1)])
def test_slow(bytes_per_s, parts):
    """A slow answer's body arrives in parts, at the given pace, and whole."""
    notes = passed(Faults(slow=bytes_per_s))
    bodies = [message["body"] for message in notes.sent[1:]]
    assert (b"".join(bodies), len([body for body in bodies if body])) == (b"x" * 20, parts)
    assert sum(notes.slept) == pytest.approx(20 / bytes_per_s)
    assert [message.get("more_body", False) for message in notes.sent[1:]] == [True] * parts + [False]


@pytest.mark.parametrize("fault", ["hang", "reset", "lose_reply"])
def test_no_answer(fault):
    """A hang, a reset and a lost reply send nothing."""
    notes = passed(Faults(**{fault: 1}))
    assert (notes.sent, notes.resets) == ([], 1)


def test_other_paths_have_no_faults():
    """What the sandbox shows is not disturbed."""
    assert len(passed(Faults(hang=1), "/sandbox/messages").sent) == 2


# A real server


def test_failing(server):
    """A failing request has the status and Retry-After asked for, and nothing of it is taken."""
    server.set_faults(Faults(fail={503: 1}, retry_after=1.5, times=1))
    failed = post(server)
    assert (failed.status_code, failed.headers["Retry-After"]) == (503, "2")
    assert count(server) == 0
    assert post(server).text == "1"


def test_resetting(server):
    """A reset is one on the wire, and nothing of the request is taken."""
    server.set_faults(Faults(reset=1, times=1))
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as client:
        client.sendall(f"GET /track/?data={encode(event())} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        with pytest.raises(ConnectionResetError):
            client.recv(1)
    assert count(server) == 0


def test_losing_the_reply(server):
    """A lost reply leaves the message taken, and the client not knowing."""
    server.set_faults(Faults(lose_reply=1, times=1))
    with pytest.raises(requests.ConnectionError, match=r"reset|aborted"):
        post(server)
    assert count(server) == 1


def test_rejecting(server):
    """Rejected data is refused as invalid data is, and shown as refused."""
    server.set_faults(Faults(reject=1, times=2))
    assert post(server).text == "0"
    assert post(server, verbose="1").json() == {"status": 0, "error": REJECTED}
    refusals = requests.get(server.url + "/sandbox/refusals", timeout=10).json()
    assert [refused["error"] for refused in refusals] == [REJECTED] * 2


REJECTED = "refused on demand: the sandbox was told to reject"


def test_hanging(server):
    """A request that hangs isn't answered before the client gives up, and isn't taken."""
    server.set_faults(Faults(hang=1, times=1))
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as client:
        client.sendall(b"GET /track/?data=e30%3D HTTP/1.1\r\nHost: x\r\n\r\n")
        until(lambda: server.current_faults == Faults())  # taken in hand
        client.setblocking(False)
        with pytest.raises(BlockingIOError):
            client.recv(1)
    assert count(server) == 0


def test_end_while_hanging():
    """A server ends although a request hangs: that client's connection is reset."""
    with SandboxServer(faults=Faults(hang=1, times=1)) as server:
        client = socket.create_connection(("127.0.0.1", server.port), timeout=10)
        client.sendall(b"GET /track/ HTTP/1.1\r\nHost: x\r\n\r\n")
        until(lambda: server.current_faults == Faults())
    with client, pytest.raises(ConnectionResetError):
        client.recv(1)


def test_end_with_half_a_request(caplog):
    """A server ends although a client has sent half of its request: that connection is reset, and nothing is logged."""
    with SandboxServer() as server:
        client = socket.create_connection(("127.0.0.1", server.port), timeout=10)
        client.sendall(b"POST /track/ HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nda")
        requests.get(server.url + "/sandbox/faults", timeout=10)  # by now it is under way
    with client, pytest.raises(ConnectionResetError):
        client.recv(1)
    assert [record.getMessage() for record in caplog.records if record.name.startswith("uvicorn")] == []


def test_refusing_connections(server):
    """While it refuses, open connections are reset and new ones refused; told to stop, it answers again."""
    with requests.Session() as session:
        session.get(server.url + "/sandbox/messages", timeout=10)
        server.set_faults(Faults(refuse=600))
        with pytest.raises(requests.ConnectionError):
            session.get(server.url + "/sandbox/messages", timeout=10)
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", server.port), timeout=10)
        server.set_faults(Faults())
        assert session.get(server.url + "/sandbox/messages", timeout=10).json() == []


def test_refusing_ends_by_itself(server):
    """After its time the server accepts connections again, on the same port."""
    server.set_faults(Faults(refuse=0.01))
    until(lambda: server.current_faults == Faults())
    server.set_faults(Faults())
    assert post(server).text == "1"


def test_refusing_from_the_start_and_at_the_end():
    """A sandbox may be away from its start on, and ends while it is."""
    with SandboxServer(faults=Faults(refuse=600)) as server, pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", server.port), timeout=10)


# At run time, over HTTP


def test_faults_over_http(server):
    """Faults are shown, set and cleared while the server runs."""
    where = server.url + "/sandbox/faults"
    assert requests.get(where, timeout=10).json() == {}
    told = requests.post(where, json={"fail": {"503": 1}, "latency": 0.001}, timeout=10)
    assert told.json() == requests.get(where, timeout=10).json() == {"fail": {"503": 1}, "latency": 0.001}
    assert post(server).status_code == 503
    assert requests.delete(where, timeout=10).json() == {}
    assert post(server).text == "1"


def test_refusing_over_http(server):
    """Told over HTTP to refuse connections, it answers that request first."""
    where = server.url + "/sandbox/faults"
    assert requests.post(where, data='{"refuse": 600}', timeout=10).json() == {"refuse": 600}
    server.set_faults(Faults())
    assert requests.get(where, timeout=10).json() == {}


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ("", "faults must be a JSON object"),
        ("[1]", "faults must be an object"),
        ("[" * 50_000, "faults must be a JSON object"),
        ("[" * 200_000, "faults take at most"),
        ('{"hang": 2}', "hang must be a probability, 0 to 1, not 2"),
    ],
)
def test_bad_faults_over_http(server, body, error):
    """Bad faults are refused with the reason, and change nothing."""
    answer = requests.post(server.url + "/sandbox/faults", data=body, timeout=10)
    assert (answer.status_code, answer.json()["error"][: len(error)]) == (400, error)
    assert server.current_faults == Faults()


def test_faults_from_many_threads(server):
    """Faults may be set from any thread while requests are made."""
    threads = [
        threading.Thread(target=server.set_faults, args=(Faults(fail={503: 1}) if n % 2 else Faults(refuse=600),))
        for n in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    server.set_faults(Faults())
    assert post(server).text == "1"


@pytest.mark.parametrize("faults", [Faults(latency=600), Faults(slow=0.01), Faults(hang=1)])
def test_end_amid_a_fault(faults, caplog):
    """A server ends within moments although a fault holds a request, and nothing is logged of it."""
    with SandboxServer() as server:
        server.set_faults(faults)
        client = socket.create_connection(("127.0.0.1", server.port), timeout=10)
        client.sendall(b"GET /track/?data=e30%3D HTTP/1.1\r\nHost: x\r\n\r\n")
        requests.get(server.url + "/sandbox/faults", timeout=10)  # by now it is under way
    client.close()
    assert [record.getMessage() for record in caplog.records if record.name.startswith("uvicorn")] == []


@pytest.mark.parametrize("name", ["latency", "hang", "slow", "refuse", "retry_after"])
def test_numbers_beyond_all_measure(server, name):
    """A number that no clock can count is refused like any other that is out of range."""
    body = json.dumps({name: 10**400})
    assert requests.post(server.url + "/sandbox/faults", data=body, timeout=10).status_code == 400
