"""What arrives is seen while it arrives."""

from page_browser import names, opened, rows
from playwright.sync_api import Page, expect
from sandbox_client import Clock, Sandbox, event, update

from robotmia_logging.sandbox.faults import Faults
from robotmia_logging.sandbox.server import SandboxServer


def fill(site: Sandbox, count: int) -> None:
    for start in range(0, count, 50):
        numbered = range(start, min(start + 50, count))
        assert site.send("track", [event(f"E{n}", distinct_id="ada") for n in numbered]) == ""


def test_messages_appear_newest_on_top_while_the_page_is_open(page: Page, site: Sandbox) -> None:
    """An event and an update that are sent while the page is open appear, the newest on top."""
    opened(page)
    expect(page.locator("#guide")).to_be_visible()
    site.send("track", event("Signed Up", distinct_id="ada", plan="pro"))
    expect(names(page)).to_have_text(["Signed Up"])
    site.send("engage", update("$set", {"Plan": "pro"}, distinct_id="grace"))
    expect(names(page)).to_have_text(["$set", "Signed Up"])
    expect(rows(page).nth(1)).to_contain_text("plan=pro")
    expect(rows(page).nth(0)).to_contain_text("grace")
    expect(page.locator("#guide")).to_be_hidden()


def test_refusals_and_warnings_are_seen_without_colours(page: Page, site: Sandbox) -> None:
    """A refused request shows its error, a message with warnings how many: in words, and in the totals."""
    site.send("track", event("Bad", token="", distinct_id="ada"))
    site.send("track", event("Odd", distinct_id="ada", mp_lib="x"))
    opened(page)
    expect(rows(page).nth(1)).to_contain_text("✕ refused")
    expect(rows(page).nth(1)).to_contain_text("token")
    expect(rows(page).nth(0)).to_contain_text("▲ 1 warning")
    expect(page.locator("#totals")).to_contain_text("✕ refused")
    expect(page.locator("#totals")).to_contain_text("▲ warned")


def test_counts_over_time_are_a_picture_with_a_text(page: Page, site: Sandbox) -> None:
    """The chart has bars of both kinds, and says in words what it shows."""
    fill(site, 7)
    site.send("track", event("Bad", token=""))
    opened(page)
    picture = page.locator("#chart svg")
    expect(picture).to_be_visible()
    expect(page.get_by_role("img", name="7 messages accepted, 1 request refused")).to_be_visible()
    assert page.locator("#chart rect.accepted").count() >= 1
    assert page.locator("#chart rect.refused").count() == 1


def test_a_click_on_a_name_filters_by_it(page: Page, site: Sandbox) -> None:
    """The table of names counts messages and users; a click on a name filters the stream."""
    site.send("track", [event("A", distinct_id="u1"), event("A", distinct_id="u2"), event("B", distinct_id="u1")])
    opened(page)
    first = page.locator("#names-rows tr").first
    expect(first.locator("td.number").nth(0)).to_have_text("2")
    expect(first.locator("td.number").nth(1)).to_have_text("2")
    first.get_by_role("link", name="A").click()
    expect(names(page)).to_have_text(["A", "A"])
    expect(page.locator("#filters [name=event]")).to_have_value("A")


def test_a_paused_list_stands_still_and_says_how_many_are_new(page: Page, site: Sandbox) -> None:
    """While the list is paused, by the key, it stands still; what waits is counted, and shown in the end."""
    fill(site, 1)
    opened(page)
    expect(names(page)).to_have_text(["E0"])
    page.keyboard.press("p")
    expect(page.locator("#pause")).to_have_attribute("aria-pressed", "true")
    site.send("track", [event("New"), event("Newer")])
    expect(page.locator("#newer")).to_have_text("↑ 2 new")
    expect(names(page)).to_have_text(["E0"])
    page.locator("#newer").click()
    expect(names(page)).to_have_text(["Newer", "New", "E0"])
    page.locator("#pause").click()
    site.send("track", event("Last"))
    expect(names(page)).to_have_text(["Last", "Newer", "New", "E0"])


