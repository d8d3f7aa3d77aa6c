"""`robotmia-logging sandbox`: a local robotmia in the foreground."""

import sqlite3
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from robotmia_logging.cli import saying
from robotmia_logging.cli.saying import reason

if TYPE_CHECKING:
    from robotmia_logging.sandbox.faults import Faults

DEFAULT_PORT = 8321

_probability = click.FloatRange(0, 1)


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
@click.option(
    "--max-messages",
    type=click.IntRange(min=1),
    default=100_000,
    show_default=True,
    help="How many messages are kept; the oldest give way.",
)
@click.option(
    "--max-bytes",
    type=click.IntRange(min=1),
    default=256 * 2**20,
    show_default=True,
    help="How many bytes of messages are kept; the oldest give way.",
)
@click.option("--latency", type=click.FloatRange(min=0), default=0, help="Let every request wait so many seconds.")
@click.option(
    "--fail",
    multiple=True,
    metavar="STATUS[:PROBABILITY]",
    help="Answer requests with this HTTP status, such as 503:0.1; may be given several times.",
)
@click.option("--hang", type=_probability, default=0, help="Never answer this share of the requests.")
@click.option("--reset", type=_probability, default=0, help="Reset the connection of this share of the requests.")
@click.option("--lose-reply", type=_probability, default=0, help="Take this share of the requests and lose the reply.")
@click.option("--reject", type=_probability, default=0, help="Refuse the data of this share of the requests.")
@click.option("--slow", type=click.FloatRange(min=0, min_open=True), help="Answer at this many bytes a second.")
@click.option("--refuse", type=click.FloatRange(min=0), default=0, help="Refuse connections for so many seconds.")
@click.option("--retry-after", type=click.FloatRange(min=0), help="Send this Retry-After, in seconds, with failures.")
@click.option("--times", type=click.IntRange(min=1), help="End the faults after so many requests.")
@click.option("--seed", type=click.IntRange(min=0), help="Make the same sequence of faults again.")
def sandbox(
    host: str, port: int, db: Path | None, max_messages: int, max_bytes: int, fail: tuple[str, ...], **others: Any
) -> None:
    """Run a local robotmia for development and tests.

    It answers /track/, /engage/ and /import/ as robotmia's API document says, keeps what it accepts and refuses,
    and shows both, live, on the page at its URL and as JSON under /sandbox/. Once it listens it prints one line
    with its URL. SIGINT or SIGTERM ends it.

    The options from --latency on are faults, to see what your tracking does when robotmia is slow, fails or is
    away; POST /sandbox/faults changes them while it runs.
    """
    try:
        from robotmia_logging.sandbox.server import serve  # noqa: PLC0415 - needs the extra
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("robotmia_logging"):
            raise
        saying.fail("The sandbox needs starlette and uvicorn: pip install 'robotmia_logging[sandbox]'", 2)
    faults = _faults(fail, others)
    try:
        serve(host, port, db, max_messages=max_messages, max_bytes=max_bytes, faults=faults, on_ready=_announce)
    except OSError as error:
        saying.fail(f"Can't listen on {host} port {port}: {reason(error)}.", 1)
    except sqlite3.Error as error:
        saying.fail(f"Can't use {db} as the sandbox's database: {error}.", 1)


def _faults(failures: Iterable[str], others: dict[str, Any]) -> "Faults":
    from robotmia_logging.sandbox.faults import Faults  # noqa: PLC0415 - beside the server

    try:
        return Faults.from_mapping({"fail": list(failures), **others})
    except ValueError as error:
        raise click.UsageError(f"{error}.") from None


def _announce(url: str) -> None:
    with suppress(BrokenPipeError):  # nobody reads it: no reason not to serve
        click.echo(f"robotmia sandbox at {url}")  # programs read this line; echo flushes
