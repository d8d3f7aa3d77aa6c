import logging

import pytest
import requests
from sandbox_client import encode, event, update

from robotmia_logging.sandbox.server import SandboxServer


def alias(new, original):
    return event("$create_alias", distinct_id=original, alias=new)


def test_messages_as_sent(sandbox):
    """Accepted messages are listed in arrival order, as sent, with their arrival."""
    sent = [
        ("track", event(distinct_id=7, x=[1, None, {"é": 1.5}])),
        ("import", event()),
        ("engage", update("$set", {})),
    ]
    for endpoint, message in sent:
        assert sandbox.send(endpoint, message) == ""
        sandbox.clock.now += 1
    listed = sandbox.messages()
    assert [(entry["endpoint"], entry["message"]) for entry in listed] == sent
    assert [entry["arrived"] for entry in listed] == [1_700_000_000.5, 1_700_000_001.5, 1_700_000_002.5]
    assert [entry["id"] for entry in listed] == sorted({entry["id"] for entry in listed})


def test_refusals_listed(sandbox):
    """Refusals are listed with their endpoint, arrival, error and what was refused."""
    sandbox.send("track", event(""))
    sandbox.post("/engage/", data="!")
    by_rule, by_wire = sandbox.refusals()
    assert by_rule["messages"] == [event("")]
    assert by_wire == {
        "id": 2,
        "event": None,
        "distinct_id": None,
        "endpoint": "engage",
        "arrived": sandbox.clock.now,
        "error": "data is not Base64: character 0 is '!'",
        "data": "!",
    }


def test_profile(sandbox):
    """A profile shows its properties, the user's events in the order they occurred, and when it was seen."""
    sandbox.update("$set", {"plan": "pro"})
    sandbox.send("track", [event("now", distinct_id="u"), event("before", distinct_id="u", time=1_699_999_999)])
    sandbox.send("track", event("another user's", distinct_id="v"))
    profile = sandbox.profile("u")
    seen = "2023-11-14T22:13:20"
    assert profile["properties"] == {"plan": "pro", "Last Seen": seen}
    assert [sent["event"] for sent in profile["events"]] == ["before", "now"]
    assert (profile["distinct_id"], profile["aliases"], profile["last_seen"]) == ("u", [], seen)


def test_events_without_profile(sandbox):
    """A user with events alone has no properties and wasn't seen."""
    sandbox.send("track", event(distinct_id=13793))
    profile = sandbox.profile("13793")
    assert (profile["properties"], profile["last_seen"], len(profile["events"])) == ({}, None, 1)


def test_unknown_profile(sandbox):
    """An unknown id, and a deleted profile without events, is 404 with a JSON body."""
    sandbox.update("$set", {})
    sandbox.update("$delete", "")
    for user in ("nobody", "u", ""):
        response = sandbox.get(f"/sandbox/profiles/{user}")
        assert (response.status_code, response.json()) == (404, {"error": "not found"})


def test_aliases_of_aliases(sandbox):
    """Messages to an alias, and to an alias of an alias, land on the original from then on."""
    sandbox.send("track", [alias("newer", "new"), alias("new", "old")])
    for user in ("newer", "new", "old"):
        sandbox.send("engage", update("$append", {"seen as": user}, distinct_id=user))
        sandbox.send("track", event(user, distinct_id=user))
    profile = sandbox.profile("newer")
    assert profile == sandbox.profile("old") == sandbox.profile("new")
    assert profile["distinct_id"] == "old"
    assert set(profile["aliases"]) == {"new", "newer"}
    assert profile["properties"]["seen as"] == ["newer", "new", "old"]
    assert [sent["event"] for sent in profile["events"]][-3:] == ["newer", "new", "old"]


def test_alias_of_an_id_with_messages(sandbox):
    """An alias counts for what arrives after it; that there were messages before is a warning."""
    sandbox.send("track", event("before", distinct_id="new"))
    sandbox.send("track", alias("new", "old"))
    sandbox.send("track", event("after", distinct_id="new"))
    assert [sent["event"] for sent in sandbox.profile("new")["events"]] == ["$create_alias", "after"]
    assert "already has messages" in sandbox.messages()[1]["warnings"][0]


def test_index(sandbox):
    """What there is to read is listed, and each of it is there."""
    index = sandbox.get("/sandbox").json()
    for path in index["read"]:
        if "{" not in path and not path.endswith("stream"):
            assert sandbox.get(path).status_code == 200
    assert "event" in index["filters"]


def test_file_outlives_the_server(tmp_path):
    """What a file holds is there again when another server opens it."""
    path = tmp_path / "sandbox.db"
    for expected in (1, 2):
        with SandboxServer(db=path) as server:
            requests.post(f"{server.url}/track/", {"data": encode(event())}, timeout=10)
            assert len(requests.get(f"{server.url}/sandbox/messages", timeout=10).json()) == expected


def test_failing_database():
    """A database that fails is the sandbox's trouble: 503, so that clients try again."""
    with SandboxServer() as server:
        server.store.close()
        response = requests.post(f"{server.url}/track/", {"data": encode(event())}, timeout=10)
    assert (response.status_code, "database" in response.text) == (503, True)


def test_logging_untouched(sandbox, caplog):
    """A server in the process logs no requests and leaves uvicorn's loggers as they were."""
    access = logging.getLogger("uvicorn.access")
    with caplog.at_level(logging.DEBUG):
        sandbox.send("track", event())
    assert [record for record in caplog.records if record.name.startswith("uvicorn")] == []
    assert (access.propagate, access.level, access.handlers) == (True, logging.NOTSET, [])


def test_server_repr():
    """A server shows its URL while it runs, on the port it was given."""
    server = SandboxServer()
    assert repr(server) == "SandboxServer(not running)"
    with server:
        assert repr(server) == f"SandboxServer('http://127.0.0.1:{server.port}')"
        with pytest.raises(OSError, match="in use"), SandboxServer(port=server.port):
            pass
