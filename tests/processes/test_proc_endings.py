"""However a script ends, what it logged arrives."""

from __future__ import annotations

import signal

import pytest

from tests.hostile import HostileServer
from tests.processes.proc_running import arrived, each_once, run, serving, together

TRACK_25 = """
    import sys, logging
    from proc_child import door, track
    log, handler = door()
    track(log, 25)
"""


def check_ending(ending, code):
    with serving() as server:
        done = run(server, TRACK_25 + ending)
        assert done.code == code
        assert not done.lost
        assert each_once(server, range(25))


def test_every_message_arrives_however_a_script_ends():
    """A script that logs 25 calls and ends, in whichever way Python code can end, delivers all 25, once."""
    together(
        check_ending,
        ("", 0),
        ("    sys.exit(3)", 3),
        ("    raise SystemExit", 0),
        ("    1 / 0", 1),
        ("    raise KeyboardInterrupt", -signal.SIGINT),
        ("    del log, handler; logging.getLogger('app').handlers.clear()", 0),
    )


def test_a_quiet_ending_says_nothing():
    """A script whose messages were all delivered writes nothing to stderr."""
    with HostileServer() as server:
        assert run(server, TRACK_25).err == ""


def test_calls_after_logging_shutdown_are_delivered_too():
    """`logging.shutdown()` in the middle of a script delivers what was logged, and later calls arrive as well."""
    script = """
        import logging
        from proc_child import door, listen, say, track
        log, handler = door()
        track(log, 10)
        logging.shutdown()
        say(handler.stats().delivered)
        track(log, 15, start=10)
        logging.shutdown()
        say(handler.stats().delivered)
        track(log, 10, start=25)
    """
    with HostileServer() as server:
        done = run(server, script)
        assert done.lines == ["10", "25"]
        assert done.err == ""
        assert each_once(server, range(35))


def test_a_processor_without_any_handler_delivers_at_exit():
    """structlog alone, with nothing in the standard library's logging to shut down, loses nothing at exit."""
    script = """
        import structlog, robotmia_logging
        structlog.configure(processors=[robotmia_logging.RobotmiaProcessor(), lambda *_: ""],
                            logger_factory=structlog.ReturnLoggerFactory())
        log = structlog.get_logger()
        for n in range(25):
            log.info("E", track=True, n=n, distinct_id="ada")
    """
    with HostileServer() as server:
        done = run(server, script)
        assert done.err == ""
        assert each_once(server, range(25))


def test_two_doors_both_deliver_at_exit():
    """Two doors in one process, one of them structlog's, both deliver everything when it ends."""
    script = """
        import structlog, robotmia_logging
        from proc_child import door, track
        log, handler = door()
        own = robotmia_logging.RobotmiaProcessor()
        shared = robotmia_logging.RobotmiaProcessor(delivery=handler.delivery)
        for n in range(25):
            track(log, start=n)
            own(None, "info", {"event": "own", "track": True, "n": n})
            shared(None, "info", {"event": "shared", "track": True, "n": n})
    """
    with HostileServer() as server:
        done = run(server, script)
        assert done.err == ""
        for event in ("E", "own", "shared"):
            assert each_once(server, range(25), event=event)


def test_a_door_replaced_with_messages_pending_still_delivers_them():
    """structlog configured anew, its first processor forgotten with messages pending: both processors' arrive."""
    script = """
        import gc, structlog, robotmia_logging
        for half in range(2):
            structlog.configure(processors=[robotmia_logging.RobotmiaProcessor(), lambda *_: ""],
                                logger_factory=structlog.ReturnLoggerFactory())
            log = structlog.get_logger()
            for n in range(half * 10, half * 10 + 10):
                log.info("E", track=True, n=n, distinct_id="ada")
            gc.collect()
    """
    with HostileServer() as server:
        done = run(server, script)
        assert done.err == ""
        assert each_once(server, range(20))


@pytest.mark.parametrize("registered", ["before logging", "before ours", "after ours"])
def test_what_atexit_hooks_log_arrives(registered):
    """A call logged in an atexit hook arrives, whether the hook was registered before logging, before us or after."""
    script = """
        import atexit, sys
        when, kind = sys.argv[1:]
        def hook():
            send(2)
            send(3)
        if when == "before logging":
            atexit.register(hook)
        import logging
        if when == "before ours":
            atexit.register(hook)
        import robotmia_logging
        from proc_child import door, track
        if kind == "handler":
            log, handler = door()
            send = lambda n: track(log, start=n)
        else:
            processor = robotmia_logging.RobotmiaProcessor()
            send = lambda n: processor(None, "info", {"event": "E", "track": True, "n": n})
        if when == "after ours":
            atexit.register(hook)
        send(0)
        send(1)
    """

    def check(kind):
        with serving() as server:
            done = run(server, script, registered, kind)
            assert done.err == ""
            assert each_once(server, range(4))

    together(check, ("handler",), ("processor",))