def test_a_list_that_is_read_further_down_stands_still(page: Page, site: Sandbox) -> None:
    """Scrolled down, what is read isn't pushed away; the button leads to the newest."""
    fill(site, 100)
    opened(page)
    expect(rows(page)).to_have_count(100)
    rows(page).nth(60).scroll_into_view_if_needed()
    site.send("track", event("New"))
    expect(page.locator("#newer")).to_have_text("↑ 1 new")
    expect(names(page).first).to_have_text("E99")
    page.locator("#newer").click()
    expect(names(page).first).to_have_text("New")


def test_older_messages_are_loaded_and_the_list_stays_bounded(page: Page, site: Sandbox) -> None:
    """Older ones are loaded on demand down to the first; the page never holds more than 300 rows."""
    fill(site, 450)
    opened(page)
    expect(names(page).last).to_have_text("E350")
    for last in ("E250", "E150", "E50", "E0"):
        page.locator("#older").click()
        expect(names(page).last).to_have_text(last)
    expect(rows(page)).to_have_count(300)
    expect(page.locator("#older")).to_be_hidden()
    page.locator("#newer").click()
    expect(names(page).first).to_have_text("E449")


def test_a_flood_is_shown_as_far_as_it_can_be(page: Page, site: Sandbox) -> None:
    """Of thousands at once the newest are shown, the rest is counted, and the page stays bounded."""
    opened(page)
    fill(site, 3000)
    expect(names(page).first).to_have_text("E2999")
    expect(page.locator("#totals")).to_contain_text("3,000")
    assert page.locator("#rows > li").count() <= 300


def test_clearing_asks_first_and_empties_the_page(page: Page, site: Sandbox) -> None:
    """The button asks; no keeps everything, yes forgets everything, here and on the server."""
    fill(site, 3)
    opened(page)
    expect(rows(page)).to_have_count(3)
    page.locator("#clear").click()
    page.get_by_role("button", name="Keep it").click()
    expect(rows(page)).to_have_count(3)
    page.locator("#clear").click()
    page.get_by_role("button", name="Forget everything").click()
    expect(rows(page)).to_have_count(0)
    expect(page.locator("#guide")).to_be_visible()
    assert site.messages() == []
    site.send("track", event("After"))
    expect(names(page)).to_have_text(["After"])


def test_the_empty_page_tells_how_to_begin(page: Page, site: Sandbox) -> None:
    """The commands that an empty page shows have its own address."""
    opened(page)
    expect(page.locator("#guide")).to_contain_text(f"ROBOTMIA_URL={site.server.url}")
    expect(page.locator("#guide")).to_contain_text(f"curl '{site.server.url}/track/")


def test_faults_that_are_on_are_seen(page: Page, site: Sandbox) -> None:
    """A sign says that faults are on, and which."""
    site.server.set_faults(Faults(fail={503: 0.5}))
    try:
        opened(page)
        expect(page.locator("#faults")).to_contain_text("Faults are on: fail")
    finally:
        site.server.set_faults(Faults())
    expect(page.locator("#faults")).to_be_hidden()


def test_the_page_comes_back_when_the_server_does(page: Page, problems: list[str]) -> None:
    """A server that went away and came back on its port, with other messages, is shown as it is now."""
    with SandboxServer() as server:
        client = Sandbox(server, Clock())
        client.send("track", [event("Before"), event("Gone")])
        page.goto(server.url)
        expect(names(page)).to_have_text(["Gone", "Before"])
        client.session.close()
    expect(page.locator("#connection")).to_have_text("reconnecting")
    with SandboxServer(port=server.port) as again:
        client = Sandbox(again, Clock())
        client.send("track", [event("New"), event("Newer"), event("Newest")])
        expect(page.locator("#connection")).to_have_text("live")
        expect(names(page)).to_have_text(["Newest", "Newer", "New"])
        client.session.close()
        page.goto("about:blank")
    problems.clear()  # refused connections, and another port than the fixture's
