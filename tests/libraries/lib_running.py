"""The cookbook's rules for libraries, the libraries' surroundings, and what arrived of their log calls."""

from __future__ import annotations

import json
import logging
import re
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.doors import StdlibDoor
from tests.hostile import HostileServer

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_COOKBOOK = Path(__file__).parents[2] / "docs" / "cookbook.md"
_BLOCK = re.compile(r"^```toml\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks() -> dict[str, str]:
    """The cookbook's TOML by heading; each has one block."""
    _, *sections = _COOKBOOK.read_text(encoding="utf-8").split("\n## ")
    found = {}
    for section in sections:
        heading, _, text = section.partition("\n")
        (found[heading],) = _BLOCK.findall(text)
    return found


def rules(heading: str) -> list[dict[str, Any]]:
    """The rules under a heading, as a list for `dictConfig`."""
    return tomllib.loads(blocks()[heading])["rule"]


def given(heading: str, form: str, folder: Path) -> list[dict[str, Any]] | str:
    """The rules under a heading as the option `rules` takes them: a list, or a file."""
    if form == "list":
        return rules(heading)
    path = folder / f"rules.{form}"
    path.write_text(blocks()[heading] if form == "toml" else json.dumps({"rule": rules(heading)}), encoding="utf-8")
    return str(path)


in_each_form = pytest.mark.parametrize("form", ["list", "toml", "json"])


def configuration(chosen: list[dict[str, Any]] | str, *loggers: str, **options: Any) -> dict[str, Any]:
    """A `dictConfig` with a handler for these loggers. Token and URL stand in the environment.

    All is sent at exit, in one batch, so that events arrive in the order of their calls.
    """
    waiting = {"flush_interval": 60.0, "flush_level": "CRITICAL"}
    handler = {"class": "robotmia_logging.RobotmiaHandler", "rules": chosen, **waiting, **options}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "handlers": {"robotmia": handler},
        "loggers": {name: {"handlers": ["robotmia"], "level": "INFO", "propagate": False} for name in loggers},
        "root": {"handlers": []},
    }


class Event(NamedTuple):
    """An event that arrived: its properties without token, time and user."""

    name: str
    user: str | None
    properties: dict[str, Any]


def events(server: HostileServer) -> list[Event]:
    """The events that a server took, in their order of arrival; nothing else may have arrived."""
    found = []
    for path, message in server.taken:
        assert path == "/track/", message
        properties = dict(message["properties"])
        assert properties.pop("token") == "token"
        assert type(properties.pop("time")) is int
        found.append(Event(message["event"], properties.pop("distinct_id", None), properties))
    assert server.violations == []
    return found


@contextmanager
def tracked(chosen: list[dict[str, Any]] | str, logger: str, level: int = logging.INFO) -> Iterator[HostileServer]:
    """A handler with these rules at a library's logger; gives the server, which has everything when the block ends."""
    log = logging.getLogger(logger)
    before = log.level
    with StdlibDoor(token="token", rules=chosen) as door:
        log.addHandler(door.door)
        log.setLevel(level)
        try:
            yield door.server
        finally:
            log.setLevel(before)
            log.removeHandler(door.door)


class _Answer(BaseHTTPRequestHandler):
    """Answers with the status that the path names."""

    def do_GET(self) -> None:
        self.send_response(int(self.path.partition("?")[0].strip("/")))
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_POST = do_GET

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def website() -> Iterator[str]:
    """A web server on a free port; gives its URL. `/404` answers 404."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Answer) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
