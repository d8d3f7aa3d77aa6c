"""`robotmia-logging explain`: which rule matches, and what comes of it."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import click
import orjson

from robotmia_logging.capture import Call, Composer, Explanation, Rules, explain, level_number
from robotmia_logging.cli.reading import Reading, reads_logs, told, trouble_with, written_at
from robotmia_logging.cli.saying import fail, many, reason, say, say_json, shown
from robotmia_logging.delivery.resend import STDIN, file_lines
from robotmia_logging.errors import ConfigurationError
from robotmia_logging.logs import Continued, LogFormat, PastCall, Unread, in_order, open_log
from robotmia_logging.replay import Account, read_line

_SHOWN = 20
_MOST_DIGITS = 10
_MOST_CHARACTERS = 10_000
"""Of a line that is shown."""


@click.command("explain")
@click.argument("files", metavar="[FILE|-]...", nargs=-1, type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@click.option("--line", "lines", multiple=True, metavar="TEXT", help="A log line, JSON record or message; repeatable.")
@click.option("--level", default="INFO", show_default=True, help="The level, by name or number, of a --line with none.")
@click.option(
    "--show", type=click.IntRange(min=0), default=_SHOWN, show_default=True, help="Lines of a FILE shown one by one."
)
@click.option("--unmatched", is_flag=True, help="Show those that nothing matches, too, and why.")
@click.option("--json", "as_json", is_flag=True, help="JSON lines instead: every line, then the summary.")
@reads_logs
def explain_command(
    files: tuple[str, ...],
    lines: tuple[str, ...],
    level: str,
    show: int,
    unmatched: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Say which rule matches a log line, and what comes of it.

    Or why none does: for log lines (--line), and for logs, each FILE or standard input (-), with the rules that
    never matched at the end. Nothing is sent, and no token is needed.

    The exit code is 0 if something matches, 1 if nothing does.
    """
    if not files and not lines:
        fail("Give a FILE, - for standard input, or a --line.", 2)
    reading = Reading(**options)
    composer = Composer(reading.capture_unsent())
    shower = _Shower(composer, as_json=as_json, show=show, unmatched=unmatched)
    for text in lines:
        shower.line("--line", _call(text, reading, level))
    for path in in_order(files):
        try:
            shower.file(path, reading)
        except (OSError, EOFError) as error:
            fail(f"Can't read {shown(path)}: {reason(error) if isinstance(error, OSError) else error}.", 1)
    if files:
        shower.summary()
    for sentence in shower.trouble():
        click.echo(sentence, err=True)
    sys.exit(0 if shower.has_matched else 1)


class _Shower:
    """Shows what becomes of lines, and counts it."""

    def __init__(self, composer: Composer, *, as_json: bool, show: int, unmatched: bool) -> None:
        self._composer = composer
        self._as_json = as_json
        self._left = show
        self._unmatched = unmatched
        self._account = Account()
        self._by_rule: Counter[str] = Counter()
        self._notes: Counter[str] = Counter()

    @property
    def has_matched(self) -> bool:
        """Whether any line has."""
        return bool(self._by_rule or self._account.lines.asking)

    def line(self, place: str, call: Call) -> None:
        """A line of its own: shown in any case."""
        self._say(place, self._explained(call))

    def file(self, path: str, reading: Reading) -> None:
        """All lines of a file."""
        log_format = reading.open_format(written_at(path))
        for number, line in _read(path, log_format):
            if isinstance(line, Call):
                explanation = self._explained(line)
                is_matched = bool(explanation.rule or explanation.asked)
                if (is_matched or self._unmatched) and (self._left > 0 or self._as_json):
                    self._left -= 1
                    self._say(f"{path}:{number}", explanation)
            elif isinstance(line, Continued):
                self._account.lines.continued += 1
            else:
                self._account.lines.cannot_read(line.reason)

    def summary(self) -> None:
        """All counts, and the rules that never matched."""
        counts, by_rule, rules = self._account.lines, self._by_rule, self._composer.rules
        never = [rule.label for rule in rules if not by_rule[rule.label]]
        if self._as_json:
            numbers = {"asked": counts.asking, "unmatched": counts.unmatched, "continued": counts.continued}
            by_name = {"by_rule": by_rule, "notes": self._notes, "unread": counts.unreadable, "never_matched": never}
            say_json({"summary": {**numbers, **by_name}})
            return
        for rule in rules:
            if by_rule[rule.label]:
                say(f"{shown(rule.label)}: {many(by_rule[rule.label], 'line')}")
        for note, count in self._notes.items():
            say(f"note: {many(count, 'line')}: {shown(note)}")
        if counts.asking:
            say(f"asked by themselves: {many(counts.asking, 'line')}")
        say(f"matched by nothing: {many(counts.unmatched, 'line')}")
        if counts.continued:
            say(f"part of the line before: {many(counts.continued, 'line')}")
        for why, count in counts.unreadable.most_common():
            say(f"can't be read: {many(count, 'line')}: {shown(why)}")
        _say_never(never, rules)

    def trouble(self) -> Iterator[str]:
        """What went wrong with rules."""
        return trouble_with(self._composer.rules, self._account.trouble)

    def _explained(self, call: Call) -> Explanation:
        explanation = explain(self._composer, call, self._account.note)
        if explanation.rule is not None:
            self._by_rule[explanation.rule] += 1
            self._notes.update(f"{explanation.rule}: {note}" for note in explanation.notes)
        if explanation.asked:
            self._account.lines.asking += 1
        elif explanation.rule is None:
            self._account.lines.unmatched += 1
        return explanation

    def _say(self, place: str, explanation: Explanation) -> None:
        if self._as_json:
            say_json({"place": place, **asdict(explanation)})
        else:
            first, *others = str(explanation).split("\n")
            say("\n".join(shown(line, _MOST_CHARACTERS) for line in (f"{place}: {first}", *others)))


def _say_never(never: list[str], rules: Rules) -> None:
    if never:
        names = shown(", ".join(never), _MOST_CHARACTERS)
        say(f"never matched, {len(never):,} of {many(len(rules), 'rule')}: {names}")


def _read(path: str, log_format: LogFormat) -> Iterator[tuple[int, Call | Continued | Unread]]:
    with click.open_file(path, "rb") if path == STDIN else open_log(path) as file:
        for line in file_lines(file):
            yield line.number, read_line(log_format, line)


def _timed(text: str, now: float) -> str:
    """A JSON record with a time, if it is one that may lack it."""
    try:
        record = orjson.loads(text)
    except ValueError:
        return text
    return orjson.dumps({**record, "timestamp": now}).decode() if isinstance(record, dict) else text


def _call(text: str, reading: Reading, level: str) -> Call:
    """A line as a call; one that can't be read as a log's is a message alone."""
    now = time.time()
    text = text.encode(errors="surrogateescape").decode(errors="replace")
    for asked in (text, _timed(text, now)):
        line = reading.open_format(now).read(asked.encode())
        if isinstance(line, Call):
            return line
    try:
        number = level_number("--level", int(level) if level.isdecimal() and len(level) < _MOST_DIGITS else level)
    except ConfigurationError as error:
        fail(told(error), 2)
    return PastCall(reading.logger, number, text, (), {}, {"message": text}, now, text, text)
