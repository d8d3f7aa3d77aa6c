"""Aliases: resolved when a message is stored."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from storing import alias, event, keep, properties, refuse, update

from robotmia_logging.sandbox.store.records import Filters
from robotmia_logging.sandbox.store.store import Store


@pytest.fixture
def store():
    with Store() as store:
        yield store


def users(store):
    return [entry.distinct_id for entry in store.entries(Filters())]


def warnings(store):
    """Of the newest entry."""
    return store.entries(Filters(limit=1))[0].warnings


def test_new_messages_are_mapped(store):
    """Messages to an alias land on the original from then on; those before stay where they are."""
    keep(store, "engage", update("$set", {"before": 1}, "new"))
    keep(store, "track", alias("new", "old"))
    keep(store, "engage", update("$set", {"after": 1}, "new"))
    refuse(store, "bad", user="new")
    assert users(store) == ["new", "old", "old", "old"]
    assert properties(store, "new") == properties(store, "old") == {"after": 1}
    assert [person.distinct_id for person in store.people(Filters())] == ["old"]


def test_within_a_batch(store):
    """Messages see the aliases that were made before them in the same batch."""
    keep(store, "track", event(user="new"), event(user="newer"), alias("new", "old"), event(user="new"))
    keep(store, "track", alias("newer", "new"), event(user="newer"))
    assert users(store) == ["new", "newer", "old", "old", "old", "old"]


def test_filters_resolve(store):
    """To look for an alias is to look for its original."""
    keep(store, "track", alias("new", "old"), event(user="old"), event(user="other"))
    asked = Filters(distinct_id="new")
    assert [entry.id for entry in store.entries(asked)] == [1, 2]
    assert [person.distinct_id for person in store.people(asked)] == ["old"]


def test_alias_of_an_alias(store):
    """An alias of an alias resolves on, whichever came first."""
    keep(store, "track", alias("c", "b"), alias("b", "a"), alias("d", "c"))
    person = store.person("d")
    assert person is not None
    assert (person.distinct_id, person.aliases) == ("a", ["c", "b", "d"])


@pytest.mark.parametrize(
    ("before", "last", "words"),
    [
        ([event(user="new")], alias("new", "old"), "already has messages: they stay where they are"),
        ([update("$set", {}, "new")], alias("new", "old"), "already has messages"),
        ([alias("new", "old")], alias("new", "other"), "already stands for 'old', and the first original stands"),
        ([], alias("a", "a"), "no effect"),
        ([alias("b", "a")], alias("a", "b"), "no effect"),
        ([alias("b", "a"), alias("c", "b")], alias("a", "c"), "no effect"),
    ],
)
def test_warnings(store, before, last, words):
    """What is doubtful in a new alias is a warning of its message."""
    for message in before:
        keep(store, "engage" if message.event == "$set" else "track", message)
    keep(store, "track", last)
    (warning,) = warnings(store)
    assert words in warning


def test_warning_within_a_batch(store):
    """Messages of the same batch count, too."""
    keep(store, "track", event(user="new"), alias("new", "old"))
    assert "already has messages" in warnings(store)[0]


def test_no_warning(store):
    """A new alias, and the same once more, are nothing to warn of; what the message brought is kept."""
    keep(store, "track", alias("new", "old"))
    assert warnings(store) == ()
    keep(store, "track", event(user="new"))
    keep(store, "track", alias("new", "old"))
    assert warnings(store) == ()


ids = st.sampled_from("abcdefgh")


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(ids, ids), max_size=30))
def test_each_id_has_one_original(pairs):
    """Chains and circles end: an id has one original, which is its own; the first that an alias is given stands."""
    originals = {}

    def resolve(user):
        while user in originals:
            user = originals[user]
        return user

    with Store() as store:
        for new, user in pairs:
            keep(store, "track", alias(new, user))
            if new not in originals and resolve(user) != new:
                originals[new] = user
            keep(store, "track", *(event(user=each) for each in "abcdefgh"))
            assert users(store)[-8:] == [resolve(each) for each in "abcdefgh"]
        for person in store.people(Filters()):
            assert {resolve(each) for each in person.aliases} <= {person.distinct_id}


def test_aliases_are_bounded():
    """The oldest aliases are forgotten when there are too many."""
    with Store(max_messages=3) as store:
        keep(store, "track", *(alias(f"new{n}", "u") for n in range(5)))
        person = store.person("u")
        assert person is not None
        assert person.aliases == ["new2", "new3", "new4"]
