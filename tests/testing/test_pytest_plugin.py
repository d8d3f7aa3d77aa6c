"""The pytest plugin, in sessions of its own."""

from __future__ import annotations

import pytest

pytest_plugins = ["pytester"]

CONFTEST = 'pytest_plugins = ["robotmia_logging.pytest_plugin"]'
CAPTURED = """
import logging
import pytest
from robotmia_logging import RobotmiaHandler
from robotmia_logging.testing import assert_tracked

log = logging.getLogger("shop")
log.setLevel("INFO")
log.addHandler(RobotmiaHandler(enabled=False))


@pytest.mark.parametrize("plan", ["free", "pro"])
def test_captured(robotmia_messages, plan):
    log.info("x", extra={"event": "Signed Up", "plan": plan})
    robotmia_messages.assert_tracked_once("Signed Up", plan=plan)
    assert_tracked("Signed Up")
    assert len(robotmia_messages) == 1
"""
SENT = """
import logging
import os
import pytest
from robotmia_logging import RobotmiaHandler
from robotmia_logging.testing import assert_tracked_once

urls = set()


@pytest.mark.parametrize("plan", ["free", "pro", "none"])
def test_sent(robotmia_sandbox, plan):
    urls.add(robotmia_sandbox.url)
    assert len(urls) == 1
    assert robotmia_sandbox._server.current_faults.to_mapping() == {}
    assert robotmia_sandbox.messages() == []
    log = logging.Logger("shop")
    handler = RobotmiaHandler()
    log.addHandler(handler)
    log.info("x", extra={"event": "Signed Up", "plan": plan})
    assert_tracked_once("Signed Up", plan=plan)
    robotmia_sandbox._server.set_faults(type(robotmia_sandbox._server.current_faults)(latency=0.01))
    handler.close()


def test_environment_is_as_before():
    assert "ROBOTMIA_URL" not in os.environ
"""


@pytest.fixture
def run(pytester, monkeypatch):
    """Run pytest in a process of its own."""
    for name in ("ROBOTMIA_URL", "ROBOTMIA_TOKEN", "ROBOTMIA_ENABLED"):
        monkeypatch.delenv(name, raising=False)

    def run(*options):
        return pytester.runpytest_subprocess("-p", "no:cacheprovider", "-W", "error", *options)

    return run


@pytest.mark.parametrize(
    "options", [["-p", "no:randomly"], ["-p", "randomly", "-p", "no:xdist"]], ids=["in order", "random"]
)
def test_fixtures(pytester, run, options):
    """Each test has its own capture; the sandbox is the session's, emptied and without faults for each test."""
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile(test_captured=CAPTURED, test_sent=SENT)
    run(*options).assert_outcomes(passed=6)


def test_settings_of_the_users_own_count(pytester, run, monkeypatch):
    """A token that is set stays; what is switched off is on for the sandbox, and off for nobody else."""
    monkeypatch.setenv("ROBOTMIA_TOKEN", "theirs")
    monkeypatch.setenv("ROBOTMIA_ENABLED", "0")
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile(
        SENT
        + """

def test_the_token(robotmia_sandbox):
    assert os.environ["ROBOTMIA_TOKEN"] == "theirs"
"""
    )
    run().assert_outcomes(passed=5)


def test_nothing_loads_by_itself(pytester, run):
    """Without its name the fixtures aren't there."""
    pytester.makepyfile(CAPTURED)
    result = run()
    result.assert_outcomes(errors=2)
    result.stdout.fnmatch_lines(["*fixture 'robotmia_messages' not found*"])


def test_a_failure_reads_well(pytester, run):
    """It shows the test's own line, and of this package what it says, once."""
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile(
        """
from robotmia_logging.testing import assert_tracked_once


def test_fails(robotmia_messages):
    assert_tracked_once("Signed Up", plan="pro")
"""
    )
    result = run("--tb=short")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        ['*assert_tracked_once("Signed Up", plan="pro")', "E   AssertionError: no event 'Signed Up'*"]
    )
    assert not [line for line in result.outlines if "robotmia_logging/testing" in line]
