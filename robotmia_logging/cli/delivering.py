"""What the commands that deliver have in common: options, progress, the words for how it ended."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import click

from robotmia_logging.cli.saying import INTERRUPTED, fail, shown
from robotmia_logging.delivery import DeliverySettings
from robotmia_logging.delivery.resend import Ending, Limits
from robotmia_logging.errors import ConfigurationError
from robotmia_logging.messages import DEFAULT_URL
from robotmia_logging.options import Given

STALL_S = 60.0
_STILL_S = 2.0

Command = TypeVar("Command", bound=Callable[..., object])


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """Where to deliver, and for how long to try; from the options."""

    url: str | None
    timeout: float | None
    import_auth: tuple[str, ...]

    def settings(self, **others: Any) -> DeliverySettings:
        """The settings of a delivery. Ends the command if one isn't allowed."""
        auth = dict(field.split("=", 1) for field in self.import_auth)
        try:
            return Given({"url": self.url, "import_auth": auth or None, **others}).delivery()
        except ConfigurationError as error:
            fail(str(error), 2)

    def limits(self, *, stall_s: float | None, spent_s: float = 0.0) -> Limits:
        """When to give up: after the time that was given, or else when for so long nothing happens.

        Args:
            stall_s: for how long.
            spent_s: how much of the time that was given is over.
        """
        if self.timeout is None:
            return Limits(stall_s=stall_s)
        return Limits(timeout_s=self.timeout - spent_s)


def delivers(giving_up: str) -> Callable[[Command], Command]:
    """The options of a command that delivers.

    Args:
        giving_up: when it gives up by default, in words.
    """
    options = (
        click.option("--url", metavar="URL", help=f"The API's base; else $ROBOTMIA_URL, or {DEFAULT_URL}."),
        click.option(
            "--timeout",
            type=click.FloatRange(min=0, min_open=True),
            metavar="SECONDS",
            help=f"Give up after so many seconds in all; by default {giving_up}.",
        ),
        click.option(
            "--import-auth",
            multiple=True,
            metavar="KEY=VALUE",
            callback=_form_fields,
            help="A form field for /import/ requests, such as api_key=...; may be repeated.",
        ),
    )

    def decorate(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


def reads_letters(command: Command) -> Command:
    """The option that says where dead letters are."""
    return click.option(
        "--dead-letters", metavar="FILE", help="The file of dead letters; by default dead-letters.jsonl in FOLDER."
    )(command)


def letters_file(folder: str, given: str | None) -> str:
    """Where the dead letters of a spool are."""
    return given or os.path.join(folder, "dead-letters.jsonl")


def _form_fields(_context: click.Context, _option: click.Parameter, value: tuple[str, ...]) -> tuple[str, ...]:
    if not all(field.partition("=")[0] and "=" in field for field in value):
        raise click.BadParameter("give KEY=VALUE")  # without the value: it may be a secret
    return value


def is_among(path: str, files: Iterable[str]) -> bool:
    """Whether a path leads to one of these files, by whatever name."""
    return os.path.exists(path) and any(os.path.exists(file) and os.path.samefile(path, file) for file in files)


@contextmanager
def graceful() -> Iterator[None]:
    """Have SIGTERM end what is done here as Ctrl-C does: what is under way gets its outcome."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


class Progress:
    """What people see meanwhile, on stderr: how far it is, and what the trouble is while it gets no further.

    Args:
        bar: a progress bar; None where there is no terminal.

    Attributes:
        trouble: the latest trouble, in words.
    """

    def __init__(self, bar: Any) -> None:
        self._bar = bar
        self._done = 0
        self._moved_at = time.monotonic()
        self._is_told = True
        self.trouble: str | None = None

    def look(self, done: int) -> None:
        """So much is done."""
        if done != self._done:
            if self._bar is not None:
                self._bar.update(done - self._done)
            self._done, self._moved_at = done, time.monotonic()
        elif not self._is_told and time.monotonic() - self._moved_at > _STILL_S:
            self._is_told = True
            click.echo(("" if self._bar is None else "\r\033[K") + shown(self.trouble, 500), err=True)

    def say(self, line: str) -> None:
        """There is trouble. It is told once that is worth a line: when nothing gets on."""
        self.trouble = line
        self._is_told = False


@contextmanager
def progressing(label: str, total: int | None) -> Iterator[Progress]:
    """Show progress on stderr.

    Args:
        label: what is done.
        total: how much there is to do; None if nobody knows.
    """
    if not sys.stderr.isatty():
        yield Progress(None)
        return
    unknown: Any = iter(()) if total is None else None
    with click.progressbar(iterable=unknown, length=total, label=label, file=sys.stderr) as bar:
        yield Progress(bar)


def why(ending: Ending, where: Where, trouble: str | None) -> str:
    """Why not all was delivered, in words."""
    words = {
        Ending.DONE: "",
        Ending.INTERRUPTED: "interrupted",
        Ending.TIMEOUT: f"no more time (--timeout {where.timeout or 0:g})",
        Ending.STALLED: f"nothing was delivered for {STALL_S:g} seconds",
    }[ending]
    return "; ".join(filter(None, (words, trouble and shown(trouble))))


def exit_code(ending: Ending, *, is_all_delivered: bool) -> int:
    """0 if all was delivered, else 1; 130 after Ctrl-C."""
    if ending is Ending.INTERRUPTED:
        return INTERRUPTED
    return 0 if is_all_delivered else 1
