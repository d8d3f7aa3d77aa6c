"""How much arrived, by name and over time."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sandbox_client import NOW, Sandbox, event, update

from robotmia_logging.sandbox.store.records import Accepted, Arrival, Filters, Rejected
from robotmia_logging.sandbox.store.store import Store


def test_totals_names_and_counts(sandbox: Sandbox) -> None:
    """Totals, and names with counts, users and the newest arrival, the most frequent first."""
    sandbox.send(
        "track", [event("A", distinct_id="u"), event("A", distinct_id="v"), event("B", distinct_id="u", mp_x=1)]
    )
    sandbox.send("engage", update("$set", {"x": 1}))
    sandbox.send("track", event("A", token=""))
    summary = sandbox.get("/sandbox/summary").json()
    assert summary["totals"] == {"messages": 4, "refusals": 1, "warnings": 1, "users": 2, "gave_way": 0}
    assert summary["events"][0] == {
        "event": "A",
        "endpoint": "track",
        "count": 2,
        "refused": 1,
        "users": 2,
        "last": NOW,
    }
    assert {(name["event"], name["count"]) for name in summary["events"]} == {("A", 2), ("B", 1), ("$set", 1)}
    assert sum(summary["counts"]["accepted"]) == 4
    assert sum(summary["counts"]["refused"]) == 1


def test_a_summary_follows_filters(sandbox: Sandbox) -> None:
    """Only what passes the filters is counted; a wrong filter is an error in words."""
    sandbox.send("track", [event("A", distinct_id="u"), event("B", distinct_id="v")])
    summary = sandbox.get("/sandbox/summary", event="A").json()
    assert summary["totals"]["messages"] == sum(summary["counts"]["accepted"]) == 1
    assert [name["event"] for name in summary["events"]] == ["A"]
    assert sandbox.get("/sandbox/summary", since="never").status_code == 400


@pytest.mark.parametrize(
    ("age_s", "step_s", "bars"),
    [(0, 1, 30), (50, 1, 51), (100, 2, 51), (600, 15, 41), (3000, 60, 51), (90_000, 60, 60)],
)
def test_the_step_suits_the_time_that_is_shown(age_s: int, step_s: int, bars: int) -> None:
    """From the oldest until now, at most an hour, in 30 to 60 bars."""
    with Store() as store:
        for arrived in (NOW - age_s, NOW):
            store.refuse(Arrival(endpoint="track", arrived=arrived), Rejected(error="x", what={"data": ""}))
        counts = store.summary(Filters(), NOW).counts
    assert (counts.step_s, len(counts.refused)) == (step_s, bars)
    assert sum(counts.refused) == (2 if age_s < 3600 else 1)


def test_what_is_long_past_is_shown_at_its_time() -> None:
    """When nothing arrived for an hour, the hour of the newest is shown."""
    with Store() as store:
        store.refuse(Arrival(endpoint="track", arrived=NOW), Rejected(error="x", what={"data": ""}))
        counts = store.summary(Filters(), NOW + 90_000).counts
    assert counts.refused[-1] == 1


@given(st.lists(st.tuples(st.floats(0, 4000), st.sampled_from("AB"), st.sampled_from("uvw")), max_size=30))
def test_counts_are_those_of_a_count_by_hand(sent: list[tuple[float, str, str]]) -> None:
    """Any arrivals: the names are counted, and each bar has what arrived in its step."""
    with Store() as store:
        for age_s, name, user in sorted(sent, reverse=True):
            message = Accepted(message={"event": name}, event=name, user=user, time=NOW - age_s)
            store.accept(Arrival(endpoint="track", arrived=NOW - age_s), [message])
        summary = store.summary(Filters(), NOW)
    counts = summary.counts
    assert {name.event: name.count for name in summary.events} == Counter(name for _, name, _ in sent)
    assert summary.users == len({user for _, _, user in sent})
    by_hand = Counter(int((NOW - age_s - counts.start) // counts.step_s) for age_s, _, _ in sent)
    assert list(counts.accepted) == [by_hand[step] for step in range(len(counts.accepted))]
