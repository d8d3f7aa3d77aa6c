"""The Sandbox of robotmia_logging.testing: a real server, real doors, faults, and what it says when nothing comes."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
from datetime import datetime, timezone

import pytest
import requests

from robotmia_logging import RobotmiaHandler
from robotmia_logging.sandbox.store.records import Filters
from robotmia_logging.testing import Sandbox, assert_tracked, capture_messages


@pytest.fixture
def sandbox():
    with Sandbox(timeout=10) as sandbox:
        yield sandbox


@pytest.fixture
def log(sandbox):
    """A log function whose handler sends to the sandbox, seldom by itself."""
    with handler_to(sandbox.url) as log:
        yield log


class handler_to:
    def __init__(self, url, **options):
        self.handler = RobotmiaHandler(token="T", url=url, flush_interval=60, **options)

    def __enter__(self):
        logger = logging.Logger("shop")
        logger.addHandler(self.handler)
        return lambda event, **extras: logger.info("x", extra={"event": event, **extras})

    def __exit__(self, *_):
        self.handler.close()


def test_what_was_logged_is_there_without_waiting(sandbox, log):
    """The assertion flushes the handler."""
    log("Signed Up", distinct_id="13793", plan="pro")
    event = sandbox.assert_tracked("Signed Up", distinct_id="13793", plan="pro")
    assert (event.endpoint, event.user, event.warnings) == ("track", "13793", ())
    assert_tracked("Signed Up")


def test_messages_and_filters(sandbox, log):
    """As the sandbox's own reading has them."""
    log("A", distinct_id="ada")
    log("B", distinct_id="bob")
    log("A", distinct_id="bob", time=1358208000)
    assert sorted(message.event for message in sandbox.messages()) == ["A", "A", "B"]
    assert [message.distinct_id for message in sandbox.messages(event="B")] == ["bob"]
    assert len(sandbox.messages(distinct_id="bob")) == 2
    assert [message.time for message in sandbox.messages(endpoint="/import/")] == [1358208000]
    assert len(sandbox.messages(limit=1)) == 1
    assert sandbox.messages(since=datetime(2100, 1, 1, tzinfo=timezone.utc)) == []
    assert sandbox.messages(warnings=True) == []
    with pytest.raises(TypeError, match=r"'evnt' is no filter; there are event, distinct_id, .*"):
        sandbox.messages(evnt="A")


def test_a_user_by_an_alias(sandbox, log):
    """Profile and updates are found by the original and by the alias."""
    log(None, alias="ada", distinct_id="visitor-7")
    sandbox.flush()
    log(None, profile={"plan": "pro"}, distinct_id="ada")
    sandbox.assert_updated("visitor-7", {"plan": "pro"})
    sandbox.assert_updated("ada", {"plan": "pro"})
    assert sandbox.profile("ada") == sandbox.profile("visitor-7")
    assert sandbox.profile("ada").properties["plan"] == "pro"
    assert sandbox.profile("nobody") is None


def test_refusals(sandbox):
    """Of a request that was refused whole; a failed assertion says them."""
    message = '[{"event": "Bad", "properties": {}}]'
    requests.post(f"{sandbox.url}/track/", {"data": message}, timeout=10)
    requests.get(f"{sandbox.url}/track/?data=eyJldmVudCI6ICJCYWQiLCAicHJvcGVydGllcyI6IHt9fQ==", timeout=10)
    unread, read = sandbox.refusals()
    assert (unread.event, read.event, read.reason) == (None, "Bad", "refused")
    assert sandbox.refusals(event="Bad") == [read]
    quick = Sandbox(timeout=0)
    quick._server = sandbox._server
    with pytest.raises(AssertionError, match=r"an event 'Bad' was refused: .*token"):
        quick.assert_tracked("Bad")


def test_another_process_is_waited_for(sandbox):
    """Its messages come when they come."""
    code = (
        "import logging, robotmia_logging as r;"
        f"log = logging.Logger('x'); log.addHandler(r.RobotmiaHandler(token='T', url={sandbox.url!r}));"
        "log.info('x', extra={'event': 'Elsewhere'})"
    )
    with subprocess.Popen([sys.executable, "-c", code]):
        sandbox.assert_tracked_once("Elsewhere")
        assert len(sandbox.wait_for(1)) == 1


def test_what_never_comes_is_said():
    """Also where the doors of this process send to instead."""
    with Sandbox(timeout=0) as sandbox, handler_to("http://127.0.0.1:9"):
        with pytest.raises(
            AssertionError, match=r"0 of 2 messages arrived within 0 s\n.*http://127\.0\.0\.1:9.*sandbox is"
        ):
            sandbox.wait_for(2)
        with pytest.raises(AssertionError, match="nothing was sent at all"):
            assert_tracked("Signed Up")


