"""An endpoint that never answers, or isn't there, ends no later than `shutdown_timeout`, and not in silence."""

from __future__ import annotations

import signal

from tests.hostile import HostileServer, hang, status
from tests.processes.proc_running import run, serving, together

# A read timeout far beyond everything: only shutdown_timeout can end the wait.
FOUR_DOORS = """
    import logging, logging.config, sys, time, robotmia_logging
    from proc_child import adds_up, door, leaving, say, track
    options = {"shutdown_timeout": 1.0, "timeout": 300}
    doors = [door(f"app{n}", **options) for n in range(4)]
    for log, handler in doors:
        track(log, 25)
"""


def check_failing(behaviour):
    with serving(behaviour) as server:
        done = run(server, FOUR_DOORS + "    leaving()")
        assert done.code == 0
        [(lost, reason)] = done.lost
        assert lost == 100
        assert reason.strip()
        assert 0.5 < done.exit_s < 3.5  # each its own would be four


def test_an_endpoint_that_fails_costs_one_deadline_and_one_line():
    """With the endpoint failing, four doors end by one deadline, and one line tells all that was lost, and why."""
    together(check_failing, (hang(),), (status(503),), (status(503, retry_after=3600),), (None,))


def test_the_reason_of_a_loss_is_the_endpoints_own():
    """The line about lost messages says what the endpoint did: refused the connection, answered 503, never answered."""
    script = """
        import sys
        from proc_child import door, track
        log, handler = door(shutdown_timeout=0.3, timeout=300)
        track(log, 25)
    """

    def check(behaviour, words):
        with serving(behaviour) as server:
            [(count, reason)] = run(server, script).lost
            assert count == 25
            assert words in reason

    together(check, (hang(), "0.3 s"), (status(503), "503"), (None, "refused"))


def test_hung_doors_share_one_deadline_when_logging_closes_them():
    """`logging.shutdown()` and `dictConfig` close four doors with messages pending within one `shutdown_timeout`."""
    script = """
    began = time.monotonic()
    if sys.argv[1] == "shutdown":
        logging.shutdown()
    else:
        logging.config.dictConfig({"version": 1, "disable_existing_loggers": False})
    say(time.monotonic() - began)
    for log, handler in doors:
        track(log)  # each still takes messages
        stats = handler.stats()
        assert adds_up(stats), stats
        assert stats.pending == stats.accepted == 26, stats
    leaving()
    """

    def check(way, behaviour):
        with serving(behaviour) as server:
            done = run(server, FOUR_DOORS + script, way)
            assert done.code == 0, done.err
            assert 0.5 < float(done.lines[0]) < 1.9
            assert [count for count, _ in done.lost] == [104]
            assert done.exit_s < 3.5

    together(check, *((way, behaviour) for way in ("shutdown", "dictConfig") for behaviour in (hang(), status(503))))


def test_a_door_that_hangs_does_not_cost_another_its_messages():
    """Of two doors, the one whose endpoint answers delivers at exit, whatever the other's does."""
    script = """
        import os, sys
        from proc_child import door, track
        for n in range(8):
            hung, _ = door(f"hung{n}", shutdown_timeout=1.0, timeout=300)
            track(hung, 25)
            fine, _ = door(f"fine{n}", shutdown_timeout=1.0, url=sys.argv[1])
            track(fine, 25, start=n * 25)
    """
    with HostileServer(hang()) as hung, HostileServer() as fine:
        done = run(hung, script, fine.url)
        assert sorted(message["properties"]["n"] for _, message in fine.taken) == list(range(200))
        assert [count for count, _ in done.lost] == [200]


def test_a_closed_stderr_is_no_trouble():
    """Lost messages that can't be told, because stderr is closed, in one way or another, cause no trouble at exit."""
    script = """
        import os, sys
        from proc_child import door, leaving, say, track
        log, handler = door(shutdown_timeout=0.3, timeout=300)
        track(log, 25)
        if sys.argv[1] == "closed":
            sys.stderr.close()
        elif sys.argv[1] == "none":
            sys.stderr = None
        leaving()
    """

    def check(how):
        with serving(hang()) as server:
            done = run(server, script, how, closed_stderr=how == "never open")
            assert (done.code, done.err) == (0, "")
            assert done.exit_s < 5

    together(check, ("closed",), ("none",), ("never open",))


def test_a_signal_ends_the_wait_at_exit():
    """Ctrl-C while the exit waits for an endpoint that hangs ends the process at once rather than at its deadline."""
    script = """
        from proc_child import door, leaving, track
        log, handler = door(shutdown_timeout=25.0, timeout=300)
        track(log, 25)
        leaving()
    """
    with HostileServer(hang()) as server:

        def interrupt(process):
            assert server.wait_for(lambda _: server.requests, 20)
            process.send_signal(signal.SIGINT)

        done = run(server, script, meanwhile=interrupt)
        assert done.exit_s < 15


def test_the_lines_stay_few_however_often_exit_looks():
    """An explicit shutdown, another one and the exit itself tell of each lost message once."""
    script = """
        import logging
        from proc_child import door, track
        log, handler = door(shutdown_timeout=0.3, timeout=300)
        track(log, 25)
        handler.close()
        logging.shutdown()
    """
    with HostileServer(hang()) as server:
        done = run(server, script)
        assert [count for count, _ in done.lost] == [25]


def test_what_threads_log_while_an_exit_succeeds_is_not_called_lost_for_the_wrong_reason():
    """An exit that delivers all it was given doesn't claim that the endpoint gave no answer."""
    script = """
        import threading, time
        from proc_child import door, leaving, track
        log, handler = door(shutdown_timeout=1.0)
        def work():
            n = 1000
            while True:
                track(log, start=n)
                n += 1
                time.sleep(0.0005)
        threading.Thread(target=work, daemon=True).start()
        track(log, 25)
        leaving()
    """
    with HostileServer() as server:
        done = run(server, script)
        assert [reason for _, reason in done.lost if "no answer" in reason] == []
