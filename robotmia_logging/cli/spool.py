"""`robotmia-logging spool FOLDER`: what waits in a spool, and what can be done about it."""

from __future__ import annotations

import os
import sys
from typing import BinaryIO

import click

from robotmia_logging.cli.saying import fail, give_up_output, many, reason, say, say_json, utc
from robotmia_logging.cli.spool_dead import dead
from robotmia_logging.cli.spool_drain import drain
from robotmia_logging.cli.spool_retry import retry
from robotmia_logging.cli.table import table
from robotmia_logging.delivery.spool.survey import ChainState, survey, waiting_lines

_HEAD = ("PID", "OWNER", "SEGMENTS", "MESSAGES", "BYTES", "OLDEST")
_OWNER = {True: "alive", False: "dead", None: "unknown"}


class _FolderFirst(click.Group):
    """The folder stands in front of the command; without a command it is `status`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args and not args[0].startswith("-"):
            if args[1:2] in (["-h"], ["--help"]):
                args = args[1:]
            elif len(args) == 1 or args[1].startswith("-"):
                args = [args[0], "status", *args[1:]]
        return super().parse_args(ctx, args)


@click.group(cls=_FolderFirst)
@click.argument("folder", type=click.Path(exists=True, file_okay=False))
@click.pass_context
def spool(context: click.Context, folder: str) -> None:
    """Look after a spool: FOLDER, which handlers share.

    It is what they were given as spool=FOLDER. Without a command this is status.
    """
    context.obj = folder


@spool.command()
@click.option("--json", "as_json", is_flag=True, help="A JSON line for each process instead of a table.")
@click.pass_obj
def status(folder: str, as_json: bool) -> None:
    """Show what waits, by the process that logged it.

    An owner is alive while it runs, or another process that took over what it left; what dead ones left is
    sent by the next process that opens the folder, or by drain. Another user's (?) can't be looked into. BYTES
    is what the files take on disk, OLDEST the time (UTC) of the oldest message.
    """
    states = _survey(folder)
    if as_json:
        for state in states:
            say_json(_fields(state))
        return
    if states:
        for line in table(_HEAD, list(map(_row, states)), words=("OWNER", "OLDEST")):
            say(line)
    total = many(sum(state.messages for state in states), "message")
    say(f"{total} to be sent, {sum(state.size for state in states):,} bytes.")
    closed = sum(state.is_alive is None for state in states)
    if closed:
        fail(f"The messages of {many(closed, 'other owner')} can't be read; ask as the user they belong to.", 1)


@spool.command()
@click.option("--output", metavar="FILE", type=click.Path(dir_okay=False), help="Write to FILE, not to stdout.")
@click.pass_obj
def export(folder: str, output: str | None) -> None:
    """Write out the messages still to be sent.

    All of them, of living and dead owners, as JSON lines. They stay in the spool, and are sent from there: to
    send them elsewhere, use a copy of FOLDER. What is being sent meanwhile may be among them.
    """
    try:
        if output is None:
            _write(folder, sys.stdout.buffer)
        else:
            descriptor = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            with open(descriptor, "wb") as file:
                count = _write(folder, file)
            click.echo(f"{many(count, 'message')} written to {output}.", err=True)
    except BrokenPipeError:
        raise
    except OSError as error:
        if output is None:
            give_up_output()
        fail(f"Can't export {folder}: {error.filename or output or 'stdout'}: {reason(error)}.", 1)


spool.add_command(drain)
spool.add_command(dead)
spool.add_command(retry)


def _write(folder: str, file: BinaryIO) -> int:
    count = 0
    for line in waiting_lines(folder):
        file.write(line)
        count += 1
    file.flush()
    return count


def _survey(folder: str) -> list[ChainState]:
    try:
        return survey(folder)
    except OSError as error:
        fail(f"Can't read {error.filename or folder}: {reason(error)}.", 1)


def _fields(state: ChainState) -> dict[str, object]:
    return {
        "chain": os.path.basename(state.folder),
        "pid": state.pid,
        "owner": _OWNER[state.is_alive],
        "segments": state.segments,
        "messages": state.messages,
        "dead_letters": state.dead_letters,
        "damaged": 0 if state.is_alive else state.damaged,
        "bytes": state.size,
        "oldest": state.oldest,
    }


def _row(state: ChainState) -> tuple[str, ...]:
    if state.is_alive is None:
        return (str(state.pid), "?", "?", "?", "?", "?")
    counts = (f"{count:,}" for count in (state.segments, state.messages, state.size))
    return (str(state.pid), _OWNER[state.is_alive], *counts, utc(state.oldest))
