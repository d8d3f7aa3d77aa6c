"""A spool looked at from outside: what waits, of whom, and no harm done."""

from __future__ import annotations

import json
import os

import pytest

from robotmia_logging.delivery.spool.chain import Chain
from robotmia_logging.delivery.spool.survey import survey, waiting_lines
from robotmia_logging.messages import DeadLetter, Refusal, message_line
from tests.delivery.fakes import WALL, FakeTransport, event, make, update
from tests.hostile import HostileServer
from tests.processes.proc_running import each_once, run


def left(root, *lines, size=4096, at=WALL):
    """A dead process's chain."""
    chain = Chain.create(str(root), at)
    segment = chain.new_segment(size)
    for line in lines:
        assert segment.append(line)
    chain.release()
    return chain.folder


def named(lines):
    return [json.loads(line)["message"].get("event") for line in lines]


def test_a_chain_tells_what_waits_in_it(tmp_path):
    """Of a dead process's chain: its pid, files, messages, dead letters, damage, size, the oldest message's time."""
    refused = DeadLetter(letter=Refusal("no_token", "", "track", {}), reason="no_token", error="", attempts=0)
    lines = [
        message_line(event("a", age=5)),
        message_line(update("u", add={"n": 1})),
        refused.line(0),
        b'{"endpoint":"tr\n',
    ]
    folder = left(tmp_path, *lines)
    [state] = survey(str(tmp_path))
    assert (state.folder, state.pid, state.is_alive) == (folder, os.getpid(), False)
    assert (state.segments, state.messages, state.dead_letters, state.damaged) == (1, 2, 1, 1)
    assert (state.size, state.oldest) == (4096, WALL - 5)
    assert named(waiting_lines(str(tmp_path))) == ["a", None]


def test_what_was_delivered_is_not_counted(tmp_path):
    """Lines that have their outcome are blank, and no message any more, in a living process's chain as in others."""
    transport = FakeTransport()
    delivery, _ = make(transport, spool=str(tmp_path), capacity=2)
    for name in "abc":
        delivery.put(event(name))
    [state] = survey(str(tmp_path))
    assert (state.is_alive, state.messages, state.oldest) == (True, 3, WALL)
    assert named(waiting_lines(str(tmp_path))) == ["a", "b", "c"]
    with delivery._guard:
        delivery._inbox.sweep()
        batch = delivery._dispatch.choose(10_000.0, WALL, deep=False)
    delivery._sending.deliver(batch, transport)
    assert named(waiting_lines(str(tmp_path))) == ["c"]
    assert delivery.flush()
    delivery.close()
    assert survey(str(tmp_path)) == []


def test_the_oldest_chain_comes_first(tmp_path):
    """Messages come by chain, the oldest first, and in the order in which they were logged."""
    left(tmp_path, message_line(event("c")), message_line(event("d")), at=WALL + 5)
    left(tmp_path, message_line(event("a")), message_line(event("b")))
    assert named(waiting_lines(str(tmp_path))) == ["a", "b", "c", "d"]
    assert [state.messages for state in survey(str(tmp_path))] == [2, 2]


def test_a_line_cut_short_of_its_newline_is_whole(tmp_path):
    """What is given out are whole lines, though the last one's newline was lost."""
    folder = left(tmp_path, message_line(event("a")))
    path = os.path.join(folder, "000001.jsonl")
    with open(path, "rb") as file:
        text = file.read().rstrip(b"\0\n")
    with open(path, "wb") as file:
        file.write(text)
    assert list(waiting_lines(str(tmp_path))) == [message_line(event("a"))]


@pytest.mark.parametrize("make_foreign", [os.mkdir, lambda path: open(path, "w").close()])
def test_what_is_not_ours_is_passed_over(tmp_path, make_foreign):
    """A folder that isn't there is empty; foreign files and folders in one are nothing to us."""
    assert survey(str(tmp_path / "no")) == []
    make_foreign(tmp_path / "foreign")
    assert survey(str(tmp_path)) == []
    folder = left(tmp_path, message_line(event("a")))
    make_foreign(os.path.join(folder, "foreign"))
    assert [(state.segments, state.messages) for state in survey(str(tmp_path))] == [(1, 1)]


def test_a_chain_that_is_finished_meanwhile_is_none(tmp_path, monkeypatch):
    """A chain that its owner removes while it is looked at doesn't show; files that vanish are no error."""
    folder = left(tmp_path, message_line(event("a")))
    monkeypatch.setattr(
        "robotmia_logging.delivery.spool.survey.segment_files", lambda _folder: [(1, os.path.join(folder, "gone"))]
    )
    assert [state.segments for state in survey(str(tmp_path))] == [0]
    monkeypatch.setattr("robotmia_logging.delivery.spool.survey.chain_folders", lambda _root: [folder + "x"])
    assert survey(str(tmp_path)) == []


LOGS_AND_DELIVERS = """
    import sys
    from proc_child import door, track
    log, handler = door(spool=sys.argv[1], senders=2)
    for start in range(0, 6000, 200):
        track(log, 200, start)
        handler.flush(0)
    assert handler.flush(30)
"""


def test_beside_a_busy_process_every_line_is_whole(tmp_path):
    """While a process writes lines and blanks them, what is given out are whole messages, each once, in their order."""
    looks = []

    def look(process):
        while process.poll() is None:
            numbers = [json.loads(line)["message"]["properties"]["n"] for line in waiting_lines(str(tmp_path))]
            assert numbers == sorted(set(numbers))
            assert sum(state.messages for state in survey(str(tmp_path))) <= 6000
            looks.append(len(numbers))

    with HostileServer() as server:
        ended = run(server, LOGS_AND_DELIVERS, tmp_path, meanwhile=look)
        assert ended.code == 0, ended.err
        assert each_once(server, range(6000))
    assert max(looks) > 0
