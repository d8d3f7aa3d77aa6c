"""Log calls that come in the middle of others: from signal handlers, `__del__`, weak references, our own hooks."""

from __future__ import annotations

import pytest

from tests.hostile import HostileServer, latency
from tests.processes.proc_running import arrived, each_once, run, serving, together


def test_a_signal_handler_that_logs_in_the_middle_of_log_calls():
    """A signal handler that logs, asks for stats and hurries, thousands of log calls interrupted: each is counted."""
    script = """
        import logging, signal, sys
        from proc_child import adds_up, door, no_more_alarms, say, track
        log, handler = door(**eval(sys.argv[1]))
        fired = 0
        over = False
        def tick(*_):
            global fired
            track(log, start=1_000_000 + fired)
            fired += 1
            if fired % 10 == 0:
                log.error("hurry", extra={"event": "E", "n": 2_000_000 + fired // 10 - 1})
            if fired % 25 == 0:
                handler.stats()
            if not over:
                signal.setitimer(signal.ITIMER_REAL, 0.0005)
        signal.signal(signal.SIGALRM, tick)
        signal.setitimer(signal.ITIMER_REAL, 0.0005)
        n = 0
        while fired < 200 or n < 5000:
            track(log, start=n)
            n += 1
        over = True
        no_more_alarms()
        assert handler.flush()
        stats = handler.stats()
        assert adds_up(stats) and not stats.pending, stats
        assert stats.accepted == n + fired + fired // 10, (stats, n, fired)
        say(n, fired, stats.delivered)
    """

    def check(options):
        with serving() as server:
            done = run(server, script, options)
            assert done.code == 0, done.err
            n, fired, delivered = map(int, done.lines[0].split())
            assert len(server.taken) == delivered
            assert len(set(arrived(server))) == delivered
            if options == "{}":
                assert delivered == n + fired + fired // 10

    together(check, ("{}",), ("{'max_pending': 100}",), ("{'max_pending': 100, 'overflow': 'drop_newest'}",))


def test_a_signal_handler_that_logs_while_a_log_call_waits_for_room():
    """With `overflow="block"` too, a signal handler may log in the middle of a call that waits: none hangs for long."""
    script = """
        import signal, time
        from proc_child import adds_up, door, no_more_alarms, say, track
        log, handler = door(max_pending=60, overflow="block", block_timeout=0.2)
        fired = 0
        def tick(*_):
            global fired
            track(log, start=1_000_000 + fired)
            fired += 1
            if not over:
                signal.setitimer(signal.ITIMER_REAL, 0.002)
        signal.signal(signal.SIGALRM, tick)
        over = False
        signal.setitimer(signal.ITIMER_REAL, 0.002)
        track(log, 3000)
        over = True
        no_more_alarms()
        assert handler.flush()
        stats = handler.stats()
        assert adds_up(stats) and not stats.pending, stats
        assert stats.accepted == 3000 + fired, (stats, fired)
        say(stats.delivered)
    """
    with HostileServer() as server:
        done = run(server, script)
        assert done.code == 0, done.err
        assert len(set(arrived(server))) == len(server.taken) == int(done.lines[0])


def test_an_interrupted_log_call_breaks_nothing():
    """Log calls broken off by a signal handler that raises, hundreds of them: every message has its account."""
    script = """
        import signal, sys
        from proc_child import adds_up, door, no_more_alarms, say, track
        error = {"KeyboardInterrupt": KeyboardInterrupt, "SystemExit": SystemExit}[sys.argv[1]]
        log, handler = door(shutdown_timeout=3.0, max_pending=2000)
        fired = 0
        armed = False
        def tick(*_):
            global fired, armed
            if armed:
                armed = False  # one a call: a second would hit the script's own `except`
                fired += 1
                raise error
        signal.signal(signal.SIGALRM, tick)
        signal.setitimer(signal.ITIMER_REAL, 0.0007, 0.0007)
        whole = n = 0
        while fired < 500:
            try:
                armed = True
                track(log, start=n)
                whole += 1
                if n % 50 == 0:
                    handler.stats()
                armed = False
            except error:
                armed = False
            n += 1
        no_more_alarms()
        say("flushed", handler.flush())
        stats = handler.stats()
        say("adds up", adds_up(stats), stats.pending)
        ends = stats.delivered + sum(stats.dropped.values())
        say("whole calls", whole <= ends <= n)
        print(whole, ends, n, stats, file=sys.stderr)
    """

    def check(error):
        with serving() as server:
            done = run(server, script, error)
            assert done.lines == ["flushed True", "adds up True 0", "whole calls True"], done.err
            assert len(set(arrived(server))) == len(server.taken)

    together(check, ("KeyboardInterrupt",), ("SystemExit",))


