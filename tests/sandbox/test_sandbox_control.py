"""The sandbox is controlled by programs and its own page, not by pages of other sites."""

import pytest
import requests
from sandbox_client import event


def test_reset(sandbox):
    """A reset empties the sandbox, and ids start from 1 again."""
    sandbox.send("track", event(distinct_id="u"))
    sandbox.send("track", event(name=""))
    assert sandbox.session.post(sandbox.server.url + "/sandbox/reset", timeout=10).json() == {}
    assert (sandbox.messages(), sandbox.refusals(), sandbox.get("/sandbox/profiles").json()) == ([], [], [])
    sandbox.send("track", event(distinct_id="u"))
    assert [message["id"] for message in sandbox.messages()] == [1]


def test_reset_by_get(sandbox):
    """To open a link changes nothing."""
    sandbox.send("track", event(distinct_id="u"))
    assert sandbox.get("/sandbox/reset").status_code == 405
    assert len(sandbox.messages()) == 1


@pytest.mark.parametrize("method", ["POST", "DELETE"])
@pytest.mark.parametrize("path", ["/sandbox/reset", "/sandbox/faults"])
@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://[", "http://127.0.0.1:1"])
def test_other_sites(sandbox, method, path, origin):
    """A page of another site can't reset the sandbox or set faults, and reads no answer."""
    sandbox.send("track", event(distinct_id="u"))
    where, headers = sandbox.server.url + path, {"Origin": origin}
    answer = sandbox.session.request(method, where, headers=headers, data="{}", timeout=10)
    assert answer.status_code in (403, 405)
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert len(sandbox.messages()) == 1


def test_own_page(sandbox):
    """The sandbox's own page may."""
    headers = {"Origin": sandbox.server.url}
    assert requests.post(sandbox.server.url + "/sandbox/reset", headers=headers, timeout=10).status_code == 200
