"""`robotmia-logging spool FOLDER dead`: messages that couldn't be delivered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import click
import orjson

from robotmia_logging.cli.delivering import letters_file, reads_letters
from robotmia_logging.cli.saying import fail, many, reason, say, say_json, shown, utc
from robotmia_logging.delivery.dead_letters import DeadLetterFile
from robotmia_logging.delivery.resend import letter_lines
from robotmia_logging.messages import OPERATIONS


@click.command()
@reads_letters
@click.option("--count", is_flag=True, help="How many there are for each reason, instead of a list.")
@click.option("--json", "as_json", is_flag=True, help="JSON lines: the letters as they are, or the counts.")
@click.pass_obj
def dead(folder: str, dead_letters: str | None, count: bool, as_json: bool) -> None:
    """List the messages that couldn't be delivered, and why.

    The oldest come first: those of a retry that was interrupted, then those of FILE.1, then those of FILE.
    """
    letters = _Letters(letters_file(folder, dead_letters))
    if count:
        for cause, number in Counter(letter["reason"] for _, letter in letters).most_common():
            if as_json:
                say_json({"reason": cause, "count": number})
            else:
                say(f"{number:>9,}  {shown(cause)}")
    else:
        for line, letter in letters:
            say(line.rstrip(b"\n") if as_json else _described(letter))
    if letters.unreadable:
        click.echo(f"{many(letters.unreadable, 'line')} can't be read.", err=True)


class _Letters:
    """The dead letters: each line with its fields. Ends the command if they can't be read.

    Attributes:
        unreadable: lines that are none, and were passed over.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self.unreadable = 0

    def __iter__(self) -> Iterator[tuple[bytes, dict[str, Any]]]:
        lines = letter_lines(DeadLetterFile(self._path))
        while True:
            try:
                line = next(lines, None)
            except OSError as error:
                fail(f"Can't read {error.filename or self._path}: {reason(error)}.", 1)
            if line is None:
                return
            letter = _letter(line)
            if letter is None:
                self.unreadable += 1
            else:
                yield line, letter


def _letter(line: bytes) -> dict[str, Any] | None:
    """A dead letter's fields; None if it is none."""
    try:
        fields = orjson.loads(line)
    except ValueError:
        return None
    return fields if isinstance(fields, dict) and isinstance(fields.get("reason"), str) else None


def _described(letter: dict[str, Any]) -> str:
    """A dead letter in a line: when and why, of whom, what."""
    message = letter.get("message")
    what: Any = message
    if isinstance(message, dict):
        what = message.get("event") or ", ".join(key for key in message if key in OPERATIONS) or message
    attempts = letter.get("attempts")
    tried = f" ({many(attempts, 'request')})" if attempts and type(attempts) is int else ""
    words = [utc(letter.get("at")), letter["reason"], letter.get("endpoint"), letter.get("user") or "-"]
    return shown("  ".join(map(str, words)) + f"  {shown(what, 60)}: {letter.get('error')}{tried}", 400)
