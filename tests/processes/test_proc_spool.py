"""With a spool no ending loses anything: what a process leaves, another sends."""

from __future__ import annotations

import os
import signal

import pytest

from tests.hostile import latency, status
from tests.processes.proc_running import Ended, each_once, go_on, run, serving, together

OPEN = """
    import logging, os, signal, sys, time
    from proc_child import adds_up, door, listen, say, track, wait_for_children, leaving
    SPOOL = sys.argv[1]
    log, handler = door(spool=SPOOL)
"""
LATER = """
    import os, sys
    from proc_child import adds_up, door, say
    log, handler = door(spool=sys.argv[1])
    say(handler.flush(20), adds_up(handler.stats()), handler.stats().accepted)
    handler.close()
    say(*os.listdir(sys.argv[1]))
"""
linux = pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="looks into /proc")


def outage(script: str, *args: object, **options: object) -> Ended:
    """Run a script while the server refuses connections."""
    with serving(None) as server:
        return run(server, OPEN + script, *args, **options)


def delivers(spool, *ranges: range) -> None:
    """Another process, which only flushes, delivers these, once each, and leaves nothing in the spool."""
    with serving() as server:
        done = run(server, LATER, spool)
        assert done.lines[0].startswith("True True"), done.err
        assert done.lines[1:] == [""], "something is left"
        assert each_once(server, *ranges)


def check_ending(tmp_path, name, ending, code):
    spool = tmp_path / name
    done = outage("    track(log, 1000)\n" + ending, spool)
    assert done.code == code, done.err
    assert not done.lost
    delivers(spool, range(1000))


def test_every_ending_in_an_outage_leaves_everything_to_the_next_process(tmp_path):
    """However a process ends while the server is away, killed outright included, the next one delivers all of it."""
    together(
        check_ending,
        (tmp_path, "end", "", 0),
        (tmp_path, "exit", "    sys.exit(3)", 3),
        (tmp_path, "error", "    1 / 0", 1),
        (tmp_path, "_exit", "    os._exit(4)", 4),
        (tmp_path, "kill", "    os.kill(os.getpid(), signal.SIGKILL)", -signal.SIGKILL),
        (tmp_path, "term", "    os.kill(os.getpid(), signal.SIGTERM)", -signal.SIGTERM),
        (tmp_path, "abort", "    os.abort()", -signal.SIGABRT),
        (tmp_path, "shutdown", "    logging.shutdown()", 0),
    )


def test_an_exit_in_an_outage_does_not_wait(tmp_path):
    """With the server down an exit takes no time, and says nothing: all that waits is on disk."""
    done = outage("    track(log, 5000); handler.flush(0.2); leaving()", tmp_path / "spool")
    assert done.exit_s < 2.0
    assert "not delivered" not in done.err


def test_a_reload_in_an_outage_does_not_wait(tmp_path):
    """A second `dictConfig` with the server down doesn't wait for it, and what waits is delivered after all."""
    script = """
    import logging.config
    config = {"version": 1, "handlers": {"r": {"class": "robotmia_logging.RobotmiaHandler", "spool": SPOOL}},
              "root": {"handlers": ["r"], "level": "INFO"}}
    logging.config.dictConfig(config)
    log = logging.getLogger()
    track(log, 500)
    log.handlers[0].flush(0.2)
    before = time.monotonic()
    logging.config.dictConfig(config)
    say(time.monotonic() - before)
    track(log, 500, start=500)
"""
    done = outage(script, tmp_path / "spool")
    assert float(done.lines[0]) < 2.0
    assert not done.lost
    delivers(tmp_path / "spool", range(1000))


def test_what_is_delivered_leaves_no_trace(tmp_path):
    """A process whose messages were all delivered leaves an empty folder, for its owner only."""
    with serving() as server:
        done = run(server, OPEN + "    track(log, 300)", tmp_path / "spool")
        assert done.err == ""
        assert each_once(server, range(300))
    assert list((tmp_path / "spool").iterdir()) == []
    assert (tmp_path / "spool").stat().st_mode & 0o777 == 0o700


def test_calls_after_our_exit_hook_are_kept_too(tmp_path):
    """What an atexit hook that runs after ours logs is in the spool when its log call returns."""
    script = """
    import atexit
    logging.getLogger("late").handlers = []
    track(log, 10)
    def late():
        track(log, 10, start=10)
        os.kill(os.getpid(), signal.SIGKILL)
    import robotmia_logging.delivery.lifecycle as lifecycle
    atexit.unregister(lifecycle._at_exit)
    atexit.register(late)
    atexit.register(lifecycle._at_exit)
"""
    outage(script, tmp_path / "spool")
    delivers(tmp_path / "spool", range(20))


