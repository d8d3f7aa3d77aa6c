"""Order: one user, one lane; an alias holds up its two ids and nobody else."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from robotmia_logging.delivery import Verdict
from robotmia_logging.delivery.lanes import Lanes
from tests.delivery.fakes import DOWN, OK, REFUSED, FakeTransport, adds_up, alias, event, make, update


def names(batch):
    return [json.loads(m.body)["event"] for part in batch.parts for m in part]


def finish(delivery, batch, transport):
    delivery._sending.deliver(batch, transport)


def take(delivery):
    return delivery._sending.take(lead=False)[0]


def test_global_order_with_one_sender():
    """With one sender messages leave in the order in which they were logged, whoever's they are."""
    transport = FakeTransport()
    delivery, _ = make(transport)
    for i in range(300):
        delivery.put(event(f"e{i}", f"u{i % 40}"))
    delivery.flush()
    assert transport.names == [f"e{i}" for i in range(300)]


def test_old_events_among_young_ones_leave_in_order():
    """A batch is sent in parts where the age of its events asks for another endpoint."""
    transport = FakeTransport()
    delivery, _ = make(transport)
    week = 7 * 24 * 3600.0
    for name, age in [("a", 0), ("b", 0), ("c", week), ("d", week), ("e", 0)]:
        delivery.put(event(name, age=age))
    assert delivery.flush()
    assert [(path, message["event"]) for path, message in transport.delivered] == [
        ("track", "a"),
        ("track", "b"),
        ("import", "c"),
        ("import", "d"),
        ("track", "e"),
    ]


def test_a_user_is_never_in_two_batches():
    """While a user's messages are under way, no other sender gets more of them."""
    transport = FakeTransport()
    delivery, _ = make(transport, capacity=2)
    for i in range(6):
        delivery.put(event(f"e{i}", "one"))
    delivery.hurry()
    first = take(delivery)
    assert names(first) == ["e0", "e1"]
    assert take(delivery) is None
    finish(delivery, first, transport)
    assert names(take(delivery)) == ["e2", "e3"]


def test_those_without_a_user_share_a_lane():
    """Events without a distinct id keep their order among themselves."""
    delivery, _ = make(FakeTransport(), capacity=1)
    delivery.put(event("a", None))
    delivery.put(event("b", None))
    delivery.hurry()
    assert names(take(delivery)) == ["a"]
    assert take(delivery) is None


def test_endpoints_do_not_wait_for_each_other():
    """A user's update may leave while the user's event is under way."""
    delivery, _ = make(FakeTransport())
    delivery.put(event("a"))
    delivery.put(update("u", set={"x": 1}))
    delivery.hurry()
    assert {take(delivery).endpoint, take(delivery).endpoint} == {"track", "engage"}


def test_an_alias_holds_up_both_ids_at_every_endpoint():
    """Nothing logged after an alias for either id leaves before its outcome; others do."""
    transport = FakeTransport()
    delivery, _ = make(transport)
    delivery.put(event("before", "old"))
    delivery.put(alias("old", "new"))
    delivery.put(event("after old", "old"))
    delivery.put(event("after new", "new"))
    delivery.put(update("new", set={"x": 1}))
    delivery.put(event("other", "other"))
    delivery.put(update("other", set={"x": 2}))
    delivery.hurry()
    first = take(delivery)
    assert names(first) == ["before", "$create_alias", "other"]
    second = take(delivery)
    assert [json.loads(m.body)["$distinct_id"] for m in second.parts[0]] == ["other"]
    assert take(delivery) is None
    finish(delivery, first, transport)
    assert names(take(delivery)) == ["after old", "after new"]
    finish(delivery, second, transport)
    assert delivery.flush(0) is False


def test_an_alias_that_is_refused_lets_the_others_go():
    """Also a dead letter is an outcome."""
    transport = FakeTransport(REFUSED)
    delivery, _ = make(transport)
    delivery.put(alias("old", "new"))
    delivery.put(event("after", "new"))
    assert delivery.flush()
    assert transport.names == ["after"]
    assert delivery.stats().dead_lettered == {"refused": 1}


