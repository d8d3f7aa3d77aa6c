"""The benchmarks' sink, as a process of its own: what it takes, and how it can be away."""

from __future__ import annotations

import pytest
import requests

from benchmarks.sink_process import sink

BATCH = {"batch": [{"event": "a"}, {"event": "b"}]}


def counts(messages, requests_taken, failed=0, unreadable=0):
    return {"messages": messages, "requests": requests_taken, "failed": failed, "unreadable": unreadable}


def test_sink_counts():
    """It answers what all contestants take for success, and counts messages; what it can't read, apart."""
    with sink() as running, requests.Session() as session:
        for _ in range(2):
            assert session.post(f"{running.url}/batch/", json=BATCH, timeout=10).json()["status"] == 1
        assert session.post(f"{running.url}/track/", data=b"nonsense", timeout=10).ok
        assert running.counts() == counts(4, 3, unreadable=1)


def test_sink_fails_share():
    """It answers 503 to the share that it was asked for, and doesn't count those."""
    with sink(failing=0.25) as running, requests.Session() as session:
        statuses = [session.post(running.url, json=BATCH, timeout=10).status_code for _ in range(8)]
        assert statuses == [200, 200, 200, 503] * 2
        assert running.counts() == counts(12, 6, failed=2)


def test_sink_refuses():
    """Away, it refuses connections and breaks those that are open; back, it takes requests at the same place."""
    with sink() as running, requests.Session() as session:
        assert session.post(running.url, json=BATCH, timeout=10).ok
        running.away("refusing")
        for _ in range(2):
            with pytest.raises(requests.ConnectionError):
                session.post(running.url, json=BATCH, timeout=10)
        running.back()
        assert session.post(running.url, json=BATCH, timeout=10).ok
        assert running.counts() == counts(4, 2)


def test_sink_silent():
    """Silent, it answers nothing until it is back."""
    with sink() as running:
        running.away("silent")
        with pytest.raises(requests.ReadTimeout):
            requests.post(running.url, json=BATCH, timeout=(10, 0.05))
        assert running.counts() == counts(0, 0)
        running.back()
        assert requests.post(running.url, json=BATCH, timeout=10).ok


def test_sink_latency():
    """It waits before each reply."""
    with sink(latency_ms=30) as running:
        assert requests.post(running.url, json=BATCH, timeout=10).elapsed.total_seconds() >= 0.03
