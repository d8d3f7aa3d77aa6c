"""Under gunicorn and Celery, in an outage, killed: what their processes logged is delivered afterwards."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager, suppress

import pytest

from tests.processes.proc_running import each_once, run, serving

pytest.importorskip("gunicorn", reason="needs gunicorn")
pytest.importorskip("celery", reason="needs Celery")

DRAIN = """
    import os, sys
    from proc_child import adds_up, door, say
    log, handler = door(spool=sys.argv[1])
    say(handler.flush(20), adds_up(handler.stats()))
    handler.close()
    say(*os.listdir(sys.argv[1]))
"""
DOOR = """
import logging, os
from robotmia_logging import RobotmiaHandler

log = logging.getLogger("shop")
log.setLevel(logging.INFO)
log.addHandler(RobotmiaHandler())

def track(number):
    log.info("n is %d", number, extra={"event": "E", "n": number, "distinct_id": str(number % 3)})
"""
WSGI = (
    DOOR
    + """
track(0)  # with --preload, in the master

def application(environ, start_response):
    track(int(environ["PATH_INFO"].strip("/")))
    start_response("200 OK", [("Content-Type", "text/plain"), ("X-Worker", str(os.getpid()))])
    return [b"ok"]
"""
)
TASKS = (
    DOOR
    + """
import sys, time
from celery import Celery

folder = os.environ["STORY_FOLDER"]
app = Celery("tasks", broker="filesystem://")
app.conf.broker_transport_options = {"data_folder_in": folder, "data_folder_out": folder, "processed_folder": folder}
app.conf.worker_hijack_root_logger = False

@app.task
def work(number):
    track(number)
    with open(os.path.join(os.environ["STORY_FOLDER"], f"done-{number}.txt"), "w"):
        pass
"""
)


def delivers(spool, numbers):
    """Another process delivers these, once each, and leaves nothing in the spool."""
    with serving() as server:
        done = run(server, DRAIN, spool)
        assert done.lines == ["True True", ""], done.err
        assert each_once(server, numbers)


@contextmanager
def started(tmp_path, source, *command):
    """A server's processes, in a group of their own, with a spool and a robotmia that refuses connections."""
    (tmp_path / "story.py").write_text(source)
    (tmp_path / "broker").mkdir()
    with serving(None) as server, (tmp_path / "out").open("w") as out:
        environment = {
            **os.environ,
            "ROBOTMIA_URL": server.url,
            "ROBOTMIA_TOKEN": "token",
            "ROBOTMIA_SPOOL": str(tmp_path / "spool"),
            "STORY_FOLDER": str(tmp_path / "broker"),
            "NO_PROXY": "127.0.0.1",
        }
        process = subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=tmp_path,
            env=environment,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):  # it has ended, and all of its children
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(10)


def until(condition, what, timeout=30.0):
    """Wait for another process."""
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


def get(port, number):
    """Which worker answered."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/{number}", timeout=10) as answer:
        return answer.headers["X-Worker"]


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGKILL], ids=["SIGTERM", "SIGKILL"])
def test_gunicorn_with_a_preloaded_application(tmp_path, ending):
    """Master and workers each spool their own; ended in an outage, all of it is delivered by the next process."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    command = ("gunicorn", "--preload", "--workers", "3", "--bind", f"127.0.0.1:{port}", "story:application")
    with started(tmp_path, WSGI, *command) as process:
        until(lambda: "Booting worker" in (tmp_path / "out").read_text(), "gunicorn doesn't start")
        workers = {get(port, number) for number in range(1, 61)}
        if ending == signal.SIGTERM:
            process.terminate()
            process.wait(20)
    assert workers
    delivers(tmp_path / "spool", range(61))


def test_a_killed_prefork_worker_of_celery(tmp_path):
    """Tasks run in forked children of a worker that is killed with all of them: what they logged is delivered."""
    command = ("celery", "-A", "story", "worker", "--pool", "prefork", "--concurrency", "2", "--loglevel", "WARNING")
    with started(tmp_path, TASKS, *command, "--without-gossip", "--without-mingle", "--without-heartbeat"):
        send = "import story; [story.work.delay(number) for number in range(1, 41)]"
        environment = {**os.environ, "ROBOTMIA_ENABLED": "0", "STORY_FOLDER": str(tmp_path / "broker")}
        subprocess.run([sys.executable, "-c", send], cwd=tmp_path, env=environment, check=True, timeout=30)
        done = re.compile(r"done-\d+\.txt")
        until(
            lambda: sum(bool(done.fullmatch(name)) for name in os.listdir(tmp_path / "broker")) == 40,
            "the tasks aren't done",
        )
    delivers(tmp_path / "spool", range(1, 41))
