"""What commands say: one sentence on stderr for people, JSON lines on stdout for programs."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any, NoReturn

import click
import orjson

from robotmia_logging.delivery import Stats

INTERRUPTED = 130
"""The exit code of a command that was ended by Ctrl-C, as shells have it."""


def fail(sentence: str, exit_code: int) -> NoReturn:
    """Say why nothing comes of it, and end."""
    click.echo(sentence, err=True)
    sys.exit(exit_code)


def reason(error: OSError) -> str:
    """The system's words alone: asyncio and socket add the address to them; a failed look-up has its own."""
    number = error.errno or 0
    return os.strerror(number) if number > 0 else str(error.strerror or error)


def say(line: str | bytes) -> None:
    """A line on stdout, what its encoding lacks escaped.

    Ends the command if it can't be written, quietly if nobody reads it any more.
    """
    if isinstance(line, str):
        line = line.encode(getattr(sys.stdout, "encoding", None) or "utf-8", "backslashreplace")
    try:
        click.echo(line)
    except BrokenPipeError:
        give_up_output()
        sys.exit(1)
    except OSError as error:
        give_up_output()
        fail(f"Can't write the output: {reason(error)}.", 1)


def say_json(fields: Mapping[str, Any]) -> None:
    """A line for programs; lone surrogates, which names of files may hold, are escaped."""
    try:
        line = orjson.dumps(fields)
    except TypeError:
        line = orjson.dumps(_plain(fields))
    say(line)


def give_up_output() -> None:
    """Let what is still to be written go nowhere: Python would try once more at its end, and complain."""
    with suppress(OSError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode(errors="backslashreplace").decode()
    if isinstance(value, Mapping):
        return {_plain(key): _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, (list, tuple)) else value


def summary(all_stats: Iterable[Stats]) -> dict[str, Any]:
    """The account of every message, those of several deliveries added up."""
    stats = list(all_stats)
    fields: dict[str, Any] = {
        name: sum(getattr(one, name) for one in stats) for name in ("accepted", "delivered", "pending")
    }
    for name in ("dropped", "dead_lettered"):
        counts: dict[str, int] = {}
        for one in stats:
            for cause, count in getattr(one, name).items():
                counts[cause] = counts.get(cause, 0) + count
        fields[name] = counts
    for name in ("requests", "retries", "bytes_sent"):
        fields[name] = sum(getattr(one, name) for one in stats)
    fields["last_error"] = next((one.last_error for one in reversed(stats) if one.last_error), None)
    return fields


def many(count: int, noun: str) -> str:
    """A number and what it counts: ``"1 message"``, ``"1,234 messages"``."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def shown(text: object, limit: int = 200) -> str:
    """A text that others wrote, fit for a terminal: one line, nothing that controls it, not too long."""
    line = "".join(char if char.isprintable() else repr(char)[1:-1] for char in str(text)[: limit + 1])
    return line if len(line) <= limit else line[: limit - 3] + "..."


def utc(seconds: object) -> str:
    """A time in seconds since 1970, for people."""
    try:
        return "-" if seconds is None else time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(int(str(seconds))))
    except (ValueError, OverflowError, OSError):  # no time, whoever wrote it
        return shown(seconds, 20)
