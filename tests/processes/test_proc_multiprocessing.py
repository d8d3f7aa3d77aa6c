"""Children of multiprocessing run no atexit hooks: what they logged is delivered all the same."""

from __future__ import annotations

from tests.hostile import HostileServer, hang
from tests.processes.proc_running import each_once, run, serving, together

METHODS = [("fork",), ("forkserver",), ("spawn",)]


def test_what_children_logged_arrives():
    """Children of each start method, one of them ended by an exception, deliver what they logged without a flush."""
    script = """
        import multiprocessing, sys
        from proc_child import door, track
        log, handler = door()
        def work(start):
            track(log, 5, start=start)
            if start == 10:
                raise ValueError("on purpose")
        if __name__ == "__main__":
            context = multiprocessing.get_context(sys.argv[1])
            track(log, 5)
            children = [context.Process(target=work, args=(start,)) for start in (5, 10)]
            for child in children:
                child.start()
            for child in children:
                child.join()
            track(log, 5, start=15)
    """

    def check(method):
        with serving() as server:
            done = run(server, script, method)
            assert not done.lost
            assert each_once(server, range(20))

    together(check, *METHODS)


def test_the_tasks_of_a_process_pool_arrive():
    """Twenty tasks of a ProcessPoolExecutor, logging configured in the module or the initializer, arrive once each."""
    script = """
        import concurrent.futures, logging, multiprocessing, sys
        from proc_child import door, track
        if sys.argv[2] == "module":
            door()
        def initialize():
            if sys.argv[2] == "initializer":
                door()
        def work(n):
            track(logging.getLogger("app"), start=n, user=n)
            return n
        if __name__ == "__main__":
            context = multiprocessing.get_context(sys.argv[1])
            with concurrent.futures.ProcessPoolExecutor(2, context, initialize) as pool:
                assert list(pool.map(work, range(20))) == list(range(20))
    """

    def check(method, configured):
        with serving() as server:
            done = run(server, script, method, configured)
            assert (done.code, done.err) == (0, "")
            assert each_once(server, range(20))

    together(check, *((*method, where) for method in METHODS for where in ("module", "initializer")))


def test_a_pool_that_is_closed_and_joined_delivers():
    """What the workers of a `multiprocessing.Pool` logged arrives when the pool is closed and joined."""
    script = """
        import multiprocessing
        from proc_child import door, track
        log, handler = door()
        def work(n):
            track(log, start=n)
        if __name__ == "__main__":
            pool = multiprocessing.get_context("fork").Pool(3)
            pool.map(work, range(20))
            pool.close()
            pool.join()
    """
    with HostileServer() as server:
        done = run(server, script)
        assert (done.code, done.err) == (0, "")
        assert each_once(server, range(20))


def test_a_child_whose_module_logs_at_import():
    """A child that already logged while its main module was imported delivers that, and what it logged later."""
    script = """
        import multiprocessing, sys
        from proc_child import door, track
        log, handler = door()
        if __name__ != "__main__":
            track(log)
        def work():
            track(log, 5, start=1)
        if __name__ == "__main__":
            child = multiprocessing.get_context(sys.argv[1]).Process(target=work)
            child.start()
            child.join()
    """

    def check(method):
        with serving() as server:
            done = run(server, script, method)
            assert (done.code, done.err) == (0, "")
            assert each_once(server, range(method == "fork", 6))

    together(check, *METHODS)


def test_threads_that_outlive_the_target_of_a_child():
    """What a thread of a child logs after the child's target has returned arrives too: the child waits for it."""
    script = """
        import multiprocessing, sys, threading
        from proc_child import door, track
        log, handler = door()
        def late():
            threading.main_thread().join(1.0)  # a child's never ends: its finalizers have run by then
            track(log, 5, start=5)
        def work():
            threading.Thread(target=late).start()
            track(log, 5)
        if __name__ == "__main__":
            child = multiprocessing.get_context(sys.argv[1]).Process(target=work)
            child.start()
            child.join()
    """

    def check(method):
        with serving() as server:
            done = run(server, script, method)
            assert (done.code, done.err) == (0, "")
            assert each_once(server, range(10))

    together(check, *METHODS)


def test_children_of_a_hung_endpoint_end_by_one_deadline():
    """A child whose endpoint never answers ends within one `shutdown_timeout`, and says once what it lost."""
    script = """
        import multiprocessing, sys, time
        from proc_child import door, say, track
        log, handler = door(shutdown_timeout=1.0, timeout=300)
        def work(stamp):
            track(log, 5)
            stamp.value = time.monotonic()
        if __name__ == "__main__":
            context = multiprocessing.get_context(sys.argv[1])
            stamp = context.Value("d")
            child = context.Process(target=work, args=(stamp,))
            child.start()
            child.join()
            say(time.monotonic() - stamp.value)
    """

    def check(method):
        with serving(hang()) as server:
            done = run(server, script, method)
            assert [count for count, _ in done.lost] == [5]
            assert 0.5 < float(done.lines[0]) < 1.9

    together(check, *METHODS)


def test_a_child_that_forks_by_itself():
    """A child of multiprocessing that calls `os.fork` delivers its own and its child's."""
    script = """
        import multiprocessing, os, sys
        from proc_child import door, track, wait_for_children
        log, handler = door()
        def work():
            track(log, 5)
            pid = os.fork()
            if pid == 0:
                track(log, 5, start=5)
                sys.exit(0)
            track(log, 5, start=10)
            wait_for_children([pid])
        if __name__ == "__main__":
            child = multiprocessing.get_context("fork").Process(target=work)
            child.start()
            child.join()
    """
    with HostileServer() as server:
        done = run(server, script)
        assert done.lines == ["child 0"]
        assert each_once(server, range(15))
