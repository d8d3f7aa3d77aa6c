"""Many threads, and none at all."""

from __future__ import annotations

import itertools
from collections import defaultdict

from tests.hostile import HostileServer, accept, hang, status
from tests.processes.proc_running import each_once, run, serving, together

NO_THREADS = """
    import sys, threading, time
    attempts = 0
    def start(thread):
        global attempts
        attempts += 1
        raise RuntimeError("can't start new thread")
    threading.Thread.start = start
    from proc_child import adds_up, door, leaving, say, track
"""


def test_without_threads_flush_sends_in_the_caller():
    """Where no thread can be started, log calls go on, and `flush()` delivers in the thread that calls it."""
    script = """
    log, handler = door()
    track(log, 600)
    say(handler.stats().pending, handler.flush(), handler.stats().delivered)
    track(log, 5, start=600)
    handler.close()
    say(handler.stats().delivered, attempts > 0)
    """
    with HostileServer() as server:
        done = run(server, NO_THREADS + script)
        assert done.lines == ["600 True 600", "605 True"]
        assert done.err == ""
        assert server.connections <= 2
        assert each_once(server, range(605))


def test_without_threads_the_exit_delivers():
    """Where no thread can be started and nobody calls `flush()`, two doors deliver at exit."""
    script = """
    for name, start in (("one", 0), ("two", 300)):
        track(door(name)[0], 300, start=start)
    """
    with HostileServer() as server:
        done = run(server, NO_THREADS + script)
        assert done.err == ""
        assert each_once(server, range(600))


def test_without_threads_a_failing_endpoint_costs_one_deadline():
    """Where no thread can be started, an endpoint that fails holds up neither `flush()` nor the exit for long."""
    script = """
    log, handler = door(shutdown_timeout=0.5, timeout=300)
    track(log, 25)
    began = time.monotonic()
    say(handler.flush(), adds_up(handler.stats()))
    say(time.monotonic() - began)
    leaving()
    """

    def check(behaviour):
        with serving(behaviour) as server:
            done = run(server, NO_THREADS + script)
            assert done.lines[0] == "False True"
            assert float(done.lines[1]) < 5
            assert done.exit_s < 5
            assert [count for count, _ in done.lost] == [25]

    together(check, (hang(),), (status(503),))


def test_threads_that_can_start_only_later():
    """A process that can't start threads at first starts its sender as soon as it can, by nothing but log calls."""
    script = """
        import threading
        real = threading.Thread.start
        full = True
        def start(thread):
            if full:
                raise RuntimeError("can't start new thread")
            real(thread)
        threading.Thread.start = start
        from proc_child import door, listen, our_threads, say, track
        log, handler = door(flush_interval=0.1)
        track(log, 300)
        full = False
        track(log, 300, start=300)
        say(len(our_threads()) > 0)
        listen()
    """
    with HostileServer() as server:

        def watch(process):
            assert server.wait_for(lambda _: len(server.taken) == 600, 20)
            process.stdin.close()
            process.stdin = None

        done = run(server, script, meanwhile=watch)
        assert done.lines == ["True"]
        assert each_once(server, range(600))


def test_eight_threads_while_every_third_request_fails():
    """8 threads, 8,000 messages of 20 users, every third request a 503: all arrive once, each user's in order."""
    script = """
        import random
        random.SystemRandom.random = lambda _self: 0.01  # jitter: no test waits for a backoff
        import threading
        from proc_child import adds_up, door, say, track
        log, handler = door()
        def work(thread):
            for n in range(1000):
                track(log, start=thread * 1000 + n, user=f"user {n % 20}")
        threads = [threading.Thread(target=work, args=(thread,)) for thread in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert handler.flush()
        stats = handler.stats()
        assert adds_up(stats), stats
        say(stats.accepted, stats.delivered, stats.pending, sum(stats.dropped.values()), stats.retries > 40)
        say(stats.requests)
    """
    with HostileServer(itertools.cycle([accept, accept, status(503)])) as server:
        done = run(server, script)
        assert done.code == 0, done.err
        assert done.lines[0] == "8000 8000 0 0 True"
        assert int(done.lines[1]) == len(server.requests)
        assert each_once(server, range(8000))
        latest: defaultdict[tuple[str, int], int] = defaultdict(lambda: -1)
        for _, message in server.taken:
            properties = message["properties"]
            key = properties["distinct_id"], properties["n"] // 1000  # a thread's calls have an order of their own
            assert properties["n"] > latest[key]
            latest[key] = properties["n"]
        assert len(latest) == 160
