"""`robotmia-logging sandbox`: a local robotmia in the foreground."""

import sqlite3
from contextlib import suppress
from pathlib import Path

import click

from robotmia_logging.cli.saying import fail, reason

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
        fail("The sandbox needs starlette and uvicorn: pip install 'robotmia_logging[sandbox]'", 2)
    try:
        serve(host, port, db, on_ready=_announce)
    except OSError as error:
        fail(f"Can't listen on {host} port {port}: {reason(error)}.", 1)
    except sqlite3.Error as error:
        fail(f"Can't use {db} as the sandbox's database: {error}.", 1)


def _announce(url: str) -> None:
    with suppress(BrokenPipeError):  # nobody reads it: no reason not to serve
        click.echo(f"robotmia sandbox at {url}")  # programs read this line; echo flushes
