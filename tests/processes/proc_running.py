"""Runs scripts in processes of their own against a hostile server."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.hostile import HostileServer, Script

_ROOT = Path(__file__).parents[2]
_SCRIPTS = Path(__file__).parent / "scripts"
_LOST = re.compile(r"^robotmia_logging: (\d+) messages? not delivered at exit: (.+)$", re.MULTILINE)


_starting = threading.Lock()
"""A process that is being started holds our sockets for a moment: a server must not give up its port meanwhile."""


@contextmanager
def serving(behaviour: Script | None = ()) -> Iterator[HostileServer]:
    """A server for one of several cases that are checked at the same time; without behaviour it refuses connections."""
    server = HostileServer(() if behaviour is None else behaviour).__enter__()
    try:
        if behaviour is None:
            with _starting:
                server.refuse_connections()
        yield server
    finally:
        with _starting:
            server.__exit__()


@dataclass(frozen=True)
class Ended:
    """A script that ended, and everything it started with it."""

    code: int
    out: str
    err: str
    at: float

    @property
    def lines(self) -> list[str]:
        """What the script said."""
        return [line for line in self.out.splitlines() if not line.startswith("leaving")]

    @property
    def exit_s(self) -> float:
        """How long the exit took, from the script's last line on."""
        return self.at - float(self.out.rpartition("leaving ")[2])

    @property
    def lost(self) -> list[tuple[int, str]]:
        """The lines that tell of lost messages: how many, and why."""
        return [(int(count), reason) for count, reason in _LOST.findall(self.err)]


def run(
    server: HostileServer,
    script: str,
    *args: object,
    timeout: float = 30.0,
    meanwhile: Callable[[subprocess.Popen[str]], object] | None = None,
    closed_stderr: bool = False,
) -> Ended:
    """Run a script to its end, that of its children included; whoever hangs is killed, and the test fails."""
    environment = {
        **os.environ,
        "ROBOTMIA_URL": server.url,
        "ROBOTMIA_TOKEN": "token",
        "NO_PROXY": "127.0.0.1",
        "PYTHONPATH": os.pathsep.join(filter(None, (str(_SCRIPTS), str(_ROOT), os.environ.get("PYTHONPATH")))),
    }
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "story.py"
        path.write_text(textwrap.dedent(script))
        command = [sys.executable, "-W", "ignore::DeprecationWarning", str(path), *map(str, args)]
        if closed_stderr:
            command = ["/bin/sh", "-c", 'exec "$@" 2>&-', "sh", *command]
        with _starting:
            process = subprocess.Popen(
                command,
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                start_new_session=True,
            )
        try:
            if meanwhile is not None:
                meanwhile(process)
            out, err = process.communicate(timeout=timeout)
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            out, err = process.communicate()
            sys.stderr.write(out + err)
            raise
        return Ended(process.returncode, out, err, time.monotonic())


def together(check: Callable[..., object], *cases: tuple[object, ...]) -> None:
    """Check several cases at the same time, for they mostly wait; a failing one is named."""
    with ThreadPoolExecutor(len(cases)) as pool:
        checks = [(case, pool.submit(check, *case)) for case in cases]
    errors = [(case, error) for case, done in checks if (error := done.exception()) is not None]
    for case, error in errors:
        print(f"failed with {case}: {error}")
    if errors:
        raise errors[0][1]


def go_on(process: subprocess.Popen[str]) -> None:
    """Let a script that listens go on."""
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


def arrived(server: HostileServer, event: str = "E") -> list[int]:
    """The numbers that the server took, in their order of arrival."""
    return [message["properties"]["n"] for path, message in server.taken if message.get("event") == event]


def each_once(server: HostileServer, *ranges: range, event: str = "E") -> bool:
    """Whether these numbers arrived, each once, and no others; a failing test shows the difference."""
    wanted = Counter(n for numbers in ranges for n in numbers)
    got = Counter(arrived(server, event))
    assert not server.violations
    assert (sorted((wanted - got).elements()), sorted((got - wanted).elements())) == ([], []), "missing, too many"
    return True
