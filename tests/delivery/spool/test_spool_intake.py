"""What log calls kept is taken over in bulk: as if one by one, in any order they tell of it, whatever it is."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from robotmia_logging.messages import ENGAGE, Refusal
from tests.delivery.fakes import FakeTransport, adds_up, alias, event, update
from tests.delivery.spool.spools import crash, left_on_disk, spooled

KINDS = st.sampled_from(["event", "event", "event", "update", "alias", "refused", "large"])


def an_item(kind, n):
    user = f"user {n % 2}"
    if kind == "update":
        return update(user, set={"n": n})
    if kind == "alias":
        return alias(user, f"other {n}")
    if kind == "refused":
        return Refusal("bad_value", "no", ENGAGE, {"$add": {"n": "x"}}, user=user, time=5)
    return event(f"e{n}", user, pad="x" * (3000 if kind == "large" else 0))


def keep_and_tell(delivery, items, order):
    """Keep items in their order, and tell of them in another, as threads do."""
    for item in items:
        assert delivery._keeper.keep(item)
    delivery._inbox.items.extend(items[n] for n in order)


def told(parcel_message):
    """Which message it is, and whose."""
    properties = parcel_message.get("properties", {})
    return (
        properties.get("distinct_id") or parcel_message["$distinct_id"],
        parcel_message.get("event"),
        properties.get("alias") or str(parcel_message.get("$set")),
    )


@settings(max_examples=60)
@given(st.data(), st.lists(KINDS, min_size=1, max_size=40), st.integers(2, 60))
def test_all_that_is_kept_is_delivered_once_and_in_order(tmp_path_factory, data, kinds, max_pending):
    """Whatever the order in which it is told of, and however little memory there is: each once, users in order."""
    transport = FakeTransport()
    folder = tmp_path_factory.mktemp("spool")
    delivery, _ = spooled(transport, folder, max_pending=max_pending, max_pending_bytes=20_000)
    items = [an_item(kind, n) for n, kind in enumerate(kinds)]
    keep_and_tell(delivery, items, data.draw(st.permutations(range(len(items)))))
    assert delivery.stats().accepted == len(items)
    assert delivery.flush()
    expected = {(item.user, item.body) for item in items if not isinstance(item, Refusal)}
    stats = delivery.stats()
    assert (stats.accepted, stats.delivered, stats.dropped) == (len(items), len(expected), {})
    assert stats.dead_lettered == Counter(kind for kind in map({"refused": "bad_value"}.get, kinds) if kind)
    events = [int(message["event"][1:]) for _, message in transport.delivered if message.get("event", "$")[0] == "e"]
    for user in (0, 1):
        of_user = [n for n in events if n % 2 == user]
        assert of_user == sorted(of_user)
    assert len({told(message) for _, message in transport.delivered}) == len(expected)
    assert left_on_disk(folder) == []


def test_rendered_values_are_counted(tmp_path):
    """Values that had no JSON form count the same as without a spool."""
    delivery, _ = spooled(FakeTransport(), tmp_path)
    for _ in range(3):
        delivery.put(event("e", value=object()))
    assert delivery.stats().rendered == 3


def test_a_crash_amid_a_batch_leaves_what_has_no_outcome(tmp_path):
    """Lines of a batch are taken out when it has its outcome, and only they: the rest is found by the next."""

    def crash_at_the_second(_parcel):
        raise KeyboardInterrupt

    transport = FakeTransport(lambda _: transport.otherwise, crash_at_the_second)
    delivery, _ = spooled(transport, tmp_path)
    for n in range(120):
        delivery.put(event(f"e{n}"))
    with pytest.raises(KeyboardInterrupt):
        delivery.flush()
    assert left_on_disk(tmp_path) == [f"e{n}" for n in range(50, 120)]
    crash(delivery)


def test_the_next_segment_is_made_before_it_is_needed(tmp_path):
    """Senders make it while log calls come fast, not only when they look after the files."""
    delivery, _ = spooled(FakeTransport(), tmp_path)
    delivery.put(event("first"))
    delivery.tidy()
    writer = delivery._keeper._spool.writer
    assert not writer._spares
    first = writer.last
    while 2 * first.used_bytes <= first.size:
        delivery.put(event("more", pad="x" * 1000))
    delivery.tidy()
    [spare] = writer._spares
    while writer.last is first:
        delivery.put(event("more", pad="x" * 1000))
    assert writer.last is spare
    assert adds_up(delivery)
