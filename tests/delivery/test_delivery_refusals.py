"""Refusals over real HTTP: a refused batch is halved, and what can't be delivered is a dead letter."""

from __future__ import annotations

import json
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from robotmia_logging.messages import MAX_BATCH
from tests import hostile
from tests.delivery.fakes import event
from tests.delivery.http_delivering import (
    NAMES,
    PAGE,
    bad_and_good,
    delivering,
    is_bad,
    names_of,
    put,
    taken,
)
from tests.hostile import HostileServer, accept, status


def check_halving(bad, path):
    """Deliver a batch with bad messages in these places, and check every promise about it."""
    with HostileServer(hostile.refuse_if(is_bad, "not on a Sunday")) as server:
        with delivering(server, dead_letters=path, capacity=MAX_BATCH) as delivery:
            for message in bad_and_good(bad):
                delivery.put(message)
            assert delivery.flush()
            stats = delivery.stats()
        good = [f"e{i}" for i in range(MAX_BATCH) if i not in bad]
        assert taken(server) == good
        assert stats.dead_lettered == ({"refused": len(bad)} if bad else {})
        assert (stats.delivered, stats.retries) == (len(good), 0)
        # The requests that settled something, one after another, are the batch in order: the left half first.
        settled = [name for r in server.requests if r.taken or len(r.messages) == 1 for name in names_of(r)]
        assert settled == [f"e{i}" for i in range(MAX_BATCH)]
        sizes = [len(request.messages) for request in server.requests]
        assert sizes[0] == MAX_BATCH
        if bad:
            assert names_of(server.requests[1]) == [f"e{i}" for i in range(25)]
            letters = [json.loads(line) for line in path.read_text().splitlines()]
            path.unlink()
            assert [letter["message"]["event"] for letter in letters] == [f"e{i}" for i in sorted(bad)]
            assert {letter["error"] for letter in letters} == {"not on a Sunday"}
            assert {letter["reason"] for letter in letters} == {"refused"}
        assert len(sizes) <= 1 + 2 * 6 * len(bad)


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param(set(), id="none"),
        pytest.param({0}, id="the first"),
        pytest.param({49}, id="the last"),
        pytest.param({24, 25}, id="on both sides of the middle"),
        pytest.param({0, 49}, id="first and last"),
        pytest.param(set(range(0, 50, 2)), id="every other"),
        pytest.param(set(range(25)), id="the left half"),
        pytest.param(set(range(25, 50)), id="the right half"),
        pytest.param(set(range(50)), id="all"),
    ],
)
def test_a_refused_batch_is_halved(bad, tmp_path):
    """Of a refused batch the good messages arrive once and in order, the bad ones are dead letters with the reason."""
    check_halving(bad, tmp_path / "dead.jsonl")


@settings(max_examples=15, deadline=None)
@given(bad=st.sets(st.integers(0, MAX_BATCH - 1), max_size=12))
def test_a_refused_batch_is_halved_wherever_the_culprits_are(bad, tmp_path_factory):
    """The same for any places of the bad messages."""
    check_halving(bad, tmp_path_factory.mktemp("dead") / "dead.jsonl")


def test_halving_goes_on_after_a_failure():
    """A failure in the middle of a halving costs a retry of that part, not a second copy of the others."""
    plan = {2: status(503), 4: hostile.close_silently(), 6: status(429), 9: hostile.reset_before}

    def choose(request):
        behaviour = plan.get(len(server.requests))
        return behaviour or hostile.refuse_if(is_bad)

    with HostileServer(choose) as server, delivering(server) as delivery:
        for message in bad_and_good({3, 30}):
            delivery.put(message)
        assert delivery.flush()
        assert taken(server) == [f"e{i}" for i in range(50) if i not in (3, 30)]
        assert delivery.stats().dead_lettered == {"refused": 2}


def test_what_was_logged_later_waits_for_a_halving():
    """Messages of a user logged during a halving arrive after those before them."""
    with HostileServer(hostile.refuse_if(is_bad)) as server, delivering(server, capacity=10) as delivery:
        for i in range(100):
            delivery.put(event(f"e{i}", "one", **({"bad": 1} if i % 9 == 4 else {})))
        assert delivery.flush()
        assert taken(server) == [f"e{i}" for i in range(100) if i % 9 != 4]