def test_an_interrupted_start_of_the_sender_breaks_nothing():
    """Ctrl-C just when the first message starts the sending thread: the next message starts it."""
    script = """
        import threading
        real = threading.Thread.start
        interrupt = True
        def start(thread):
            global interrupt
            if interrupt:
                interrupt = False
                raise KeyboardInterrupt
            real(thread)
        threading.Thread.start = start
        from proc_child import door, say, track
        log, handler = door(shutdown_timeout=3.0)
        try:
            track(log)
        except KeyboardInterrupt:
            say("interrupted")
        track(log, 24, start=1)
        say(handler.flush())
    """
    with HostileServer() as server:
        done = run(server, script)
        assert done.lines == ["interrupted", "True"]
        assert each_once(server, range(25))


def test_del_that_logs_in_a_garbage_collection():
    """Objects in cycles whose `__del__` logs, collected in the middle of log calls and of sending: each is counted."""
    script = """
        import gc
        from proc_child import adds_up, door, say, track
        log, handler = door()
        gone = 0
        class Node:
            def __init__(self):
                self.me = self
            def __del__(self):
                global gone
                n, gone = gone, gone + 1
                track(log, start=1_000_000 + n)
        gc.set_threshold(5, 2, 2)
        for n in range(3000):
            Node()
            track(log, start=n, user=n % 7)
        gc.collect()
        gc.set_threshold(700)
        assert handler.flush()
        stats = handler.stats()
        say(gone, stats.accepted, adds_up(stats))
    """
    with HostileServer() as server:
        done = run(server, script)
        assert done.code == 0, done.err
        assert done.lines == ["3000 6000 True"]
        assert each_once(server, range(3000), range(1_000_000, 1_003_000))


def test_del_that_logs_to_a_handler_whose_lock_the_log_call_holds():
    """A log call under a lock of its thread's own, here MemoryHandler's, never waits for a `__del__` that wants it."""
    script = """
        import faulthandler, gc, logging.handlers
        faulthandler.dump_traceback_later(10, exit=True)
        from proc_child import door, say
        _, handler = door("behind", max_pending=100)
        log = logging.getLogger("app")
        log.setLevel("INFO")
        log.addHandler(logging.handlers.MemoryHandler(1, target=handler))
        class Node:
            def __init__(self):
                self.me = self
            def __del__(self):
                log.info("gone")
        gc.collect()
        gc.freeze()
        gc.set_threshold(100, 1000, 1000)
        for n in range(600):
            gc.disable()
            gc.collect()
            Node()
            held = [[] for _ in range(n % 100)]  # so that the collection comes at every point of the call in turn
            gc.enable()
            log.info("n", extra={"alias": f"alias {n}", "distinct_id": f"user {n}"})
        say("done")
    """
    with HostileServer() as server:
        done = run(server, script)
        assert done.lines == ["done"], done.err


def test_del_that_logs_in_the_sending_thread():
    """A tracked call is tracked also when the garbage collector runs it in a sending thread, amid a request."""
    script = """
        import gc, logging
        from proc_child import door, say, track
        log, handler = door()
        class Node:
            def __init__(self):
                self.me = self
            def __del__(self):
                track(log, start=1)
        class Collector(logging.Handler):
            def emit(self, record):
                gc.collect()
        urllib3 = logging.getLogger("urllib3")
        urllib3.addHandler(Collector())
        urllib3.propagate = False
        urllib3.setLevel("DEBUG")
        gc.disable()
        Node()
        track(log)
        handler.flush()
        handler.flush()
        say(handler.stats().accepted)
    """
    with HostileServer() as server:
        done = run(server, script)
        assert done.lines == ["2"]
        assert each_once(server, range(2))


def test_urllib3_never_feeds_itself():
    """With a rule on urllib3's own logger at DEBUG, sending tracks nothing of what sending logs."""
    script = """
        import logging
        from proc_child import say, track
        from robotmia_logging import RobotmiaHandler
        handler = RobotmiaHandler(rules=[{"logger": "urllib3", "event": "Fed"}])
        logging.basicConfig(level="DEBUG", handlers=[handler])
        track(logging.getLogger("app"), 120)
        assert handler.flush()
        assert handler.flush()
        say(handler.stats().accepted)
    """
    with HostileServer() as server:
        done = run(server, script)
        assert done.lines == ["120"]
        assert each_once(server, range(120))


