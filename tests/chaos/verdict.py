"""What a series of rounds must have kept to, judged by the server's own journal.

- **Nothing is lost.** A message whose log call returned arrived, or is a dead letter. Where the disk was full it may
  have been in memory only: then it arrives if nobody of its family was killed, or the process says that it won't.
- **Duplicates** come only of batches whose outcome the sender can't have known: the server lost the reply, or it
  was the last request of its connection and the sender was killed. That makes at most a batch a sender a kill. An
  exit while an endpoint is down waits but a moment for what is under way: there it is the same, counted apart.
- **Order**: of what one life of a handler logged in one thread, the first arrivals of each user come in order, at
  each endpoint. Not promised where a chain ended amid it, for the disk was full, and another process sent the rest.
- **Nothing else**: nothing arrives that wasn't logged, no dead letters but of bad messages, nothing stays in the spool,
  every process ends as it was to, and says no more on stderr than it should.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from tests.chaos.server import Arrival, is_poison

BATCH = 50
_FAMILY = re.compile(r"\d+\.\d+")
_DROPPED = re.compile(r"trouble (\d+) messages? dropped, too many wait: max_pending=.*")
_NOT_DELIVERED = re.compile(r"robotmia_logging: (\d+) messages? not delivered at exit: .*")
_BY_AN_ERROR = "the end of a life by an error"
_DEAD = ("bad_value", "refused")


@dataclass(kw_only=True)
class Account:
    """What is known of a family.

    Attributes:
        kills: how many of its processes were killed, at most.
        senders: how many connections each process may have.
        may_fill: whether its disk may have been full.
        told: the lines that its processes told.
        stderr: the lines that they said on stderr.
        fate: what is wrong with how it ended.
    """

    kills: int = 0
    senders: int = 8
    may_fill: bool = False
    told: list[str] = field(default_factory=list)
    stderr: list[str] = field(default_factory=list)
    fate: str = ""

    @property
    def lost_by_its_own_word(self) -> int:
        """How many messages it says were too many for its memory, or not delivered at exit."""
        dropped = [match for line in self.told if (match := _DROPPED.fullmatch(line))]
        left = [match for line in self.stderr if (match := _NOT_DELIVERED.fullmatch(line))]
        return sum(int(match[1]) for match in dropped + left)

    @property
    def loses_letters(self) -> bool:
        """Whether it says that it couldn't write dead letters."""
        return any(re.search("dead letters? can't be written", line) for line in self.told)

    @property
    def ends_in_outage(self) -> bool:
        """Whether an endpoint may have been down when it ended."""
        return any(line.startswith("trouble /") for line in self.told)

    @property
    def keeps_order(self) -> bool:
        """Whether its messages must come in order: also where some were in memory, if it sent all by itself."""
        return "held" not in self.told or (not self.kills and "flushed True" in self.told)


class Ack(NamedTuple):
    """That a log call returned.

    Attributes:
        number: of the message in its stream.
        is_durable: whether it was on disk for certain.
        is_bad: whether it is to become a dead letter.
    """

    number: int
    is_durable: bool = True
    is_bad: bool = False


@dataclass(kw_only=True)
class Evidence:
    """All that a series left.

    Attributes:
        acks: by stream, the calls that returned.
        arrivals: what the server took, in order.
        letters: the dead letters.
        accounts: by name, the families.
        is_lossy: whether replies were lost.
        overflows: whether messages may have been dropped by `overflow`.
        left: what is left in the spool.
        breaches: of the API's document, as the server saw them.
    """

    acks: dict[str, list[Ack]]
    arrivals: list[Arrival]
    letters: list[dict[str, Any]]
    accounts: dict[str, Account]
    is_lossy: bool = False
    overflows: bool = False
    left: list[str] = field(default_factory=list)
    breaches: list[str] = field(default_factory=list)


Key = tuple[str, int]
"""A stream and a number: a message."""


