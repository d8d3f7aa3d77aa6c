"""What the commands that read past logs have in common: how the logs are written, which rules they go by."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import TypeVar

import click
import orjson

from robotmia_logging.capture import CaptureSettings, Rules
from robotmia_logging.cli.saying import fail, shown
from robotmia_logging.errors import ConfigurationError
from robotmia_logging.logs import FORMATS, LogFormat, open_format
from robotmia_logging.options import Given

_OPTIONS = {"keys": "--key", "zone": "--timezone", "hash_key": "the hash key"}
_AS_THEY_ARE = (
    "pattern",
    "rules",
    "format",
    "log_format",
    "time_format",
    "exclude",
    "hash",
    "sample",
    "distinct_id",
    "properties",
)

_STAND_IN = "nothing-is-sent-with-this"

Command = TypeVar("Command", bound=Callable[..., object])


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How logs are read, and what makes messages of them; from the options."""

    rules: str | None
    distinct_id: str | None
    properties: tuple[str, ...]
    exclude: tuple[str, ...]
    hash: tuple[str, ...]
    sample: float | None
    format: str
    pattern: str | None
    log_format: str | None
    key: tuple[str, ...]
    time_format: str | None
    timezone: str
    logger: str

    def open_format(self, latest: float | None = None) -> LogFormat:
        """The format of a log. Ends the command if an option isn't allowed.

        Args:
            latest: when the log was last written to, in seconds since 1970.
        """
        try:
            return open_format(
                self.format,
                pattern=self.pattern,
                log_format=self.log_format,
                keys=dict(key.split("=", 1) for key in self.key),
                zone=self.timezone,
                time_format=self.time_format,
                logger=self.logger,
                latest=latest,
            )
        except ConfigurationError as error:
            fail(told(error), 2)

    def capture(self, token: str | None, hash_key: str | None = None) -> CaptureSettings:
        """What makes messages of calls; rules find their messages in rendered texts, too. Ends the command, likewise.

        Args:
            token: the project's token; None for that of the environment.
            hash_key: the key for hashes; None for that of the environment.
        """
        options = {
            "token": token,
            "hash_key": hash_key,
            "rules": self.rules,
            "distinct_id": self.distinct_id,
            "properties": dict(given.split("=", 1) for given in self.properties),
            "exclude": self.exclude,
            "hash": self.hash,
            "sample": self.sample,
        }
        try:
            settings = Given(options).capture(enabled=True)
            return replace(settings, rules=settings.rules and settings.rules.for_rendered())
        except ConfigurationError as error:
            fail(told(error), 2)
        except ValueError as error:  # no regex library
            fail(f"--rules is {self.rules!r}: {error}", 2)

    def capture_unsent(self, token: str | None = None, hash_key: str | None = None) -> CaptureSettings:
        """The same for those who send nothing: what is missing of the token and the key is stood in for."""
        if not hash_key and not os.environ.get("ROBOTMIA_HASH_KEY"):
            hash_key = _STAND_IN
        return self.capture(token or _STAND_IN, hash_key)

    def digest(self) -> str:
        """What the rules and the options are known by."""
        known = hashlib.sha256(orjson.dumps({**asdict(self), "rules": None}, default=str))
        if self.rules is not None:
            with open(self.rules, "rb") as file:
                known.update(file.read())
        return known.hexdigest()


def reads_logs(command: Command) -> Command:
    """The options of a command that reads past logs."""
    options = (
        click.option(
            "--rules", metavar="RULES", help="The rules, a TOML or JSON file; lines with tracking keys need none."
        ),
        click.option("--distinct-id", metavar="KEY", help="The key that holds the user, where nothing else says."),
        click.option(
            "--property",
            "properties",
            multiple=True,
            metavar="NAME=VALUE",
            callback=_pairs,
            help="A property of every event, as the handler's option `properties` has it; may be repeated.",
        ),
        click.option("--exclude", multiple=True, metavar="NAME", help="As the handler's option; may be repeated."),
        click.option("--hash", multiple=True, metavar="NAME", help="As the handler's option; may be repeated."),
        click.option("--sample", type=float, metavar="SHARE", help="As the handler's option: the share of users."),
        click.option(
            "--format",
            type=click.Choice(list(FORMATS)),
            default="auto",
            show_default=True,
            help="How the log is written.",
        ),
        click.option(
            "--pattern",
            metavar="REGEX",
            help="Or a regex for its lines, with groups named time, message and, if there are any, level and logger.",
        ),
        click.option(
            "--log-format",
            metavar="FORMAT",
            help="Or the format of your logging configuration, such as '%(asctime)s %(levelname)s %(message)s'.",
        ),
        click.option(
            "--key",
            multiple=True,
            metavar="NAME=KEY",
            callback=_names,
            help="What time, level, logger or message is called in JSON lines, such as time=ts; may be repeated.",
        ),
        click.option("--time-format", metavar="FORMAT", help="How times are written, as in strptime."),
        click.option(
            "--timezone",
            metavar="ZONE",
            default="UTC",
            show_default=True,
            help="Where times without a zone are: a name such as Europe/Berlin, local, or +01:00.",
        ),
        click.option("--logger", metavar="NAME", default="", help="The logger of lines that name none."),
    )
    for option in reversed(options):
        command = option(command)
    return command


def _pairs(_context: click.Context, _option: click.Parameter, value: tuple[str, ...]) -> tuple[str, ...]:
    for pair in value:
        if not pair.partition("=")[0] or "=" not in pair:
            raise click.BadParameter(f"{pair!r}: give NAME=VALUE")
    return value


def _names(_context: click.Context, _option: click.Parameter, value: tuple[str, ...]) -> tuple[str, ...]:
    for key in value:
        name, found, called = key.partition("=")
        if not found or not called or name not in ("time", "level", "logger", "message"):
            raise click.BadParameter(f"{key!r}: give NAME=KEY, NAME one of time, level, logger, message")
    return value


def told(error: ConfigurationError) -> str:
    """An error in words, the option called as the command calls it."""
    same = f"--{error.option.replace('_', '-')}" if error.option in _AS_THEY_ARE else error.option
    shown = ConfigurationError(_OPTIONS.get(error.option, same), error.value, error.allowed)
    return str(shown).removeprefix("robotmia_logging: ")


def trouble_with(rules: Rules, trouble: Mapping[str, Exception]) -> Iterator[str]:
    """What went wrong with rules, in sentences.

    Args:
        rules: the rules.
        trouble: what happened, by cause, each with its first error.
    """
    for rule in rules:
        if rule.pattern is not None and rule.pattern.is_given_up:
            yield f"{shown(rule.label)}: its pattern is too slow, and was given up: it matches nothing any more."
    for cause, error in trouble.items():
        yield f"{cause}: {shown(error)}."


def written_at(path: str) -> float | None:
    """When a log was last written to, in seconds since 1970."""
    try:
        return os.stat(path).st_mtime
    except OSError:
        return None
