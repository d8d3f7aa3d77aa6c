"""uvicorn's access log, by rules alone."""

from __future__ import annotations

import json
import signal

from robotmia_logging import RobotmiaHandler
from tests.libraries.lib_running import Event, configuration, events, given, in_each_form
from tests.processes.proc_running import run, serving

SHOP = """
import json, os, signal, socket, sys, threading
from http.client import HTTPConnection
import uvicorn
from structlog.contextvars import bind_contextvars, clear_contextvars

def binds_the_user(application):
    async def middleware(scope, receive, send):
        clear_contextvars()
        bind_contextvars(distinct_id=dict(scope["headers"])[b"x-user"].decode())
        await application(scope, receive, send)
    return middleware

@binds_the_user
async def shop(scope, receive, send):
    status = {"/cart": 200, "/broken": 503}.get(scope["path"], 404)
    await send({"type": "http.response.start", "status": status, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body"})

def visit():
    visitor = HTTPConnection(*listener.getsockname(), timeout=20)
    for user, method, page in ("ada", "GET", "/cart?item=7"), ("bob", "POST", "/no%20such"), ("ada", "GET", "/broken"):
        visitor.request(method, page, headers={"X-User": user})
        visitor.getresponse().read()
    visitor.close()
    if "SIGTERM" in sys.argv:
        os.kill(os.getpid(), signal.SIGTERM)
    else:
        server.should_exit = True

listener = socket.create_server(("127.0.0.1", 0))
server = uvicorn.Server(uvicorn.Config(shop, lifespan="off", log_config=json.loads(sys.argv[1])))
threading.Thread(target=visit).start()
server.run([listener])
"""
TEMPLATE = {
    "logger": "uvicorn.access",
    "message": '%s - "%s %s HTTP/%s" %d',
    "event": "Page Viewed",
    "properties": {"method": "{1}", "path": "{2}", "status": "{4}"},
}


VISITS = [
    Event("Page Viewed", "ada", {"method": "GET", "path": "/cart", "status": 200}),
    Event("Page Viewed", "bob", {"method": "POST", "path": "/no%20such", "status": 404}),
    Event("Page Viewed", "ada", {"method": "GET", "path": "/broken", "status": 503}),
]


def visits(chosen):
    """The events of three visits."""
    with serving() as server:
        ended = run(server, SHOP, json.dumps(configuration(chosen, "uvicorn.access")))
        assert ended.code == 0, ended.err
        return events(server)


@in_each_form
def test_visits(form, tmp_path):
    """A visit becomes an event of the user whom the middleware bound, its status a number, without query string."""
    found = visits(given("uvicorn", form, tmp_path))
    assert found == VISITS
    assert {type(event.properties["status"]) for event in found} == {int}


def test_visits_by_the_template():
    """A rule that names uvicorn's own template, behind one that keeps some visits out."""
    kept_out = {"logger": "uvicorn.access", "pattern": '"GET /broken', "track": False}
    assert visits([kept_out, TEMPLATE]) == [
        Event("Page Viewed", "ada", {"method": "GET", "path": "/cart?item=7", "status": 200}),
        Event("Page Viewed", "bob", {"method": "POST", "path": "/no%20such", "status": 404}),
    ]


def test_end_by_sigterm(tmp_path):
    """uvicorn ends itself with the SIGTERM it was sent: the spool keeps what the exit can't deliver any more."""
    spool = str(tmp_path / "spool")
    logging = configuration(given("uvicorn", "list", tmp_path), "uvicorn.access", spool=spool)
    with serving() as server:
        ended = run(server, SHOP, json.dumps(logging), "SIGTERM")
        assert (ended.code, events(server)) == (-signal.SIGTERM, []), ended.err
        next_one = RobotmiaHandler(url=server.url, token="token", spool=spool)
        assert next_one.flush(10)
        next_one.close()
        assert events(server) == VISITS
