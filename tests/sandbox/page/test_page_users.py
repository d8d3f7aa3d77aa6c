"""A user's page."""

import time

import pytest
from page_browser import opened
from playwright.sync_api import Page, expect
from sandbox_client import Sandbox, event, update


def paid(time_: str, amount: float, **more: str) -> dict:
    return {"$transactions": {"$time": time_, "$amount": amount, **more}}


@pytest.fixture
def ada(site: Sandbox) -> Sandbox:
    now = int(time.time())
    site.send("track", event("Signed Up", distinct_id="ada", time=now - 60))
    site.send("import", event("Earlier", distinct_id="ada", time=1_358_208_000))
    profile = {"$first_name": "Ada", "$last_name": "Lovelace", "$created": "2013-04-01T13:20:00", "Plan": "pro"}
    site.send("engage", update("$set", profile, distinct_id="ada", ip="203.0.113.9"))
    site.send(
        "engage", update("$append", paid("2013-01-03T09:00:00", 25.34, SKU="A1"), distinct_id="ada", ip="203.0.113.9")
    )
    site.send("engage", update("$append", paid("2013-02-03T09:00:00", 10), distinct_id="ada", ip="203.0.113.9"))
    site.send("track", event("$create_alias", distinct_id="ada", alias="ada@work"))
    return site


@pytest.mark.usefixtures("ada")
def test_a_user_has_profile_activity_and_revenue(page: Page) -> None:
    """The page shows the name, dates as dates, aliases, events by time, and what was paid."""
    opened(page, "/?user=ada")
    user = page.locator("#user")
    expect(user.locator("h1")).to_have_text("Ada Lovelace")
    expect(user).to_contain_text("1 Apr 2013, 13:20 UTC")
    expect(user).to_contain_text("First name")
    expect(user).to_contain_text("ada@work")
    expect(user).to_contain_text("203.0.113.9")
    expect(user.locator(".revenue h2")).to_contain_text("35.34")
    expect(user.locator(".revenue tbody tr")).to_have_count(2)
    expect(user.locator(".revenue")).to_contain_text("SKU=A1")
    expect(user.locator(".activity .what")).to_have_text(["$create_alias", "Signed Up", "Earlier"])
    expect(user.locator(".activity .row").first).to_contain_text("alias=ada@work")


def test_a_user_is_followed_while_the_page_is_open(page: Page, ada: Sandbox) -> None:
    """Events and updates that arrive show on the page, those to an alias too."""
    opened(page, "/?user=ada")
    expect(page.locator("#user .properties")).to_contain_text("pro")
    ada.send("engage", update("$set", {"Plan": "team"}, distinct_id="ada@work"))
    expect(page.locator("#user .properties")).to_contain_text("team")
    ada.send("track", event("Played", distinct_id="ada"))
    expect(page.locator("#user .activity .what").first).to_have_text("Played")


def test_users_are_listed_and_lead_to_their_pages(page: Page, ada: Sandbox) -> None:
    """The list has the latest active on top; a click leads to a user's page, the back button to the list."""
    ada.send("engage", update("$set", {"$name": "Grace Hopper"}, distinct_id="grace"))
    opened(page)
    page.get_by_role("link", name="Users").click()
    expect(page.locator("#users tbody th")).to_have_text(["Grace Hopper", "Ada Lovelace"])
    page.get_by_role("link", name="Grace Hopper").click()
    expect(page.locator("#user h1")).to_have_text("Grace Hopper")
    page.go_back()
    expect(page.locator("#users tbody th")).to_have_count(2)


@pytest.mark.parametrize("user", ["a/b?c#d", "..", "ünï cödé", "100%", "a&user=b", "'\"<b>"])
def test_any_id_has_a_page(page: Page, site: Sandbox, user: str) -> None:
    """Whatever an id holds, the row of a message leads to that user's page."""
    site.send("track", event("Signed Up", distinct_id=user))
    opened(page)
    page.locator("#rows .who").click()
    expect(page.locator("#user h1")).to_have_text(user)
    expect(page.locator("#user .activity .what")).to_have_text(["Signed Up"])


def test_an_unknown_user_is_said_to_be(page: Page, problems: list[str]) -> None:
    """The page of an id that was never seen says so."""
    opened(page, "/?user=nobody")
    expect(page.locator("#user")).to_contain_text("Nothing is known of this user.")
    problems.clear()  # the browser reports the 404 that it was answered
