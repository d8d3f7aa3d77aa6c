"""`robotmia-logging scan`."""

from __future__ import annotations

import os
import pty
import sys

import pytest

from tests.cli.command_running import apart, ended, environment, here, names_in
from tests.scan.sources import written

SHOP = """
    import logging
    logger = logging.getLogger("shop")
    def run(log, order, text):
        logger.info("order %s placed", order.id, extra={"total": order.total})
        logger.warning(f"order {order.id} failed")
        log.log(order.level, text)
"""


@pytest.fixture
def code(tmp_path):
    return written(tmp_path / "code", {"shop.py": SHOP})


def test_a_table(capsys, code):
    """Calls are shown in a table that isn't cut where it isn't a terminal's, with a summary on stderr."""
    said = here(capsys, "scan", code)
    rows = [line.split("  ") for line in said.out.splitlines()]
    cells = [[cell.strip() for cell in row if cell.strip()] for row in rows]
    assert cells == [
        ["LOGGER", "LEVEL", "TEMPLATE", "ARGUMENTS", "PLACE"],
        ["shop", "INFO", "order %s placed", "order.id, total=order.total", f"{code}/shop.py:5"],
        ["shop", "WARNING", "order {order.id} failed", f"{code}/shop.py:6"],
        ["? log", "?", "? {text}", f"{code}/shop.py:7"],
    ]
    assert said.err == (
        "3 log calls in 1 file: 1 literal, 1 f-string, 1 variable; not known: 1 logger, 1 level, 1 template.\n"
    )
    assert said.code == 0


def test_json_lines(capsys, code):
    """--json prints a line for each call, with everything that is known of it."""
    first, second, third = here(capsys, "scan", code, "--json").json
    assert first == {
        "logger": "shop",
        "library": "logging",
        "called_on": "logger",
        "method": "info",
        "level": "INFO",
        "kind": "literal",
        "template": "order %s placed",
        "is_resolved": True,
        "pattern": "^order (?P<order_id>.+?) placed$",
        "arguments": [
            {"expression": "order.id", "key": None, "field": "0", "name": "order_id"},
            {"expression": "order.total", "key": "total", "field": "total", "name": "total"},
        ],
        "path": f"{code}/shop.py",
        "line": 5,
        "column": 5,
        "module": "shop",
    }
    assert (second["kind"], second["pattern"]) == ("f-string", "^order (?P<order_id>.+?) failed$")
    assert (third["logger"], third["level"], third["pattern"], third["is_resolved"]) == (None, None, None, False)


def test_rules_to_start_from(capsys, code, tmp_path):
    """--rules writes a file, and overwrites one only if told to."""
    file = tmp_path / "rules.toml"
    said = here(capsys, "scan", code, "--rules", file)
    assert said.code == 0
    assert said.err.endswith(f"; rules to start from in {file}.\n")
    text = file.read_text()
    assert text.count("# [[rule]]\n") == 2
    assert '# properties = { order_id = "{0}", total = "{total}" }\n' in text
    file.write_text("mine")
    said = here(capsys, "scan", code, "--rules", file)
    assert (said.code, said.out, said.err) == (2, "", f"{file} is there already; --force overwrites it.\n")
    assert file.read_text() == "mine"
    assert here(capsys, "scan", code, "--rules", file, "--force").code == 0
    assert file.read_text() == text
    assert names_in(tmp_path) == ["code", "rules.toml"]


def test_rules_through_a_link(capsys, code, tmp_path):
    """Where --rules is a symbolic link, the file that it leads to is written, and the link stays."""
    file = tmp_path / "shared" / "rules.toml"
    file.parent.mkdir()
    file.write_text("old")
    os.symlink("shared/rules.toml", tmp_path / "link.toml")
    assert here(capsys, "scan", code, "--rules", tmp_path / "link.toml", "--force").code == 0
    assert os.readlink(tmp_path / "link.toml") == "shared/rules.toml"
    assert "[[rule]]" in file.read_text()
    assert names_in(file.parent) == ["rules.toml"]


def test_rules_into_no_file(capsys, code, tmp_path):
    """What isn't a regular file isn't replaced by one, --force or not, through a link either."""
    os.mkfifo(tmp_path / "pipe")
    os.symlink("pipe", tmp_path / "link")
    for path in (tmp_path / "pipe", tmp_path / "link"):
        said = here(capsys, "scan", code, "--rules", path, "--force")
        assert (said.code, said.out) == (2, "")
        assert said.err == f"{path} is no regular file; --rules writes to one.\n"
    assert (tmp_path / "pipe").is_fifo()


def test_rules_that_cannot_be_written(capsys, code, tmp_path):
    """A rules file that can't be written is told in a sentence."""
    said = here(capsys, "scan", code, "--rules", tmp_path / "no" / "rules.toml")
    assert (said.code, said.out) == (1, "")
    assert said.err == f"Can't write {tmp_path}/no/rules.toml: No such file or directory.\n"


