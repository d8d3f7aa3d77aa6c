"""What `replay` is asked for, checked."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from robotmia_logging.capture import CaptureSettings
from robotmia_logging.cli.delivering import Where, is_among
from robotmia_logging.cli.reading import Reading
from robotmia_logging.cli.saying import fail, reason
from robotmia_logging.delivery import DeliverySettings
from robotmia_logging.delivery.resend import STDIN
from robotmia_logging.errors import ConfigurationError
from robotmia_logging.logs import in_order
from robotmia_logging.logs.times import Times
from robotmia_logging.replay import RejectsFile, Span, StateFolder, is_rejects_file

STATE = ".robotmia-replay"
"""The folder beside a log where its state is kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The options that say what is replayed. What isn't allowed ends the command."""

    files: tuple[str, ...]
    since: str | None
    until: str | None
    token: str | None
    hash_key: str | None
    state: str | None
    restart: bool
    dry_run: bool
    rejects: str | None
    dead_letters: str | None
    as_json: bool | None

    def state_folder(self, folder: str) -> StateFolder:
        """Where the state of a folder's logs is kept."""
        return StateFolder(self.state or os.path.join(folder, STATE))

    def capture(self, reading: Reading) -> CaptureSettings:
        """What decides which messages a line gives."""
        if self.dry_run:
            return reading.capture_unsent(self.token, self.hash_key)
        if not self.token and not os.environ.get("ROBOTMIA_TOKEN"):
            fail("Your project's token is missing: give --token, or set $ROBOTMIA_TOKEN; --dry-run needs none.", 2)
        return reading.capture(self.token, self.hash_key)

    def settings(self, where: Where) -> DeliverySettings:
        """How to deliver."""
        letters = self.dead_letters
        if letters is None:
            letters = "dead-letters.jsonl"
            if self.files != (STDIN,):
                folder = self.state_folder(os.path.dirname(in_order(self.files)[0])).path
                try:
                    os.makedirs(folder, 0o700, exist_ok=True)
                except OSError as error:
                    fail(f"Can't keep state in {folder}: {reason(error)}; --state names another folder.", 1)
                letters = os.path.join(folder, letters)
        if is_among(letters, self.files):
            fail(f"{letters} is replayed: dead letters must go to another file (--dead-letters).", 2)
        return where.settings(dead_letters=letters)

    def span(self, zone: str) -> Span:
        """The time asked for.

        Raises:
            ConfigurationError: there is no such time.
        """
        span = Span(since=_time("--since", self.since, zone), until=_time("--until", self.until, zone))
        if span.since is not None and span.until is not None and span.since >= span.until:
            raise ConfigurationError("--until", self.until, f"give a time after --since {self.since}")
        return span

    def check_rejects(self) -> None:
        """Refuse to write rejects where something else is."""
        path = self.rejects
        if path is None:
            return
        if is_among(path, self.files):
            fail(f"{path} is replayed: rejects must go to another file (--rejects).", 2)
        try:
            if not is_rejects_file(path):
                fail(f"{path} holds something else than rejects: name another file (--rejects).", 2)
        except OSError as error:
            fail(f"Can't write rejects to {path}: {reason(error)}.", 2)

    @contextmanager
    def open_rejects(self) -> Iterator[RejectsFile | None]:
        """The file of rejects, if there is to be one.

        Raises:
            OSError: it can't be written.
        """
        if self.rejects is None:
            yield None
            return
        file = RejectsFile(self.rejects, anew=self.dry_run or self.restart)
        try:
            yield file
        finally:
            file.close()


def _time(option: str, text: str | None, zone: str) -> float | None:
    """A time as people give it, a day perhaps, in seconds since 1970."""
    if text is None:
        return None
    try:
        civil = datetime.fromisoformat(text.strip().replace("Z", "+00:00"))
    except ValueError:
        raise ConfigurationError(option, text, "give a day or a time, such as 2026-11-24 or 2026-11-24T10:00") from None
    seconds = Times(zone).read(civil.isoformat())
    if seconds is None:
        raise ConfigurationError(option, text, "there is no such time")
    return seconds
