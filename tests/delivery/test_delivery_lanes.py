"""Lanes: a user's messages leave in order and from one sender at a time, whether they stand in line or in lanes."""

from __future__ import annotations

from collections import defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robotmia_logging.delivery.lanes import Lanes
from robotmia_logging.messages import Message


def message(seq, user, size=10):
    made = Message("track", user, 0, b"x" * size)
    made.seq = seq
    return made


def filled(count, users, lanes=64):
    made = Lanes(lanes)
    for seq in range(count):
        made.add(message(seq, f"u{seq % users}"))
    return made


def seqs(messages):
    return [one.seq for one in messages]


class Model:
    """What waits, by user, and which batches are out: what lanes are held against."""

    def __init__(self):
        self.lanes = Lanes(4)
        self.waiting = defaultdict(list)
        self.held = {}
        self.out = []
        self.count = 0

    def add(self, users):
        added = [message(self.count + i, user) for i, user in enumerate(users)]
        self.count += len(added)
        for one in added:
            if one.user in self.held:
                self.held[one.user].append(one)
            else:
                self.waiting[one.user].append(one.seq)
        self.lanes.add_all(one for one in added if one.user not in self.held)

    def hold(self, user):
        self.held.setdefault(user, [])

    def let_go(self, user):
        for one in self.held.pop(user, []):
            self.waiting[user].append(one.seq)
            self.lanes.add_late(one)

    def take(self, limit, deep):
        head = self.lanes.oldest()
        batch, lanes = self.lanes.take(limit, deep=deep)
        assert bool(batch) == (head is not None)
        assert len(batch) <= limit
        users = {one.user for one in batch}
        for other, _ in self.out:
            assert not users & {one.user for one in other}
        if batch:
            self.gone(batch)
            self.out.append((batch, lanes))
            assert batch[0] is head

    def release(self, index):
        if self.out:
            self.lanes.release(self.out.pop(index % len(self.out))[1])

    def drop(self):
        oldest = self.lanes.oldest(open_only=False)
        if oldest is not None:
            assert oldest.seq == min(seq for waiting in self.waiting.values() for seq in waiting)
            self.lanes.drop(oldest)
            self.gone([oldest])

    def remove(self, user):
        removed = self.lanes.remove_where(lambda one: one.user == user)
        assert seqs(removed) == self.waiting.pop(user, [])

    def gone(self, messages):
        for one in messages:
            assert self.waiting[one.user].pop(0) == one.seq


USERS = st.sampled_from(["a", "b", "c", "d", "e", "f", None])
STEPS = st.one_of(
    st.tuples(st.just(Model.add), st.lists(USERS, max_size=30)),
    st.tuples(st.just(Model.take), st.integers(1, 8), st.booleans()),
    st.tuples(st.just(Model.release), st.integers(0, 7)),
    st.tuples(st.just(Model.drop)),
    st.tuples(st.sampled_from([Model.hold, Model.let_go]), USERS),
    st.tuples(st.just(Model.remove), USERS),
)


@given(st.lists(STEPS, max_size=60))
def test_order_holds_in_all_transitions(steps):
    """Whatever senders do meanwhile, a user's messages leave in order, none is lost, and none overtakes a batch."""
    model = Model()
    for step, *given_ in steps:
        step(model, *given_)
        assert model.lanes.waiting == sum(map(len, model.waiting.values()))
        assert sorted(seqs(model.lanes)) == sorted(seq for waiting in model.waiting.values() for seq in waiting)
    while model.out:
        model.release(0)
    while model.lanes.waiting:
        model.take(8, False)
        model.release(0)


def test_one_sender_takes_what_came_first():
    """While no other sender comes, messages leave as they came, after others were at work, too."""
    lanes = filled(2_000, 100)
    for _, used in [lanes.take(50, deep=True) for _ in range(4)]:
        lanes.release(used)
    left = sorted(seqs(lanes))
    for start in range(0, 1_800, 50):
        batch, used = lanes.take(50, deep=False)
        assert seqs(batch) == left[start : start + 50]
        lanes.release(used)


@pytest.mark.parametrize("is_spread", [False, True])
def test_what_was_held_up_leaves_in_its_turn(is_spread):
    """A message that comes late stands where it would have stood, in line and in lanes."""
    lanes = Lanes(64)
    lanes.add_all(message(seq, f"u{seq}") for seq in range(100) if seq != 70)
    if is_spread:
        lanes.release(lanes.take(1, deep=True)[1])
    lanes.add_late(message(70, "u70"))
    left = list(range(int(is_spread), 100))
    assert seqs(lanes.take(80, deep=False)[0]) == left[:80]


def test_a_batch_from_the_line_keeps_its_users_from_others():
    """A second sender gets full batches, none of whose users is in the batch that is out."""
    lanes = filled(2_000, 500)
    first, _ = lanes.take(50, deep=False)
    second, _ = lanes.take(50, deep=True)
    assert len(second) == 50
    assert not {one.user for one in first} & {one.user for one in second}


@pytest.mark.parametrize("deep", [False, True])
def test_a_batch_ends_with_the_message_that_makes_it_large(deep):
    """A batch is closed once it holds a quarter of a megabyte."""
    lanes = Lanes(1)
    for seq in range(8):
        lanes.add(message(seq, "u", 100_000))
    assert seqs(lanes.take(50, deep=deep)[0]) == [0, 1, 2]


def test_a_crowded_user_does_not_keep_others_waiting():
    """While the user of most messages is with one sender, another gets a full batch of the few others."""
    lanes = Lanes(64)
    lanes.add_all(message(seq, "crowded" if seq % 20 else f"u{seq}") for seq in range(4_000))
    lanes.take(50, deep=True)
    assert [len(lanes.take(50, deep=True)[0]) for _ in range(2)] == [50, 50]
