"""Lines that gave nothing are written down once, with the reason."""

from __future__ import annotations

import json
import os
import stat

import pytest

from robotmia_logging.delivery.resend import Line, Stretch
from robotmia_logging.replay import RejectsFile, is_rejects_file


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "rejects.jsonl")


def write(path, *numbers, log="app.log", is_resumed=False, anew=False):
    rejects = RejectsFile(path, anew=anew)
    rejects.begin(log, is_resumed=is_resumed)
    for number in numbers:
        rejects.add(Line(number, Stretch(0, 1), b"line \xff %d\r\n" % number), "no rule matches")
    rejects.close()


def numbers(path):
    with open(path, "rb") as file:
        return [json.loads(line)["line"] for line in file]


def test_a_reject_says_where_it_stood_and_why(path):
    """Each is a JSON line with the log, the line's number, the reason and the text; the file is its owner's only."""
    write(path, 7)
    with open(path, "rb") as file:
        assert json.load(file) == {"file": "app.log", "line": 7, "reason": "no rule matches", "text": "line � 7"}
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600


def test_rejects_add_up_unless_begun_anew(path):
    """What follows goes behind what is there; a file begun anew holds nothing but what follows."""
    write(path, 1, 2)
    write(path, 2, log="other.log")
    assert numbers(path) == [1, 2, 2]
    write(path, 3, anew=True)
    assert numbers(path) == [3]


def test_gone_on_with_a_line_is_not_written_twice(path):
    """Lines written just before a kill, by whatever name of the log, aren't written again, but for a torn one."""
    write(path, *range(1, 1000))
    with open(path, "ab") as file:
        file.write(b'{"file":"app.log","li')
    write(path, *range(990, 1010), log="app.log.1", is_resumed=True)
    assert numbers(path) == list(range(1, 1010))


def test_only_rejects_are_written_to(path, tmp_path):
    """A file that holds something else can be told from one that holds rejects, or nothing."""
    assert is_rejects_file(path)
    write(path)
    assert is_rejects_file(path)
    write(path, 1)
    assert is_rejects_file(path)
    (tmp_path / "rules.toml").write_text("[[rule]]\n")
    assert not is_rejects_file(str(tmp_path / "rules.toml"))


def test_a_full_disk_is_named(path):
    """What can't be written is an error that names the file."""
    rejects = RejectsFile(path, anew=False)
    os.dup2(os.open("/dev/full", os.O_WRONLY), rejects._descriptor)
    rejects.add(Line(1, Stretch(0, 1), b"x"), "no time")
    with pytest.raises(OSError, match=r"No space left.*rejects\.jsonl"):
        rejects.close()


def test_large_rejects_do_not_pile_up(path):
    """However large the lines, what waits to be written is no more than about a mebibyte and a line."""
    rejects = RejectsFile(path, anew=False)
    line = Line(1, Stretch(0, 1), b"x" * 300_000)
    for _ in range(20):
        rejects.add(line, "no rule matches")
        assert len(rejects._waiting) < 1_400_000
    rejects.close()
    assert numbers(path) == [1] * 20


def test_a_large_file_is_opened_by_its_tail(path, monkeypatch):
    """Of a file the last lines are known, whatever stands before; a torn one that is longer than that is taken away."""
    write(path, *range(1, 1000))
    size = os.path.getsize(path)
    monkeypatch.setattr("robotmia_logging.replay.rejects._TAIL_BYTES", 1000)
    with open(path, "ab") as file:
        file.write(b"x" * 200_000)
    rejects = RejectsFile(path, anew=False)
    rejects.close()
    assert os.path.getsize(path) == size
    assert 5 < len(rejects._latest) < 15


def test_a_torn_line_alone_is_taken_away(path):
    """Of a file that holds nothing but a torn line, nothing is left."""
    with open(path, "wb") as file:
        file.write(b'{"file":' + b"x" * 100_000)
    write(path, 1)
    assert numbers(path) == [1]


def test_names_that_are_no_utf_8_are_escaped(path):
    """A log's name may hold any bytes: what JSON can't hold of it is escaped."""
    write(path, 1, log=os.fsdecode(b"\xff.log"))
    with open(path, "rb") as file:
        assert json.load(file)["file"] == "\\udcff.log"


def test_what_keeps_nothing_can_be_written_to():
    """A device takes rejects, too."""
    assert is_rejects_file(os.devnull)
    write(os.devnull, 1)
