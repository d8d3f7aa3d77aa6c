"""The stream can be narrowed, and the address says how."""

import pytest
from page_browser import names, opened, with_query
from playwright.sync_api import Page, expect
from sandbox_client import Sandbox, event, update


@pytest.fixture
def filled(site: Sandbox) -> Sandbox:
    site.send("track", event("Signed Up", distinct_id="ada", plan="pro"))
    site.send("track", event("Signed Up", distinct_id="grace", plan="free"))
    site.send("engage", update("$set", {"Plan": "Pro"}, distinct_id="ada"))
    site.send("track", event("Odd", distinct_id="linus", mp_lib="x"))
    site.send("track", event("Bad", token="", distinct_id="ada"))
    return site


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("?event=Signed+Up", ["Signed Up", "Signed Up"]),
        ("?distinct_id=grace", ["Signed Up"]),
        ("?endpoint=engage", ["$set"]),
        ("?refused=1", ["Bad"]),
        ("?warnings=1", ["Odd"]),
        ("?search=FREE&endpoint=track", ["Signed Up"]),
    ],
)
def test_the_address_filters(page: Page, query: str, expected: list[str]) -> None:
    """An address with filters shows what passes them, and its form says so."""
    opened(page, f"/{query}")
    expect(names(page)).to_have_text(expected)
    expect(page.locator("#no-filters")).to_be_visible()


def test_typing_filters_what_is_there_and_what_arrives(page: Page, filled: Sandbox) -> None:
    """What is searched for narrows the list, then the live stream, and stands in the address."""
    opened(page)
    page.keyboard.press("/")
    page.keyboard.type("free")
    expect(names(page)).to_have_text(["Signed Up"])
    expect(page).to_have_url(with_query("?search=free"))
    filled.send("track", [event("Other"), event("Freed", plan="free")])
    expect(names(page)).to_have_text(["Freed", "Signed Up"])


def test_the_counts_follow_the_filters(page: Page, filled: Sandbox) -> None:
    """Totals and names are those of what is shown."""
    opened(page, "/?distinct_id=grace")
    expect(page.locator("#names-rows tr")).to_have_count(1)
    expect(page.locator("#totals dd").first).to_have_text("1")


@pytest.mark.usefixtures("filled")
def test_the_back_button_takes_a_filter_back(page: Page) -> None:
    """Each choice is a step in the browser's history."""
    opened(page)
    page.locator("#filters [name=endpoint]").select_option("engage")
    expect(names(page)).to_have_text(["$set"])
    page.locator(".switch", has_text="Refused").click()
    expect(page.locator("#nothing")).to_be_visible()
    page.go_back()
    expect(names(page)).to_have_text(["$set"])
    page.go_back()
    expect(names(page)).to_have_count(5)
    expect(page.locator("#filters [name=endpoint]")).to_have_value("")


@pytest.mark.usefixtures("filled")
def test_filters_are_taken_away_together(page: Page) -> None:
    """One button takes all filters away."""
    opened(page, "/?refused=1&search=x")
    page.locator("#no-filters").click()
    expect(names(page)).to_have_count(5)
    expect(page).to_have_url(with_query("/"))
