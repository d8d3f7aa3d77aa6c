"""`robotmia-logging send`: deliver the messages of a file."""

from __future__ import annotations

import os
import sys
import time
from typing import IO

import click

from robotmia_logging.cli.delivering import Where, delivers, exit_code, graceful, is_among, progressing, why
from robotmia_logging.cli.saying import fail, many, reason, say_json, summary
from robotmia_logging.delivery import DeliverySettings
from robotmia_logging.delivery.resend import (
    ChangedError,
    GivenLines,
    Journal,
    JournalError,
    Sent,
    Stream,
    open_source,
    send_lines,
)


@click.command()
@click.argument("file", metavar="FILE|-", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@delivers("as long as it takes, outages included")
@click.option(
    "--dead-letters",
    metavar="FILE",
    help="Where lines go that can't be delivered; by default FILE.dead-letters.jsonl, or dead-letters.jsonl with -.",
)
@click.option("--restart", is_flag=True, help="Send all of FILE, though a part of it was sent already.")
def send(
    file: str,
    url: str | None,
    timeout: float | None,
    import_auth: tuple[str, ...],
    dead_letters: str | None,
    restart: bool,
) -> None:
    """Deliver the messages of FILE, or of standard input (-).

    FILE holds JSON lines such as {"endpoint": "track", "user": "ada", "time": 1795467600, "message": {...}}: an
    export, a spool's files, dead letters, or your own; {"message": {...}}, token included, is enough. Events
    older than five days go to /import/. Lines that can't be delivered become dead letters, and the rest is
    sent all the same.

    What was sent is kept in FILE.sent until all of it was: interrupted, even by kill -9, the same command goes
    on from there. From standard input there is no going on.

    One JSON line on stdout says what became of the messages. The exit code is 0 if all were delivered, 1 if
    not, 130 after Ctrl-C or SIGTERM.
    """
    where = Where(url=url, timeout=timeout, import_auth=import_auth)
    try:
        with graceful(), open_source(file) as source:
            is_stream = isinstance(source, Stream)
            settings = where.settings(dead_letters=dead_letters or _beside(file, is_stream=is_stream))
            _refuse_own(file, settings)
            sent = _send(file, source, settings, where, is_stream=is_stream, restart=restart)
    except ChangedError as error:
        fail(f"{file} isn't sent: {error}; --restart sends all of it, what was sent before too.", 1)
    except JournalError as error:
        fail(f"{file} isn't sent: {error}.", 1)
    except OSError as error:
        fail(f"Can't send {file}: {error.filename or 'a file'}: {reason(error)}.", 1)
    say_json({**summary([sent.stats]), "earlier": sent.earlier})
    click.echo(_sentence(sent, settings, where, is_stream=is_stream), err=True)
    sys.exit(exit_code(sent.ending, is_all_delivered=sent.is_complete and not sent.stats.dead_lettered))


def _beside(file: str, *, is_stream: bool) -> str:
    return "dead-letters.jsonl" if is_stream else file + ".dead-letters.jsonl"


def _refuse_own(file: str, settings: DeliverySettings) -> None:
    if is_among(os.fspath(settings.dead_letters or ""), [file]):
        fail(f"{file} is sent: dead letters must go to another file (--dead-letters).", 2)


def _send(
    file: str, source: IO[bytes], settings: DeliverySettings, where: Where, *, is_stream: bool, restart: bool
) -> Sent:
    journal = None if is_stream else Journal.open(file, source.fileno(), restart=restart)
    size = None if is_stream else os.fstat(source.fileno()).st_size
    lines = GivenLines(source, int(time.time()), None if journal is None else journal.done)
    try:
        with progressing(f"Sending {os.path.basename(file)}", size) as progress:
            sent = send_lines(
                lines,
                settings,
                journal=journal,
                limits=where.limits(stall_s=None),
                look=progress.look,
                say=progress.say,
            )
            if sent.is_complete and journal is not None:
                journal.finish()
            return sent
    finally:
        if journal is not None:
            journal.close()


def _sentence(sent: Sent, settings: DeliverySettings, where: Where, *, is_stream: bool) -> str:
    stats = sent.stats
    parts = [f"{many(stats.delivered, 'message')} delivered"]
    if sent.earlier:
        parts.append(f"{sent.earlier:,} had been dealt with before")
    dead = sum(stats.dead_lettered.values())
    if dead:
        parts.append(f"{many(dead, 'dead letter')} in {settings.dead_letters}")
    if sent.unwritten:
        parts.append(f"{sent.unwritten:,} of them can't be written there")
    if not sent.is_complete:
        parts.append(why(sent.ending, where, stats.last_error) or "not all of it was sent")
        parts.append("the rest isn't read" if is_stream else "the same command goes on from there")
    return "; ".join(parts) + "."
