"""What the scripts of these tests have in common; they find the server in their environment."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import time

from robotmia_logging import RobotmiaHandler


def door(name="app", **options):
    """A logger with a handler of its own."""
    handler = RobotmiaHandler(**{"shutdown_timeout": 15.0, **options})
    log = logging.getLogger(name)
    log.setLevel(logging.DEBUG)
    log.propagate = False
    log.addHandler(handler)
    return log, handler


def track(log, count=1, start=0, user="ada", event="E"):
    """Tracked calls that carry the numbers from `start` on."""
    for n in range(start, start + count):
        log.info("n is %d", n, extra={"event": event, "n": n, "distinct_id": user})


def adds_up(stats):
    """Whether every message is accounted for."""
    ends = stats.delivered + sum(stats.dropped.values()) + sum(stats.dead_lettered.values())
    return stats.accepted == ends + stats.pending


def say(*words):
    """A line for the test, at once, and whole, whoever else writes."""
    sys.stdout.flush()
    os.write(1, (" ".join(map(str, words)) + "\n").encode())


def leaving():
    """Tell the test when the script itself has ended: what follows is the exit."""
    say("leaving", time.monotonic())


def listen():
    """Wait until the test says to go on."""
    sys.stdin.readline()


def no_more_alarms():
    """End `signal.setitimer`, also what it has sent: another thread may have been given that, and come to it later."""
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, signal.SIG_IGN)


def sockets():
    """The sockets this process holds."""
    found = []
    for name in os.listdir("/proc/self/fd"):
        try:
            target = os.readlink(f"/proc/self/fd/{name}")
        except OSError:  # the descriptor of this very listing
            continue
        if target.startswith("socket:"):
            found.append(target)
    return sorted(found)


def wait_for_children(pids):
    """Wait for children of `os.fork`; each has to end well."""
    for pid in pids:
        _, status = os.waitpid(pid, 0)
        say("child", os.waitstatus_to_exitcode(status))


def our_threads():
    """The sending and reporting threads that live."""
    return [thread for thread in threading.enumerate() if thread.name.startswith("robotmia")]
