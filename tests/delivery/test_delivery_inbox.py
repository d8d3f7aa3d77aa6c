"""The inbox: what log calls leave is taken over in bulk, with the same result as one by one, and within the bounds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robotmia_logging.delivery import Delivery, DeliverySettings
from robotmia_logging.messages import TRACK, Refusal
from tests.delivery.fakes import DOWN, FakeTransport, adds_up, alias, event, make, update

MAX_BYTES = 3_000
USERS = st.sampled_from("abc")
ITEMS = st.tuples(USERS, st.sampled_from([0, 0, 0, 700, MAX_BYTES, "update", "refused", "dropped"]))
ALIASES = st.tuples(USERS, st.just("alias"))


def item(number, user, kind):
    if kind == "alias":
        return alias(user, f"{user}{number}")
    if kind == "update":
        return update(user, set={"n": number})
    if kind in ("refused", "dropped"):
        return Refusal(kind, "no", TRACK, dropped=kind == "dropped")
    return event(f"e{number}", user, text="x" * kind)


def leave(delivery, items):
    """Leave them in the inbox, as log calls of a moment do while a sender is busy."""
    delivery._inbox.items.extend(items)


def sweep_all(kinds, *, together, **options):
    """Have log calls' messages taken over, in one sweep or in many; what became of them."""
    transport = FakeTransport()
    delivery, _ = make(transport, max_pending_bytes=MAX_BYTES, **options)
    items = [item(number, user, kind) for number, (user, kind) in enumerate(kinds)]
    for handful in [items] if together else [[one] for one in items]:
        leave(delivery, handful)
        assert delivery.stats().pending <= options["max_pending"]
        assert delivery._backlog.pending_bytes <= MAX_BYTES
        assert adds_up(delivery)
    assert delivery.flush()
    stats = delivery.stats()
    assert stats.accepted == len(items)
    assert adds_up(delivery)
    return transport.delivered, dict(stats.dropped), dict(stats.dead_lettered)


BOUNDS = {"overflow": st.sampled_from(["drop_oldest", "drop_newest"]), "max_pending": st.integers(1, 20)}


@given(st.lists(ITEMS, max_size=60), st.fixed_dictionaries(BOUNDS))
def test_in_bulk_or_one_by_one_is_the_same(kinds, options):
    """What a sweep takes over at once fares as if each message had been taken over by itself."""
    assert sweep_all(kinds, together=True, **options) == sweep_all(kinds, together=False, **options)


@given(st.lists(ITEMS | ALIASES, max_size=60), st.fixed_dictionaries(BOUNDS))
def test_aliases_among_them_are_accounted_for(kinds, options):
    """With aliases, which may have others dropped than one by one, bounds are kept, and the accounts."""
    sweep_all(kinds, together=True, **options)


def test_what_waited_for_a_dropped_alias_is_the_next_oldest():
    """When one sweep drops an alias and more, what waited behind it goes before what was logged later."""
    transport = FakeTransport()
    delivery, _ = make(transport, max_pending=3)
    leave(delivery, [alias("a", "b"), event("waits", "b"), event("later", "c")])
    delivery.stats()
    leave(delivery, [event("d", "d"), event("e", "e")])
    assert delivery.flush()
    assert transport.names == ["later", "d", "e"]


def test_those_who_look_without_the_lock_miss_no_message():
    """A message that is on its way from the inbox to the backlog counts, whenever one looks."""
    delivery, _ = make(FakeTransport())
    seen = []
    add_all = delivery._backlog.add_all

    def look(messages, size):
        seen.append(delivery.pending)
        add_all(messages, size)
        seen.append(delivery.pending)

    delivery._backlog.add_all = look
    leave(delivery, [event(f"e{n}") for n in range(700)])
    assert delivery.stats().pending == 700
    assert min(seen) >= 700


def busy(**options):
    """A delivery whose lead is in the middle of a request that doesn't end, and the sweeps its log calls ask for."""
    delivery = Delivery(DeliverySettings(**options), transport=FakeTransport, start_thread=lambda _thread: None)
    delivery._senders._role.acquire()
    delivery._sending.awake()
    sweeps = []

    def run_soon(work):
        sweeps.append(len(delivery._inbox.items))
        work()

    delivery._guard.run_soon = run_soon
    return delivery, sweeps


def test_far_from_the_bounds_log_calls_seldom_sweep():
    """Beside a busy sender thousands of messages may lie in the inbox."""
    delivery, sweeps = busy()
    for n in range(10_000):
        delivery.put(event(f"e{n}"))
    assert sweeps == [2_000] * 5


@pytest.mark.parametrize("bound", [{"max_pending": 1_000}, {"max_pending_bytes": 200_000}])
def test_with_nobody_to_sweep_the_bounds_are_kept_by_log_calls(bound):
    """During one slow request what waits stays within the bounds, but for a hundredth of them or a few messages."""
    delivery, sweeps = busy(**bound)
    most = most_bytes = 0
    for n in range(5_000):
        delivery.put(event(f"e{n}"))
        items = delivery._inbox.items
        most = max(most, delivery.pending)
        most_bytes = max(most_bytes, delivery._backlog.pending_bytes + sum(len(one.body) for one in items))
    assert most <= bound.get("max_pending", 5_000) * 1.01
    assert most_bytes <= bound.get("max_pending_bytes", 5_000_000) * 1.01
    assert len(sweeps) > 100
    assert adds_up(delivery)


def test_a_lead_at_work_need_not_be_woken():
    """Once the lead has found a full batch, log calls leave their messages without a further look at it."""
    delivery, _ = make(FakeTransport())
    leave(delivery, [event(f"e{n}") for n in range(60)])
    assert delivery._inbox.attention == 1
    assert delivery._sending.take(lead=True)[0] is not None
    assert delivery._inbox.attention == 2_000


def test_a_large_message_is_accounted_for_at_once():
    """The bounds reckon with a size for what lies in the inbox; nothing larger stays there."""
    delivery, sweeps = busy()
    delivery.put(event("small"))
    delivery.put(event("large", text="x" * 20_000))
    assert sweeps == [2]
    assert delivery._backlog.pending == 2


def test_room_that_comes_back_is_used_again():
    """After an outage filled the buffer, and it was delivered, log calls are as free as before."""
    transport = FakeTransport(DOWN)
    delivery, _ = make(transport, max_pending=5_000)
    leave(delivery, [event(f"e{n}") for n in range(6_000)])
    assert delivery.stats().dropped == {"overflow": 1_000}
    assert delivery._inbox.sweep_at == 50
    assert delivery.flush()
    delivery.put(event("after"))
    delivery.stats()
    assert delivery._inbox.sweep_at == 2_000