def test_weak_reference_callbacks_that_log():
    """Callbacks of weak references that log, called in the middle of log calls, are each counted."""
    script = """
        import weakref
        from proc_child import adds_up, door, say, track
        log, handler = door()
        class Thing:
            def __str__(self):
                self.held = held.pop()  # dropped with self, in the middle of the encoding
                return "thing"
        held, references = [], []
        for n in range(500):
            target = Thing()
            references.append(weakref.ref(target, lambda _, n=n: track(log, start=1_000_000 + n)))
            held.append(target)
            del target
            log.info("thing", extra={"event": "E", "n": n, "thing": Thing()})
        assert handler.flush()
        stats = handler.stats()
        say(stats.accepted, adds_up(stats))
    """
    with HostileServer() as server:
        done = run(server, script)
        assert done.code == 0, done.err
        assert done.lines == ["1000 True"]
        assert each_once(server, range(500), range(1_000_000, 1_000_500))


@pytest.mark.parametrize("kind", ["handler", "processor"])
def test_before_send_that_logs_feeds_nothing(kind):
    """A `before_send` that logs tracked calls of its own gets none of them back, and the message it got is sent."""
    script = """
        import sys, robotmia_logging
        from proc_child import adds_up, door, say, track
        def before_send(message):
            send(1000)
            return message
        if sys.argv[1] == "handler":
            log, handler = door(before_send=before_send)
            send = lambda n: track(log, start=n)
        else:
            handler = robotmia_logging.RobotmiaProcessor(before_send=before_send)
            send = lambda n: handler(None, "info", {"event": "E", "track": True, "n": n})
        for n in range(25):
            send(n)
        assert handler.flush()
        say(handler.stats().accepted, adds_up(handler.stats()))
    """
    with HostileServer() as server:
        done = run(server, script, kind)
        assert done.lines == ["25 True"]
        assert each_once(server, range(25))


def test_flush_and_stats_from_anywhere():
    """`flush()` and `stats()` called from a `__del__`, a signal handler and `before_send` give an answer, in time."""
    script = """
        import gc, signal, time
        from proc_child import adds_up, door, leaving, no_more_alarms, say, track
        longest = 0
        def ask():
            global longest
            began = time.monotonic()
            handler.flush(0.2)
            handler.stats()
            longest = max(longest, time.monotonic() - began)
        class Node:
            def __init__(self):
                self.me = self
            def __del__(self):
                ask()
        asked = 0
        def before_send(message):
            global asked
            asked += 1
            if asked % 100 == 0:
                ask()
            return message
        log, handler = door(before_send=before_send)
        over = False
        def tick(*_):
            ask()
            if not over:
                signal.setitimer(signal.ITIMER_REAL, 0.005)
        signal.signal(signal.SIGALRM, tick)
        signal.setitimer(signal.ITIMER_REAL, 0.005)
        for n in range(2000):
            if n % 40 == 0:
                Node()
            track(log, start=n)
        over = True
        no_more_alarms()
        gc.collect()
        assert handler.flush()
        assert adds_up(handler.stats())
        say(longest < 5)
    """
    with HostileServer() as server:
        done = run(server, script)
        assert done.code == 0, done.err
        assert done.lines == ["True"]
        assert each_once(server, range(2000))


def test_trouble_told_on_our_logger_is_never_tracked():
    """A handler on the root, with a rule for all records of all levels, doesn't track our own reports of trouble."""
    script = """
        import logging
        from proc_child import say, track
        from robotmia_logging import RobotmiaHandler
        handler = RobotmiaHandler(rules=[{"event": "Any"}], shutdown_timeout=0.5)
        logging.basicConfig(level="DEBUG", handlers=[handler])
        track(logging.getLogger("app"), 10)
        logging.getLogger("app").info("no user", extra={"profile": {"a": 1}, "track": False})
        handler.flush()
        logging.getLogger("robotmia_logging.inner").error("told", extra={"track": True})
        say(handler.stats().accepted)
    """
    with HostileServer(latency(0.0)) as server:
        server.refuse_connections()
        done = run(server, script)
        assert done.lines == ["10"]
