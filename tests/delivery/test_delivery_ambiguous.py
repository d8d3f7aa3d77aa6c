"""A lost reply: what counts must not be counted twice if so told."""

from __future__ import annotations

from collections import Counter

import pytest

from tests import hostile
from tests.delivery.fakes import update
from tests.delivery.http_delivering import (
    HALF_A_CHUNK,
    HUGE,
    PAGE,
    delivering,
    put_updates,
)
from tests.hostile import HostileServer, accept, status

AMBIGUOUS = [
    pytest.param(hostile.reset_after, id="reset"),
    pytest.param(hostile.close_silently(taken=True), id="closed"),
    pytest.param(hostile.hang(taken=True), id="hang"),
    pytest.param(hostile.html, id="page"),
    pytest.param(hostile.truncated, id="half a reply"),
    pytest.param(HALF_A_CHUNK, id="half a chunk"),
    pytest.param(HUGE, id="huge"),
    pytest.param(status(502, taken=True), id="502"),
    pytest.param(status(504, taken=True, body=PAGE), id="504 with a long page"),
]
CLEAR = [
    pytest.param(status(503), id="503"),
    pytest.param(status(503, body=PAGE), id="503 with a long page"),
    pytest.param(status(429), id="429"),
    pytest.param(status(408), id="408"),
    pytest.param(hostile.redirect("http://127.0.0.1:1/"), id="redirect"),
]


def operations(server):
    return Counter(
        key for _, message in server.taken for key in message if key not in ("$token", "$distinct_id", "$time")
    )


@pytest.mark.parametrize("trouble", AMBIGUOUS)
def test_what_counts_is_not_sent_twice_if_told_so(trouble):
    """Told so, a lost reply makes `$add` and `$append` dead letters; the rest is sent again."""
    with (
        HostileServer([trouble, accept]) as server,
        delivering(server, timeout=(2.0, 0.2), on_ambiguous="dead_letter") as delivery,
    ):
        put_updates(delivery)
        assert delivery.flush()
        assert operations(server) == {"$add": 2, "$append": 2, "$set": 2, "$set_once": 2, "$union": 2, "$unset": 2}
        stats = delivery.stats()
        assert (stats.dead_lettered, stats.delivered) == ({"ambiguous": 4}, 4)


@pytest.mark.parametrize("trouble", AMBIGUOUS)
def test_what_counts_is_sent_again_by_default(trouble):
    """By default everything is sent again after a lost reply."""
    with HostileServer([trouble, accept]) as server, delivering(server, timeout=(2.0, 0.2)) as delivery:
        put_updates(delivery)
        assert delivery.flush()
        assert set(operations(server).values()) == {4, 2}
        stats = delivery.stats()
        assert (stats.dead_lettered, stats.delivered) == ({}, 8)


@pytest.mark.parametrize("trouble", CLEAR)
def test_a_clear_failure_is_not_ambiguous(trouble):
    """Where the server said that it didn't take them, `$add` and `$append` are sent again and arrive once."""
    with HostileServer([trouble, accept]) as server, delivering(server, on_ambiguous="dead_letter") as delivery:
        put_updates(delivery)
        assert delivery.flush()
        assert operations(server) == {"$add": 2, "$append": 2, "$set": 1, "$set_once": 1, "$union": 1, "$unset": 1}
        assert delivery.stats().dead_lettered == {}


def test_a_refused_connection_is_not_ambiguous():
    """What could not even be sent waits, `$add` and `$append` too."""
    with HostileServer() as server, delivering(server, random=lambda: 0.1, on_ambiguous="dead_letter") as delivery:
        server.refuse_connections()
        put_updates(delivery)
        assert delivery.flush(0.1) is False
        assert delivery.stats().pending == 8
        assert delivery.stats().bytes_sent == 0
        server.accept_connections()
        assert delivery.flush()
        assert delivery.stats().dead_lettered == {}


def test_only_what_counts_being_left_is_an_end():
    """A batch of nothing but `$add`, its reply lost, is settled at once and doesn't hold up what follows."""
    with (
        HostileServer([hostile.reset_after, accept]) as server,
        delivering(server, on_ambiguous="dead_letter") as delivery,
    ):
        delivery.put(update("u", add={"n": 1}))
        assert delivery.flush()
        delivery.put(update("u", add={"n": 2}))
        assert delivery.flush()
        assert [message["$add"] for _, message in server.taken] == [{"n": 1}, {"n": 2}]
        assert delivery.stats().dead_lettered == {"ambiguous": 1}
