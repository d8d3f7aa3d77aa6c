"""A process that has imported all a logger needs, and forks loggers: that is a hundred times quicker than to start one.

    python -m tests.chaos.zygote DESCRIPTOR

It has no handler, thread or delivery of its own. The descriptor is a socket, on which come orders (JSON, with a
descriptor that all of the logger's family inherit) and questions for how a logger ended.
"""

from __future__ import annotations

import gc
import json
import os
import socket
import sys
from typing import Any

from tests.chaos import logger

MOST_BYTES = 128 * 1024


def serve(sock: socket.socket) -> dict[str, Any] | None:
    """Fork until nobody asks any more; in a child, give its order."""
    gc.freeze()
    while True:
        data, descriptors, _, _ = socket.recv_fds(sock, MOST_BYTES, 1)
        if not data:
            return None
        asked = json.loads(data)
        if "wait_for" in asked:
            _, status = os.waitpid(asked["wait_for"], 0)
            sock.send(b"%d" % os.waitstatus_to_exitcode(status))
            continue
        pid = os.fork()
        if not pid:
            os.setsid()
            sock.close()
            become(asked)
            return asked  # type: ignore[no-any-return]
        os.close(descriptors[0])
        sock.send(b"%d" % pid)


def become(order: dict[str, Any]) -> None:
    """Have what the child says on stderr in a file."""
    descriptor = os.open(order["stderr"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(descriptor, 2)
    os.close(descriptor)


if __name__ == "__main__":
    ordered = serve(socket.socket(fileno=int(sys.argv[1])))
    if ordered is not None:
        logger.run(ordered)
