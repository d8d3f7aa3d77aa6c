"""Django's `django.request` and `django.server`, by rules alone."""

from __future__ import annotations

import json

from tests.libraries.lib_running import Event, configuration, events, given, in_each_form
from tests.processes.proc_running import run, serving

SITE = """
import json, sys
import django
from django.conf import settings
from django.http import Http404, HttpResponse
from django.urls import path
from structlog.contextvars import bind_contextvars, clear_contextvars

def binds_the_user(get_response):
    def middleware(request):
        clear_contextvars()
        bind_contextvars(distinct_id=request.headers["X-User"])
        return get_response(request)
    return middleware

def user_of(record):
    return record.request.headers["X-User"]

def cart(request):
    return HttpResponse("a cart")

def broken(request):
    raise RuntimeError("out of order")

def missing(request):
    raise Http404

urlpatterns = [path("cart", cart), path("broken", broken), path("missing", missing)]
logging = json.loads(sys.argv[1])
middleware = ["__main__.binds_the_user"] if "middleware" in sys.argv else []
settings.configure(ROOT_URLCONF="__main__", MIDDLEWARE=middleware, ALLOWED_HOSTS=["*"], LOGGING=logging)
django.setup()
VISITS = [("ada", "/broken"), ("bob", "/missing"), ("ada", "/cart?item=7")]
"""
TEST_CLIENT = """
from django.test import Client

client = Client(raise_request_exception=False)
for user, page in VISITS:
    client.get(page, headers={"X-User": user})
"""
DEVELOPMENT_SERVER = """
import threading
from http.client import HTTPConnection
from django.core.servers.basehttp import WSGIRequestHandler, WSGIServer
from django.core.wsgi import get_wsgi_application

with WSGIServer(("127.0.0.1", 0), WSGIRequestHandler) as server:
    server.set_app(get_wsgi_application())
    thread = threading.Thread(target=lambda: [server.handle_request() for _ in VISITS])
    thread.start()
    for user, page in VISITS:
        visitor = HTTPConnection(*server.server_address, timeout=20)
        visitor.request("GET", page, headers={"X-User": user})
        visitor.getresponse().read()
        visitor.close()
    thread.join()
"""


def visits(script, logger, chosen, *arguments, **options):
    """The events of three visits."""
    with serving() as server:
        ended = run(server, SITE + script, json.dumps(configuration(chosen, logger, **options)), *arguments)
        assert ended.code == 0, ended.err
        found = events(server)
    assert {type(event.properties["status"]) for event in found} == {int}
    return found


REFUSED = [
    Event("Server Error", "ada", {"path": "/broken", "status": 500}),
    Event("Request Refused", "bob", {"reason": "Not Found", "path": "/missing", "status": 404}),
]


@in_each_form
def test_requests(form, tmp_path):
    """An error becomes an event of the user whom the middleware bound, its status, an extra, a number."""
    assert visits(TEST_CLIENT, "django.request", given("Django", form, tmp_path), "middleware") == REFUSED


def test_user_of_the_request(tmp_path):
    """Without a middleware a function finds the user in the request that Django gives to its log calls."""
    chosen = given("Django", "toml", tmp_path)
    assert visits(TEST_CLIENT, "django.request", chosen, distinct_id="ext://__main__.user_of") == REFUSED


def test_development_server(tmp_path):
    """A visit of the development server becomes an event, its status a number, without query string."""
    assert visits(DEVELOPMENT_SERVER, "django.server", given("Django", "toml", tmp_path), "middleware") == [
        Event("Page Viewed", "ada", {"method": "GET", "path": "/broken", "status": 500}),
        Event("Page Viewed", "bob", {"method": "GET", "path": "/missing", "status": 404}),
        Event("Page Viewed", "ada", {"method": "GET", "path": "/cart", "status": 200}),
    ]
