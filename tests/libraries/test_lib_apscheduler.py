"""APScheduler's job log, by rules alone."""

from __future__ import annotations

import queue
from datetime import datetime, timedelta, timezone

import pytest
from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_EXECUTED, EVENT_JOB_MISSED
from apscheduler.schedulers.background import BackgroundScheduler

from tests.libraries.lib_running import Event, events, given, in_each_form, tracked

MISSED = {
    "logger": "apscheduler.executors.default",
    "level": "WARNING",
    "message": 'Run time of job "%s" was missed by %s',
    "event": "Job Missed",
    "properties": {"job": "{0}", "seconds": "{1}"},
}


def succeed():
    pass


def fail():
    raise ValueError("no such report")


def finish(*jobs):
    """Run these jobs one after the other, each given as the arguments of `add_job`."""
    ended = queue.SimpleQueue()
    scheduler = BackgroundScheduler(timezone=timezone.utc)
    scheduler.add_listener(ended.put, EVENT_JOB_EXECUTED | EVENT_JOB_ERROR | EVENT_JOB_MISSED)
    scheduler.start()
    try:
        for job in jobs:
            scheduler.add_job(**{"misfire_grace_time": None, **job})
            ended.get(timeout=20)
    finally:
        scheduler.shutdown()


@in_each_form
def test_jobs(form, tmp_path):
    """A job's run becomes an event of a user that is the job, by its name."""
    name = 'the "nightly" (1) report'
    with tracked(given("APScheduler", form, tmp_path), "apscheduler") as server:
        finish({"func": succeed, "name": name}, {"func": fail})
    assert events(server) == [
        Event("Job Run", name, {"job": name, "outcome": "executed successfully"}),
        Event("Job Run", "fail", {"job": "fail", "outcome": "raised an exception"}),
    ]


def test_missed_job():
    """A job, an object, is sent as text; by how much it was missed as seconds."""
    yesterday = datetime.now(timezone.utc) - timedelta(days=1)
    with tracked([MISSED], "apscheduler") as server:
        finish({"func": succeed, "trigger": "date", "run_date": yesterday, "misfire_grace_time": 1})
    (event,) = events(server)
    assert (event.name, event.user, event.properties.keys()) == ("Job Missed", None, {"job", "seconds"})
    assert event.properties["job"].startswith("succeed (trigger: date[")
    assert event.properties["seconds"] == pytest.approx(86_400, abs=60)
