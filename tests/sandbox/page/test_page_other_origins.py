"""A page of another origin, in a real browser, sends what browsers' clients send."""

import pytest
from sandbox_client import encode, event

from robotmia_logging.sandbox.server import SandboxServer

FORM = "application/x-www-form-urlencoded"


@pytest.fixture(scope="module")
def elsewhere():
    """A site of another origin than the sandbox that is sent to."""
    with SandboxServer() as server:
        yield f"{server.url}/sandbox"


@pytest.fixture
def shop(browser, elsewhere):
    """A page of that site."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(elsewhere)
    yield page
    context.close()


def run(page, script, site, path="/track/?verbose=1"):
    data = encode(event("Viewed", distinct_id="u", sign="~~>>??"))
    return page.evaluate(
        f"async ([url, data, body]) => {script}", [site.server.url + path, data, f"data={quoted(data)}"]
    )


def quoted(data):
    return data.replace("+", "%2B").replace("/", "%2F").replace("=", "%3D")


@pytest.mark.parametrize(
    "options",
    [
        "{}",
        "{credentials: 'include'}",
        f"{{method: 'POST', credentials: 'include', body, headers: {{'Content-Type': '{FORM}'}}}}",
        f"{{method: 'POST', credentials: 'include', body, headers: {{'Content-Type': '{FORM}', 'X-Own': '1'}}}}",
    ],
    ids=["GET", "credentials", "POST", "preflight"],
)
def test_pages_read_the_answer(shop, site, options):
    """A page reads the answer to what it sends, with credentials and with headers of its own."""
    there = "url" if "POST" in options else "url + '&data=' + encodeURIComponent(data)"
    assert run(shop, f"(await fetch({there}, {options})).json()", site) == {"status": 1, "error": ""}
    assert [sent["event"] for sent in site.messages()] == ["Viewed"]


def test_beacons(shop, site):
    """What a page sends while it closes is taken, with a warning where it isn't called a form."""
    assert run(shop, "navigator.sendBeacon(url, body)", site)
    assert run(shop, "navigator.sendBeacon(url, new URLSearchParams({data}))", site)
    shop.wait_for_function("() => performance.getEntriesByType('resource').length >= 2")
    assert sorted(len(sent["warnings"]) for sent in site.messages()) == [0, 1]


def test_images_and_scripts(shop, site):
    """The pixel loads as an image of 1x1, and the script calls the function."""
    image = """new Promise((resolve) => {
        const image = new Image();
        image.onload = () => resolve([image.width, image.height]);
        image.onerror = () => resolve("no image");
        image.src = url + "&data=" + encodeURIComponent(data);
    })"""
    assert run(shop, image, site, "/track/?img=1") == [1, 1]
    script = """new Promise((resolve) => {
        window.done = resolve;
        const script = document.createElement("script");
        script.src = url + "&data=" + encodeURIComponent(data);
        document.body.append(script);
    })"""
    assert run(shop, script, site, "/track/?callback=done") == 1


def test_pages_read_nothing_else(shop, site):
    """What the sandbox holds is for no page of another origin."""
    script = "fetch(url).then(() => 'read', () => 'blocked')"
    assert run(shop, script, site, "/sandbox/messages") == "blocked"