class Verdict:
    """Judges a series.

    Attributes:
        violations: what must not be, a line each.
        counts: the numbers of the summary.
    """

    def __init__(self, evidence: Evidence) -> None:
        self._evidence = evidence
        self.violations: list[str] = []
        self.counts: Counter[str] = Counter()
        self._found: dict[Key, list[Arrival]] = defaultdict(list)
        for arrival in evidence.arrivals:
            for message in arrival.messages:
                self._found[_key(message)].append(arrival)
        self._dead = {_key(letter.get("message") or {}) for letter in evidence.letters}
        self._judge()

    def _judge(self) -> None:
        for name, account in self._evidence.accounts.items():
            self.violations += (f"{name}: {text}" for text in _oddities(account))
        self._judge_losses()
        self._judge_phantoms()
        self._judge_duplicates()
        self._judge_order()
        self._judge_letters()
        self.violations += (f"left in the spool: {name}" for name in self._evidence.left)
        self.violations += (f"the API's document: {text}" for text in self._evidence.breaches)

    def _account(self, stream: str) -> Account:
        return self._evidence.accounts.get(_family(stream), Account())

    def _judge_losses(self) -> None:
        found = self._found.keys() | self._dead
        in_memory: Counter[str] = Counter()
        for stream, acks in self._evidence.acks.items():
            self.counts["logged"] += len(acks)
            missing = [ack for ack in acks if (stream, ack.number) not in found]
            if self._evidence.overflows:
                self.counts["dropped by overflow"] += len(missing)
                continue
            lost = [ack.number for ack in missing if ack.is_durable]
            if lost:
                self._lose(len(lost), f"lost of {stream}: {_ranges(lost)}")
            volatile = [ack for ack in missing if not ack.is_durable]
            self.counts["lost from memory"] += len(volatile)
            loses_letters = self._account(stream).loses_letters
            in_memory[_family(stream)] += sum(not (ack.is_bad and loses_letters) for ack in volatile)
        for name, count in in_memory.items():
            account = self._evidence.accounts[name]
            if not account.kills and count > account.lost_by_its_own_word:
                self._lose(count, f"{name}: {count} lost from memory, without a kill and without a word")

    def _lose(self, count: int, violation: str) -> None:
        self.counts["lost"] += count
        self.violations.append(violation)

    def _judge_phantoms(self) -> None:
        """A call that was broken off may have given a message, too: one, the next of its stream."""
        for stream, number in self._found:
            acks = self._evidence.acks.get(stream, [])
            if number > (acks[-1].number + 1 if acks else 0):
                self.violations.append(f"{stream} never logged {number}, but it arrived")

    def _judge_duplicates(self) -> None:
        for (stream, number), arrivals in self._found.items():
            if len(arrivals) < 2:
                continue
            self.counts["duplicates"] += len(arrivals) - 1
            without = [arrival for arrival in arrivals if not self._is_excused(arrival)]
            if len(without) > 1:
                self.counts["duplicates of exits in an outage"] += 1
                without = [arrival for arrival in without if not self._is_left(arrival)]
            if len(without) > 1 or len(set(map(id, arrivals))) < len(arrivals):
                senders = ", ".join(arrival.family for arrival in arrivals)
                self.violations.append(f"{stream} {number} arrived {len(arrivals)} times without need, from {senders}")
        if not self._evidence.is_lossy:
            bound = sum(BATCH * account.senders * account.kills for account in self._evidence.accounts.values())
            of_kills = self.counts["duplicates"] - self.counts["duplicates of exits in an outage"]
            self.counts["duplicates of kills alone"] = of_kills
            self.counts["their bound"] = bound
            if of_kills > bound:
                self.violations.append(f"{of_kills} duplicates, more than {bound}")

    def _is_excused(self, arrival: Arrival) -> bool:
        """Whether the sender may not have known of it."""
        account = self._evidence.accounts[arrival.family]
        return not arrival.replied or (arrival.is_last and account.kills > 0)

    def _is_left(self, arrival: Arrival) -> bool:
        """Whether the sender ended in an outage, and didn't wait for the reply."""
        return arrival.is_last and self._evidence.accounts[arrival.family].ends_in_outage

    def _judge_order(self) -> None:
        latest: dict[tuple[str, str, str], int] = {}
        seen: set[Key] = set()
        for arrival in self._evidence.arrivals:
            for message in arrival.messages:
                stream, number = key = _key(message)
                if key in seen or not self._account(stream).keeps_order:
                    continue
                seen.add(key)
                place = (stream, arrival.path, _user(message))
                if number < latest.get(place, -1):
                    self.counts["order violations"] += 1
                    self.violations.append(f"{stream} {number} of {place[2]} arrived after {latest[place]}")
                latest[place] = max(number, latest.get(place, -1))

    def _judge_letters(self) -> None:
        for letter in self._evidence.letters:
            if letter["reason"] not in _DEAD:
                self.violations.append(f"a dead letter that should be none: {letter}")
        if any(is_poison(message) for arrival in self._evidence.arrivals for message in arrival.messages):
            self.violations.append("the server took poison")


def _oddities(account: Account) -> Iterator[str]:
    """What is odd about a family by itself."""
    if account.fate:
        yield account.fate
    for line in account.told:
        if line.startswith("complaint"):
            yield line
    if "held" in account.told and not account.kills and not any("can't be written" in line for line in account.told):
        yield "its disk was full, and it never said so"
    for line in account.stderr:
        expected = line == _BY_AN_ERROR or (account.may_fill and _NOT_DELIVERED.fullmatch(line))
        if line and not expected:
            yield f"stderr: {line}"


def _family(stream: str) -> str:
    match = _FAMILY.match(stream)
    return match[0] if match else ""


def _key(message: dict[str, Any]) -> Key:
    wire = message.get("profile", message)  # of one that was refused in the log call
    fields = wire.get("properties") or wire.get("$set") or wire.get("$add") or {}
    return str(fields.get("stream")), int(fields.get("number", -1))


def _user(message: dict[str, Any]) -> str:
    return str(message["$distinct_id"] if "$distinct_id" in message else message["properties"]["distinct_id"])


def _ranges(numbers: Iterable[int]) -> str:
    """Numbers in short: ``3-7, 9``."""
    ends: list[list[int]] = []
    for number in sorted(numbers):
        if ends and ends[-1][1] == number - 1:
            ends[-1][1] = number
        else:
            ends.append([number, number])
    return ", ".join(f"{low}-{high}" if high > low else f"{low}" for low, high in ends)
