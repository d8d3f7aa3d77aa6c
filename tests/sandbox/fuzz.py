"""Sends a sandbox whatever may break it, for some minutes: `python -m tests.sandbox.fuzz --minutes 3`."""

import argparse
import contextlib
import http.client
import os
import sys
import time
from collections import Counter
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, seed, settings

sys.path.insert(0, str(Path(__file__).parent))  # as pytest does for the tests

from hostile_requests import HostileRequest, requests
from sandbox_client import encode, event

from robotmia_logging.sandbox.server import SandboxServer

TIMEOUT_S = 10  # an answer that takes longer is a hang
EXAMPLES = 500  # in a round: each round has a seed of its own


def send(port: int, request: HostileRequest) -> int:
    """Send one request on a connection of its own, and read the whole answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_S)
    with contextlib.closing(connection):
        connection.request(request.method, request.target, request.body or None, dict(request.headers))
        response = connection.getresponse()
        response.read()
        return response.status


def check(port: int, request: HostileRequest) -> int:
    """Send a request, and see that it is no failure of the server's."""
    status = send(port, request)
    assert status < 500, f"{status} for {request!r}"
    return status


def check_alive(port: int) -> None:
    """See that an ordinary event is still accepted."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_S)
    with contextlib.closing(connection):
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        data = encode(event()).replace("+", "%2B").replace("=", "%3D")
        connection.request("POST", "/track/", f"data={data}", form)
        answer = connection.getresponse().read()
        assert answer == b"1", answer


def fuzz_round(port: int, seed_number: int, statuses: Counter[int], examples: int = EXAMPLES) -> None:
    """Send as many requests as a round has, then see that the server lives."""

    @seed(seed_number)
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate, Phase.shrink],
    )
    @given(request=requests)
    def once(request: HostileRequest) -> None:
        statuses[check(port, request)] += 1

    once()
    check_alive(port)


def main() -> None:
    """Fuzz for as long as the arguments say; the seed printed with a failure repeats it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=3)
    parser.add_argument("--seed", type=int, default=int.from_bytes(os.urandom(3), "big"))
    arguments = parser.parse_args()
    statuses: Counter[int] = Counter()
    ends = time.monotonic() + arguments.minutes * 60
    number = arguments.seed
    with SandboxServer(max_messages=2000) as server:
        while time.monotonic() < ends:
            print(f"seed {number}: {statuses.total()} requests so far", file=sys.stderr)
            fuzz_round(server.port, number, statuses)
            number += 1
    print(f"{statuses.total()} requests, no failure; by status: {dict(sorted(statuses.items()))}")


if __name__ == "__main__":
    main()
