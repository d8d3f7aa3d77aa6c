"""A message in full: decoded, over the wire, and what was said of it."""

import subprocess

from page_browser import names, opened, with_query
from playwright.sync_api import Page, expect
from sandbox_client import Sandbox, encode, event, update


def test_a_message_is_shown_decoded_and_as_sent(page: Page, site: Sandbox) -> None:
    """A click on a row shows the message, its place in the request, the request line and the Base64 text."""
    messages = [event("First"), event("Second", distinct_id="ada", plan="pro")]
    site.send("track", messages)
    opened(page)
    names(page).first.click()
    details = page.locator("#details")
    expect(details.locator("h2")).to_have_text("Second")
    expect(details).to_contain_text('"plan": "pro"')
    expect(details).to_contain_text("2 of 2")
    expect(details).to_contain_text("POST /track/")
    expect(details).to_contain_text(encode(messages))
    expect(page).to_have_url(with_query("?message=2"))


def test_warnings_stand_out(page: Page, site: Sandbox) -> None:
    """A message with warnings shows each of them before the message."""
    site.send("track", event("Odd", distinct_id="ada", mp_lib="x"))
    opened(page, "/?message=1")
    expect(page.locator("#details .verdict.warned")).to_contain_text("mp_lib")


def test_the_error_of_a_refusal_stands_out(page: Page, site: Sandbox) -> None:
    """A refused request shows why, also when nothing could be read of it."""
    site.post("/track/", data="!!!")
    opened(page, "/?message=1")
    expect(page.locator("#details .verdict.refused")).to_contain_text("Base64")
    expect(page.locator("#details")).to_contain_text("No message could be read")
    expect(page.locator("#details")).to_contain_text("!!!")


def test_a_message_that_is_gone_is_said_to_be(page: Page, problems: list[str]) -> None:
    """The address of a message that isn't there shows no error, but says so."""
    opened(page, "/?message=99")
    expect(page.locator("#details")).to_contain_text("It isn't here")
    problems.clear()  # the browser reports the 404 that it was answered


def test_large_integers_keep_their_digits(page: Page, site: Sandbox) -> None:
    """An id beyond the integers of JavaScript is shown as it was sent."""
    site.send("track", event("Big", order=12345678901234567890))
    opened(page, "/?message=1")
    expect(page.locator("#details .json")).to_contain_text("12345678901234567890")


def test_the_curl_command_sends_the_same_again(page: Page, site: Sandbox) -> None:
    """What the command sends is what was sent, and quotes and spaces in the path end nothing."""
    site.get(
        "/track/?callback=f&data=" + encode(event("It's", distinct_id="a'b")).replace("+", "%2B") + "&x=%27;'`$(x)"
    )
    site.post("/engage/?ip=0", data=encode(update("$set", {"Plan": "it's"})))
    opened(page)
    for number in (1, 2):
        page.goto(f"/?message={number}")
        page.locator("#details summary").click()
        command = page.locator("#details details pre").inner_text()
        assert subprocess.run(["sh", "-c", f"{command} -s --noproxy '*'"], check=True, capture_output=True).stdout
    first, second, third, fourth = (message["message"] for message in site.messages())
    assert (first, second) == (third, fourth)


def test_escape_closes_and_leads_back_to_the_row(page: Page, site: Sandbox) -> None:
    """Escape closes the panel, and the focus is on the row again."""
    site.send("track", [event("A"), event("B")])
    opened(page)
    names(page).nth(1).focus()
    page.keyboard.press("Enter")
    expect(page.locator("#details-title")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#details")).to_be_hidden()
    expect(names(page).nth(1)).to_be_focused()
