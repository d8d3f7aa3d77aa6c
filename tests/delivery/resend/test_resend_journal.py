"""The journal beside a file: what it remembers, whose it is, and what a kill leaves of it."""

from __future__ import annotations

import os
import stat
from contextlib import contextmanager

import pytest

from robotmia_logging.delivery.resend import journal as module
from robotmia_logging.delivery.resend.journal import ChangedError, Journal, JournalError, known_done
from robotmia_logging.delivery.resend.lines import Stretch
from tests.delivery.fakes import event


@pytest.fixture
def path(tmp_path):
    (tmp_path / "file").write_bytes(b"x" * 1000)
    return tmp_path / "file"


@contextmanager
def opened(path, **options):
    with open(path, "rb") as file:
        journal = Journal.open(str(path), file.fileno(), **options)
        try:
            yield journal
        finally:
            journal.close()


def item(start, end):
    message = event("E")
    message.place = Stretch(start, end)
    return message


def done(path):
    with opened(path) as journal:
        return journal.done.stretches()


def settle(path, *stretches, **options):
    with opened(path, **options) as journal:
        journal.settled(item(*stretch) for stretch in stretches)


def test_a_journal_remembers_what_was_settled(path):
    """What was settled is known when the journal is opened again, and after that, too; its file is its owner's only."""
    settle(path, (0, 10), (20, 30))
    settle(path, (10, 20), (50, 60))
    assert done(path) == [(0, 30), (50, 60)]
    with open(path, "rb") as file:
        assert known_done(str(path), file.fileno()).stretches() == [(0, 30), (50, 60)]
    assert stat.S_IMODE(os.stat(f"{path}.sent").st_mode) == 0o600


def test_lines_settled_together_take_one_entry(path):
    """The lines of a batch that stand one behind another are written as one stretch."""
    settle(path, (20, 30), (0, 10), (10, 20), (40, 50))
    assert (path.parent / "file.sent").read_text().splitlines()[1:] == ["[0,30]", "[40,50]"]


def test_what_is_passed_is_written_with_what_is_settled(path):
    """What holds nothing to be sent joins what is settled next, or goes when there is much of it, or at the end."""
    with opened(path) as journal:
        journal.passed(Stretch(0, 10))
        journal.settled([item(10, 20)])
        for start in range(100, 100 + module._MOST_PASSED):
            journal.passed(Stretch(start, start + 1))
        journal.passed(Stretch(900, 910))
    entries = (path.parent / "file.sent").read_text().splitlines()[1:]
    assert entries == ["[0,20]", f"[100,{100 + module._MOST_PASSED}]", "[900,910]"]


def test_when_all_is_sent_the_journal_goes(path):
    """Once the file was sent nothing is kept, and who begins anew begins at its beginning."""
    with opened(path) as journal:
        journal.settled([item(0, 10)])
        journal.finish()
    assert os.listdir(path.parent) == ["file"]
    assert done(path) == []


@pytest.mark.parametrize("change", ["size", "mtime", "head"])
def test_a_file_that_changed_is_not_gone_on_with(path, change):
    """A journal of another file, or of what this one was, is an error, unless one begins anew; it isn't touched."""
    settle(path, (0, 10))
    status = os.stat(path)
    text = b"x" * 1001 if change == "size" else (b"y" if change == "head" else b"x") + b"x" * 999
    path.write_bytes(text)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + (change == "mtime")))
    before = (path.parent / "file.sent").read_bytes()
    with pytest.raises(ChangedError, match="it has changed since"):
        settle(path, (10, 20))
    with open(path, "rb") as file:
        assert not known_done(str(path), file.fileno())
    assert (path.parent / "file.sent").read_bytes() == before
    settle(path, (10, 20), restart=True)
    assert done(path) == [(10, 20)]


@pytest.mark.parametrize("text", [b"mine\n", b"mine", b'{"a": 1}\n', b"[0,10]\n"])
@pytest.mark.parametrize("restart", [False, True])
def test_a_foreign_file_is_not_overwritten(path, text, restart):
    """What has the journal's name and is none stays as it is, whatever is asked for."""
    (path.parent / "file.sent").write_bytes(text)
    with pytest.raises(JournalError, match="no journal of ours"):
        settle(path, restart=restart)
    assert (path.parent / "file.sent").read_bytes() == text


def test_cut_anywhere_it_is_read_up_to_there(path):
    """A kill may break the last entry off at any byte: the entries before count, and new ones go behind them."""
    settle(path, (0, 10))
    settle(path, (20, 30))
    journal = path.parent / "file.sent"
    text = journal.read_bytes()
    head = text.index(b"\n") + 1
    for size in range(len(text) + 1):
        journal.write_bytes(text[:size])
        entries = [(0, 10), (20, 30)][: text[head:size].count(b"\n")] if size > head else []
        assert done(path) == entries
        settle(path, (50, 60))
        assert done(path) == [*entries, (50, 60)]


@pytest.mark.parametrize("entry", [b"[30]", b"{}", b"[40,null]", b"17", b"\0\0\0", b"[1,2,3]"])
def test_behind_a_damaged_entry_nothing_counts(path, entry):
    """What follows an entry that can't be read is sent again: better than not at all."""
    settle(path, (0, 10))
    with open(f"{path}.sent", "ab") as journal:
        journal.write(entry + b"\n[50,60]\n")
    assert done(path) == [(0, 10)]


def test_one_process_sends_a_file(path):
    """While one sends, another is refused; what it was has been forgotten by neither."""
    with opened(path) as journal:
        journal.settled([item(0, 10)])
        with pytest.raises(JournalError, match="another process is sending it"):
            settle(path, restart=True)
    assert done(path) == [(0, 10)]


def test_who_comes_just_when_all_was_sent_is_told(path):
    """A journal that is deleted between being opened and locked is no reason to send all of it again."""
    fstat = os.fstat

    def finished_meanwhile(descriptor):
        if os.path.exists(f"{path}.sent"):
            os.unlink(f"{path}.sent")
        return fstat(descriptor)

    with open(path, "rb") as file, pytest.MonkeyPatch.context() as patch:
        settle(path, (0, 10))
        patch.setattr(os, "fstat", lambda d: finished_meanwhile(d) if d != file.fileno() else fstat(d))
        with pytest.raises(JournalError, match="another process has just sent all of it"):
            Journal.open(str(path), file.fileno())


def test_a_full_disk_is_remembered(path):
    """What can't be written doesn't raise where senders work: the error is kept for those who watch."""
    with opened(path) as journal:
        real, journal._descriptor = journal._descriptor, os.open("/dev/full", os.O_WRONLY)
        journal.settled([item(0, 10)])
        os.close(journal._descriptor)
        journal._descriptor = real
        journal.settled([item(10, 20)])
        assert journal.error.strerror == "No space left on device"
        assert journal.error.filename == f"{path}.sent"
    assert done(path) == []


def test_what_is_settled_after_the_end_is_let_be(path):
    """A sender that is late finds the journal closed, and nobody else's file written to."""
    with opened(path) as journal:
        pass
    journal.settled([item(0, 10)])
    journal.close()
    assert done(path) == []
