"""What one process ships over a distance: a backlog drained at several latencies, and through failures.

`python -m benchmarks.distance`, `FULL=1` for more messages. First messages a second at so many milliseconds a request,
with the default `senders` and with one, and with few users; then 200 ms a request of which one in a hundred fails, by
503, or by a connection that is dropped before or after its messages were taken. Prints a table and a line of JSON.

Exit status: 0; 1 if a message was lost, or came out of its user's order.
"""

from __future__ import annotations

import base64
import json
import os
import sys
import threading
import time
from collections import defaultdict
from itertools import cycle
from typing import Any
from urllib.parse import parse_qs

from benchmarks.contestants import TOKEN, plain_logger
from benchmarks.event import EXTRAS, NAME
from benchmarks.sink import ALL_WELL, HOST, UNAVAILABLE, Port, Request
from benchmarks.sink_process import sink
from robotmia_logging import RobotmiaHandler
from robotmia_logging.delivery import THREAD_NAME

FULL = os.environ.get("FULL") == "1"
LATENCIES_MS = (0, 5, 20, 50, 100, 200)
REQUESTS = 40 if FULL else 6  # of each sender, at 50 a request
USERS = 1_000
SENDERS = 8
FAR_MS, FAILING_EVERY = 200, 100
LOSSY_MESSAGES = 40_000 if FULL else 20_000
FLUSH_S = 300.0
ROW = "{:>12}{:>9}{:>9}{:>12}{:>14}{:>14}{:>8}"


class LossyServer:
    """Takes batches from afar; of a hundred requests one fails, in each of three ways in turn.

    Attributes:
        taken: of each user the numbers of their messages, in the order in which they were first taken.
        again: messages that came twice, for their reply was lost.
        failed: requests that failed.
    """

    def __init__(self) -> None:
        self.taken: dict[str, dict[int, None]] = defaultdict(dict)
        self.again = 0
        self.failed = 0
        self._requests = 0
        self._ways = cycle(("503", "dropped before", "dropped after"))
        self._lock = threading.Lock()
        self._port = Port(self._answer)
        self.url = f"http://{HOST}:{self._port.number}"

    def _answer(self, request: Request) -> bytes:
        time.sleep(FAR_MS / 1000)
        with self._lock:
            self._requests += 1
            way = next(self._ways) if self._requests % FAILING_EVERY == 0 else None
            self.failed += way is not None
            if way in (None, "dropped after"):
                self._take(request.body)
        if way == "503":
            return UNAVAILABLE
        if way is not None:
            raise ConnectionAbortedError(way)  # the connection is closed without a reply
        return ALL_WELL

    def _take(self, body: bytes) -> None:
        for message in json.loads(base64.b64decode(parse_qs(body.decode())["data"][0])):
            properties = message["properties"]
            numbers = self.taken[properties["distinct_id"]]
            self.again += properties["number"] in numbers
            numbers.setdefault(properties["number"])


def drain(url: str, messages: int, users: int = USERS, **options: Any) -> tuple[float, int, RobotmiaHandler]:
    """Log a backlog and deliver it: seconds, the most senders (each has a connection), and the handler."""
    handler = RobotmiaHandler(
        token=TOKEN, url=url, max_pending=2 * messages, max_pending_bytes=messages * 4096, **options
    )
    log = plain_logger(f"bench.distance.{id(handler)}", handler)
    start = time.perf_counter()
    for number in range(messages):
        log.info(NAME, extra={**EXTRAS, "distinct_id": f"u{number % users}", "number": number, "track": True})
    handler.flush(0)
    until, most = start + FLUSH_S, senders()
    while handler.delivery.pending and time.perf_counter() < until:
        most = max(most, senders())
        time.sleep(0.005)
    return time.perf_counter() - start, most, handler


def senders() -> int:
    """How many sending threads there are."""
    return sum(thread.name == THREAD_NAME for thread in threading.enumerate())


def at_latencies() -> list[dict[str, Any]]:
    """A backlog at each latency, with eight senders and one, many users and one."""
    rows = []
    for latency_ms in LATENCIES_MS:
        for users, given in ((USERS, SENDERS), (USERS, 1), (1, SENDERS)):
            alone = given == 1 or users == 1
            messages = 50 * REQUESTS * (1 if alone and latency_ms >= 20 else SENDERS)
            with sink(latency_ms=latency_ms) as running:
                took, most, handler = drain(running.url, messages, users, senders=given)
                stats = handler.stats()
                lost = messages - running.counts()["messages"]
                handler.close()
            row = {
                "latency_ms": latency_ms,
                "senders": given,
                "users": users,
                "connections": most,
                "messages_s": messages / took,
                "messages_a_request": stats.delivered / max(stats.requests, 1),
                "lost": lost,
            }
            rows.append(row)
            print(
                ROW.format(
                    f"{latency_ms} ms", given, f"{users:,}", most, f"{row['messages_s']:,.0f}",
                    f"{row['messages_a_request']:.1f}", lost,
                ),
                flush=True,
            )  # fmt: skip
    return rows


def through_failures() -> dict[str, Any]:
    """A backlog at 200 ms with failures: what was lost, came twice, or out of order."""
    server = LossyServer()
    took, most, handler = drain(server.url, LOSSY_MESSAGES)
    stats = handler.stats()
    handler.close()
    arrived = sum(len(numbers) for numbers in server.taken.values())
    disordered = sum(list(numbers) != sorted(numbers) for numbers in server.taken.values())
    return {
        "messages": LOSSY_MESSAGES,
        "lost": LOSSY_MESSAGES - arrived,
        "undelivered": LOSSY_MESSAGES - stats.delivered,
        "twice": server.again,
        "disordered_users": disordered,
        "failed_requests": server.failed,
        "retries": stats.retries,
        "connections": most,
        "messages_s": LOSSY_MESSAGES / took,
    }


def main() -> int:
    print(ROW.format("a request", "senders", "users", "connections", "messages/s", "a request", "lost"))
    rows = at_latencies()
    far = through_failures()
    print(
        f"{FAR_MS} ms, 1 % failures: {far['messages']:,} messages, {far['lost']} lost, {far['twice']} twice, "
        f"{far['disordered_users']} users out of order\n{far['failed_requests']} requests failed; "
        f"{far['messages_s']:,.0f} messages/s over {far['connections']} connections"
    )
    print(json.dumps({"latencies": rows, "failures": far}))
    return 1 if any(row["lost"] for row in rows) or far["lost"] or far["disordered_users"] else 0


if __name__ == "__main__":
    sys.exit(main())
