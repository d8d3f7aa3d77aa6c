"""What a Celery worker logs of its tasks, by rules alone."""

from __future__ import annotations

import json

from tests.libraries.lib_running import Event, configuration, events, given
from tests.processes.proc_running import run, serving

TASKS = """
import json, logging.config, sys, threading
from celery import Celery, signals
from celery.contrib.testing.worker import start_worker
from celery.worker import state

logging.config.dictConfig(json.loads(sys.argv[1]))
app = Celery("shop", broker="memory://")
app.conf.broker_transport_options = {"polling_interval": 0.01}
runs = []
all_ended = threading.Event()

@signals.task_postrun.connect
def stop_after_the_last(task_id, **_):
    runs.append(task_id)
    if len(runs) == 5:
        state.should_terminate = 0  # in the worker's own thread, which else waits for more to do
        all_ended.set()

@app.task(name="mail")
def mail(number):
    return number

@app.task(name="break")
def fail():
    raise ValueError("no such order")

@app.task(name="expect", throws=(LookupError,))
def expect():
    raise LookupError("sold out")

@app.task(name="again", bind=True)
def again(self):
    if not self.request.retries:
        raise self.retry(countdown=0)

with start_worker(app, perform_ping_check=False, loglevel="INFO"):
    for task, arguments in [(mail, [17]), (fail, []), (expect, []), (again, [])]:
        task.apply_async(arguments, task_id=f"the-{task.name}-task")
    all_ended.wait(20)
"""


def test_tasks(tmp_path):
    """What becomes of a task is an event of a user that is the task, by its id; its runtime is a number."""
    logging = configuration(given("Celery", "toml", tmp_path), "celery.worker.strategy", "celery.app.trace")
    with serving() as server:
        ended = run(server, TASKS, json.dumps(logging))
        assert ended.code == 0, ended.err
        found = events(server)
    seconds = [event.properties.pop("seconds") for event in found if event.name == "Task Succeeded"]
    assert [type(runtime) for runtime in seconds] == [float, float]
    assert [event for event in found if event.user == "the-mail-task"] == [
        Event("Task Received", "the-mail-task", {"task": "mail"}),
        Event("Task Succeeded", "the-mail-task", {"task": "mail"}),
    ]
    assert [event.properties for event in found if event.name == "Task Failed"] == [
        {"task": "break", "outcome": "raised unexpected", "error": "ValueError('no such order')"},
        {"task": "expect", "outcome": "raised expected", "error": "LookupError('sold out')"},
        {"task": "again", "outcome": "retry", "error": "Retry in 0s"},
    ]
    twice = ["Task Received", "Task Failed", "Task Received", "Task Succeeded"]
    assert [event.name for event in found if event.user == "the-again-task"] == twice
    assert len(found) == 10
