"""What was replayed of a log is found again by what the log holds, and by one process at a time."""

from __future__ import annotations

import io
import os
import stat
from pathlib import Path

import pytest

from robotmia_logging.delivery.resend import JournalError, Stretch
from robotmia_logging.replay import StateFolder
from robotmia_logging.replay.state import HEAD_BYTES, head_of

LOG = b"".join(b"2026-11-24 10:00:00 line %d\n" % n for n in range(5000))
assert len(LOG) > HEAD_BYTES


@pytest.fixture
def folder(tmp_path):
    return StateFolder(str(tmp_path / "state"))


def head(log, *, takes_last=False):
    return head_of(io.BytesIO(log), takes_last=takes_last)


def replay(folder, log, *stretches, rules="", restart=False):
    """Open a log's state, settle some of it, and close it again."""
    state = folder.open(head(log), rules, restart=restart)
    for stretch in stretches:
        state.journal.passed(Stretch(*stretch))
    state.journal.close()
    return state


def done(folder, log):
    return folder.look(head(log)).stretches()


def journals(folder):
    return sorted(name for name in os.listdir(folder.path) if name.endswith(".journal"))


def test_a_log_is_known_by_its_content(folder):
    """What was replayed is known when the log has grown, whatever its size then; another log has a state of its own."""
    for size in (30, 100, 3000, 100_000):
        log = LOG[: LOG.index(b"\n", size) + 1]
        replay(folder, log, (size, size + 1))
    other = LOG.replace(b"line 77\n", b"line 78\n")
    assert done(folder, LOG) == [(30, 31), (100, 101), (3000, 3001), (100_000, 100_001)]
    assert done(folder, other) == []
    assert len(journals(folder)) == 1
    replay(folder, other, (0, 5))
    assert done(folder, other) == [(0, 5)]
    assert len(journals(folder)) == 2
    assert done(folder, LOG) == [(30, 31), (100, 101), (3000, 3001), (100_000, 100_001)]


def test_a_log_whose_first_line_is_not_complete_has_no_state():
    """A log is known by complete lines, for more may be written to the last one; all of it counts if no more will."""
    assert head(b"2026-11-24 10:") == b""
    assert head(b"a\nb") == b"a\n"
    assert head(b"a\nb", takes_last=True) == b"a\nb"
    assert len(head(LOG)) == HEAD_BYTES


def test_other_rules_are_told(folder):
    """Rules that changed since a part was replayed are told once; they are nothing to tell if nothing was replayed."""
    assert not replay(folder, LOG, rules="a").rules_changed
    assert not replay(folder, LOG, (0, 5), rules="b").rules_changed
    assert replay(folder, LOG, rules="c").rules_changed
    assert not replay(folder, LOG, rules="c").rules_changed


def test_a_restart_forgets(folder):
    """What was replayed is forgotten if all of it is to be replayed again."""
    replay(folder, LOG, (0, 5))
    state = replay(folder, LOG, (10, 15), restart=True)
    assert (state.is_resumed, state.rules_changed) == (False, False)
    assert done(folder, LOG) == [(10, 15)]
    assert replay(folder, LOG).is_resumed


def test_one_process_replays_a_log(folder):
    """While one replays a log, another is refused, and may replay another log; what is settled isn't lost by it."""
    state = folder.open(head(LOG), "", restart=False)
    with pytest.raises(JournalError, match="another process is replaying it"):
        folder.open(head(LOG), "", restart=True)
    replay(folder, b"another\n", (0, 5))
    state.journal.passed(Stretch(0, 7))
    state.journal.close()
    assert done(folder, LOG) == [(0, 7)]


def test_a_journal_is_made_short(folder):
    """However many entries there were, what touches is one when it is opened again; all is its owner's only."""
    replay(folder, LOG, *((n, n + 1) for n in range(0, 1000, 2)))
    replay(folder, LOG, *((n, n + 1) for n in range(1, 1000, 2)))
    replay(folder, LOG)
    [journal] = [Path(folder.path, name) for name in journals(folder)]
    assert journal.read_bytes().splitlines()[1:] == [b"[0,1000]"]
    assert stat.S_IMODE(journal.stat().st_mode) == 0o600
    assert stat.S_IMODE(os.stat(folder.path).st_mode) == 0o700
    assert len(os.listdir(folder.path)) == 2  # nothing but the folder's lock beside it


@pytest.mark.parametrize(
    "text", [b"", b"mine\n", b'{"replay": 5}\n', b'{"replay": {"size": 0, "sha256": "", "rules": ""}}\n']
)
def test_what_is_no_journal_counts_for_nothing(folder, text):
    """A file that has a journal's name and isn't one is let be, and another made beside it."""
    replay(folder, LOG)
    [name] = journals(folder)
    Path(folder.path, name).write_bytes(text)
    replay(folder, LOG, (0, 5))
    assert done(folder, LOG) == [(0, 5)]
    assert Path(folder.path, name).read_bytes() == text


def test_cut_anywhere_a_journal_is_read_up_to_there(folder):
    """A kill may break the last entry off: the entries before count, and new ones go behind them."""
    replay(folder, LOG, (0, 10))
    [name] = journals(folder)
    with open(Path(folder.path, name), "ab") as file:
        file.write(b"[20,3")
    replay(folder, LOG, (50, 60))
    assert done(folder, LOG) == [(0, 10), (50, 60)]


def test_only_looking_leaves_nothing_behind(folder):
    """To look what was replayed no folder is made."""
    assert done(folder, LOG) == []
    assert not os.path.exists(folder.path)
