"""Clients by others, unmodified, pointed at the sandbox: what it stores is what was meant."""

import os
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
from sandbox_client import Clock, Sandbox

from robotmia_logging.sandbox.server import SandboxServer

CLIENTS = Path(sys.prefix) / "clients"
SCRIPTS = Path(__file__).parent / "clients"
DATED = ("time", "$time")
ORIGINALS = {"zoe@example.com": "13793"}


@pytest.fixture(scope="module")
def after_python():
    """A sandbox after all that the PyPI package mixpanel 4.1.0 can do."""
    have(CLIENTS / "python" / "mixpanel")
    with running_sandbox() as sandbox:
        run(sys.executable, SCRIPTS / "python_client.py", sandbox.server.url, PYTHONPATH=str(CLIENTS / "python"))
        yield sandbox


@pytest.fixture(scope="module")
def after_node():
    """A sandbox after all that the npm package mixpanel 0.10.3 can do."""
    node, modules = shutil.which("node"), CLIENTS / "node" / "node_modules"
    have(node, modules / "mixpanel")
    with running_sandbox() as sandbox:
        host = sandbox.server.url.removeprefix("http://")
        run(node, SCRIPTS / "node_client.js", host, NODE_PATH=str(modules))
        yield sandbox


@contextmanager
def running_sandbox():
    """A sandbox of the real time, as that is what the clients stamp their messages with."""
    with SandboxServer() as server:
        client = Sandbox(server, Clock())
        with client.session:
            yield client


def have(*needed):
    """Skip the test, but never in CI, when what it needs isn't installed."""
    missing = [str(path) for path in needed if not path or not Path(path).exists()]
    if missing:
        reason = f"`make test` installs the clients; missing here: {', '.join(missing)}"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)


def run(*command, **environment):
    """Run a client's script; it fails where one of its calls does."""
    kept = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
    done = subprocess.run(command, env=kept | environment, capture_output=True, text=True, timeout=50)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def seen(sandbox):
    """What arrived, message by message, without the times that the client took from its clock."""
    assert sandbox.refusals() == []
    return [(sent["endpoint"], sent["distinct_id"], undated(sent["message"])) for sent in sandbox.messages()]


def undated(message):
    return {key: undated(value) if key == "properties" else value for key, value in message.items() if key not in DATED}


def events(*meant):
    """Events as they were meant: endpoint, name and properties, all of one user."""
    return [
        (endpoint, "13793", {"event": name, "properties": {"token": "a token", "distinct_id": "13793", **properties}})
        for endpoint, name, properties in meant
    ]


def updates(*meant):
    """Updates as they were meant: the id they were sent with, the operation and attributes."""
    return [
        ("engage", ORIGINALS.get(user, user), {"$token": "a token", "$distinct_id": user, **message})
        for user, message in meant
    ]


def charge(amount, **others):
    return {"$append": {"$transactions": {"$amount": amount, **others}}}


def test_python_messages(after_python):
    """Events, imports, an alias, all operations, charges and batches of the PyPI package."""
    found = seen(after_python)
    library = {"mp_lib": "python", "$lib_version": "4.1.0"}
    about = {"plan": "pro", "name": "Zoë ~~>>??", "joined": "2013-04-01T13:20:00"}
    assert found[:4] == events(
        ("track", "Signed Up", {**library, **about}),
        ("import", "Invited", {**library, "by": "a friend"}),
        ("track", "$create_alias", {"alias": "zoe@example.com"}),
        ("track", "Logged In", {**library, "distinct_id": "zoe@example.com"}),
    )
    assert found[4:17] == updates(
        ("zoe@example.com", {"$set": {"$name": "Zoë", "Joined": "2013-04-01T13:20:00", "gone": 1}}),
        ("13793", {"$set_once": {"plan": "pro", "gone": 2}, "$ip": "203.0.113.9"}),
        ("13793", {"$add": {"logins": 2, "credits": -0.5}}),
        ("13793", {"$append": {"visited": "home"}}),
        ("13793", {"$union": {"colours": ["red", "red", "blue"]}}),
        ("13793", {"$remove": {"colours": "red"}, "$ignore_time": True}),
        ("13793", {"$unset": ["gone"]}),
        ("13793", charge(25.34, sku="a", **{"$time": "2013-01-03T09:00:00"})),
        ("13793", charge(4)),
        ("cleared", charge(9)),
        ("cleared", {"$unset": ["$transactions"]}),
        ("deleted", {"$set": {"a": 1}}),
        ("deleted", {"$delete": ""}),
    )
    batched = [message for _, user, message in found[17:] if user == "batched"]
    assert [message["properties"]["number"] for message in batched if "event" in message] == list(range(120))
    assert [message["$add"] for message in batched if "$add" in message] == [{"steps": 1}] * 120


def test_python_times(after_python):
    """The times that the PyPI package sends: seconds of events, milliseconds of updates, both read as such."""
    now = time.time()
    times = [sent["time"] for sent in after_python.messages()]
    assert times.pop(1) == 1245613885
    assert all(now - 3600 < moment <= now for moment in times)