def test_a_plain_zero_is_a_refusal(tmp_path):
    """A body of `0` refuses like status 0: each message ends as a dead letter, tried alone."""
    with HostileServer(hostile.refuse_plain) as server:
        with delivering(server, dead_letters=tmp_path / "dead") as delivery:
            put(delivery, ["a", "b", "c"])
            assert delivery.flush()
            assert delivery.stats().dead_lettered == {"refused": 3}
            assert [len(request.messages) for request in server.requests] == [3, 2, 1, 1, 1]
        letters = [json.loads(line) for line in (tmp_path / "dead").read_text().splitlines()]
        assert [letter["error"] for letter in letters] == ["refused without a reason"] * 3
        assert [letter["attempts"] for letter in letters] == [3, 4, 5]


@pytest.mark.parametrize("page", [b"", PAGE], ids=["empty", "long page"])
def test_413_halves_the_batch(page):
    """A batch that is too large is halved until its parts aren't, and arrives once and in order."""
    too_large = status(413, body=page)
    with (
        HostileServer(lambda request: too_large if len(request.messages) > 4 else accept) as server,
        delivering(server) as delivery,
    ):
        put(delivery)
        assert delivery.flush()
        assert taken(server) == NAMES
        assert delivery.stats().dead_lettered == {}


def test_a_lone_413_is_a_dead_letter(tmp_path):
    """A message that is too large on its own is a dead letter; those beside it arrive."""

    def choose(request):
        return status(413) if "big" in names_of(request) else accept

    with HostileServer(choose) as server, delivering(server, dead_letters=tmp_path / "dead") as delivery:
        put(delivery, ["a", "b", "big", "c"])
        assert delivery.flush()
        assert taken(server) == ["a", "b", "c"]
        assert delivery.stats().dead_lettered == {"too_large": 1}
    [letter] = [json.loads(line) for line in (tmp_path / "dead").read_text().splitlines()]
    assert (letter["message"]["event"], letter["reason"]) == ("big", "too_large")
    assert letter["error"].startswith("HTTP 413")


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (status(401), "HTTP 401 Unauthorized"),
        (status(403), "HTTP 403 Forbidden"),
        (status(403, body=PAGE), "HTTP 403 Forbidden"),
        (status(401, body=b'{"status": 0, "error": "bad api_key"}'), "HTTP 401 Unauthorized: bad api_key"),
        (status(404), "HTTP 404 Not Found"),
        (status(404, body=PAGE), "HTTP 404 Not Found"),
        (status(400), "HTTP 400 Bad Request"),
        (status(405), "HTTP 405 Method Not Allowed"),
    ],
)
def test_other_4xx_are_not_tried_again(reply, words, tmp_path):
    """Whole batches become dead letters at the first such reply, and one clear line says why."""
    lines, said = [], threading.Event()

    def say(line):
        lines.append(line)
        said.set()

    with HostileServer(reply) as server:
        with delivering(server, say=say, dead_letters=tmp_path / "dead") as delivery:
            for _ in range(3):
                put(delivery)
                assert delivery.flush(5)
            stats = delivery.stats()
        assert (stats.dead_lettered, stats.requests, stats.retries) == ({"rejected": 90}, 3, 0)
        assert words in stats.last_error
        assert said.wait(5)
        assert lines == [f"30 messages can't be delivered (rejected): {words}"]
        letters = [json.loads(line) for line in (tmp_path / "dead").read_text().splitlines()]
        assert [letter["message"]["event"] for letter in letters] == NAMES * 3
        assert {letter["error"] for letter in letters} == {words}


def test_a_400_in_robotmias_words_is_a_refusal():
    """A 400 with status 0 is robotmia's own no: the batch is halved and only the culprit is lost."""

    def choose(request):
        bad = any(map(is_bad, request.messages))
        return status(400, body=b'{"status": 0, "error": "bad"}') if bad else accept

    with HostileServer(choose) as server, delivering(server) as delivery:
        for message in bad_and_good({7}):
            delivery.put(message)
        assert delivery.flush()
        assert len(taken(server)) == 49
        assert delivery.stats().dead_lettered == {"refused": 1}
