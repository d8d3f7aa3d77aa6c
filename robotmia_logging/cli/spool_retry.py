"""`robotmia-logging spool FOLDER retry`: send dead letters again."""

from __future__ import annotations

import os
import sys
import time

import click

from robotmia_logging.cli.delivering import (
    STALL_S,
    Where,
    delivers,
    exit_code,
    graceful,
    letters_file,
    progressing,
    reads_letters,
    why,
)
from robotmia_logging.cli.saying import fail, many, reason, say_json, summary
from robotmia_logging.delivery import DeliverySettings
from robotmia_logging.delivery.dead_letters import DeadLetterFile, LockedError
from robotmia_logging.delivery.resend import Ending, JournalError, Limits, Sent, send_letters, take_letters


@click.command()
@delivers(f"after {STALL_S:g} in which nothing is delivered")
@reads_letters
@click.pass_obj
def retry(
    folder: str, url: str | None, timeout: float | None, import_auth: tuple[str, ...], dead_letters: str | None
) -> None:
    """Send the dead letters again.

    Those that are delivered leave the file; those that are refused again stay, with the new reason. To be sent
    they are moved to FILE.retry-1 and so on; interrupted, even by kill -9, the next retry goes on with these.

    One JSON line on stdout says what became of them. The exit code is 0 if all were delivered, 1 if not, 130
    after Ctrl-C or SIGTERM.
    """
    where = Where(url=url, timeout=timeout, import_auth=import_auth)
    path = letters_file(folder, dead_letters)
    settings = where.settings(dead_letters=path)
    try:
        taken = take_letters(DeadLetterFile(path))
    except LockedError as error:
        fail(f"The dead letters aren't sent again: {error}.", 1)
    except OSError as error:
        fail(f"Can't send the dead letters again: {error.filename or path}: {reason(error)}.", 1)
    with graceful():
        sent, trouble = _send_all(taken, settings, where)
    if trouble is not None and not sent:
        fail(f"The dead letters aren't sent again: {trouble}.", 1)
    say_json(summary(one.stats for one in sent))
    refused = sum(sum(one.stats.dead_lettered.values()) for one in sent)
    parts = [f"{many(sum(one.stats.delivered for one in sent), 'message')} delivered"]
    if refused:
        parts.append(f"{many(refused, 'dead letter')} in {path}")
    ending = sent[-1].ending if sent else Ending.DONE
    is_complete = all(one.is_complete for one in sent)
    if not is_complete:
        parts += [_why_not(sent[-1], where), "the next retry goes on from there"]
    if trouble is not None:
        parts.append(f"the rest isn't sent again: {trouble}")
    click.echo("; ".join(parts) + ".", err=True)
    sys.exit(exit_code(ending, is_all_delivered=is_complete and not refused and trouble is None))


def _why_not(sent: Sent, where: Where) -> str:
    if sent.unwritten:
        return f"{sent.unwritten:,} of them can't be written there"
    return why(sent.ending, where, sent.stats.last_error)


def _send_all(taken: list[str], settings: DeliverySettings, where: Where) -> tuple[list[Sent], str | None]:
    """Send one file after the other, all within the time that was given; gives also why one can't be sent."""
    all_sent: list[Sent] = []
    limits, began_at = where.limits(stall_s=STALL_S), time.monotonic()
    with progressing("Retrying", sum(map(_size, taken))) as progress:
        before = 0
        for path in taken:
            size = _size(path)
            left_s = None if limits.timeout_s is None else limits.timeout_s - (time.monotonic() - began_at)
            try:
                sent = send_letters(
                    path,
                    settings,
                    limits=Limits(timeout_s=left_s, stall_s=limits.stall_s),
                    look=lambda done: progress.look(before + done),  # noqa: B023 - called in this turn of the loop only
                    say=progress.say,
                )
            except JournalError as error:
                return all_sent, str(error)
            except OSError as error:
                return all_sent, f"{error.filename or path}: {reason(error)}"
            before += size
            if sent is not None:
                all_sent.append(sent)
                if not sent.is_complete:
                    break
    return all_sent, None


def _size(path: str) -> int:
    try:
        return os.path.getsize(path)
    except FileNotFoundError:  # another retry has just sent all of it
        return 0
