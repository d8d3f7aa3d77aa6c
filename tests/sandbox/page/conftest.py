from collections.abc import Iterator

import pytest
from page_browser import chromium
from playwright.sync_api import Browser, Page, expect, sync_playwright
from sandbox_client import Clock, Sandbox

from robotmia_logging.sandbox.server import SandboxServer


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser, closed at the module's end: while it runs, no other event loop does in this thread."""
    path = chromium()
    expect.set_options(timeout=20_000)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture(scope="module")
def running_site() -> Iterator[Sandbox]:
    with SandboxServer() as server:
        client = Sandbox(server, Clock())
        with client.session:
            yield client


@pytest.fixture
def site(running_site: Sandbox) -> Sandbox:
    """A running sandbox with nothing in it, and the means to send it something."""
    running_site.server.store.clear()
    return running_site


@pytest.fixture
def problems() -> list[str]:
    """What the browser complained of, and requests to other hosts: there must be none."""
    return []


@pytest.fixture
def page(browser: Browser, site: Sandbox, problems: list[str]) -> Iterator[Page]:
    """A page of its own, with no address yet."""
    context = browser.new_context(base_url=site.server.url, reduced_motion="reduce", timezone_id="UTC")
    opened = context.new_page()
    opened.on("console", lambda said: problems.append(said.text) if said.type in ("error", "warning") else None)
    opened.on("pageerror", lambda error: problems.append(str(error)))
    opened.on("dialog", lambda dialog: (problems.append(f"dialog: {dialog.message}"), dialog.dismiss()))
    opened.on(
        "request",
        lambda request: None if request.url.startswith(site.server.url) else problems.append(request.url),
    )
    yield opened
    context.close()
    assert problems == []
