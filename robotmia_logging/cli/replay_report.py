"""What `replay` says of what it did: a table or a JSON line on stdout, sentences on stderr."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any

import click

from robotmia_logging.capture import Rules
from robotmia_logging.cli.delivering import Where, exit_code, why
from robotmia_logging.cli.reading import trouble_with
from robotmia_logging.cli.saying import many, say, say_json, shown, summary, utc
from robotmia_logging.cli.table import table
from robotmia_logging.delivery import DeliverySettings
from robotmia_logging.delivery.resend import STDIN, Ending
from robotmia_logging.replay import Account, Replayed, Row

_HEAD = ("EVENT", "COUNT", "USERS", "FIRST", "LAST", "RULE")
_WORDS = ("EVENT", "FIRST", "LAST", "RULE")


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What there is to say.

    Attributes:
        replayed: what became of each log.
        account: what became of lines and messages.
        settings: how it was delivered; None for a dry run.
        timezone: where times without a zone were taken to be.
        rules: what lines were matched against.
    """

    replayed: list[Replayed]
    account: Account
    settings: DeliverySettings | None
    timezone: str
    rules: Rules

    @property
    def unused(self) -> list[str]:
        """Names of rules that matched nothing."""
        return [label for label, hits in self.rules.hits().items() if not hits]

    @property
    def ending(self) -> Ending:
        """How it ended."""
        return self.replayed[-1].ending

    @property
    def fields(self) -> dict[str, Any]:
        """All of it, for programs."""
        account = self.account
        sent = {} if self.settings is None else summary(one.sent.stats for one in self.replayed if one.sent)
        return {
            **sent,
            "lines": {field.name: getattr(account.lines, field.name) for field in fields(account.lines)},
            "events": list(map(_row_fields, account.summary.rows())),
            "refused": account.summary.refused,
            "kept_back": account.summary.dropped,
            "unused_rules": self.unused,
            "naive_times": account.naive_times,
            "timezone": self.timezone,
            "problems": {one.path: one.problem for one in self.replayed if one.problem is not None},
        }

    @property
    def is_well(self) -> bool:
        """Whether all could be read, and was delivered."""
        account = self.account
        if account.has_slow_pattern or account.lines.unreadable or account.summary.refused:
            return False
        return not any(
            one.problem is not None or (one.sent is not None and (not one.sent.is_complete or _dead(one)))
            for one in self.replayed
        )


def tell(report: Report, where: Where, *, as_json: bool) -> int:
    """Say it.

    Args:
        report: what there is to say.
        where: where it was delivered.
        as_json: whether programs read it, or people.

    Returns:
        The exit code.
    """
    if as_json:
        say_json(report.fields)
    else:
        for line in _table(report):
            say(line)
    for note in _notes(report):
        click.echo(note, err=True)
    click.echo("Nothing was sent." if report.settings is None else _sentence(report, where), err=True)
    return exit_code(report.ending, is_all_delivered=report.is_well)


def _row_fields(row: Row) -> dict[str, Any]:
    return {
        "name": row.name,
        "count": row.count,
        "users": row.users.count,
        "is_exact": row.users.is_exact,
        "first": row.first,
        "last": row.last,
        "rule": row.rule,
    }


# --- for people


def _table(report: Report) -> Iterator[str]:
    account = report.account
    rows = account.summary.rows()
    if rows:
        yield from table(_HEAD, list(map(_cells, rows)), words=_WORDS)
        yield ""
    yield _lines(account) + "."
    for words, counts in (
        ("can't be read", account.lines.unreadable),
        ("would be refused", account.summary.refused),
        ("kept back", account.summary.dropped),
    ):
        for cause, count in sorted(counts.items(), key=lambda item: -item[1]):
            yield f"{count:>9,}  {words}: {shown(cause)}"
    if report.unused:
        yield f"Rules that matched nothing: {shown(', '.join(report.unused), 2000)}."


def _cells(row: Row) -> tuple[str, ...]:
    users = f"{'' if row.users.is_exact else '~'}{row.users.count:,}"
    rule = "(the line itself)" if row.rule is None else shown(row.rule, 60)
    return (shown(row.name, 60), f"{row.count:,}", users, utc(row.first), utc(row.last), rule)


def _lines(account: Account) -> str:
    lines = account.lines
    counts: Mapping[str, int] = {
        "matched by a rule": lines.matched,
        "asking for messages themselves": lines.asking,
        "matched by no rule": lines.unmatched,
        "not to be tracked": lines.muted,
        "going on with the one before": lines.continued,
        "not of the time asked for": lines.outside,
        "unreadable": sum(lines.unreadable.values()),
    }
    parts = [f"{count:,} {words}" for words, count in counts.items() if count]
    read = many(lines.read, "line") + " read"
    earlier = f"; {lines.earlier:,} had been dealt with before" if lines.earlier else ""
    return (f"{read}: {', '.join(parts)}" if parts else read) + earlier


def _notes(report: Report) -> Iterator[str]:
    """What people should know, beside the numbers."""
    for one in report.replayed:
        name = "Standard input" if one.path == STDIN else shown(one.path)
        if one.problem is not None:
            yield f"{name}: {shown(one.problem)}."
        if one.rules_changed:
            stays = "a part was replayed with other rules or options, and stays as it was"
            yield f"{name}: {stays}; --restart replays all of it."
        if one.is_last_left:
            yield f"{name}: its last line has no end yet, and is left for the next time."
        if one.has_gaps_closed:
            yield f"{name}: too many lines can't be read: only the first of them are looked at again the next time."
    account = report.account
    yield from trouble_with(report.rules, account.trouble)
    if account.naive_times:
        yield f"{many(account.naive_times, 'time')} had no zone, and count as {report.timezone} (--timezone)."
    if not len(report.rules) and account.lines.unmatched:
        yield "There are no rules (--rules): only lines that ask for messages themselves give some."


def _sentence(report: Report, where: Where) -> str:
    all_sent = [one.sent for one in report.replayed if one.sent is not None]
    parts = [f"{many(sum(sent.stats.delivered for sent in all_sent), 'message')} delivered", _lines(report.account)]
    dead = sum(map(_dead, report.replayed))
    if dead and report.settings is not None:
        parts.append(f"{many(dead, 'dead letter')} in {report.settings.dead_letters}")
    unwritten = sum(sent.unwritten for sent in all_sent)
    if unwritten:
        parts.append(f"{unwritten:,} of them can't be written there")
    if not all(sent.is_complete for sent in all_sent):
        parts.append(why(report.ending, where, all_sent[-1].stats.last_error) or "not all of it was sent")
        parts.append("the rest isn't read" if report.replayed[-1].is_stream else "the same command goes on from there")
    return "; ".join(parts) + "."


def _dead(replayed: Replayed) -> int:
    return 0 if replayed.sent is None else sum(replayed.sent.stats.dead_lettered.values())
