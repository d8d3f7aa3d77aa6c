"""Every command, and everything that it takes, is explained."""

from __future__ import annotations

import click
import pytest

from robotmia_logging.cli.group import cli
from tests.cli.command_running import here


def commands(command=cli, path=()):
    yield path, command
    for name, inner in getattr(command, "commands", {}).items():
        yield from commands(inner, (*path, name))


EVERY = list(commands())


def test_there_are_commands():
    """The walk through the commands finds those that there are."""
    assert {path for path, _ in EVERY} >= {("sandbox",), ("send",), ("spool", "status"), ("spool", "retry")}


@pytest.mark.parametrize(("path", "command"), EVERY, ids=[" ".join(path) or "-" for path, _ in EVERY])
def test_everything_has_help(path, command):
    """A command says what it does in a sentence that fits into a list; each option has help, each argument a word."""
    summary, _, _ = command.help.partition("\n")
    assert summary.endswith(".")
    assert len(summary) <= 60
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, parameter.name
            assert parameter.help.endswith("."), parameter.name
        else:
            name = (parameter.metavar or parameter.name.upper()).strip("[].").partition("|")[0]
            assert name in command.help, parameter.name


@pytest.mark.parametrize(
    ("arguments", "usage"),
    [
        (["send", "--help"], "send [OPTIONS] FILE|-"),
        (["spool", "-h"], "spool [OPTIONS] FOLDER COMMAND [ARGS]..."),
        (["spool", ".", "--help"], "spool [OPTIONS] FOLDER COMMAND [ARGS]..."),
        (["spool", ".", "drain", "--help"], "spool FOLDER drain [OPTIONS]"),
    ],
)
def test_help_shows_how_it_is_called(capsys, arguments, usage):
    """Help shows where FOLDER and FILE stand, and can be asked for behind them."""
    said = here(capsys, *arguments)
    assert said.code == 0
    assert said.out.startswith(f"Usage: robotmia-logging {usage}\n")
