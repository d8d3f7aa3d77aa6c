"""Readable by anybody, anywhere: keyboard, phone, dark and light."""

import pytest
from page_browser import names, opened
from playwright.sync_api import Browser, Page, expect
from sandbox_client import Sandbox, event, update


@pytest.fixture
def filled(site: Sandbox) -> Sandbox:
    site.send("track", [event("Signed Up", distinct_id="ada", plan="pro"), event("Odd", distinct_id="ada", mp_lib="x")])
    site.send("engage", update("$append", {"$transactions": {"$time": "2013-01-03T09:00:00", "$amount": 3}}))
    site.send("track", event("Bad", token=""))
    return site


@pytest.mark.usefixtures("filled")
def test_everything_is_reached_by_the_tab_key(page: Page) -> None:
    """The tab key walks from the skip link over bar, filters and list to the names, each with a visible focus."""
    opened(page)
    expect(names(page)).to_have_count(4)
    expect(page.locator("#names-rows a").first).to_be_visible()
    reached = []
    while True:
        page.keyboard.press("Tab")
        name, has_outline = page.evaluate(_FOCUSED)
        if name == "BODY":
            break
        assert has_outline, f"{name} doesn't show that it is focused"
        reached.append(name)
    expected = ["skip", "A", "to-stream", "to-users", "clear", "search", "event", "distinct_id", "endpoint", "refused"]
    expected += ["warnings", "pause", "what", "what", "who", "what", "who", "what"]
    assert reached[: len(expected)] == expected


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize("path", ["/", "/?message=1", "/?message=4", "/?view=users", "/?user=u", "/?search=nothing"])
def test_a_phone_never_scrolls_sideways(page: Page, path: str) -> None:
    """At 360 pixels every view fits."""
    page.set_viewport_size({"width": 360, "height": 740})
    opened(page, path)
    page.wait_for_load_state()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


@pytest.mark.usefixtures("filled")
def test_dark_and_light_differ_and_have_contrast(browser: Browser, site: Sandbox) -> None:
    """The page follows the system's choice; text has the contrast of WCAG AA against its ground in both."""
    grounds = []
    for scheme in ("light", "dark"):
        context = browser.new_context(base_url=site.server.url, color_scheme=scheme, reduced_motion="reduce")
        page = opened(context.new_page(), "/?message=4")
        expect(page.locator("#details .verdict")).to_be_visible()
        expect(page.locator("#chart")).to_be_visible()
        too_faint = page.evaluate(_TOO_FAINT)
        assert too_faint == []
        grounds.append(page.evaluate("getComputedStyle(document.documentElement).backgroundColor"))
        context.close()
    assert grounds[0] != grounds[1]


# The element that has the focus, and whether it, or what stands for it, has an outline.
_FOCUSED = """() => {
    const at = document.activeElement;
    const styles = [getComputedStyle(at), getComputedStyle(at, "::after")];
    if (at.type === "checkbox") styles.push(getComputedStyle(at.nextElementSibling));
    return [at.id || at.name || at.className || at.tagName, styles.some((style) => style.outlineStyle !== "none")];
}"""

# Texts whose contrast is below 4.5.
_TOO_FAINT = """() => {
    const channels = (colour) => colour.match(/[\\d.]+/g).map(Number);
    const part = (value) => (value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4);
    const light = ([r, g, b]) => 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
    const ground = (node) => {
        for (let at = node; at; at = at.parentElement) {
            const colour = channels(getComputedStyle(at).backgroundColor);
            if (colour[3] !== 0) return colour;
        }
        throw new Error("no ground");
    };
    const faint = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
        const node = walker.currentNode.parentElement;
        if (!walker.currentNode.textContent.trim() || !node.checkVisibility()) continue;
        if (node.closest(".skip, option")) continue;
        const [one, other] = [light(channels(getComputedStyle(node).color)), light(ground(node))];
        const ratio = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
        if (ratio < 4.5) faint.push([walker.currentNode.textContent.trim(), ratio]);
    }
    return faint;
}"""
