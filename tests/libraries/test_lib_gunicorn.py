"""gunicorn's access log, whose arguments are a mapping, by rules alone."""

from __future__ import annotations

from tests.libraries.lib_running import Event, configuration, events, given
from tests.processes.proc_running import run, serving

SHOP = """
import os, subprocess, sys
from http.client import HTTPConnection
from socket import create_server
from structlog.contextvars import bind_contextvars, clear_contextvars

def shop(environ, start_response):
    start_response("200 OK" if environ["PATH_INFO"] == "/cart" else "404 Not Found", [("Content-Length", "0")])
    return []

def application(environ, start_response):
    clear_contextvars()
    bind_contextvars(distinct_id=environ.get("HTTP_X_USER"))
    return shop(environ, start_response)

def visit(address, path, headers):
    visitor = HTTPConnection(*address, timeout=20)
    visitor.request("GET", path, headers=headers)
    visitor.getresponse().read()
    visitor.close()

if __name__ == "__main__":
    listener = create_server(("127.0.0.1", 0))
    command = ["gunicorn", "--bind", f"fd://{listener.fileno()}", "--config", sys.argv[1], "--access-logfile", "-"]
    folder = os.path.dirname(__file__)
    server = subprocess.Popen(
        [sys.executable, "-m", *command, "--chdir", folder, "story"], pass_fds=[listener.fileno()]
    )
    visit(listener.getsockname(), "/cart?item=7", {"X-User": "ada"})
    visit(listener.getsockname(), "/nothing", {"Authorization": "Basic Ym9iOnNlY3JldA=="})  # bob:secret
    server.terminate()
    sys.exit(server.wait())
"""
HEADER = {
    "logger": "gunicorn.access",
    "pattern": " user=(?P<who>[^ -]+)$",
    "event": "Page Viewed",
    "distinct_id": "{who}",
    "properties": {"page": "{m} {U}"},
}


def visits(chosen, folder, more=""):
    """The events of two visits."""
    settings = folder / "settings.py"
    settings.write_text(f"logconfig_dict = {configuration(chosen, 'gunicorn.access')!r}\n{more}")
    with serving() as server:
        ended = run(server, SHOP, settings)
        assert ended.code == 0, ended.err
        return events(server)


def test_visits(tmp_path):
    """A visit becomes an event of the user of basic authentication, or whom the application bound; numbers are that."""
    found = visits(given("gunicorn", "toml", tmp_path), tmp_path)
    milliseconds = [event.properties.pop("milliseconds") for event in found]
    assert found == [
        Event("Page Viewed", "ada", {"method": "GET", "path": "/cart", "status": 200}),
        Event("Page Viewed", "bob", {"method": "GET", "path": "/nothing", "status": 404}),
    ]
    assert {type(event.properties["status"]) for event in found} == {int}
    assert {type(elapsed) for elapsed in milliseconds} == {int}


def test_user_of_a_header(tmp_path):
    """A header gets into the access log by its format, and from there into a rule by its pattern."""
    format_ = r"access_log_format = '%(h)s user=%({x-user}i)s'"
    assert visits([HEADER], tmp_path, format_) == [
        Event("Page Viewed", "ada", {"page": "GET /cart", "who": "ada"}),
    ]