def test_chained_aliases_go_one_after_another():
    """An alias of an alias waits for the first, and what follows for both."""
    transport = FakeTransport()
    delivery, _ = make(transport)
    delivery.put(alias("a", "b"))
    delivery.put(alias("b", "c"))
    delivery.put(event("last", "c"))
    delivery.put(alias("x", "y"))
    delivery.put(alias("y", "a"))
    delivery.put(event("very last", "x"))
    assert delivery.flush()
    sent = [[json.loads(body)["properties"].get("alias", "event") for body in p.bodies] for p in transport.parcels]
    assert sent == [["b", "y"], ["c", "a", "event"], ["event"]]
    assert transport.names[-1] == "last"
    assert adds_up(delivery)


def test_a_dropped_alias_is_an_outcome():
    """When the bound drops an alias, what waited for it can leave."""
    transport = FakeTransport()
    delivery, _ = make(transport, max_pending=3)
    delivery.put(alias("old", "new"))
    for i in range(3):
        delivery.put(event(f"e{i}", "new"))
    assert delivery.flush()
    assert transport.names == ["e0", "e1", "e2"]
    assert delivery.stats().dropped == {"overflow": 1}


def test_messages_behind_an_alias_can_be_dropped():
    """Bounds hold while an alias is under way, and what waits behind it is what gives way."""
    transport = FakeTransport()
    delivery, _ = make(transport, max_pending=3)
    delivery.put(alias("old", "new"))

    def log_more(_parcel):
        for i in range(5):
            delivery.put(event(f"e{i}", "new"))
        return OK

    transport.script = [log_more]
    delivery.flush()
    delivery.flush()
    assert transport.names == ["$create_alias", "e3", "e4"]
    assert adds_up(delivery)


def test_a_retried_batch_keeps_its_lanes_closed():
    """While a batch waits for a retry, nothing of its users leaves before it."""
    transport = FakeTransport(DOWN)
    delivery, time = make(transport, capacity=2)
    for i in range(4):
        delivery.put(event(f"e{i}", "one"))
    delivery.hurry()
    finish(delivery, take(delivery), transport)
    time.sleep(60)
    batch = take(delivery)
    assert names(batch) == ["e0", "e1"]
    assert take(delivery) is None


@given(
    st.lists(st.tuples(st.sampled_from("abcdefgh"), st.sampled_from(["event", "update", "alias"])), max_size=60),
    st.lists(st.sampled_from([OK, DOWN, REFUSED]), max_size=40),
    st.integers(1, 8),
)
def test_order_holds_whatever_happens(logged, outcomes, capacity):
    """For any mix of messages and outcomes, each user's messages arrive in order, aliases before what follows them."""
    transport = FakeTransport(*outcomes)
    delivery, _ = make(transport, capacity=capacity)
    sent = []
    for i, (user, kind) in enumerate(logged):
        if kind == "event":
            sent.append((event(f"e{i}", user), {user}))
        elif kind == "update":
            sent.append((update(user, set={"i": i}), {user}))
        else:
            other = chr(ord("a") + (ord(user) - ord("a") + 3) % 8)
            sent.append((event("$create_alias", user, alias=other, i=i), {user, other}))
        delivery.put(sent[-1][0])
    assert delivery.flush(100_000)
    assert adds_up(delivery)
    tries = [(request, body) for request, parcel in enumerate(transport.parcels) for body in parcel.bodies]
    place = {body: index for index, (_, body) in enumerate(tries)}
    last = {body: request for request, body in tries}
    first = {body: request for request, body in reversed(tries)}
    for later, (message, ids) in enumerate(sent):
        for earlier, earlier_ids in sent[:later]:
            if earlier.endpoint == message.endpoint and earlier.user == message.user:
                assert place[earlier.body] < place[message.body]
            if earlier.alias is not None and earlier_ids & ids:
                assert last[earlier.body] < first[message.body]


def test_deep_takes_leave_lanes_to_others():
    """With a backlog a sender empties one lane and leaves the rest to other senders."""
    lanes = Lanes(16)
    for i in range(400):
        message = event(f"e{i}", f"u{i % 50}")
        message.seq = i
        lanes.add(message)
    taken, used = lanes.take(20, deep=True)
    assert len(taken) == 20
    assert len(used) < 8
    more, others = lanes.take(20, deep=True)
    assert len(more) == 20
    assert not used & others


def test_verdicts_have_names_to_count_by():
    """The reasons of dead letters are the verdicts' values."""
    assert [v.value for v in Verdict] == ["delivered", "refused", "too_large", "rejected", "failed"]
