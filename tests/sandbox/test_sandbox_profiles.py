import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robotmia_logging.sandbox.profiles import Update, fold


def folded(*operations, **attributes):
    """The properties after these (operation, value) pairs, in this order, without Last Seen."""
    attributes = {f"${name}": value for name, value in ({"ignore_time": True} | attributes).items()}
    updates = [
        Update(
            message={"$token": "t", "$distinct_id": "u", **attributes, name: value},
            arrived=1e9,
            number=number,
        )
        for number, (name, value) in enumerate(operations)
    ]
    profile = fold(updates)
    return None if profile is None else profile.properties


@pytest.mark.parametrize(
    ("operations", "properties"),
    [
        ([("$set", {"a": 1, "b": 1}), ("$set", {"a": 2})], {"a": 2, "b": 1}),
        ([("$set_once", {"a": 1}), ("$set_once", {"a": 2, "b": 2})], {"a": 1, "b": 2}),
        ([("$add", {"a": 12}), ("$add", {"a": -2.5})], {"a": 9.5}),
        ([("$set", {"a": "text", "b": True}), ("$add", {"a": 1, "b": 1})], {"a": "text", "b": True}),
        ([("$append", {"a": 1}), ("$append", {"a": 1, "b": [2]})], {"a": [1, 1], "b": [[2]]}),
        ([("$set", {"a": "text"}), ("$append", {"a": 1})], {"a": "text"}),
        ([("$union", {"a": [1, 1, 2]}), ("$union", {"a": [2, 3]})], {"a": [1, 2, 3]}),
        ([("$union", {"a": [1, True, 1.0, "1", [1], [True]]})], {"a": [1, True, "1", [1], [True]]}),
        ([("$union", {"a": [{"x": 1, "y": 2}, {"y": 2, "x": 1}]})], {"a": [{"x": 1, "y": 2}]}),
        ([("$set", {"a": "text"}), ("$union", {"a": [1]})], {"a": "text"}),
        ([("$set", {"a": [1, 2, 1, True]}), ("$remove", {"a": 1, "b": 1})], {"a": [2, True]}),
        ([("$set", {"a": "text"}), ("$remove", {"a": "text"})], {"a": "text"}),
        ([("$set", {"a": 1, "b": 1}), ("$unset", ["a", "c"])], {"b": 1}),
        ([("$set", {"a": 1}), ("$delete", "")], None),
        ([("$set", {"a": 1}), ("$delete", ""), ("$set", {"b": 1})], {"b": 1}),
        ([("$unset", ["a"])], None),
        ([("$remove", {"a": 1})], None),
        ([], None),
    ],
)
def test_operations(operations, properties):
    """Each operation does to a profile what the document says."""
    result = folded(*operations)
    assert json.dumps(result) == json.dumps(properties)  # as JSON: to Python, True equals 1


@pytest.mark.parametrize(
    ("operation", "value", "is_seen"),
    [
        ("$set", {}, True),
        ("$append", {}, True),
        ("$add", {}, True),
        ("$set_once", {}, False),
        ("$union", {}, False),
    ],
)
def test_last_seen(operation, value, is_seen):
    """$set, $append and $add note the time of arrival as Last Seen, unless $ignore_time is true."""
    seen = {"Last Seen": "2001-09-09T01:46:40"} if is_seen else {}
    assert folded((operation, value), ignore_time=False) == seen
    assert folded((operation, value), ignore_time=True) == {}


def test_last_seen_never_goes_back():
    """An update that arrived earlier but counts later, by its $time, leaves Last Seen as it is."""
    early = Update(message={"$set": {}, "$time": 2_000_000_000}, arrived=1e9, number=1)
    late = Update(message={"$set": {}, "$time": 1}, arrived=1e9 + 60, number=2)
    profile = fold([early, late])
    assert profile is not None
    assert (profile.last_seen, profile.properties) == (1e9 + 60, {"Last Seen": "2001-09-09T01:47:40"})


def test_messages_stay_as_sent():
    """Folding changes no value of a message."""
    tags = ["a"]
    assert folded(("$set", {"tags": tags}), ("$append", {"tags": "b"}), ("$remove", {"tags": "a"})) == {"tags": ["b"]}
    assert tags == ["a"]


operations = st.one_of(
    st.tuples(st.just("$set"), st.dictionaries(st.sampled_from("ab"), st.integers(0, 3), max_size=2)),
    st.tuples(st.just("$set_once"), st.dictionaries(st.sampled_from("ab"), st.integers(0, 3), max_size=2)),
    st.tuples(st.just("$add"), st.dictionaries(st.sampled_from("ab"), st.integers(-3, 3), max_size=2)),
    st.tuples(st.just("$append"), st.dictionaries(st.sampled_from("cd"), st.integers(0, 3), max_size=2)),
    st.tuples(st.just("$remove"), st.dictionaries(st.sampled_from("cd"), st.integers(0, 3), max_size=2)),
    st.tuples(st.just("$unset"), st.lists(st.sampled_from("abcd"), max_size=2)),
    st.tuples(st.just("$delete"), st.just("")),
)


def reference(timed):
    """The document's semantics for these properties, one operation after another, plainly."""
    state = None
    for _, (name, value) in timed:
        if name == "$delete" or (state is None and name in ("$remove", "$unset")):
            state = None
            continue
        state = {} if state is None else state
        for key in value:
            if name == "$set" or (name == "$set_once" and key not in state):
                state[key] = value[key]
            elif name == "$add":
                state[key] = state.get(key, 0) + value[key]
            elif name == "$append":
                state[key] = [*state.get(key, []), value[key]]
            elif name == "$remove" and key in state:
                state[key] = [item for item in state[key] if item != value[key]]
            elif name == "$unset":
                state.pop(key, None)
    return state


@given(
    timed=st.lists(st.tuples(st.integers(0, 5) | st.none(), operations), max_size=12),
    data=st.data(),
)
def test_time_order(timed, data):
    """In whatever order updates are handed over, they are applied by $time, else arrival; ties by arrival."""
    updates, in_order = [], []
    for number, (time, (name, value)) in enumerate(timed):
        arrived = number / 2  # so that arrival times fall among the $times
        message = {name: value, "$ignore_time": True} | ({} if time is None else {"$time": time})
        updates.append(Update(message=message, arrived=arrived, number=number))
        in_order.append((arrived if time is None else time, (name, value)))
    in_order.sort(key=lambda entry: entry[0])  # stable: ties stay in arrival order
    profile = fold(data.draw(st.permutations(updates)))
    assert (None if profile is None else profile.properties) == reference(in_order)
