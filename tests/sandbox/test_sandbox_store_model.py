"""Profiles by the store, against the document's semantics written down plainly."""

from hypothesis import given, settings
from hypothesis import strategies as st
from storing import keep, properties, update

from robotmia_logging.sandbox.store.store import Store

names = st.sampled_from(["a", "b", "$name", ""])
numbers = st.integers(-3, 3)
lists = st.sampled_from(["c", "d"])
operations = st.one_of(
    st.tuples(st.just("$set"), st.dictionaries(names, numbers, max_size=2)),
    st.tuples(st.just("$set"), st.dictionaries(lists, st.lists(numbers, max_size=3), max_size=1)),
    st.tuples(st.just("$set_once"), st.dictionaries(names, numbers, max_size=2)),
    st.tuples(st.just("$add"), st.dictionaries(names, numbers, max_size=2)),
    st.tuples(st.just("$append"), st.dictionaries(lists, numbers, max_size=2)),
    st.tuples(st.just("$union"), st.dictionaries(lists, st.lists(numbers, max_size=3), max_size=2)),
    st.tuples(st.just("$remove"), st.dictionaries(lists, numbers, max_size=2)),
    st.tuples(st.just("$unset"), st.lists(names | lists, max_size=2)),
    st.tuples(st.just("$delete"), st.just("")),
)


def after(state, operation, value):
    """The properties after an operation, None for no profile."""
    if operation == "$delete":
        return None
    if state is None and operation in ("$remove", "$unset"):
        return None
    new = dict(state or {})
    for name in value:
        if operation == "$set" or (operation == "$set_once" and name not in new):
            new[name] = value[name]
        elif operation == "$add":
            new[name] = new.get(name, 0) + value[name]
        elif operation == "$append":
            new[name] = [*new.get(name, []), value[name]]
        elif operation == "$union":
            merged = []
            for item in new.get(name, []) + value[name]:
                if item not in merged:
                    merged.append(item)
            new[name] = merged
        elif operation == "$remove" and name in new:
            new[name] = [item for item in new[name] if item != value[name]]
        elif operation == "$unset":
            new.pop(name, None)
    return new


def state_of(updates):
    """The properties after (time, user, operation) in time order; the order given breaks ties."""
    states = {"u": None, "v": None}
    for _, user, (operation, value) in sorted(updates, key=lambda each: each[0]):
        states[user] = after(states[user], operation, value)
    return states


def send(store, updates):
    for time, user, (operation, value) in updates:
        keep(store, "engage", update(operation, value, user, time=time))


patient = settings(deadline=None)  # a store of its own each time: on a busy machine that takes a while
users = st.sampled_from("uv")
times = st.integers(0, 5) | st.floats(0, 5)  # milliseconds leave fractions
timed = st.lists(st.tuples(times, users, operations), max_size=15)


@patient
@given(timed)
def test_time_order(updates):
    """Updates that arrive in any order give the profile that their time order gives; ties in arrival order."""
    with Store() as store:
        send(store, updates)
        assert {user: properties(store, user) for user in "uv"} == state_of(updates)


@patient
@given(timed, st.lists(st.integers(1, 5), min_size=15, max_size=15))
def test_batches(updates, sizes):
    """How updates are cut into batches makes no difference, and no reading in between."""
    with Store() as store:
        left = [update(operation, value, user, time=time) for time, user, (operation, value) in updates]
        for size in sizes:
            batch, left = left[:size], left[size:]
            keep(store, "engage", *batch)
            store.person("u")
        assert {user: properties(store, user) for user in "uv"} == state_of(updates)


@patient
@given(timed, st.integers(2, 6))
def test_folded(updates, max_messages):
    """When old updates are folded, those that arrive in time order still give the same."""
    in_order = sorted(updates, key=lambda each: each[0])
    with Store(max_messages=max_messages) as store:
        send(store, in_order)
        assert {user: properties(store, user) for user in "uv"} == state_of(in_order)


@patient
@given(timed, st.integers(2, 6))
def test_folded_late(updates, max_messages):
    """An update later than what is folded goes on top of it, before the rest: the fold is only ever of the oldest."""
    base = {"u": None, "v": None}
    waiting = []  # in arrival order
    with Store(max_messages=max_messages) as store:
        for each in updates:
            send(store, [each])
            waiting.append(each)
            if len(waiting) > max_messages:
                _, user, _ = waiting[0]
                oldest = min((other for other in waiting if other[1] == user), key=lambda other: other[0])
                waiting.remove(oldest)
                base[user] = after(base[user], *oldest[2])
            for user in "uv":
                state = base[user]
                for _, _, operation in sorted((w for w in waiting if w[1] == user), key=lambda other: other[0]):
                    state = after(state, *operation)
                assert properties(store, user) == state


@patient
@given(st.lists(st.tuples(times, users, numbers), max_size=40), st.integers(2, 6))
def test_sums_are_conserved(amounts, max_messages):
    """Whatever is folded, and however late: what was added is there."""
    with Store(max_messages=max_messages) as store:
        send(store, [(time, user, ("$add", {"n": amount})) for time, user, amount in amounts])
        for user in "uv":
            added = [amount for _, of, amount in amounts if of == user]
            assert properties(store, user) == ({"n": sum(added)} if added else None)