def test_a_fork_in_an_outage(tmp_path):
    """Parent and child each spool their own, and none of it is sent twice, though both are killed."""
    script = """
    track(log, 100)
    pid = os.fork()
    if pid == 0:
        track(log, 100, start=1000)
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(pid, 0)
    track(log, 100, start=100)
    os.kill(os.getpid(), signal.SIGKILL)
"""
    outage(script, tmp_path / "spool")
    delivers(tmp_path / "spool", range(200), range(1000, 1100))


@linux
def test_a_child_keeps_no_descriptor_of_its_parents_spool(tmp_path):
    """A forked child holds none of its parent's files open, so its parent's messages are free once that is dead."""
    script = """
    def held():
        links = []
        for name in os.listdir("/proc/self/fd"):
            try:
                links.append(os.readlink("/proc/self/fd/" + name))
            except OSError:
                pass
        # Files: a folder is held for an instant by a thread that lists it, and by a child forked at that instant.
        return sum(SPOOL in link and not os.path.isdir(link) for link in links)
    track(log, 100)
    say(held() > 0)
    parent_lives, parent = os.pipe()
    if os.fork():
        os.kill(os.getpid(), signal.SIGKILL)
    os.close(parent)
    os.read(parent_lives, 1)
    before = held()
    later, other = door("later", spool=SPOOL, url=sys.argv[2])
    say(before, other.flush(20), other.stats().delivered)
"""
    with serving() as server:
        done = outage(script, tmp_path / "spool", server.url)
        assert done.lines == ["True", "0 True 100"]
        assert each_once(server, range(100))


def check_pool(tmp_path, method):
    script = """
    import multiprocessing, story
    if __name__ == "__main__":
        context = multiprocessing.get_context(sys.argv[2])
        workers = [context.Process(target=story.work, args=(n,)) for n in range(3)]
        for worker in workers: worker.start()
        for worker in workers: worker.join()
        with context.Pool(2) as pool:  # ends its workers with SIGTERM
            pool.map(story.work, range(3, 6))
    """
    story = """
    import sys
    sys.argv[1:] or sys.argv.append("-")
    from proc_child import door, track
    import os
    log = None
    def work(n):
        global log
        log = log or door("w", spool=os.environ["STORY_SPOOL"])[0]
        track(log, 100, start=100 * n, user=n)
    """
    spool = tmp_path / method
    folder = tmp_path / f"modules-{method}"
    folder.mkdir()
    (folder / "story.py").write_text("\n".join(line[4:] for line in story.splitlines()))
    outage(f"    sys.path.insert(0, {str(folder)!r}); os.environ['STORY_SPOOL'] = SPOOL\n" + script, spool, method)
    delivers(spool, range(600))


def test_multiprocessing_in_an_outage(tmp_path):
    """What children of multiprocessing logged is there afterwards, of terminated ones as well."""
    together(check_pool, (tmp_path, "fork"), (tmp_path, "spawn"), (tmp_path, "forkserver"))


def test_a_living_process_adopts_what_another_left(tmp_path):
    """A process that runs on takes over what a child left, without being asked, and while it logs nothing itself."""
    script = """
    track(log, 10)
    say(handler.flush(10))
    if os.fork() == 0:
        log.handlers.clear()
        other, _ = door("other", spool=SPOOL, url="http://127.0.0.1:9")
        track(other, 100, start=10)
        os._exit(0)
    os.wait()
    import robotmia_logging.delivery.spool.spool as spool
    handler.delivery._keeper._spool._adopt_at = 0.0  # it is time
    handler.delivery._senders.ring()
    listen()
"""
    with serving() as server:

        def wait(process):
            server.wait_for(lambda _: len(server.taken) == 110, 20)
            process.stdin.write("\n")
            process.stdin.flush()

        done = run(server, OPEN + script, tmp_path / "spool", meanwhile=wait)
        assert done.code == 0, done.err
        assert each_once(server, range(110))


def test_a_request_under_way_at_exit_is_not_sent_twice(tmp_path):
    """One endpoint is down, and the other takes a moment: an exit lets the request end that has begun."""
    script = """
    log.info("", extra={"profile": {"Plan": "pro"}, "distinct_id": "ada"})
    track(log, 10)
    handler.flush(0)
    listen()
"""

    def behave(request):
        return status(503) if request.path == "/engage/" else latency(0.2)

    with serving(behave) as server:

        def leave(process):
            assert server.wait_for(
                lambda _: {"/track/", "/engage/"} <= {request.path for request in server.requests}, 20
            )
            go_on(process)

        done = run(server, OPEN + script, tmp_path / "spool", meanwhile=leave)
        assert done.code == 0, done.err
        assert each_once(server, range(10))
    with serving() as server:
        done = run(server, LATER, tmp_path / "spool")
        assert done.lines == ["True True 1", ""], done.err
        assert [message.get("$set") for _, message in server.taken] == [{"Plan": "pro"}]
