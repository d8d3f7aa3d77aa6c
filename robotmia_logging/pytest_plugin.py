"""pytest's fixtures for tests of tracking. Nothing loads them by itself: name the plugin in your top conftest.py.

pytest_plugins = ["robotmia_logging.pytest_plugin"]
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from robotmia_logging.testing import CapturedMessages, Sandbox, capture_messages

TOKEN = "sandbox-token"  # noqa: S105  (no secret: of a sandbox)


@pytest.fixture
def robotmia_messages() -> Iterator[CapturedMessages]:
    """What the test's log calls send, captured instead of delivered."""
    with capture_messages() as messages:
        yield messages


@pytest.fixture(scope="session")
def _robotmia_sandbox_server() -> Iterator[Sandbox]:
    with Sandbox(is_active=False) as sandbox:
        yield sandbox


@pytest.fixture
def robotmia_sandbox(_robotmia_sandbox_server: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """A sandbox, one for the whole session, emptied and without faults for each test.

    For the test `$ROBOTMIA_URL` leads to it, `$ROBOTMIA_TOKEN` is set if it wasn't, and `$ROBOTMIA_ENABLED` is 1:
    handlers and processors that the test makes, and processes that it starts, send to the sandbox.
    """
    sandbox = _robotmia_sandbox_server
    sandbox.reset()
    monkeypatch.setenv("ROBOTMIA_URL", sandbox.url)
    monkeypatch.setenv("ROBOTMIA_ENABLED", "1")
    if not os.environ.get("ROBOTMIA_TOKEN"):
        monkeypatch.setenv("ROBOTMIA_TOKEN", TOKEN)
    with sandbox.active():
        yield sandbox
    sandbox.reset()
