"""Runs the command line, in this process or in one of its own, and leaves what it is to find."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from robotmia_logging.cli.group import cli
from robotmia_logging.delivery.spool.chain import Chain
from robotmia_logging.messages import message_line
from tests.delivery.fakes import event

RUN = "from robotmia_logging.cli import main; main()"


@dataclass(frozen=True)
class Said:
    """What a command said, and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> list[Any]:
        """The lines of stdout."""
        return [json.loads(line) for line in self.out.splitlines()]


def here(capsys, *arguments) -> Said:
    """Run a command in this process."""
    capsys.readouterr()
    code = 0
    try:
        cli([str(argument) for argument in arguments], prog_name="robotmia-logging")
    except SystemExit as end:
        code = end.code
    return Said(code, *capsys.readouterr())


@contextmanager
def apart(*arguments, program=RUN, **options):
    """A command in a process of its own, killed at last if it lives."""
    command = [sys.executable, "-c", program, *map(str, arguments)]
    usual = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "env": environment()}
    with subprocess.Popen(command, **{**usual, **options}) as process:
        try:
            yield process
        finally:
            process.kill()


def environment(**more):
    """What a process of its own finds."""
    root = str(Path(__file__).parents[2])
    return {**os.environ, "PYTHONPATH": root, "NO_PROXY": "127.0.0.1", **more}


def ended(process) -> Said:
    """What a process said until its end."""
    out, err = process.communicate(timeout=30)
    return Said(process.returncode, out, err)


def numbered(count, now, start=0, users=7):
    """Lines of events with numbers."""
    return [message_line(event("E", f"u{n % users}", time=int(now), n=n)) for n in range(start, start + count)]


def left(root, *lines, at=1_700_000_000.0, size=1 << 20) -> str:
    """The chain of a dead process."""
    chain = Chain.create(str(root), at)
    segment = chain.new_segment(size)
    for line in lines:
        assert segment.append(line)
    chain.release()
    return chain.folder


def numbers(server) -> list[int]:
    """The numbers that a server took, in their order of arrival."""
    return [message["properties"]["n"] for _, message in server.taken]


def letters(path) -> list[Any]:
    """The dead letters in a file."""
    return [json.loads(line) for line in Path(path).read_bytes().splitlines()]


def names_in(folder) -> list[str]:
    """What lies in a folder."""
    return sorted(os.listdir(folder))
