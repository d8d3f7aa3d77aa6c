"""Forks: the parent's messages are the parent's, a child begins with nothing of its parent's."""

from __future__ import annotations

import os
import threading

import pytest

from tests.hostile import HostileServer, held_until
from tests.processes.proc_running import each_once, go_on, run

linux = pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="looks into /proc")


def test_what_parent_and_child_logged_arrives_once():
    """What was logged before a fork, by the child, and by the parent after it, arrives once each."""
    script = """
        import os, sys
        from proc_child import adds_up, door, say, track, wait_for_children
        log, handler = door()
        track(log, 5)
        pid = os.fork()
        if pid == 0:
            stats = handler.stats()
            say(stats.accepted, stats.delivered, stats.pending, stats.requests)
            track(log, 5, start=10)
            assert handler.stats().accepted == 5 and adds_up(handler.stats())
            sys.exit(0)
        track(log, 5, start=5)
        wait_for_children([pid])
    """
    with HostileServer() as server:
        done = run(server, script)
        assert done.lines == ["0 0 0 0", "child 0"]
        assert done.err == ""
        assert each_once(server, range(15))


@linux
def test_a_fork_in_the_middle_of_a_request_leaves_parent_and_child_each_its_own():
    """Forked while the parent's request is under way: the child holds no socket of it, and each delivers its own."""
    script = """
        import os, sys
        from proc_child import door, listen, say, sockets, track, wait_for_children
        log, handler = door()
        track(log, 50)
        listen()
        before = len(sockets())
        pid = os.fork()
        if pid == 0:
            say("inherited", before, len(sockets()))
            track(log, 5, start=50)
            say("child flushed", handler.flush(), len(sockets()), handler.stats().requests)
            sys.exit(0)
        track(log, 5, start=55)
        wait_for_children([pid])
        say("parent", handler.flush(), handler.stats().requests, handler.stats().retries)
    """
    answer = threading.Event()
    with HostileServer([held_until(answer)]) as server:

        def fork(process):
            assert server.wait_for(lambda _: server.requests, 20)
            go_on(process)
            # The child's request comes while the parent's first is still held.
            assert server.wait_for(lambda _: len(server.requests) == 2, 20)
            answer.set()

        done = run(server, script, meanwhile=fork)
        assert done.lines == ["inherited 1 0", "child flushed True 1 1", "child 0", "parent True 2 0"]
        assert done.err == ""
        assert server.connections == 2  # the parent's stays open and in use
        assert each_once(server, range(60))


def test_a_storm_of_children():
    """Ten children forked one right after the other, all logging while the parent does, deliver each once."""
    script = """
        import os, sys
        from proc_child import door, track, wait_for_children
        log, handler = door()
        pids = []
        for child in range(10):
            track(log, 20, start=1000 + 20 * child)
            pid = os.fork()
            if pid == 0:
                track(log, 20, start=20 * child, user=child)
                sys.exit(0)
            pids.append(pid)
        wait_for_children(pids)
    """
    with HostileServer() as server:
        done = run(server, script)
        assert done.lines == ["child 0"] * 10
        assert done.err == ""
        assert each_once(server, range(200), range(1000, 1200))


def test_forks_while_other_threads_log_never_hang():
    """Children forked while four threads log as fast as they can, whatever locks those hold, deliver their own."""
    script = """
        import os, sys, threading
        from proc_child import door, say, track, wait_for_children
        log, handler = door()
        over = threading.Event()
        logged = [0] * 4
        def work(thread):
            while not over.is_set() and logged[thread] < 4000:
                track(log, start=thread * 100_000 + logged[thread], user=thread)
                logged[thread] += 1
        threads = [threading.Thread(target=work, args=(thread,)) for thread in range(4)]
        for thread in threads:
            thread.start()
        for child in range(8):
            pid = os.fork()
            if pid == 0:
                track(log, 300, start=1_000_000 + 300 * child, user=child)
                track(log, 1, start=2_000_000 + child)
                os._exit(0 if handler.flush() else 1)
            wait_for_children([pid])
        over.set()
        for thread in threads:
            thread.join()
        say(*logged)
    """
    with HostileServer() as server:
        done = run(server, script)
        assert done.lines[:-1] == ["child 0"] * 8
        assert done.err == ""
        parents = [range(n * 100_000, n * 100_000 + int(count)) for n, count in enumerate(done.lines[-1].split())]
        assert each_once(server, *parents, range(1_000_000, 1_002_400), range(2_000_000, 2_000_008))


def test_a_child_that_leaves_by_os_exit_delivers_by_flush():
    """A child that ends in `os._exit`, past all hooks, has delivered what it logged once its `flush()` says so."""
    script = """
        import os
        from proc_child import door, track, wait_for_children
        log, handler = door()
        track(log, 5)
        pid = os.fork()
        if pid == 0:
            track(log, 5, start=5)
            os._exit(0 if handler.flush() else 1)
        wait_for_children([pid])
    """
    with HostileServer() as server:
        done = run(server, script)
        assert done.lines == ["child 0"]
        assert each_once(server, range(10))


