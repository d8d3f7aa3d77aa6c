"""The store: what was put in comes out, filtered."""

import re
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from storing import event, keep, refuse, update

from robotmia_logging.sandbox.store.records import Accepted, Arrival, Entry, Filters, Rejected
from robotmia_logging.sandbox.store.store import Store

STRANGE = ["", "\0", "a\0b", "a'b\"c", "100%", "a_b", "é\U0001f600", "x" * 100_000, "../..", "\u202e"]


@pytest.fixture
def store():
    with Store() as store:
        yield store


def test_accepted(store):
    """An accepted message comes out as it went in, with its request."""
    message = {"event": "A", "properties": {"distinct_id": "u", "": [1.5, None, 2**80, "é\U0001f600\0"]}}
    accepted = Accepted(message=message, event="A", user="u", time=3.5, ip="::1", warnings=("one", "two"))
    arrival = Arrival(
        endpoint="import",
        arrived=7.25,
        method="GET",
        target="/import/?ip=1",
        client_ip="127.0.0.1",
        user_agent="curl",
        data="e30=",
        data_size=4,
    )
    store.accept(arrival, [accepted, accepted])
    entry = Entry(
        id=2,
        endpoint="import",
        arrived=7.25,
        time=3.5,
        event="A",
        distinct_id="u",
        ip="::1",
        warnings=("one", "two"),
        error=None,
        body=message,
        position=1,
    )
    assert store.entries(Filters())[1] == entry
    assert store.entry(2) == (entry, arrival, 2)
    assert [store.entry(number) for number in (0, -1, 3, 2**64)] == [None] * 4


def test_refused(store):
    """A refused request comes out with what was wrong and what could be read of it."""
    arrival = Arrival(endpoint="track", arrived=7.0)
    store.refuse(arrival, Rejected(error="bad", what={"messages": [1]}, event="A", user="u"))
    (entry,) = store.entries(Filters())
    assert (entry.error, entry.body, entry.event, entry.distinct_id, entry.time) == (
        "bad",
        {"messages": [1]},
        "A",
        "u",
        7,
    )
    assert store.entry(1) == (entry, arrival, 1)


@pytest.mark.parametrize("text", STRANGE, ids=lambda text: ascii(text[:10]))
def test_strange_texts(store, text):
    """Ids, names and values may hold anything, and are found by it."""
    keep(store, "track", event(text, text, note=text), event("other", "other"))
    keep(store, "engage", update("$set", {text: text}, text))
    (person,) = store.people(Filters(distinct_id=text))
    assert (person, person.properties, person.event_count) == (person, {text: text}, 1)
    shown = store.person(text)
    assert shown is not None
    assert shown.events == [event(text, text, note=text).message]
    assert [entry.id for entry in store.entries(Filters(event=text))] == [1]
    assert {entry.id for entry in store.entries(Filters(search=text.upper()))} >= {1, 3}


def test_counters(store):
    """The newest id is known without asking, and emptying starts it anew, in another epoch."""
    assert (store.last_id, store.gave_way) == (0, 0)
    keep(store, "track", event(), event())
    refuse(store, "bad")
    assert store.last_id == 3
    epoch = store.epoch
    store.clear()
    assert (store.last_id, store.entries(Filters()), store.people(Filters())) == (0, [], [])
    assert store.epoch != epoch
    keep(store, "track", event())
    assert store.last_id == store.entries(Filters())[0].id == 1


def test_nothing_to_keep(store):
    """A request without messages leaves nothing behind."""
    keep(store, "track")
    assert (store.last_id, store.entries(Filters())) == (0, [])


def test_people_in_order(store):
    """The latest active user is last; the limit counts users from there."""
    keep(store, "track", event(user="a"), event(user="b"), event(user="c"))
    keep(store, "engage", update("$set", {}, "a"))
    assert [person.distinct_id for person in store.people(Filters())] == ["b", "c", "a"]
    assert [person.distinct_id for person in store.people(Filters(limit=2))] == ["c", "a"]
    assert [person.distinct_id for person in store.people(Filters(endpoint="track", limit=1))] == ["c"]
    assert store.people(Filters(limit=0)) == []