def test_the_first_call_of_all_in_an_atexit_hook_arrives():
    """A process whose only tracked calls come in an atexit hook, where threads may not start any more, delivers."""
    script = """
        import atexit
        from proc_child import door, track
        log, handler = door()
        atexit.register(track, log, 25)
    """
    with HostileServer() as server:
        done = run(server, script)
        assert done.err == ""
        assert each_once(server, range(25))


def test_what_weakref_finalizers_log_at_exit_arrives():
    """`weakref.finalize` runs its callbacks at exit: what they log arrives."""
    script = """
        import weakref
        from proc_child import door, track
        class Thing: pass
        thing = Thing()
        log, handler = door()
        weakref.finalize(thing, track, log, 5, 1)
        track(log)
    """
    with HostileServer() as server:
        done = run(server, script)
        assert done.err == ""
        assert each_once(server, range(6))


def test_threads_that_outlive_the_main_thread_lose_nothing():
    """Threads that go on logging after the main thread has ended hold up the exit, and all of theirs arrives."""
    script = """
        import threading
        from proc_child import door, track
        log, handler = door()
        def work(start):
            threading.main_thread().join()
            track(log, 100, start=start, user=start)
        for start in range(0, 400, 100):
            threading.Thread(target=work, args=(start,)).start()
    """
    with HostileServer() as server:
        done = run(server, script)
        assert done.err == ""
        assert each_once(server, range(400))


def test_a_daemon_thread_that_keeps_logging_does_not_hold_up_the_exit():
    """A daemon thread that never stops logging delays an exit by no more than what was logged before it takes."""
    script = """
        import threading, time
        from proc_child import door, leaving, track
        log, handler = door()
        def work():
            n = 1000
            while True:
                track(log, start=n)
                n += 1
                time.sleep(0.001)
        threading.Thread(target=work, daemon=True).start()
        track(log, 25)
        leaving()
    """
    with HostileServer() as server:
        done = run(server, script)
        assert done.code == 0
        assert done.exit_s < 5  # shutdown_timeout is 15
        assert set(range(25)) <= set(arrived(server))


@pytest.mark.parametrize("busy", [False, True])
def test_sigterm_turned_into_an_exit_delivers(busy):
    """A SIGTERM handler that calls `sys.exit`, waiting or in the middle of log calls, ends with all delivered."""
    script = """
        import itertools, signal, sys
        from proc_child import adds_up, door, leaving, say, track
        logged = 0
        def stop(*_):
            say(logged)
            leaving()
            sys.exit(5)
        signal.signal(signal.SIGTERM, stop)
        log, handler = door()
        track(log, 25)
        handler.flush()
        while True:
            if sys.argv[1] == "True":
                track(log, start=25 + logged)
                logged += 1
            else:
                signal.pause()
    """
    with HostileServer() as server:

        def terminate(process):
            assert server.wait_for(lambda _: len(server.taken) >= (500 if busy else 25), 20)
            process.send_signal(signal.SIGTERM)

        done = run(server, script, busy, meanwhile=terminate)
        assert (done.code, done.err) == (5, "")
        logged = 25 + int(done.lines[-1])
        assert len(server.taken) in (logged, logged + 1)  # the call that was interrupted may count
        assert each_once(server, range(len(server.taken)))
        assert done.exit_s < 10


def test_control_c_in_the_middle_of_log_calls_delivers():
    """Ctrl-C while a script logs as fast as it can: what was logged by then arrives before the process ends."""
    script = """
        from proc_child import door, say, track
        log, handler = door()
        n = 0
        try:
            while True:
                track(log, start=n)
                n += 1
        finally:
            say(n)
    """
    with HostileServer() as server:

        def interrupt(process):
            assert server.wait_for(lambda _: len(server.taken) >= 500, 20)
            process.send_signal(signal.SIGINT)

        done = run(server, script, meanwhile=interrupt)
        assert done.code == -signal.SIGINT
        assert not done.lost
        logged = int(done.lines[-1])
        assert len(server.taken) in (logged, logged + 1)
        assert each_once(server, range(len(server.taken)))