def test_tracking_survives_faults(sandbox, log):
    """Failed requests are sent again; afterwards there are no faults."""
    with sandbox.faults(fail={503: 1.0}, times=2):
        log("Signed Up", distinct_id="ada")
        sandbox.assert_tracked_once("Signed Up")
    assert sandbox._server.current_faults.to_mapping() == {}


def test_faults_end_with_their_block(sandbox):
    """Also with an exception, and wrong ones never begin."""

    def fail():
        with sandbox.faults(fail={503: 1.0}):
            assert requests.post(f"{sandbox.url}/track/", timeout=10).status_code == 503
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    with pytest.raises(ValueError, match="'fial' is no fault"), sandbox.faults(fial={503: 1.0}):
        pass
    assert requests.post(f"{sandbox.url}/track/", timeout=10).status_code == 200


def test_reset(sandbox, log):
    """Everything is forgotten, what was on its way too."""
    log("Before")
    sandbox.reset()
    assert sandbox.messages() == []
    log("After")
    assert [message.event for message in sandbox.wait_for(1)] == ["After"]


def test_the_innermost_block_gets_the_messages(sandbox, log):
    """A capture within a sandbox, a sandbox within a capture."""
    with capture_messages() as messages:
        log("Captured")
        assert_tracked("Captured")
        with Sandbox() as inner, handler_to(inner.url) as log_there:
            log_there("Delivered")
            assert_tracked("Delivered")
    log("Outside")
    assert_tracked("Outside")
    assert [message.event for message in messages] == ["Captured"]
    sandbox.assert_not_tracked("Captured")


def test_options_of_the_server(tmp_path):
    """They are handed on: a file keeps what arrived, and the clock is the test's."""
    for _ in range(2):
        with Sandbox(db=tmp_path / "kept.db", clock=lambda: 1_800_000_000.0, max_messages=10) as sandbox:
            with handler_to(sandbox.url) as log:
                log("Kept", time=1_800_000_000)
            entries = [(entry.event, entry.arrived) for entry in sandbox.store.entries(Filters())]
    assert entries == [("Kept", 1_800_000_000.0)] * 2


def test_nothing_is_left_running():
    """The server's thread ends with the block, also with an exception."""
    before = set(threading.enumerate())
    sandbox = Sandbox()
    with pytest.raises(KeyError), sandbox:
        raise KeyError(repr(sandbox))
    left = set(threading.enumerate()) - before
    assert not [thread for thread in left if thread.name == "robotmia-sandbox"]
    with pytest.raises(requests.ConnectionError):
        requests.get(sandbox.url, timeout=10)


WITHOUT = """
import sys
for name in {blocked!r}:
    sys.modules[name] = None
import robotmia_logging.testing
{code}
"""


def run_without(blocked, code):
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT.format(blocked=blocked, code=code)], capture_output=True, text=True, check=False
    )
    return done.stderr


def test_captures_need_no_extra():
    """Importing the module imports neither a server nor pytest."""
    code = "with robotmia_logging.testing.capture_messages(): pass"
    assert run_without(["starlette", "uvicorn", "pytest", "click"], code) == ""


@pytest.mark.parametrize("blocked", ["starlette", "uvicorn"])
def test_a_missing_extra_is_named(blocked):
    """When a Sandbox is made."""
    *_, last = run_without([blocked], "robotmia_logging.testing.Sandbox()").splitlines()
    assert last == (
        f"ImportError: Sandbox needs {blocked}, which isn't installed: pip install 'robotmia_logging[sandbox]'"
    )


@pytest.mark.parametrize("value", [{"endpoint": "trak"}, {"since": "yesterday"}, {"limit": -1}, {"limit": "x"}])
def test_bad_filter_values(sandbox, value):
    """A filter that lets nothing through by mistake would make a test pass."""
    [name] = value
    for asked in (sandbox.messages, sandbox.refusals):
        with pytest.raises(ValueError, match=f"{name} must be"):
            asked(**value)


def test_nothing_is_not_asserted_while_something_is_on_its_way():
    """While a handler still holds messages, nobody knows that nothing was tracked."""
    with (
        Sandbox(timeout=0.05) as sandbox,
        handler_to(sandbox.url, shutdown_timeout=0.05) as log,
        sandbox.faults(fail={503: 1.0}),
    ):
        log("G", distinct_id="u")
        for asserted in (
            lambda: sandbox.assert_not_tracked("G"),
            lambda: sandbox.assert_not_updated("u"),
            sandbox.assert_nothing_sent,
        ):
            with pytest.raises(AssertionError, match=r"still on their way(.|\n)*1 pending"):
                asserted()


def test_faults_within_faults_leave_what_is_left(sandbox, log):
    """An inner block doesn't have the outer one's requests counted anew."""
    with sandbox.faults(fail={503: 1.0}, times=2):
        for _ in range(2):
            with sandbox.faults(latency=0.001):
                pass
            assert requests.post(sandbox.url + "/track/", timeout=10).status_code == 503
        assert requests.post(sandbox.url + "/track/", timeout=10).status_code == 200
