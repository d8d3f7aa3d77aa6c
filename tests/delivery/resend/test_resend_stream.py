"""What is read once: a read that waits can be given up, from any thread."""

from __future__ import annotations

import os
import subprocess
import sys
import threading

import pytest

from robotmia_logging.delivery.resend.stream import ClosedError, Stream, open_source


@pytest.fixture
def pipe():
    """A stream, and the descriptor of its writer, who says nothing by himself."""
    read, write = os.pipe()
    with Stream(read) as stream:
        yield stream, write
    os.close(write)


def test_lines_come_as_they_are_written(pipe):
    """A line can be read as soon as it is there; the end is there when the writer closes."""
    stream, write = pipe
    os.write(write, b"a\nb\nc")
    assert (stream.readline(), stream.readline()) == (b"a\n", b"b\n")
    os.write(write, b"\n")
    assert stream.readline() == b"c\n"
    os.dup2(os.open(os.devnull, os.O_RDONLY), write)
    assert (stream.readline(), stream.read()) == (b"", b"")


def test_closing_ends_the_waiting(pipe):
    """Whoever waits for a line when the stream is closed is told, and doesn't get half a line."""
    stream, write = pipe
    os.write(write, b"half a line")
    ended = []

    def read():
        try:
            ended.append(stream.readline())
        except ClosedError as error:
            ended.append(error)

    reader = threading.Thread(target=read)
    reader.start()
    stream.close()
    reader.join(5)
    assert not reader.is_alive()
    assert [type(each) for each in ended] in ([ClosedError], [ValueError])


def test_closing_lets_go_of_everything():
    """No descriptor is left open, however often it is closed."""
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        read, write = os.pipe()
        stream = Stream(read)
        stream.close()
        stream.close()
        os.close(write)
    assert len(os.listdir("/proc/self/fd")) == before


def test_an_interpreter_may_end_meanwhile():
    """A process whose thread still waits for standard input ends as any other."""
    program = (
        "import threading, sys; from robotmia_logging.delivery.resend import open_source\n"
        "stream = open_source('-')\n"
        "threading.Thread(target=stream.readline, daemon=True).start()\n"
    )
    command = [sys.executable, "-c", program]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.wait(20) == 0
        assert process.stderr.read() == b""


def test_a_file_is_no_stream(tmp_path):
    """What can be read again is opened as usual; what can't be is a stream; standard input that is closed an error."""
    (tmp_path / "file").write_bytes(b"a\n")
    with open_source(str(tmp_path / "file")) as file:
        assert (isinstance(file, Stream), file.read()) == (False, b"a\n")
    with open_source(os.devnull) as file:
        assert (isinstance(file, Stream), file.read()) == (True, b"")


def test_standard_input_may_be_closed(monkeypatch):
    """Without standard input there is an error in words."""
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(OSError, match="Bad file descriptor"):
        open_source("-")
