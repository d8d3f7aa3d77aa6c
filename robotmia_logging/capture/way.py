"""What keeps a record of the standard library from reaching a handler."""

from __future__ import annotations

import logging
from collections.abc import Iterator

from robotmia_logging.capture.call import name_and_level


def on_the_way(record: logging.LogRecord, handler: logging.Handler) -> Iterator[str]:
    """What stands between a logger and a handler, in sentences: levels, filters, a logger that is switched off.

    Args:
        record: a record of that logger.
        handler: where it should arrive.
    """
    name, level = name_and_level(record)
    if level < handler.level:
        yield f"the handler's level is {_level(handler.level)}, the record's {_level(level)}"
    if level <= logging.root.manager.disable:
        yield f"logging.disable({_level(logging.root.manager.disable)}) keeps it out"
    logger = _logger(name)
    is_own = logger.name == name
    if is_own and logger.disabled:
        yield f"the logger {name!r} is switched off: give dictConfig 'disable_existing_loggers': False"
    if level < logger.getEffectiveLevel():
        yield f"the level of the logger {name!r} is {_level(logger.getEffectiveLevel())}"
    if is_own:
        yield from _filtered(logger, record, f"of the logger {name!r}")
    yield from _unreached(name, logger, handler)


def _filtered(filterer: logging.Filterer, record: logging.LogRecord, whose: str) -> Iterator[str]:
    """Whether a filter keeps the record out, or fails, in a sentence."""
    try:
        if not filterer.filter(record):
            yield f"a filter {whose} keeps it out"
    except Exception as error:
        yield f"a filter {whose} raises {type(error).__name__}"


def _unreached(name: str, logger: logging.Logger, handler: logging.Handler) -> Iterator[str]:
    found: logging.Logger | None = logger
    while found is not None and handler not in found.handlers:
        if not found.propagate:
            yield f"the handler isn't on the logger {name!r}, and {found.name!r} has propagate=False"
            return
        found = found.parent
    if found is None:
        yield f"the handler is neither on the logger {name!r} nor on one above it"


def _logger(name: str) -> logging.Logger:
    """The logger of this name, or the nearest one above it that there is: none is made."""
    while name:
        logger = logging.root.manager.loggerDict.get(name)
        if isinstance(logger, logging.Logger):
            return logger
        name = name.rpartition(".")[0]
    return logging.root


def _level(level: int) -> str:
    return str(logging.getLevelName(level))
