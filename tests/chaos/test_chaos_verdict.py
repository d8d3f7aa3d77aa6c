"""The verdict of a chaos run finds what it is there to find."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from tests.chaos.server import Arrival
from tests.chaos.verdict import Account, Ack, Evidence, Verdict

KILLED = Account(kills=1)
FULL = {"may_fill": True, "told": ["born return", "held", "trouble the spool can't be written (once): no space"]}


def batch(*numbers: int, family: str = "0.0", stream: str = "0.0m", **fields: bool) -> Arrival:
    """A batch of events that the server took, and said so."""
    messages = [{"event": "E", "properties": {"stream": stream, "number": n, "distinct_id": "ada"}} for n in numbers]
    return Arrival(family, "track", messages, **{"replied": True, **fields})


def acks(numbers: Iterable[int], **fields: bool) -> dict[str, list[Ack]]:
    """The calls of one stream that returned."""
    return {"0.0m": [Ack(number, **fields) for number in numbers]}


def judge(
    acked: dict[str, list[Ack]], *arrivals: Arrival, account: Account | None = None, **fields: object
) -> tuple[list[str], dict[str, int]]:
    """The violations and the counts."""
    accounts = {"0.0": account or Account(), "1.0": Account(), "drain.0": Account()}
    verdict = Verdict(Evidence(acks=acked, arrivals=list(arrivals), accounts=accounts, **{"letters": [], **fields}))
    return verdict.violations, verdict.counts


def test_what_arrived_once_and_in_order_is_right():
    """Nothing is wrong where each message arrived, or is a dead letter, whoever sent it."""
    letter = {"reason": "bad_value", "message": {"profile": {"$add": {"stream": "0.0m", "number": 4}}}}
    violations, counts = judge(acks(range(5)), batch(0, 1), batch(2, 3, family="drain.0"), letters=[letter])
    assert violations == []
    assert (counts["logged"], counts["lost"], counts["duplicates"]) == (5, 0, 0)


def test_a_missing_message_is_lost_though_its_process_was_killed():
    """A kill excuses no loss of what was on disk."""
    violations, counts = judge(acks(range(6)), batch(0, 3), account=KILLED)
    assert violations == ["lost of 0.0m: 1-2, 4-5"]
    assert counts["lost"] == 4


def test_a_loss_from_memory_needs_a_kill_or_a_word():
    """Where the disk was full, what was in memory only may be lost by a kill, or else it is told how much is."""
    said = "robotmia_logging: 2 messages not delivered at exit: OSError"
    in_memory = acks(range(2), is_durable=False)
    assert judge(in_memory, account=Account(**FULL, kills=1))[0] == []
    assert judge(in_memory, account=Account(**FULL, stderr=[said]))[0] == []
    assert judge(in_memory, account=Account(**FULL))[0] == [
        "0.0: 2 lost from memory, without a kill and without a word"
    ]


def test_dead_letters_may_be_lost_from_memory_only_with_a_word():
    """A dead letter that was in memory only, and couldn't be written, is lost if that was told; another isn't."""
    words = Account(**{**FULL, "told": [*FULL["told"], "trouble 2 dead letters can't be written: no space"]})
    assert judge(acks(range(2), is_durable=False, is_bad=True), account=words)[0] == []
    assert len(judge(acks(range(2), is_durable=False), account=words)[0]) == 1
    assert judge(acks(range(2), is_bad=True), account=words)[0] == ["lost of 0.0m: 0-1"]


def test_a_full_disk_has_to_be_told():
    """A process that kept messages in memory, and wasn't killed, has said that the spool can't be written."""
    silent = Account(may_fill=True, told=["born return", "held"])
    assert judge({}, account=silent)[0] == ["0.0: its disk was full, and it never said so"]


@pytest.mark.parametrize(
    ("first", "account", "excused"),
    [
        ({}, Account(), False),
        ({"replied": False}, Account(), True),
        ({"is_last": True}, Account(), False),
        ({"is_last": True}, KILLED, True),
        ({"is_last": False}, KILLED, False),
        ({"is_last": True}, Account(told=["trouble /track/ failed once, messages wait: no"]), True),
    ],
)
def test_a_duplicate_needs_a_sender_who_can_not_know(first, account, excused):
    """It is excused by a lost reply, or by the end of its sender amid the last request of a connection."""
    arrivals = batch(0, **first), batch(0, family="1.0")
    violations, counts = judge(acks([0]), *arrivals, account=account, is_lossy=True)
    assert counts["duplicates"] == 1
    assert violations == ([] if excused else ["0.0m 0 arrived 2 times without need, from 0.0, 1.0"])


def test_duplicates_are_bounded_by_the_kills():
    """Where no reply is lost, there are at most 50 duplicates a sender a kill."""
    numbers, account = range(60), Account(kills=1, senders=1)
    violations, _ = judge(acks(numbers), batch(*numbers, is_last=True), batch(*numbers, family="1.0"), account=account)
    assert violations == ["60 duplicates, more than 50"]


def test_first_arrivals_come_in_order():
    """A message behind a later one of its user is out of order; a duplicate of an earlier one isn't."""
    violations, counts = judge(acks(range(3)), batch(0, 2), batch(1))
    assert violations == ["0.0m 1 of ada arrived after 2"]
    assert counts["order violations"] == 1
    again = batch(0, family="1.0")
    assert judge(acks(range(3)), batch(0, 1, is_last=True), again, batch(2, family="1.0"), account=KILLED)[0] == []


def test_nothing_else_may_happen():
    """What was never logged, what stays in the spool, odd ends, odd words and odd dead letters are all violations."""
    odd = Account(fate="it ended with -7", stderr=["Traceback"], told=["complaint the sum is wrong"])
    fields = {"left": ["20261125T033346.512345-4711-000"], "breaches": ["no Base64"]}
    letters = [{"reason": "rejected", "message": {}}]
    violations, _ = judge(acks([0]), batch(0, 1, 2), account=odd, letters=letters, **fields)
    found = "\n".join(violations)
    for words in ("ended with -7", "Traceback", "complaint", "never logged 2", "left in", "Base64", "should be none"):
        assert words in found
    assert "never logged 1" not in found, "the call that was broken off may have given one"