def test_counts(store):
    """What is counted is what the filters let through, limited to the newest."""
    keep(store, "track", event("A"), event("B"), event("A"))
    refuse(store, "bad")
    assert [store.count(each) for each in (Filters(), Filters(event="A"), Filters(limit=2))] == [4, 2, 2]
    summary = store.summary(Filters(limit=2), now=0.0)
    assert (summary.messages, summary.refusals) == (1, 1)


def test_threads(store):
    """Many threads at once: no message is lost, and the newest id never goes back."""
    seen = []

    def send():
        for _ in range(50):
            keep(store, "engage", update("$add", {"n": 1}), update("$add", {"n": 1}))
            seen.append(store.last_id)
            store.person("u")

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    person = store.person("u")
    assert person is not None
    assert (person.properties, store.last_id, max(seen)) == ({"n": 400}, 400, 400)


names = st.sampled_from(["", "A", "B", "é", "É%", "a_"])
entries = st.tuples(names, names, st.sampled_from(["track", "engage"]), st.integers(0, 5), st.integers(0, 2))
values = {
    "event": names,
    "distinct_id": names,
    "endpoint": st.sampled_from(["track", "engage"]),
    "since": st.integers(0, 6),
    "limit": st.integers(0, 5),
    "refused": st.booleans(),
    "warned": st.booleans(),
    "search": st.sampled_from(["a", "É", "%", "_", "oops", '"event":"a"', "\0"]),
    "after": st.integers(0, 10),
    "before": st.integers(0, 10),
}
# Two at a time: more would let hardly anything through.
filters = st.lists(st.sampled_from(list(values)), max_size=2, unique=True).flatmap(
    lambda chosen: st.builds(Filters, **{name: values[name] for name in chosen})
)


def lets_through(asked, entry):
    """The filters but for the limit, plainly."""
    in_json = re.sub(r"([\"\\])", r"\\\1", entry.event), entry.distinct_id
    texts = [*in_json, entry.error or "", f'{{"event":"{in_json[0]}"']
    return (
        asked.event in (None, entry.event)
        and asked.distinct_id in (None, entry.distinct_id)
        and asked.endpoint in (None, entry.endpoint)
        and (asked.since is None or entry.arrived >= asked.since)
        and (asked.refused is None or asked.refused == (entry.error is not None))
        and (not asked.warned or bool(entry.warnings))
        and (asked.after is None or entry.id > asked.after)
        and (asked.before is None or entry.id < asked.before)
        and any(asked.search.casefold() in text.casefold() for text in texts)
    )


@settings(deadline=None)  # a store of its own each time: on a busy machine that takes a while
@given(st.lists(entries, max_size=10), st.lists(filters, min_size=1, max_size=10))
def test_filters(sent, asked):
    """All filters must let an entry through; the limit leaves the newest, in arrival order."""
    with Store() as store:
        for name, user, endpoint, arrived, kind in sent:
            arrival = Arrival(endpoint=endpoint, arrived=arrived)
            body = {"event": name}
            if kind == 0:
                store.refuse(arrival, Rejected(error="Oops", what=body, event=name, user=user))
            else:
                operation = {"$set": {}} if endpoint == "engage" else {}
                warnings = ("hm",) if kind == 1 else ()
                event = "$set" if endpoint == "engage" else name
                message = {**body, **operation, "event": event}
                accepted = Accepted(message=message, event=event, user=user, time=0.0, warnings=warnings)
                store.accept(arrival, [accepted])
        everything = store.entries(Filters())
        assert [entry.id for entry in everything] == list(range(1, len(sent) + 1))
        for each in asked:
            expected = [entry for entry in everything if lets_through(each, entry)]
            expected = expected[len(expected) - min(len(expected), 99 if each.limit is None else each.limit) :]
            assert store.entries(each) == expected
            assert store.count(each) == len(expected)
