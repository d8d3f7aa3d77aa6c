"""`robotmia-logging replay`: past logs become events."""

from __future__ import annotations

import os
import sys
import time
from dataclasses import replace
from functools import partial
from typing import Any

import click

from robotmia_logging.capture import Composer
from robotmia_logging.cli.delivering import Progress, Where, delivers, graceful, progressing
from robotmia_logging.cli.reading import Reading, reads_logs, told
from robotmia_logging.cli.replay_asked import STATE, Asked
from robotmia_logging.cli.replay_report import Report, tell
from robotmia_logging.cli.saying import INTERRUPTED, fail, reason
from robotmia_logging.delivery.resend import STDIN, Ending
from robotmia_logging.errors import ConfigurationError
from robotmia_logging.logs import in_order
from robotmia_logging.replay import Account, Replay, Replayed, Way


@click.command()
@click.argument(
    "files",
    metavar="FILE...",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, dir_okay=False, readable=False, allow_dash=True),
)
@reads_logs
@click.option("--since", metavar="TIME", help="Only lines from this time on, such as 2026-11-24 or 2026-11-24T10:00.")
@click.option("--until", metavar="TIME", help="Only lines before this time.")
@click.option(
    "--token", metavar="TOKEN", help="Your project's token; better $ROBOTMIA_TOKEN, for others see a command's options."
)
@click.option(
    "--hash-key",
    metavar="SECRET",
    help="The key for rules that hash; better $ROBOTMIA_HASH_KEY: other users of the machine can see options.",
)
@delivers("as long as it takes, outages included")
@click.option(
    "--dead-letters",
    metavar="FILE",
    help="Where messages go that can't be delivered; by default dead-letters.jsonl in the state's folder.",
)
@click.option(
    "--state",
    metavar="FOLDER",
    type=click.Path(file_okay=False),
    help=f"Where it is kept what was replayed; by default {STATE} beside each FILE.",
)
@click.option("--restart", is_flag=True, help="Replay all of it, what was replayed before, too.")
@click.option("--dry-run", is_flag=True, help="Send nothing, and show what would be sent; needs no token.")
@click.option(
    "--rejects",
    metavar="FILE",
    type=click.Path(dir_okay=False),
    help="Write lines that no rule matches, or that can't be read, to FILE; --dry-run and --restart begin it anew.",
)
@click.option(
    "--json/--table",
    "as_json",
    default=None,
    help="What stdout gets; by default the table for a dry run, else JSON.",
)
def replay(
    files: tuple[str, ...],
    url: str | None,
    timeout: float | None,
    import_auth: tuple[str, ...],
    since: str | None,
    until: str | None,
    token: str | None,
    hash_key: str | None,
    dead_letters: str | None,
    state: str | None,
    restart: bool,
    dry_run: bool,
    rejects: str | None,
    as_json: bool | None,
    **reading: Any,
) -> None:
    """Make events of past logs.

    Each FILE is a log, packed or not, in any order, such as app.log*; the oldest is read first. - is standard
    input. Lines are matched against the rules as live log calls are; times are those of the log, and events older
    than five days go to /import/.

    What was replayed is kept in a folder, by what a log holds, not by its name: interrupted, even by kill -9, the
    same command goes on from there, and one that is done reads on where the log has grown.

    The exit code is 0 if all went well, 1 if something wasn't delivered or couldn't be read, 130 after Ctrl-C or
    SIGTERM. Lines that no rule matches are no trouble.
    """
    asked = Asked(
        files=files,
        since=since,
        until=until,
        token=token,
        hash_key=hash_key,
        state=state,
        restart=restart,
        dry_run=dry_run,
        rejects=rejects,
        dead_letters=dead_letters,
        as_json=as_json,
    )
    try:
        with graceful():
            _replay(asked, Reading(**reading), Where(url=url, timeout=timeout, import_auth=import_auth))
    except KeyboardInterrupt:
        goes_on = not dry_run and STDIN not in files
        fail("Interrupted; the same command goes on from there." if goes_on else "Interrupted.", INTERRUPTED)


def _replay(asked: Asked, reading: Reading, where: Where) -> None:
    if STDIN in asked.files and len(asked.files) > 1:
        fail("Standard input (-) can't be replayed together with other logs.", 2)
    try:
        reading.open_format()
        span = asked.span(reading.timezone)
        capture = asked.capture(reading)
    except ConfigurationError as error:
        fail(told(error), 2)
    settings = None if asked.dry_run else asked.settings(where)
    asked.check_rejects()
    account = Account()
    composer = Composer(capture, account.note)
    began_at = time.monotonic()
    way = Way(
        settings=settings,
        limits=lambda: where.limits(stall_s=None, spent_s=time.monotonic() - began_at),
        open_format=reading.open_format,
        span=span,
        rules=reading.digest(),
        state=asked.state_folder,
        restart=asked.restart,
    )
    try:
        replayed = _all(asked, way, composer, account)
    except OSError as error:
        fail(f"Can't go on: {error.filename or 'a file'}: {reason(error)}.", 1)
    report = Report(
        replayed=replayed,
        account=account,
        settings=settings,
        timezone=reading.timezone,
        rules=composer.rules,
    )
    sys.exit(tell(report, where, as_json=not asked.dry_run if asked.as_json is None else asked.as_json))


def _all(asked: Asked, way: Way, composer: Composer, account: Account) -> list[Replayed]:
    """Replay the logs, the oldest first, until one of them is broken off."""
    files = in_order(asked.files)
    is_stream = asked.files == (STDIN,)
    all_replayed: list[Replayed] = []
    label = "Looking" if asked.dry_run else "Replaying"
    with asked.open_rejects() as rejects, progressing(label, None if is_stream else sum(map(_size, files))) as progress:
        before = 0
        for path in files:
            here = replace(way, rejects=rejects, look=partial(_look, progress, before), say=progress.say)
            replayed = Replay(composer, here, account).log(path)
            all_replayed.append(replayed)
            before += _size(path)
            if replayed.ending is not Ending.DONE:
                break
            progress.look(before)
    return all_replayed


def _look(progress: Progress, before: int, done: int) -> None:
    progress.look(before + done)


def _size(path: str) -> int:
    try:
        return os.path.getsize(path)
    except OSError:  # it has gone meanwhile, or is standard input
        return 0
