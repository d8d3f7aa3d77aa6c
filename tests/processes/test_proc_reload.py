"""A second `dictConfig` closes every handler under logging's lock: nothing stalls, nothing is lost, nothing leaks."""

from __future__ import annotations

from tests.hostile import HostileServer, latency
from tests.processes.proc_running import each_once, go_on, run, serving, together

RELOADS = """
    import logging, logging.config, sys, time
    import requests
    from proc_child import adds_up, our_threads, say, track
    level, doors = sys.argv[1], int(sys.argv[2])
    names = [f"robotmia{n}" for n in range(doors)]
    CONFIG = {
        "version": 1,
        "disable_existing_loggers": False,
        "handlers": {
            "console": {"class": "logging.StreamHandler", "stream": "ext://sys.stderr"},
            **{name: {"class": "robotmia_logging.RobotmiaHandler", "shutdown_timeout": 15.0} for name in names},
        },
        "root": {"handlers": ["console"], "level": level},
        "loggers": {
            **{name: {"handlers": [name], "level": "INFO", "propagate": False} for name in names},
            "urllib3": {"level": "DEBUG"},
        },
    }
    def handlers():
        return [logging.getLogger(name).handlers[0] for name in names]
    n = slowest = 0
    seen = []
    for turn in range(5):
        began = time.monotonic()
        logging.config.dictConfig(CONFIG)
        slowest = max(slowest, time.monotonic() - began)
        if seen:
            for handler in seen[-1]:
                stats = handler.stats()
                assert adds_up(stats) and not stats.pending, stats
        seen.append(handlers())
        for name in names:
            track(logging.getLogger(name), 20, start=n)
            n += 20
    began = time.monotonic()
    logging.config.dictConfig({"version": 1, "root": {"level": level}})
    slowest = max(slowest, time.monotonic() - began)
    say(slowest)
    for thread in our_threads():
        thread.join(10)
    say(our_threads())
"""


def check_reloads(level, doors):
    with serving(latency(0.1)) as server:
        done = run(server, RELOADS, level, doors)
        assert done.code == 0, done.err
        assert float(done.lines[0]) < 5  # shutdown_timeout is 15; the server takes 0.1 for each door
        assert done.lines[1] == "[]"
        assert not done.lost
        assert '"POST ' in done.err  # urllib3's debug lines did come
        assert each_once(server, range(100 * doors))


def test_reloads_neither_stall_nor_lose_nor_leak():
    """Five reloads with messages pending, a slow server and urllib3's debug lines on: none stalls, all arrive."""
    together(check_reloads, ("DEBUG", 1), ("INFO", 1), ("DEBUG", 3), ("INFO", 3))


def test_a_reload_in_the_middle_of_a_request_does_not_stall():
    """`dictConfig` while a request is under way, urllib3 about to log its reply, ends when the reply comes."""
    script = """
        import logging, logging.config, sys, time
        from proc_child import door, listen, say, track
        logging.basicConfig(level="DEBUG")
        log, handler = door(shutdown_timeout=15.0)
        track(log, 50)
        listen()
        began = time.monotonic()
        logging.config.dictConfig({"version": 1, "root": {"level": "INFO"}})
        say(time.monotonic() - began)
    """
    with HostileServer(latency(0.5)) as server:

        def reload(process):
            assert server.wait_for(lambda _: server.requests, 20)
            go_on(process)

        done = run(server, script, meanwhile=reload)
        assert float(done.lines[0]) < 5
        assert each_once(server, range(50))


def test_a_handler_that_stays_attached_works_on_after_a_reload():
    """A handler on a logger that the new configuration doesn't mention is closed by it, and still delivers."""
    script = """
        import logging, logging.config
        from proc_child import door, our_threads, say, track
        log, handler = door()
        track(log, 5)
        for turn in range(1, 4):
            logging.config.dictConfig({"version": 1, "disable_existing_loggers": False})
            if turn == 1:  # later ones don't know the handler any more
                say(handler.stats().delivered)
            track(log, 5, start=turn * 5)
        say(handler.flush(), handler.stats().delivered, len(our_threads()))
        track(log, 5, start=20)
    """
    with HostileServer() as server:
        done = run(server, script)
        assert done.lines == ["5", "True 20 1"]
        assert done.err == ""
        assert each_once(server, range(25))


def test_other_threads_log_on_during_a_reload():
    """While a reload waits for a slow endpoint, threads that log to the door being closed don't wait with it."""
    script = """
        import logging, logging.config, sys, threading, time
        from proc_child import door, listen, say, track
        log, handler = door(shutdown_timeout=8.0)
        track(log, 50)
        longest = 0
        over = threading.Event()
        logged = 0
        def work():
            global longest, logged
            while not over.is_set():
                began = time.monotonic()
                track(log, start=50 + logged)
                logged += 1
                longest = max(longest, time.monotonic() - began)
                time.sleep(0.001)
        thread = threading.Thread(target=work)
        thread.start()
        listen()
        began = time.monotonic()
        logging.config.dictConfig({"version": 1, "disable_existing_loggers": False})
        took = time.monotonic() - began
        over.set()
        thread.join()
        say(took, longest, logged)
    """
    with HostileServer([latency(1.0), latency(0.05)]) as server:

        def reload(process):
            assert server.wait_for(lambda _: server.requests, 20)
            go_on(process)

        done = run(server, script, meanwhile=reload)
        took, longest, logged = map(float, done.lines[0].split())
        assert longest < 0.5
        assert took < 5
        assert not done.lost
        assert each_once(server, range(50 + int(logged)))
