"""Takes the pictures of the sandbox's page: `python tests/sandbox/page/take_screenshots.py [FOLDER]`.

The two of the documentation go to docs/images. With a folder, dark ones and those of a phone go there, to be
looked at. Data and clock are the same each time.
"""

import random
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1])]

from page_browser import chromium, opened  # noqa: E402 - found through the path above
from sandbox_client import Clock, Sandbox, event, update  # noqa: E402

from robotmia_logging.sandbox.server import SandboxServer  # noqa: E402

DOCUMENTATION = Path(__file__).parents[3] / "docs" / "images"
NOW = 1_795_615_200  # Wednesday 25 November 2026, 14:00 UTC
MINUTES = 12
IP = "203.0.113.9"
USERS = ("ada", "grace", "linus", "margaret", "13793")
WIDE, PHONE = {"width": 1280, "height": 800}, {"width": 360, "height": 740}
VIEWS = {
    "stream": "/",
    "message": "/?message={refusal}",
    "users": "/?view=users",
    "user": "/?user=ada",
    "filtered": "/?warnings=1",
}


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    clock = Clock()
    with SandboxServer(clock=clock) as server, sync_playwright() as playwright:
        sandbox = Sandbox(server, clock)
        fill(sandbox, clock)
        refusal = sandbox.refusals()[-1]["id"]
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        for view in ("stream", "user"):
            take(browser, server.url, VIEWS[view], DOCUMENTATION / f"sandbox-{view}.png")
        for view, path in VIEWS.items() if folder else ():
            address = path.format(refusal=refusal)
            take(browser, server.url, address, folder / f"{view}-dark.png", color_scheme="dark")
            take(browser, server.url, address, folder / f"{view}-phone.png", viewport=PHONE)
            take(browser, server.url, address, folder / f"{view}-light.png")
        server.store.clear()
        if folder:
            take(browser, server.url, "/", folder / "empty-light.png")
            take(browser, server.url, "/", folder / "empty-phone.png", viewport=PHONE, color_scheme="dark")
        browser.close()
        sandbox.session.close()


def take(
    browser: Browser, url: str, path: str, file: Path, *, viewport: Any = WIDE, color_scheme: Any = "light"
) -> None:
    """One picture of what a user in UTC sees at the end of the time that the data cover."""
    file.parent.mkdir(parents=True, exist_ok=True)
    context = browser.new_context(
        base_url=url, viewport=viewport, color_scheme=color_scheme, timezone_id="UTC", reduced_motion="reduce"
    )
    page = context.new_page()
    page.clock.install(time=NOW)
    settled(opened(page, path))
    page.screenshot(path=file)
    context.close()


def settled(page: Page) -> None:
    """All that the view asks for is there."""
    page.locator("#totals dd").first.wait_for()
    page.wait_for_load_state("load")
    shown = "#guide:not([hidden]), #rows .row, #users tbody tr, #user .activity .row"
    page.locator(shown).first.wait_for(state="visible")
    if "message=" in page.url:
        page.locator("#details .json").wait_for()


def fill(sandbox: Sandbox, clock: Clock) -> None:
    """Some minutes of a small shop."""
    chance = random.Random(8)
    clock.now = NOW - 60 * MINUTES
    for user, name in zip(USERS, ("Ada Lovelace", "Grace Hopper", "", "Margaret Hamilton", ""), strict=True):
        for endpoint, message in arrivals_of(user, name):
            clock.now += 4
            sandbox.send(endpoint, message)
    steps = 150
    for step in range(steps):
        clock.now = NOW - 60 * (MINUTES - 2) * (1 - (step + 1) / steps) ** 1.25 - chance.random()
        sandbox.send(*one(chance, step, "ada" if step % 4 == 0 else chance.choice(USERS)))
    clock.now = NOW


def one(chance: random.Random, step: int, user: str) -> tuple[str, Any]:
    """What arrives at a step, mostly views of pages."""
    price = chance.randint(500, 9000) / 100
    if step % 29 == 20:
        return "track", event("Order Placed", token="", distinct_id=user, total=price)
    if step % 31 == 25:
        return "track", event("Page Viewed", distinct_id=user, path="/pricing", mp_lib="ruby")
    if step % 7 == 3:
        time = f"2026-11-25T13:{step % 60:02}:00"
        return "engage", update(
            "$append", {"$transactions": {"$time": time, "$amount": price}}, distinct_id=user, ip=IP
        )
    if step % 9 == 4:
        return "engage", update("$add", {"Coins Gathered": 12}, distinct_id=user, ip=IP)
    if step % 5 == 1:
        return "track", event("Order Placed", distinct_id=user, total=price, items=["socks", "shirts"])
    if step % 11 == 6:
        return "track", event("Signed Up", distinct_id=user, plan="pro", **{"Referred By": "Friend"})
    paths = ("/", "/pricing", "/docs", "/orders/17")
    return "track", [event("Page Viewed", distinct_id=user, path=path) for path in chance.sample(paths, 2)]


def arrivals_of(user: str, name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """What is known of a user before."""
    first, _, last = name.partition(" ")
    known = {"$first_name": first, "$last_name": last, "$email": f"{first.lower()}@example.com"} if name else {}
    profile = {**known, "$created": "2026-04-01T13:20:00", "Plan": "pro"}
    yield "engage", update("$set", profile, distinct_id=user, ip=IP)
    yield "engage", update("$union", {"Items purchased": ["socks", "shirts"]}, distinct_id=user, ip=IP)
    yield "import", event("Signed Up", distinct_id=user, time=1_358_208_000, plan="free")
    if name:
        yield "track", event("$create_alias", distinct_id=user, alias=f"{user}@work")
    for month, amount in (("06", 25.34), ("08", 49.9), ("09", 12)):
        transaction = {"$time": f"2026-{month}-03T09:00:00", "$amount": amount, "SKU": f"A-{month}"}
        yield "engage", update("$append", {"$transactions": transaction}, distinct_id=user, ip=IP)


if __name__ == "__main__":
    main()
