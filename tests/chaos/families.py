"""Families of loggers as who plays the rounds sees them: started, killed, stopped, and gone at last."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from typing_extensions import Self

from tests.chaos.plans import Family
from tests.chaos.zygote import MOST_BYTES

_ROOT = Path(__file__).parents[2]


class Running:
    """A family that was started.

    Attributes:
        name: its name.
        plan: its family; None for a drainer.
        alive: a descriptor that comes to its end when nobody of the family lives any more.
        code: how its first process ended, once it is known.
        was_struck: whether it was killed from outside while it lived.
    """

    def __init__(self, name: str, plan: Family | None, pid: int, alive: int, wait: Callable[[], int]) -> None:
        self.name = name
        self.plan = plan
        self.alive = alive
        self.code: int | None = None
        self.was_struck = False
        self._pid = pid
        self._wait = wait
        self._lock = threading.Lock()  # whoever is waited for has no number any more that could be killed

    def strike(self, number: int, *, everybody: bool = False) -> None:
        """Send the first process, or everybody, a signal."""
        with self._lock, suppress(ProcessLookupError):
            if self.code is not None:
                return
            self.was_struck |= number in (signal.SIGKILL, signal.SIGTERM)
            if everybody:
                with suppress(ProcessLookupError):  # just born: it has no group yet
                    os.killpg(self._pid, number)
                    return
            os.kill(self._pid, number)

    def bury(self) -> None:
        """All of them are gone: learn how the first ended."""
        with self._lock:
            self.code = self._wait()
        os.close(self.alive)


class Nursery:
    """Starts families, by a zygote or in interpreters of their own, within a `with` block."""

    def __enter__(self) -> Self:
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._zygote = subprocess.Popen(
            [sys.executable, "-m", "tests.chaos.zygote", str(theirs.fileno())],
            pass_fds=(theirs.fileno(),),
            stdin=subprocess.DEVNULL,
            env=_environment(),
            cwd=_ROOT,
        )
        theirs.close()
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()
        self._zygote.wait()

    def start(self, order: dict[str, Any], plan: Family | None, folder: str) -> Running:
        """Start a family."""
        mine, theirs = os.pipe()
        name = order["family"]
        try:
            if plan is not None and plan.fresh:
                process = self._start_fresh(order, theirs, os.path.join(folder, "orders", name))
                return Running(name, plan, process.pid, mine, process.wait)
            pid = self._ask(order, theirs)
            return Running(name, plan, pid, mine, lambda: self._ask({"wait_for": pid}))
        finally:
            os.close(theirs)

    def _ask(self, what: dict[str, Any], *descriptors: int) -> int:
        socket.send_fds(self._socket, [json.dumps(what).encode()], descriptors)
        return int(self._socket.recv(MOST_BYTES))

    @staticmethod
    def _start_fresh(order: dict[str, Any], alive: int, path: str) -> subprocess.Popen[bytes]:
        with open(path, "w", encoding="utf-8") as file:
            json.dump(order, file)
        with open(order["stderr"], "ab") as stderr:
            return subprocess.Popen(
                [sys.executable, "-W", "ignore::DeprecationWarning", "-m", "tests.chaos.logger", path],
                pass_fds=(alive,),
                stdin=subprocess.DEVNULL,
                stderr=stderr,
                start_new_session=True,
                env=_environment(),
                cwd=_ROOT,
            )


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ROBOTMIA_")}
    return {**kept, "NO_PROXY": "127.0.0.1"}
