"""`robotmia-logging sandbox`: a local robotmia in the foreground."""

import os
import sqlite3
import sys
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

import click

DEFAULT_PORT = 8321


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=DEFAULT_PORT,
    show_default=True,
    help="The port to listen on; 0 takes a free one.",
)
@click.option(
    "--db",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Keep what arrives in this SQLite file; without it, in memory.",
)
def sandbox(host: str, port: int, db: Path | None) -> None:
    """Run a local robotmia for development and tests.

    It answers /track/, /engage/ and /import/ as robotmia's API document says, keeps what it accepts and
    refuses, and shows both as JSON under /sandbox/. Once it listens it prints one line with its URL. SIGINT
    or SIGTERM ends it.
    """
    try:
        from robotmia_logging.sandbox.server import serve  # noqa: PLC0415 - needs the extra
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("robotmia_logging"):
            raise
        _fail("The sandbox needs starlette and uvicorn: pip install 'robotmia_logging[sandbox]'", 2)
    try:
        serve(host, port, db, on_ready=_announce)
    except OSError as error:
        _fail(f"Can't listen on {host} port {port}: {_reason(error)}.", 1)
    except sqlite3.Error as error:
        _fail(f"Can't use {db} as the sandbox's database: {error}.", 1)


def _announce(url: str) -> None:
    with suppress(BrokenPipeError):  # nobody reads it: no reason not to serve
        click.echo(f"robotmia sandbox at {url}")  # programs read this line; echo flushes


def _reason(error: OSError) -> str:
    """The system's words alone: asyncio and socket add the address to them; a failed look-up has its own."""
    number = error.errno or 0
    return os.strerror(number) if number > 0 else str(error.strerror or error)


def _fail(sentence: str, exit_code: int) -> NoReturn:
    click.echo(sentence, err=True)
    sys.exit(exit_code)
