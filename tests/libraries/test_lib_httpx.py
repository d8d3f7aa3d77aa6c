"""httpx's request log, by rules alone."""

from __future__ import annotations

import asyncio

import httpx
from structlog.contextvars import bound_contextvars

from tests.libraries.lib_running import Event, events, given, in_each_form, rules, tracked, website

HEADING = "httpx, requests and urllib3"


@in_each_form
def test_request(form, tmp_path):
    """A request becomes an event of whoever is bound, its status a number; query string and password stay at home."""
    with website() as url, tracked(given(HEADING, form, tmp_path), "httpx") as server, httpx.Client() as client:
        with bound_contextvars(distinct_id="ada"):
            client.get(f"{url}/200", params={"mail": "ada@example.com"})
        client.post(f"{url}/404")
        client.get(f"{url}/200".replace("//", "//bob:secret@"))
    sent = events(server)
    assert sent == [
        Event("Request Sent", "ada", {"method": "GET", "host": "127.0.0.1", "status": 200}),
        Event("Request Sent", None, {"method": "POST", "host": "127.0.0.1", "status": 404}),
        Event("Request Sent", None, {"method": "GET", "host": "127.0.0.1", "status": 200}),
    ]
    assert {type(event.properties["status"]) for event in sent} == {int}


def test_requests_of_an_asynchronous_client():
    """Of requests that are under way at the same time each is its own user's."""

    async def fetch(client, url, user):
        with bound_contextvars(distinct_id=user):
            await client.get(url)

    async def fetch_all(url):
        async with httpx.AsyncClient() as client:
            await asyncio.gather(*(fetch(client, f"{url}/{status}", user) for user, status in statuses.items()))

    statuses = {"ada": 200, "bob": 404, "eve": 503}
    with website() as url, tracked(rules(HEADING), "httpx") as server:
        asyncio.run(fetch_all(url))
    assert {event.user: event.properties["status"] for event in events(server)} == statuses


def test_request_by_its_template():
    """The arguments of httpx's own template keep their types; the URL, an object, is sent as text."""
    rule = {
        "logger": "httpx",
        "message": 'HTTP Request: %s %s "%s %d %s"',
        "event": "Request Sent",
        "properties": {"method": "{0}", "url": "{1}", "status": "{3}", "reason": "{4}"},
    }
    with website() as url, tracked([rule], "httpx") as server:
        httpx.get(f"{url}/404")
    properties = {"method": "GET", "url": f"{url}/404", "status": 404, "reason": "Not Found"}
    assert events(server) == [Event("Request Sent", None, properties)]