def test_a_child_that_logs_nothing_sends_nothing():
    """A child that logs nothing leaves at once and sends nothing, though its parent had messages pending."""
    script = """
        import os, sys
        from proc_child import door, say, track, wait_for_children
        log, handler = door()
        track(log, 30)
        pid = os.fork()
        if pid == 0:
            say(handler.flush(), handler.stats().requests)
            sys.exit(0)
        wait_for_children([pid])
    """
    with HostileServer() as server:
        done = run(server, script)
        assert done.lines == ["True 0", "child 0"]
        assert each_once(server, range(30))


def test_a_fork_from_a_thread():
    """A child forked from a thread other than the main one delivers at its exit."""
    script = """
        import os, sys, threading
        from proc_child import door, track, wait_for_children
        log, handler = door()
        def work():
            track(log, 5, start=5)
            pid = os.fork()
            if pid == 0:
                track(log, 5, start=10)
                os._exit(0 if handler.flush() else 1)
            wait_for_children([pid])
        track(log, 5)
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    """
    with HostileServer() as server:
        done = run(server, script)
        assert done.lines == ["child 0"]
        assert each_once(server, range(15))


def test_a_fork_of_a_fork():
    """A grandchild, forked after its parent had delivered over a connection of its own, begins anew as well."""
    script = """
        import os, sys
        from proc_child import door, say, track, wait_for_children
        log, handler = door()
        for generation in range(4):
            track(log, 5, start=generation * 5)
            assert generation == 3 or handler.flush()
            assert handler.stats().accepted == 5
            pid = os.fork()
            if pid:
                wait_for_children([pid])
                sys.exit(0)
        track(log, 5, start=20)
    """
    with HostileServer() as server:
        done = run(server, script)
        assert done.lines == ["child 0"] * 4
        assert done.err == ""
        assert server.connections == 5
        assert each_once(server, range(25))


@linux
def test_pre_fork_workers():
    """Workers forked after the master delivered over a kept-alive connection inherit neither it nor its numbers."""
    script = """
        import os, sys
        from proc_child import door, say, sockets, track, wait_for_children
        log, handler = door()
        track(log, 10)
        assert handler.flush() and len(sockets()) == 1
        pids = []
        for worker in range(4):
            pid = os.fork()
            if pid == 0:
                assert sockets() == []
                for request in range(25):
                    track(log, start=100 + 25 * worker + request, user=request)
                assert handler.stats().accepted == 25
                sys.exit(0)
            pids.append(pid)
        wait_for_children(pids)
        track(log, 10, start=10)
        assert handler.flush()
        stats = handler.stats()
        say(stats.accepted, stats.delivered, stats.requests, stats.retries)
    """
    with HostileServer() as server:
        done = run(server, script)
        assert done.lines == ["child 0"] * 4 + ["20 20 2 0"]
        assert done.err == ""
        assert server.connections == 5  # the master's outlives its workers
        assert each_once(server, range(20), range(100, 200))


@linux
def test_a_second_door_in_a_child_and_structlog_through_a_fork():
    """Both doors of a parent, and one that only the child makes, deliver in the child, each once."""
    script = """
        import os, sys, robotmia_logging
        from proc_child import door, track, wait_for_children
        log, handler = door()
        processor = robotmia_logging.RobotmiaProcessor()
        def send(n):
            processor(None, "info", {"event": "E", "track": True, "n": n})
        track(log)
        send(1)
        pid = os.fork()
        if pid == 0:
            own, _ = door("own")
            track(log, start=2)
            send(3)
            track(own, start=4)
            sys.exit(0)
        wait_for_children([pid])
    """
    with HostileServer() as server:
        done = run(server, script)
        assert done.lines == ["child 0"]
        assert each_once(server, range(5))


def test_a_fork_while_another_thread_is_in_before_send():
    """A child's threads are tracked, though they may get the identifiers of threads that were busy in the parent."""
    script = """
        import os, threading
        from proc_child import door, say, track, wait_for_children
        go_on = threading.Event()
        def before_send(message):
            if message["properties"]["n"] < 8:
                everybody.wait()
                go_on.wait()
            return message
        log, handler = door(before_send=before_send)
        everybody = threading.Barrier(9)
        threads = [threading.Thread(target=track, args=(log, 1, n)) for n in range(8)]
        for thread in threads:
            thread.start()
        everybody.wait()
        pid = os.fork()
        if pid == 0:
            together = threading.Barrier(8)
            def work(n):
                together.wait()
                track(log, start=n)
            children = [threading.Thread(target=work, args=(8 + n,)) for n in range(8)]
            for thread in children:
                thread.start()
            for thread in children:
                thread.join()
            say(handler.stats().accepted)
            os._exit(0 if handler.flush() else 1)
        wait_for_children([pid])
        go_on.set()
        for thread in threads:
            thread.join()
    """
    with HostileServer() as server:
        done = run(server, script)
        assert done.lines == ["8", "child 0"]
        assert each_once(server, range(16))
