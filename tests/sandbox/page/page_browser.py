"""Where the browser is, and what is found on the page."""

import os
import re
import shutil

import pytest
from playwright.sync_api import Locator, Page

_NAMES = ("chromium", "chromium-browser", "google-chrome")


def chromium() -> str:
    """The path of a Chromium; the test is skipped when there is none, unless this is CI."""
    found = [os.environ.get("CHROMIUM"), *map(shutil.which, _NAMES)]
    for path in found:
        if path:
            return path
    reason = f"the page is tested in a browser: no {', '.join(_NAMES)} on PATH, and $CHROMIUM isn't set"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def rows(page: Page) -> Locator:
    """The rows of the stream, newest first."""
    return page.locator("#rows .row")


def names(page: Page) -> Locator:
    """The names in the rows of the stream, newest first."""
    return page.locator("#rows .what")


def opened(page: Page, path: str = "/") -> Page:
    """The page at a path, once it is live."""
    page.goto(path)
    page.locator('#connection[data-state="live"]').wait_for()
    return page


def with_query(text: str) -> re.Pattern[str]:
    """An address that ends so."""
    return re.compile(re.escape(text) + "$")
