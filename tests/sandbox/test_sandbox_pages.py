"""The page's files as they are served."""

import http.client
import re
from pathlib import Path

import pytest
from sandbox_client import Sandbox

import robotmia_logging.sandbox

PAGE = Path(robotmia_logging.sandbox.__file__).parent / "page"
FILES = sorted(path.relative_to(PAGE).as_posix() for path in PAGE.rglob("*.*"))
TYPES = {"css": "text/css", "js": "text/javascript", "html": "text/html", "svg": "image/svg+xml"}


def test_the_page_has_a_strict_policy(sandbox: Sandbox) -> None:
    """The page loads from its own server alone, and no markup in it can run."""
    response = sandbox.get("/")
    assert response.headers["content-type"].startswith("text/html")
    policy = response.headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy


@pytest.mark.parametrize("name", FILES)
def test_every_file_is_served_as_what_it_is(sandbox: Sandbox, name: str) -> None:
    """Each file of the page has its type, and is asked for anew each time."""
    response = sandbox.get(f"/sandbox/page/{name}")
    assert response.content == (PAGE / name).read_bytes()
    assert response.headers["content-type"].split(";")[0] == TYPES[name.rpartition(".")[2]]
    assert response.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize("name", FILES)
def test_every_file_needs_this_server_alone(name: str) -> None:
    """No file names another host, or has script or style within markup."""
    text = (PAGE / name).read_text()
    assert set(re.findall(r"https?://[^\s\"'`)$]+", text)) <= {"http://www.w3.org/2000/svg"}
    assert not re.search(r"innerHTML|insertAdjacentHTML|document\.write|\beval\(|<style|\son\w+=|style=", text)


@pytest.mark.parametrize(
    "path",
    [
        "../reading/pages.py",
        "%2e%2e/app.py",
        "..%2fapp.py",
        "js/../../app.py",
        "/etc/passwd",
        "js",
        "",
        "js/main.js/",
        "%00",
    ],
)
def test_nothing_else_is_served(sandbox: Sandbox, path: str) -> None:
    """A path that leaves the folder, or names no file of it, isn't found."""
    connection = http.client.HTTPConnection("127.0.0.1", sandbox.server.port, timeout=10)
    connection.request("GET", f"/sandbox/page/{path}")  # as it stands: other clients take the dots out
    assert connection.getresponse().status == 404
    connection.close()
