"""The sandbox under load: what it accepts while its page is open, and whether its memory stays bounded.

`python -m benchmarks.sandbox`, with `SECONDS=10` and `MAX_MESSAGES=100000` (what the sandbox keeps; the run should send
more than that, so that the oldest give way). The sandbox is a process of its own, as a user starts it. Batches of 50
are sent over eight connections, first as fast as they are answered, then at 10,000 messages a second; nine of ten are
events of 1,000 users, one of ten is a profile update. The page is open in headless chromium, where that is installed,
and one more reader follows the live stream, noting the longest silence.

Prints a row for each phase, and a line of JSON. Exit status: 0; 1 if the sandbox took less than 10,000 messages a
second, refused something, or lost something.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import quote, urlsplit

from benchmarks.event import EXTRAS, NAME
from benchmarks.resident import resident_bytes

BATCH = 50
BATCHES = 400
CONNECTIONS = 8
USERS = 1_000
GOAL_PER_S = 10_000
ROW = "{:<16}{:>12}{:>12}{:>12}{:>12}{:>12}"
BROWSER_S = 3.0  # until a browser has started, and has its share of the processor behind it
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


class Load:
    """Clients that send batches for a while, and what they saw."""

    def __init__(self, url: str, pace_per_s: float | None) -> None:
        self._host, self._port = urlsplit(url).hostname, urlsplit(url).port
        self._interval_s = CONNECTIONS * BATCH / pace_per_s if pace_per_s else 0.0
        self.answered_s: list[float] = []
        self.refused = 0

    def run(self, seconds: float) -> float:
        """Send for so long; messages a second."""
        start = time.perf_counter()
        clients = [threading.Thread(target=self._client, args=(n, start + seconds)) for n in range(CONNECTIONS)]
        for client in clients:
            client.start()
        for client in clients:
            client.join()
        return len(self.answered_s) * BATCH / (time.perf_counter() - start)

    def _client(self, number: int, end: float) -> None:
        requests = REQUESTS[number::CONNECTIONS]
        with socket.create_connection((self._host, self._port)) as connection:
            due = time.perf_counter() + self._interval_s * number / CONNECTIONS
            turn = 0
            while (due if self._interval_s else time.perf_counter()) < end:
                time.sleep(max(0.0, due - time.perf_counter()))
                start = time.perf_counter()
                connection.sendall(requests[turn % len(requests)])
                self.refused += answered(connection) != b"1"
                self.answered_s.append(time.perf_counter() - start)
                due += self._interval_s
                turn += 1


def answered(connection: socket.socket) -> bytes:
    """The body of an answer, which may come apart from its head; here it is one character."""
    answer = b""
    while not answer.partition(b"\r\n\r\n")[2]:
        part = connection.recv(4096)
        if not part:
            raise ConnectionError("the sandbox closed the connection")
        answer += part
    return answer.partition(b"\r\n\r\n")[2]


def batches() -> Iterator[bytes]:
    """Whole requests, made before anything is measured."""
    for batch in range(BATCHES):
        users = [str((batch * BATCH + n) % USERS) for n in range(BATCH)]
        if batch % 10:
            extras = {**EXTRAS, "token": "bench"}
            messages = [{"event": NAME, "properties": {**extras, "distinct_id": user}} for user in users]
        else:
            messages = [{"$token": "bench", "$distinct_id": user, "$add": {"Orders": 1}} for user in users]
        data = "data=" + quote(base64.b64encode(json.dumps(messages).encode()), safe="")
        path = "/track/" if batch % 10 else "/engage/?ip=0"
        head = f"POST {path} HTTP/1.1\r\nHost: sandbox\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        yield f"{head}Content-Length: {len(data)}\r\n\r\n{data}".encode()


REQUESTS = list(batches())


class Reader(threading.Thread):
    """Follows the live stream, as a page does, and notes the longest time without news."""

    def __init__(self, url: str) -> None:
        super().__init__(daemon=True)
        self._url = url + "/sandbox/stream"
        self.longest_s = 0.0
        self.news = 0
        self.start()

    def run(self) -> None:
        last = None
        with urllib.request.urlopen(self._url) as stream:
            for line in stream:
                if line.startswith(b"data:"):
                    now = time.perf_counter()
                    self.longest_s = max(self.longest_s, now - (last or now))
                    last, self.news = now, self.news + 1

    def begin(self) -> None:
        self.longest_s, self.news = 0.0, 0


@contextmanager
def sandbox(max_messages: int) -> Iterator[tuple[str, int]]:
    """A running sandbox: its URL and its process."""
    command = [sys.executable, "-c", "from robotmia_logging.cli import main; main()", "sandbox", "--port", "0"]
    command += ["--max-messages", str(max_messages)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process.stdout.readline().split()[-1], process.pid
        finally:
            process.terminate()


@contextmanager
def page(url: str) -> Iterator[bool]:
    """The page, open in a browser; whether there is one."""
    browser = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        yield False
        return
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        command = [browser, "--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0"]
        command += [f"--user-data-dir={profile}", url]
        with subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as process:
            try:
                time.sleep(BROWSER_S)
                yield True
            finally:
                process.terminate()


def totals(url: str) -> dict[str, int]:
    with urllib.request.urlopen(url + "/sandbox/summary") as answer:
        return json.load(answer)["totals"]


def cpu_s(process: int) -> float:
    """Processor time of a process so far."""
    with open(f"/proc/{process}/stat") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure(name: str, url: str, process: int, reader: Reader, seconds: float, pace_per_s: float | None) -> dict:
    load = Load(url, pace_per_s)
    reader.begin()
    cpu = cpu_s(process)
    messages_s = load.run(seconds)
    sent = len(load.answered_s) * BATCH
    report = {
        "messages_s": messages_s,
        "sent": sent,
        "refused": load.refused,
        "cpu_us": (cpu_s(process) - cpu) / sent * 1e6,
        "p50_ms": statistics.median(load.answered_s) * 1e3,
        "p99_ms": statistics.quantiles(load.answered_s, n=100)[98] * 1e3,
        "longest_silence_s": reader.longest_s,
        "resident_mib": resident_bytes(process) / 2**20,
    }
    print(
        ROW.format(
            name,
            f"{messages_s:,.0f}",
            f"{report['p50_ms']:.1f}",
            f"{report['p99_ms']:.1f}",
            f"{report['longest_silence_s']:.2f}",
            f"{report['resident_mib']:,.0f}",
        ),
        flush=True,
    )
    return report


def main() -> int:
    seconds, max_messages = float(os.environ.get("SECONDS", "10")), int(os.environ.get("MAX_MESSAGES", "100000"))
    print(ROW.format("", "messages/s", "p50, ms", "p99, ms", "silence, s", "MiB"))
    with sandbox(max_messages) as (url, process), page(url) as is_open:
        reader = Reader(url)
        phases = {
            name: measure(name, url, process, reader, seconds, pace)
            for name, pace in (("flat out", None), ("at 10,000/s", GOAL_PER_S), ("once more", None))
        }
        end = totals(url)
    sent = sum(phase["sent"] for phase in phases.values())
    kept = end["messages"] + end["gave_way"]
    print(f"the page was {'open in chromium' if is_open else 'not open: no chromium here'}")
    print(f"sent {sent:,}, kept {end['messages']:,}, gave way {end['gave_way']:,}, refused {end['refusals']:,}")
    print(json.dumps({"phases": phases, "totals": end, "page": is_open}))
    is_fast = phases["flat out"]["messages_s"] >= GOAL_PER_S
    return 0 if is_fast and kept == sent and not any(phase["refused"] for phase in phases.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
