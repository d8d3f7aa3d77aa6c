"""Zero code: uvicorn's access log, and an application's own log calls, tracked by the rules of rules.toml alone."""

import logging
import socket
from pathlib import Path
from threading import Thread

import requests
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from structlog.contextvars import bind_contextvars

log = logging.getLogger("shop")


# The application, as it was.
async def home(_request: Request) -> PlainTextResponse:
    """Greet."""
    return PlainTextResponse("hello")


async def change_plan(request: Request) -> PlainTextResponse:
    """Change a user's plan."""
    bind_contextvars(user_id=request.path_params["user"])  # so far for its log lines
    log.info("%s changed from %s to %s", request.path_params["user"], "free", "pro")
    return PlainTextResponse("changed", status_code=201)


async def report(_request: Request) -> PlainTextResponse:
    """Be out of order."""
    return PlainTextResponse("out of order", status_code=503)


routes = [Route("/", home), Route("/users/{user}/plan", change_plan, methods=["POST"]), Route("/report", report)]
app = Starlette(routes=routes)

# What is new: a handler in the logging configuration. `distinct_id` says under which name the user is bound.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {
        "console": {"class": "logging.StreamHandler", "stream": "ext://sys.stdout"},
        "robotmia": {
            "class": "robotmia_logging.RobotmiaHandler",
            "rules": str(Path(__file__).with_name("rules.toml")),
            "distinct_id": "user_id",
        },
    },
    "root": {"handlers": ["console", "robotmia"], "level": "INFO"},
}

# Serve it as ever (`uvicorn --log-config` takes the same from a file), and make a few requests.
with socket.create_server(("127.0.0.1", 0)) as listening:
    server = uvicorn.Server(uvicorn.Config(app, log_config=LOGGING))
    serving = Thread(target=server.run, args=([listening],))
    serving.start()
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    requests.get(f"{url}/", timeout=10)
    requests.post(f"{url}/users/ada/plan", timeout=10)
    requests.get(f"{url}/report?month=7", timeout=10)
    requests.get(f"{url}/nowhere", timeout=10)
    server.should_exit = True
    serving.join()
