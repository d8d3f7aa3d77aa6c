from collections.abc import Iterator

import pytest
from sandbox_client import NOW, Clock, Sandbox

from robotmia_logging.sandbox.server import SandboxServer


@pytest.fixture(scope="session")
def shared_sandbox() -> Iterator[Sandbox]:
    """One server for all tests: to stop one takes uvicorn a tenth of a second or two."""
    clock = Clock()
    with SandboxServer(clock=clock) as server:
        client = Sandbox(server, clock)
        with client.session:
            yield client


@pytest.fixture
def sandbox(shared_sandbox: Sandbox) -> Sandbox:
    """The shared server, with nothing in it and its clock set."""
    shared_sandbox.clock.now = NOW
    shared_sandbox.server.store.clear()
    return shared_sandbox
