"""`robotmia-logging spool FOLDER drain`: deliver now what dead processes left."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import replace

import click

from robotmia_logging.cli.delivering import (
    STALL_S,
    Where,
    delivers,
    exit_code,
    graceful,
    progressing,
    reads_letters,
    why,
)
from robotmia_logging.cli.saying import fail, many, reason, say_json, summary
from robotmia_logging.delivery import Delivery, DeliverySettings, Stats
from robotmia_logging.delivery.resend import YEAR_S, Ending, work
from robotmia_logging.delivery.spool.link import TORN
from robotmia_logging.delivery.spool.survey import ChainState, survey


@click.command()
@delivers(f"after {STALL_S:g} in which nothing is delivered")
@reads_letters
@click.pass_obj
def drain(
    folder: str, url: str | None, timeout: float | None, import_auth: tuple[str, ...], dead_letters: str | None
) -> None:
    """Deliver now what dead processes left.

    What living ones keep is theirs to deliver. One JSON line on stdout says what became of the messages. The
    exit code is 0 if all were delivered, 1 if something is left, can't be read or became a dead letter, 130 after
    Ctrl-C or SIGTERM.
    """
    where = Where(url=url, timeout=timeout, import_auth=import_auth)
    settings = where.settings(spool=folder, dead_letters=dead_letters)
    try:
        found = survey(folder)
        before = [state for state in found if state.is_alive is False]
        with graceful():
            ending, stats, trouble = _drain(settings, where, sum(map(_lines, before)))
        left = _left(folder, before)
    except OSError as error:
        fail(f"Can't drain {folder}: {error.filename or 'a file'}: {reason(error)}.", 1)
    say_json({**summary([stats]), "left": left})
    dead = sum(stats.dead_lettered.values())
    parts = [f"{many(stats.delivered, 'message')} delivered"]
    if dead:
        parts.append(f"{many(dead, 'dead letter')} in {settings.dead_letters}")
    for cause, count in stats.dropped.items():
        parts.append(f"{many(count, 'line')} can't be read" if cause == TORN else f"{count:,} dropped ({cause})")
    if left:
        because = why(ending, where, stats.last_error or trouble) or "another process has them"
        parts.append(f"{left:,} left: {because}")
    closed = sum(state.is_alive is None for state in found)
    if closed:
        parts.append(f"those of {many(closed, 'other owner')} can't be read: drain as the user they belong to")
    click.echo("; ".join(parts) + ".", err=True)
    sys.exit(exit_code(ending, is_all_delivered=not (left or dead or closed or stats.dropped)))


def _drain(settings: DeliverySettings, where: Where, total: int) -> tuple[Ending, Stats, str | None]:
    with progressing("Draining", total) as progress:
        delivery = Delivery(replace(settings, shutdown_timeout=0.0), say=progress.say)

        def look() -> None:
            stats = delivery.stats()
            progress.look(stats.accepted - stats.pending)

        limits = where.limits(stall_s=STALL_S)
        ending = work(delivery, lambda _stop: delivery.flush(YEAR_S), limits, look)
        look()
        return ending, delivery.stats(), progress.trouble


def _lines(state: ChainState) -> int:
    return state.messages + state.dead_letters


def _left(folder: str, before: Iterable[ChainState]) -> int:
    """What is still there of dead processes, though we may hold it now."""
    known = {state.folder for state in before}
    return sum(_lines(state) for state in survey(folder) if state.is_alive is False or state.folder in known)
