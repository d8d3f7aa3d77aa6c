"""Log files: in order, and unpacked."""

from __future__ import annotations

import bz2
import contextlib
import gzip
import logging.handlers
import lzma
import os
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robotmia_logging.logs import in_order, open_log

TEXT = b"".join(b"line %d\n" % number for number in range(50_000))
PACKED = {"plain": bytes, "gzip": gzip.compress, "bzip2": bz2.compress, "xz": lzma.compress}


@pytest.fixture
def log(tmp_path):
    """Writes a file and gives its path."""

    def write(data):
        path = tmp_path / "app.log"
        path.write_bytes(data)
        return str(path)

    return write


@pytest.mark.parametrize("packed", PACKED.values(), ids=PACKED)
def test_compressed_logs_read_like_others(packed, log):
    """Lines, positions and going back are those of the unpacked bytes, whatever the file is called."""
    with open_log(log(packed(TEXT))) as file:
        assert file.readline() == b"line 0\n"
        assert file.tell() == 7
        rest = file.read()
        assert b"line 0\n" + rest == TEXT
        assert file.tell() == len(TEXT)
        file.seek(7)
        assert file.readline() == b"line 1\n"
        assert os.fstat(file.fileno()).st_size == len(packed(TEXT))


@pytest.mark.parametrize("packed", [*PACKED.values()][1:], ids=[*PACKED][1:])
def test_parts_behind_each_other(packed, log):
    """A file that was appended to is read to its end."""
    with open_log(log(packed(b"a\n") + packed(b"b\n"))) as file:
        assert file.read() == b"a\nb\n"


@pytest.mark.parametrize("packed", [*PACKED.values()][1:], ids=[*PACKED][1:])
def test_damaged_logs(packed, log):
    """What is whole is read; then comes an OSError that says so."""
    whole = packed(TEXT)
    with open_log(log(whole[: len(whole) * 2 // 3])) as file, pytest.raises(OSError, match="data ends too early"):
        list(file)
    middle = len(whole) // 2
    damaged = log(whole[:middle] + bytes(64) + whole[middle + 64 :])
    with open_log(damaged) as file, pytest.raises(OSError, match="its compressed data is damaged"):
        list(file)


@given(st.binary(max_size=200), st.sampled_from([*PACKED.values()]))
def test_any_bytes_can_be_opened(tmp_path_factory, data, packed):
    """Nothing but an OSError comes of a file that isn't what it begins like."""
    path = tmp_path_factory.getbasetemp() / "any.log"
    path.write_bytes(packed(b"")[:6] + data)
    with contextlib.suppress(OSError), open_log(str(path)) as file:
        file.read()


@pytest.mark.parametrize(("start", "name"), [(b"\x28\xb5\x2f\xfd", "zstd"), (b"PK\x03\x04", "zip")])
def test_other_compressions(start, name, log):
    """They are refused, not read as text."""
    with pytest.raises(OSError, match=f"compressed by {name}"):
        open_log(log(start + bytes(100)))


def test_an_empty_file(log):
    """It has no lines."""
    with open_log(log(b"")) as file:
        assert file.read() == b""


def test_files_are_closed(log):
    """A compressed one, too: nothing is left open, however it ends."""
    for packed in PACKED.values():
        file = open_log(log(packed(TEXT)))
        file.readline()
        descriptor = file.fileno()
        file.close()
        file.close()
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(descriptor)


def test_a_file_is_closed_whatever_its_unpacking_says(log, monkeypatch):
    """An error at the end of unpacking comes through, and leaves no file open."""

    def fail(_self):
        raise OSError("damaged")

    file = open_log(log(gzip.compress(TEXT)))
    descriptor = file.fileno()
    monkeypatch.setattr(gzip.GzipFile, "close", fail)
    with pytest.raises(OSError, match="damaged"):
        file.close()
    monkeypatch.undo()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)


@pytest.mark.parametrize(
    ("given", "ordered"),
    [
        (
            ["app.log", "app.log.1", "app.log.2.gz", "app.log.10"],
            ["app.log.10", "app.log.2.gz", "app.log.1", "app.log"],
        ),
        (
            ["app.log", "app.log.2026-11-24", "app.log.2026-11-23.gz", "app.log-20261122.xz"],
            ["app.log-20261122.xz", "app.log.2026-11-23.gz", "app.log.2026-11-24", "app.log"],
        ),
        (
            ["app-2026-11-24.log", "app.log", "app-2026-11-23.log.gz"],
            ["app-2026-11-23.log.gz", "app-2026-11-24.log", "app.log"],
        ),
        (["app.log.2026-11-24_13", "app.log.2026-11-24_12"], ["app.log.2026-11-24_12", "app.log.2026-11-24_13"]),
        (
            ["app.log.2026-11-24_13-05-09", "app.log.2026-11-24_13-05"],
            ["app.log.2026-11-24_13-05", "app.log.2026-11-24_13-05-09"],
        ),
        (["app.log-1795467600", "app.log-1795381200.gz"], ["app.log-1795381200.gz", "app.log-1795467600"]),
        (["web.log", "app.log", "web.log.1", "app.log.1"], ["web.log.1", "web.log", "app.log.1", "app.log"]),
        (["b.log", "a.log"], ["b.log", "a.log"]),
        (["worker-2.log", "worker-1.log"], ["worker-2.log", "worker-1.log"]),
        (["/b/app.log", "/a/app.log.1", "/a/app.log"], ["/b/app.log", "/a/app.log.1", "/a/app.log"]),
        (["./app.log", "./app.log.1"], ["./app.log.1", "./app.log"]),
        (["app.log.1", "app.log.1.gz"], ["app.log.1", "app.log.1.gz"]),
        (["-"], ["-"]),
        ([], []),
    ],
)
def test_the_order_of_rotated_logs(given, ordered):
    """The oldest first, each log's files together; logs of different names or folders stay as given."""
    assert in_order(given) == ordered


@given(st.lists(st.text(max_size=30) | st.from_regex(r"app\.log([.-]\d{1,10})?(\.gz)?", fullmatch=True)))
def test_no_file_is_lost(paths):
    """All are there, once each, and in their order already."""
    ordered = in_order(paths)
    assert sorted(ordered) == sorted(paths)
    assert in_order(ordered) == ordered


@pytest.mark.parametrize("when", ["S", "M", "H", "D", "MIDNIGHT", "W0"])
def test_the_names_of_timed_rotation(when, tmp_path):
    """What the standard library calls its files is in order."""
    handler = logging.handlers.TimedRotatingFileHandler(tmp_path / "app.log", when=when, delay=True)
    names = [f"app.log.{time.strftime(handler.suffix, (2026, 11, day, 1, 2, 3, 0, 1, 0))}" for day in (9, 10)]
    handler.close()
    assert in_order(["app.log", names[1], names[0]]) == [*names, "app.log"]
