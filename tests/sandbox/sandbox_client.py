"""A client of a running sandbox, and messages to send it."""

import base64
import json
from typing import Any

import requests

from robotmia_logging.sandbox.server import SandboxServer

NOW = 1_700_000_000.5


class Clock:
    """A clock that stands still until it is told."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


class Sandbox:
    """A client of a running sandbox, written with requests alone."""

    def __init__(self, server: SandboxServer, clock: Clock) -> None:
        self.server, self.clock = server, clock
        self.session = requests.Session()
        self.session.trust_env = False

    def get(self, path: str, **params: Any) -> requests.Response:
        return self.session.get(self.server.url + path, params=params, allow_redirects=False, timeout=10)

    def post(self, path: str, **fields: Any) -> requests.Response:
        return self.session.post(self.server.url + path, data=fields, allow_redirects=False, timeout=10)

    def send(self, endpoint: str, messages: Any, **fields: Any) -> str:
        """POST messages; the error of the verbose answer, empty when they were accepted."""
        response = self.post(f"/{endpoint}/", data=encode(messages), verbose="1", **fields)
        assert response.status_code == 200
        answer = response.json()
        assert answer.keys() == {"status", "error"}
        assert answer["status"] == (0 if answer["error"] else 1)
        return str(answer["error"])

    def update(self, operation: str, value: Any, **attributes: Any) -> str:
        return self.send("engage", update(operation, value, **attributes))

    def messages(self) -> list[dict[str, Any]]:
        return list(self.get("/sandbox/messages").json())

    def refusals(self) -> list[dict[str, Any]]:
        return list(self.get("/sandbox/refusals").json())

    def profile(self, user: str) -> dict[str, Any]:
        response = self.get(f"/sandbox/profiles/{user}")
        assert response.status_code == 200, response.text
        return dict(response.json())


def encode(value: Any) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.b64encode(raw).decode()


def event(name: Any = "Signed Up", **properties: Any) -> dict[str, Any]:
    return {"event": name, "properties": {"token": "t", **properties}}


def update(operation: str, value: Any, **attributes: Any) -> dict[str, Any]:
    named = {f"${name}": attribute for name, attribute in attributes.items()}
    return {"$token": "t", "$distinct_id": "u", **named, operation: value}
