"""What dead processes left: adopted by one, by nobody while its owner lives, and in an outage never held in memory."""

from __future__ import annotations

import os
import signal

import pytest

from tests.processes.proc_running import each_once, go_on, run, serving, together

LEAVE = """
    import os, signal, sys
    from proc_child import door, track
    for life in range(8):  # more chains than are adopted at once
        if os.fork() == 0:
            log, _ = door(spool=sys.argv[1])
            track(log, 100, start=100 * life)
            os.kill(os.getpid(), signal.SIGKILL)
        os.wait()
"""
FLUSH = """
    import sys
    from proc_child import door, say
    log, handler = door(spool=sys.argv[1])
    say(handler.flush(20))
"""


def test_two_processes_adopt_the_same_orphans_at_once(tmp_path):
    """Whoever is first takes a chain whole: two that open the folder together send each message once."""
    with serving(None) as server:
        run(server, LEAVE, tmp_path)
    with serving() as server:
        together(lambda _: run(server, FLUSH, tmp_path), (1,), (2,), (3,))
        assert server.wait_for(lambda _: len(server.taken) == 800, 10)
        assert each_once(server, range(800))


def test_nobody_takes_what_a_stopped_process_holds(tmp_path):
    """A process stopped by SIGSTOP keeps its messages, and delivers them itself when it goes on."""
    script = """
        import os, signal, sys
        from proc_child import door, listen, say, track
        log, handler = door(spool=sys.argv[1], flush_interval=3600)
        track(log, 30)
        say("stopping")
        os.kill(os.getpid(), signal.SIGSTOP)
        say(handler.flush(20), handler.stats().delivered)
    """
    with serving() as server:

        def meanwhile(process):
            os.waitid(os.P_PID, process.pid, os.WSTOPPED)
            assert run(server, FLUSH, tmp_path).lines == ["True"]
            assert not server.taken
            os.kill(process.pid, signal.SIGCONT)

        done = run(server, script, tmp_path, meanwhile=meanwhile)
        assert done.lines == ["stopping", "True 30"]
        assert each_once(server, range(30))


@pytest.mark.timeout(180)
def test_an_outage_costs_no_memory(tmp_path):
    """100,000 messages logged while the server is away: memory grows by less than its bound, and all are delivered."""
    script = """
        import sys
        from proc_child import adds_up, door, listen, say, track
        log, handler = door(spool=sys.argv[1], senders=2)
        def resident():
            with open("/proc/self/statm") as file:
                return int(file.read().split()[1]) * 4096
        track(log, 100)
        before = resident()
        track(log, 99_900, start=100)
        say("grown", resident() - before)
        listen()
        say(handler.flush(120), handler.stats().delivered, adds_up(handler.stats()), resident() - before < 64 << 20)
    """
    grown = []
    with serving() as server:
        server.refuse_connections()

        def bring_back(process):
            grown.append(int(process.stdout.readline().split()[1]))
            server.accept_connections()
            go_on(process)

        done = run(server, script, tmp_path, meanwhile=bring_back, timeout=150)
        assert done.lines == ["True 100000 True True"], done.err
        assert grown[0] < 64 << 20
        assert each_once(server, range(100_000))
