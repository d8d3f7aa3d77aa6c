"""A sink in a process of its own, and what it can be told."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class SinkProcess:
    """A sink that runs: where it takes batches, and where it takes commands."""

    url: str
    control: str

    def counts(self) -> dict[str, int]:
        """What it took so far: `messages`, `requests`; answered with 503 (`failed`); `unreadable` requests."""
        with urlopen(f"{self.control}/count", timeout=60) as reply:
            return json.loads(reply.read())

    def away(self, how: str) -> None:
        """Be away until `back`: "refusing" connections, or "silent"."""
        self._tell(f"away/{how}")

    def back(self) -> None:
        self._tell("back")

    def _tell(self, what: str) -> None:
        with urlopen(f"{self.control}/{what}", data=b"", timeout=60):
            pass


@contextmanager
def sink(*, latency_ms: float = 0.0, failing: float = 0.0) -> Iterator[SinkProcess]:
    """Run a sink.

    Args:
        latency_ms: how long it waits before each reply.
        failing: the share of requests that it answers with 503.
    """
    command = [sys.executable, "-m", "benchmarks.sink", f"--latency-ms={latency_ms}", f"--failing={failing}"]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            ports = json.loads(process.stdout.readline())
            yield SinkProcess(*(f"http://127.0.0.1:{ports[name]}" for name in ("port", "control")))
        finally:
            process.kill()
