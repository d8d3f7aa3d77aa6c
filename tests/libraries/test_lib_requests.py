"""The requests of requests and urllib3, by rules alone."""

from __future__ import annotations

import logging

import requests

from tests.libraries.lib_running import Event, events, rules, tracked, website


def test_request():
    """A program's own requests become events, the requests that deliver these don't."""
    chosen = rules("httpx, requests and urllib3")
    with website() as url, tracked(chosen, "urllib3.connectionpool", logging.DEBUG) as server:
        requests.get(f"{url}/404", timeout=10)
    sent = events(server)
    assert sent == [Event("Request Sent", None, {"method": "GET", "host": "127.0.0.1", "status": 404})]
    assert len(server.requests) == 1
