"""The formats of logs by name."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from robotmia_logging.errors import ConfigurationError
from robotmia_logging.logs.formatter import formatter_pattern
from robotmia_logging.logs.json_lines import JsonLines
from robotmia_logging.logs.log_format import AUTO, Lines, LogFormat
from robotmia_logging.logs.pattern_lines import PatternLines
from robotmia_logging.logs.text_lines import (
    TextLines,
    access_lines,
    celery,
    django_server,
    gunicorn,
    python,
    uvicorn_lines,
)
from robotmia_logging.logs.times import Times
from robotmia_logging.logs.wrappers import WRAPPERS

FORMATS: Mapping[str, str] = MappingProxyType(
    {
        AUTO: "any of the others, found out line by line",
        "json": "JSON lines: structlog, python-json-logger, ECS and the like",
        "python": "logging.Formatter: the time, level and logger in the usual orders",
        "uvicorn": "uvicorn's lines, with the time in front",
        "gunicorn": "gunicorn's error log, and its access log",
        "access": "the Combined or Common Log Format: gunicorn, nginx, Apache",
        "django": "Django's runserver",
        "celery": "Celery's workers",
        "syslog": "any of these, or plain text, behind the prefix of syslog or journald",
        "docker": "any of these, or plain text, as Docker, Compose and Kubernetes keep it",
    }
)
"""The formats' names, each with what it is in a few words."""


def open_format(
    name: str = AUTO,
    *,
    pattern: str | None = None,
    log_format: str | None = None,
    keys: Mapping[str, str] = MappingProxyType({}),
    zone: str = "UTC",
    time_format: str | None = None,
    logger: str = "",
    latest: float | None = None,
) -> LogFormat:
    """A format, ready to read the lines of a log.

    Args:
        name: one of `FORMATS`.
        pattern: a regular expression, in place of a name: its named groups are `time`, `message` and, if they are
            there, `level` and `logger`; others become extras.
        log_format: the format of the program's `logging.Formatter`, in place of a name.
        keys: what "time", "level", "logger" and "message" are called in lines of JSON, if not as usual.
        zone: where times without a zone are: an IANA name, "UTC", "local", or an offset such as "+01:00".
        time_format: how times are written, for `strptime`, if not as usual.
        logger: the logger of lines that name none.
        latest: when the log was last written to, in seconds since 1970: what decides about times without a year.

    Raises:
        ConfigurationError: an option that can't be used.
    """
    if not isinstance(name, str) or name not in FORMATS:
        raise ConfigurationError("format", name, f"give one of {', '.join(FORMATS)}")
    times = Times(zone, time_format, latest)
    if log_format is not None:
        if pattern is not None or name != AUTO or keys:
            raise ConfigurationError("log_format", log_format, "give it alone, without a format, a pattern or keys")
        pattern = formatter_pattern(log_format)
    if pattern is not None:
        if name != AUTO or keys:
            other = "keys" if keys else "a format"
            raise ConfigurationError("pattern", pattern, f"give it alone, or {other} instead")
        lines = PatternLines(pattern, times, logger)
        return LogFormat(lines.name, [lines], times)
    if keys and name not in {AUTO, "json", *WRAPPERS}:
        raise ConfigurationError("keys", keys, f"they are of lines of JSON, and the format is {name}")
    return LogFormat(
        name,
        _readers(name, times, keys, logger),
        times,
        wrappers={name: WRAPPERS[name]} if name in WRAPPERS else WRAPPERS,
        is_plain=name == AUTO or name in WRAPPERS,
        is_wrapped=name in WRAPPERS,
        logger=logger,
    )


def _readers(name: str, times: Times, keys: Mapping[str, str], logger: str) -> list[Lines]:
    json_lines = JsonLines(times, keys, logger)
    access = TextLines("access", access_lines, times, logger)
    by_format: dict[str, list[Lines]] = {
        "json": [json_lines],
        "python": [TextLines("python", python, times, logger)],
        "uvicorn": [TextLines("uvicorn", uvicorn_lines, times, logger or "uvicorn.error")],
        "gunicorn": [TextLines("gunicorn", gunicorn, times, logger or "gunicorn.error"), access],
        "access": [access],
        "django": [TextLines("django", django_server, times, logger)],
        "celery": [TextLines("celery", celery, times, logger or "celery")],
    }
    if name in by_format:
        return by_format[name]
    return list(dict.fromkeys(reader for readers in by_format.values() for reader in readers))
