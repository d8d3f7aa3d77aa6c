import base64
import os
import re
import signal
import socket
import subprocess
import sys

import pytest
import requests

RUN = "from robotmia_logging.cli import main; main()"
EVENT = base64.b64encode(b'{"event": "Signed Up", "properties": {"token": "t", "distinct_id": "u"}}').decode()
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


def test_faults_and_bounds():
    """Faults and bounds are given as options, and a second number for what is kept is not exceeded."""
    options = ["--fail", "503", "--retry-after", "3", "--times", "1", "--max-messages", "2"]
    command = [sys.executable, "-c", RUN, "sandbox", "--port", "0", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            url = process.stdout.readline().split()[-1]
            answers = [requests.get(f"{url}/track/", params={"data": EVENT}, timeout=10) for _ in range(4)]
            kept = requests.get(f"{url}/sandbox/messages", timeout=10).json()
        finally:
            process.terminate()
    seen = [(answer.status_code, answer.headers.get("Retry-After")) for answer in answers]
    assert seen == [(503, "3"), *[(200, None)] * 3]
    assert [message["id"] for message in kept] == [2, 3]


@pytest.mark.parametrize(
    ("options", "error"),
    [
        (["--fail", "200"], "fail must be statuses of 400 to 599, not 200."),
        (["--fail", "often"], "a failure is STATUS or STATUS:PROBABILITY, such as 503:0.1, not 'often'."),
        (["--hang", "0.7", "--reset", "0.7"], "the probabilities of faults must add up to at most 1, not 1.4."),
    ],
)
def test_bad_faults_on_the_command_line(options, error):
    """A fault that can't be is wrong use, said in one sentence."""
    result = run("sandbox", *options)
    assert (result.returncode, result.stderr.splitlines()[-1]) == (2, f"Error: {error}")


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
