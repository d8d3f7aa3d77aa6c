import os
import re
import signal
import socket
import subprocess
import sys

import pytest
import requests

RUN = "from robotmia_logging.cli import main; main()"
WITHOUT = "import sys; sys.modules[{!r}] = None; " + RUN


def run(*arguments, program=RUN):
    command = [sys.executable, "-c", program, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGINT])
def test_serves_until_a_signal(tmp_path, end):
    """The command prints its URL once it listens, answers, and ends with 0 on a signal, its file complete."""
    db = tmp_path / "sandbox.db"
    command = [sys.executable, "-c", RUN, "sandbox", "--port", "0", "--db", str(db)]
    env = os.environ | {"PYTHONUNBUFFERED": ""}  # a pipe is buffered: the line must be flushed
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env) as process:
        line = process.stdout.readline()
        try:
            url = re.fullmatch(r"robotmia sandbox at (http://127\.0\.0\.1:\d+)\n", line).group(1)
            assert requests.get(f"{url}/sandbox/messages", timeout=10).json() == []
        finally:
            process.send_signal(end)
            rest, errors = process.communicate(timeout=30)
    assert (process.returncode, rest, errors) == (0, "", "")
    assert [path.name for path in tmp_path.iterdir()] == ["sandbox.db"]


def test_port_in_use():
    """A port in use is one sentence and exit code 1."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = run("sandbox", "--port", str(port))
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr == f"Can't listen on 127.0.0.1 port {port}: Address already in use.\n"


def test_unusable_database(tmp_path):
    """A database that can't be opened is one sentence and exit code 1."""
    result = run("sandbox", "--port", "0", "--db", str(tmp_path / "missing" / "sandbox.db"))
    assert (result.returncode, result.stdout, result.stderr.count("\n")) == (1, "", 1)
    assert "unable to open database file" in result.stderr


def test_version():
    """--version names the program and its version."""
    assert re.fullmatch(r"robotmia-logging \d+\.\d+\.\d+\S*\n", run("--version").stdout)


@pytest.mark.parametrize("arguments", [["--help"], ["sandbox", "--help"]])
def test_help(arguments):
    """Every command has help."""
    result = run(*arguments)
    assert (result.returncode, result.stdout.startswith("Usage: robotmia-logging")) == (0, True)


@pytest.mark.parametrize(("module", "extra"), [("click", "cli"), ("starlette", "sandbox"), ("uvicorn", "sandbox")])
def test_missing_library(module, extra):
    """Without its libraries a command says in one sentence what to install, and exits with 2."""
    result = run("sandbox", program=WITHOUT.format(module))
    assert (result.returncode, result.stdout, result.stderr.count("\n")) == (2, "", 1)
    assert f"pip install 'robotmia_logging[{extra}]'" in result.stderr
