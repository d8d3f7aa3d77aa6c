"""What arrives may be hostile; it is shown, and does nothing."""

import pytest
from page_browser import names, opened, rows
from playwright.sync_api import Page, expect
from sandbox_client import Sandbox, event, update

MARKUP = "<img src=x onerror=alert(1)><script>alert(2)</script><a href='javascript:alert(3)'>x</a>"
OVERRIDE = "user\u202egpj.exe\u0000\u0007"


def test_markup_is_text(page: Page, site: Sandbox) -> None:
    """Markup in every place where text is shown stays text: no element of it, no script, no dialog."""
    site.send("track", event(MARKUP, distinct_id=MARKUP, **{MARKUP: MARKUP}))
    site.send("engage", update("$set", {MARKUP: MARKUP, "$name": MARKUP}, distinct_id=MARKUP))
    site.send("engage", update("$append", {"$transactions": {"$amount": 1, MARKUP: MARKUP}}, distinct_id=MARKUP))
    site.send("track", event(MARKUP, token=""))
    opened(page)
    expect(rows(page)).to_have_count(4)
    for number in (1, 2, 4):
        opened(page, f"/?message={number}")
        expect(page.locator("#details .json")).to_contain_text("onerror")
        assert page.locator("img, script:not([src]), a[href^=javascript]").count() == 0
    opened(page)
    page.locator("#rows .who").last.click()
    expect(page.locator("#user .properties")).to_contain_text("onerror")
    assert page.locator("img, script:not([src]), a[href^=javascript]").count() == 0


def test_the_policy_stops_script_that_got_in(page: Page, problems: list[str]) -> None:
    """Even markup that got into the page runs nothing: the policy of the page forbids it."""
    opened(page)
    page.evaluate("document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=\"window.pwned = 1\">')")
    page.wait_for_function("document.images[0].complete")
    assert page.evaluate("window.pwned") is None
    problems.clear()  # the policy's own reports


def test_unreadable_characters_are_written_out(page: Page, site: Sandbox) -> None:
    """A text that turns the direction of writing, or holds control characters, can't look like another."""
    site.send("track", event("Sent", distinct_id=OVERRIDE, note=OVERRIDE))
    opened(page, "/?message=1")
    expect(page.locator("#rows .who")).to_have_text("user\\u202egpj.exe\\u0000\\u0007")
    expect(page.locator("#details .json")).to_contain_text("\\u202e")


@pytest.mark.parametrize("width", [360, 1280])
def test_huge_texts_fit(page: Page, site: Sandbox, width: int) -> None:
    """Names, ids and values of many thousand characters leave the page as wide as it is."""
    huge = "W" * 10_000
    site.send("track", event("N" * 255, distinct_id=huge, **{huge: huge}))
    site.send("engage", update("$set", {huge: huge, "list": [huge]}, distinct_id=huge))
    page.set_viewport_size({"width": width, "height": 700})
    for path in ("/", "/?message=1", "/?view=users"):
        opened(page, path)
        expect(page.locator("#rows .row, #users tbody tr").first).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.locator("#users a").first.click()
    expect(page.locator("#user .properties")).to_contain_text("WWW")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_large_message_is_shown_in_part_then_whole(page: Page, site: Sandbox) -> None:
    """A long message opens at once; the rest is shown on demand."""
    site.send("track", event("Large", values=list(range(10_000))))
    opened(page)
    names(page).first.click()
    page.get_by_role("button", name="Show all").click()
    expect(page.locator("#details .json")).to_contain_text("9999")