def test_an_installed_package(capsys, code):
    """--package scans what is installed, beside a path or alone, with places relative to where it is installed."""
    said = here(capsys, "scan", "-p", "httpx", "--package", "uvicorn", code, "--json")
    assert said.code == 0
    assert {line["path"].partition("/")[0] for line in said.json if line["module"] != "shop"} == {"httpx", "uvicorn"}
    assert {line["logger"] for line in said.json} >= {"httpx", "uvicorn.error", "shop"}


def test_files_that_cannot_be_read(capsys, code):
    """What can't be read is told with its place, exit code 1, and the rest is there."""
    written(code, {"bad.py": "def f(:\n", "deep\x1b[31m.py": "def f(:\n"})
    said = here(capsys, "scan", code, "--json")
    assert (said.code, len(said.json)) == (1, 3)
    first, second, summary = said.err.splitlines()
    assert first == f"{code}/bad.py:1: not valid Python: invalid syntax."
    assert "\x1b" not in second
    assert summary.endswith("; 2 problems.")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "Give files or folders to scan"),
        (["/no/such/path"], "'/no/such/path' does not exist"),
        (["-p", "no_such_package"], "no package 'no_such_package' is installed in this environment"),
        (["-p", "django.db"], "no name of a package at the top level"),
        ([".", "--rules", "/"], "is a directory"),
    ],
)
def test_wrong_use(capsys, arguments, words):
    """Wrong use is told in words, exit code 2."""
    said = here(capsys, "scan", *arguments)
    assert (said.code, said.out) == (2, "")
    assert words in said.err
    assert "Traceback" not in said.err


def test_nothing_found(capsys, tmp_path):
    """Without calls there is no table, and a summary that says so."""
    said = here(capsys, "scan", tmp_path)
    assert (said.code, said.out, said.err) == (0, "", "0 log calls in 0 files.\n")


def test_text_that_no_encoding_has(capsys, tmp_path):
    """Lone surrogates, and letters that the output's encoding lacks, are shown as escapes."""
    written(tmp_path, {"a.py": "import logging\nlogging.info('gr\\u00f6\\u00dfer \\u2713 \\ud800')\n"})
    with apart("scan", tmp_path, env=environment(PYTHONIOENCODING="latin-1"), encoding="latin-1") as process:
        said = ended(process)
    assert said.code == 0
    assert "größer \\u2713 \\ud800" in said.out
    assert here(capsys, "scan", tmp_path, "--json").json[0]["template"] == "größer ✓ \\ud800"


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_no_stdout(capsys, monkeypatch, code, tmp_path, options):
    """With stdout closed the rules are written, and the summary is said."""
    monkeypatch.setattr(sys, "stdout", None)
    said = here(capsys, "scan", code, *options, "--rules", tmp_path / "rules.toml")
    assert said.code == 0
    assert said.err.startswith("3 log calls in 1 file")
    assert (tmp_path / "rules.toml").exists()


def test_numbers_that_are_no_levels(capsys, tmp_path):
    """However large a number stands in a level's place, the call is listed."""
    digits = "0x" + "f" * 6000
    written(tmp_path, {"a.py": f"import logging\nlogging.log({digits}, 'm %s', {digits})\nlogging.log(2**9**9, 'n')\n"})
    said = here(capsys, "scan", tmp_path, "--json", "--rules", tmp_path / "rules.toml")
    assert said.code == 0
    assert [(line["level"], line["template"]) for line in said.json] == [(None, "m %s"), (None, "n")]


def test_cut_to_the_terminal(code):
    """On a terminal lines are cut to its width."""
    main, terminal = pty.openpty()
    with apart("scan", code, stdout=terminal, env=environment(COLUMNS="60", TERM="xterm")) as process:
        os.close(terminal)
        said = process.communicate(timeout=30)
        shown = os.read(main, 65536).decode()
    os.close(main)
    assert (process.returncode, said[1].count("\n")) == (0, 1)
    lines = shown.splitlines()
    assert len(lines) == 4
    assert all(len(line) <= 60 for line in lines)
    assert "..." in shown


INTERRUPTED = """
import os, signal
from robotmia_logging.cli import main, scan
scan.scan_files = lambda *_: os.kill(os.getpid(), signal.SIGINT)
main()
"""


def test_ctrl_c(tmp_path):
    """Ctrl-C ends it in a word, with exit code 130."""
    with apart("scan", tmp_path, program=INTERRUPTED) as process:
        said = ended(process)
    assert (said.code, said.out, said.err) == (130, "", "Interrupted.\n")


def test_a_reader_that_leaves(code):
    """If nobody reads on, there is no traceback."""
    written(code, {f"m{n}.py": SHOP for n in range(500)})
    with apart("scan", code, "--json") as process:
        process.stdout.readline()
        process.stdout.close()
        err = process.stderr.read()
        process.wait(timeout=30)
    assert "Traceback" not in err
    assert process.returncode == 1
