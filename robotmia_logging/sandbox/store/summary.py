"""How much arrived, by name and over time: SQL over the entries, which are counted where they lie."""

import sqlite3
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

Values = Mapping[str, Any]
Reading = Callable[[], AbstractContextManager[sqlite3.Connection]]

_STEPS_S = (1, 2, 5, 10, 15, 30, 60)
_MAX_BARS = 60
_MIN_BARS = 30
_LONGEST_S = 3600
_MAX_NAMES = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class NameCount:
    """What arrived under one name at one endpoint.

    Attributes:
        event: the event's name or the update's operation; None of refusals without one.
        endpoint: where it was sent.
        count: accepted messages.
        refused: refused requests that name it as what was wrong.
        users: how many users it came from.
        last: when the newest arrived, in unix seconds.
    """

    event: str | None
    endpoint: str
    count: int
    refused: int
    users: int
    last: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What arrived over time, in steps of equal length.

    Attributes:
        start: when the first step begins, in unix seconds.
        step_s: the length of a step.
        accepted: messages in each step.
        refused: refused requests in each step.
    """

    start: float
    step_s: int
    accepted: tuple[int, ...]
    refused: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """How much arrived.

    Attributes:
        messages: accepted messages.
        refusals: refused requests.
        warnings: messages with warnings.
        users: how many users they came from.
        events: by name, the most frequent first, at most 200.
        counts: over time, at most an hour.
    """

    messages: int
    refusals: int
    warnings: int
    users: int
    events: tuple[NameCount, ...]
    counts: Counts


def summarize(reading: Reading, condition: str, values: Values, now: float) -> Summary:
    """Count the entries that meet a condition.

    Each query is a reading of its own: together they take a quarter of a second over 100,000 entries, and what arrives
    must not wait for all of them. What they say may differ by what arrived meanwhile.

    Args:
        reading: gives access to the database for a block.
        condition: SQL over the columns of `entries`, with named parameters.
        values: the parameters.
        now: the time, in unix seconds; counts over time end here.
    """

    def rows(query: str, more: Values | None = None) -> list[Any]:
        with reading() as connection:
            return connection.execute(query.format(condition=condition), {**values, **(more or {})}).fetchall()

    ((messages, refusals, warnings, users, oldest, newest),) = rows(_TOTALS)
    names = rows(_NAMES)
    window = _Window.of(oldest, newest, now)
    return Summary(
        messages=messages,
        refusals=refusals,
        warnings=warnings,
        users=users,
        events=tuple(
            NameCount(event=event, endpoint=endpoint, count=count, refused=refused, users=users, last=last)
            for event, endpoint, count, refused, users, last in names
        ),
        counts=_counts(window, rows(_STEPS, window.values())),
    )


@dataclass(frozen=True, slots=True)
class _Window:
    """The time that is shown: whole steps, so that a bar stands still while it grows."""

    start: int
    step_s: int
    steps: int

    @classmethod
    def of(cls, oldest: float | None, newest: float | None, now: float) -> "_Window":
        """From the oldest entry until now, at most an hour; the hour of the newest when that is long ago."""
        end = now if newest is None or now - _LONGEST_S < newest < now else newest
        start = end if oldest is None else max(oldest, end - _LONGEST_S)
        step_s = next((step_s for step_s in _STEPS_S if end // step_s - start // step_s < _MAX_BARS), _STEPS_S[-1])
        last, needed = int(end // step_s), int(end // step_s - start // step_s) + 1
        steps = min(_MAX_BARS, max(_MIN_BARS, needed))
        return cls(start=(last - steps + 1) * step_s, step_s=step_s, steps=steps)

    def values(self) -> Values:
        """As parameters of SQL."""
        return {"_start": self.start, "_step": self.step_s, "_end": self.start + self.step_s * self.steps}


def _counts(window: _Window, rows: Iterable[tuple[int, int, int]]) -> Counts:
    accepted, refused = [0] * window.steps, [0] * window.steps
    for step, *bars in rows:
        accepted[step], refused[step] = bars
    return Counts(start=window.start, step_s=window.step_s, accepted=tuple(accepted), refused=tuple(refused))


_TOTALS = """
SELECT COUNT(*) - COUNT(error), COUNT(error), COUNT(warnings), COUNT(DISTINCT user), MIN(arrived), MAX(arrived)
FROM entries WHERE {condition}
"""
# The + keeps SQLite from walking an index for the order, and fetching each row by itself.
_NAMES = f"""
SELECT event, endpoint, COUNT(*) - COUNT(error), COUNT(error), COUNT(DISTINCT user), MAX(arrived)
FROM entries WHERE {{condition}}
GROUP BY +event, +endpoint ORDER BY COUNT(*) DESC, MAX(id) DESC LIMIT {_MAX_NAMES}
"""  # noqa: S608 - the number is ours
_STEPS = """
SELECT CAST((arrived - :_start) / :_step AS INTEGER) AS step, COUNT(*) - COUNT(error), COUNT(error)
FROM entries WHERE arrived >= :_start AND arrived < :_end AND ({condition})
GROUP BY step
"""