def test_python_users(after_python):
    """The profiles that the PyPI package's messages amount to."""
    zoe = after_python.profile("zoe@example.com")
    assert zoe["properties"].pop("Last Seen") == zoe["last_seen"]
    assert zoe["properties"] == {
        "$name": "Zoë", "Joined": "2013-04-01T13:20:00", "plan": "pro", "logins": 2, "credits": -0.5,
        "visited": ["home"], "colours": ["blue"],
        "$transactions": [{"$time": "2013-01-03T09:00:00", "$amount": 25.34, "sku": "a"}, {"$amount": 4}],
    }  # fmt: skip
    assert (zoe["distinct_id"], zoe["aliases"], zoe["ip"]) == ("13793", ["zoe@example.com"], "203.0.113.9")
    assert (zoe["revenue"], zoe["dates"]) == (29.34, ["Joined", "Last Seen"])
    assert [sent["event"] for sent in zoe["events"]] == ["Invited", "Signed Up", "$create_alias", "Logged In"]
    assert after_python.profile("batched")["properties"]["steps"] == 120
    assert after_python.profile("cleared")["revenue"] == 0
    assert after_python.get("/sandbox/profiles/deleted").status_code == 404


def test_node_messages(after_node):
    """Events, imports, an alias, all operations, charges and batches of the npm package."""
    found = seen(after_node)
    about = {"plan": "pro", "name": "Zoë ~~>>??", "at": "2009-06-21T19:51:25.900Z"}
    assert found[:5] == events(
        ("track", "Signed Up", {"mp_lib": "node", **about}),
        ("track", "Logged In", {"mp_lib": "node", "ip": "203.0.113.9"}),
        ("import", "Invited", {"mp_lib": "node"}),
        ("track", "$create_alias", {"mp_lib": "node", "alias": "zoe@example.com"}),
        ("track", "Logged In", {"mp_lib": "node", "distinct_id": "zoe@example.com"}),
    )
    assert found[5:18] == updates(
        ("zoe@example.com", {"$set": {"$name": "Zoë", "joined": about["at"], "gone": 1}, "$ip": "203.0.113.9"}),
        ("13793", {"$set_once": {"plan": "pro", "gone": 2}, "$ip": 0}),
        ("13793", {"$add": {"logins": 1}}),
        ("13793", {"$add": {"logins": 1, "credits": -0.5}, "$ignore_time": True}),
        ("13793", {"$append": {"visited": "home"}}),
        ("13793", {"$union": {"colours": ["red", "red", "blue"], "shape": ["round"]}}),
        ("13793", {"$unset": ["gone"], "$ignore_alias": True}),
        ("13793", charge(25.34, sku="a", **{"$time": "2013-01-03T09:00:00.000Z"})),
        ("13793", charge(4)),
        ("cleared", charge(9)),
        ("cleared", {"$set": {"$transactions": []}}),
        ("deleted", {"$set": {"a": 1}}),
        ("deleted", {"$delete": ""}),
    )
    steps = [(endpoint, message["properties"]["number"]) for endpoint, _, message in found[18:]]
    assert steps == [("track", number) for number in range(120)] + [("import", number) for number in range(60)]


def test_node_methods(after_node):
    """The npm package sends single messages by GET and batches by POST."""
    ids = [sent["id"] for sent in after_node.messages()]
    methods = [after_node.get(f"/sandbox/arrivals/{number}").json()["request"]["method"] for number in ids]
    assert methods == ["GET"] * 18 + ["POST"] * 180


def test_node_users(after_node):
    """The profiles that the npm package's messages amount to."""
    zoe = after_node.profile("zoe@example.com")
    assert zoe["properties"].pop("Last Seen") == zoe["last_seen"]
    assert zoe["properties"] == {
        "$name": "Zoë", "joined": "2009-06-21T19:51:25.900Z", "plan": "pro", "logins": 2, "credits": -0.5,
        "visited": ["home"], "colours": ["red", "blue"], "shape": ["round"],
        "$transactions": [{"$time": "2013-01-03T09:00:00.000Z", "$amount": 25.34, "sku": "a"}, {"$amount": 4}],
    }  # fmt: skip
    assert (zoe["distinct_id"], zoe["aliases"], zoe["ip"]) == ("13793", ["zoe@example.com"], "203.0.113.9")
    assert zoe["revenue"] == 29.34
    feed = ["Invited", "Signed Up", "Logged In", "$create_alias", "Logged In"]
    assert [sent["event"] for sent in zoe["events"]] == feed
    assert after_node.profile("batched")["event_count"] == 180
    assert after_node.profile("cleared")["revenue"] == 0
    assert after_node.get("/sandbox/profiles/deleted").status_code == 404


def test_warnings_of_python(after_python):
    """What the PyPI package does against the document's advice is warned of, and nothing else is."""
    assert warned_of(after_python) == {'"mp_lib"', "$time", "a transaction without $time"}


def test_warnings_of_node(after_node):
    """What the npm package does against the document's advice is warned of, and nothing else is."""
    assert warned_of(after_node) == {
        '"mp_lib"', '"at"', '"joined"', "$ip", '"$ignore_alias"', "a transaction without $time",
        "$time of a transaction",
    }  # fmt: skip


def warned_of(sandbox):
    warnings = [warning for sent in sandbox.messages() for warning in sent["warnings"]]
    return {warning.partition(": ")[0].partition(" is ")[0] for warning in warnings}
