"""What is known of functions and classes that give loggers, and of names that stand for one."""

from __future__ import annotations

import ast
import re

from robotmia_logging.scan.methods import SAME_LOGGER
from robotmia_logging.scan.values import ROOT_LOGGER, Library, Logger

FACTORIES: dict[str, Library] = {
    "logging.getLogger": "logging",
    "logging.Logger": "logging",
    "celery.utils.log.get_logger": "logging",
    "celery.utils.log.get_task_logger": "logging",
    "kombu.log.get_logger": "logging",
    "structlog.get_logger": "structlog",
    "structlog.getLogger": "structlog",
    "structlog.stdlib.get_logger": "structlog",
}
"""Functions that give the logger of a name, their first argument; and whose it is."""

WRAPPERS: dict[str, Library] = {
    "logging.LoggerAdapter": "logging",
    "structlog.wrap_logger": "structlog",
    "structlog.stdlib.BoundLogger": "structlog",
}
"""What takes a logger as its first argument and is used like one."""

FIXED = {
    "logging.root": Logger("logging", ROOT_LOGGER),
    "asyncio.log.logger": Logger("logging", "asyncio"),
}
"""Loggers that others made."""

FIXED_FACTORIES = {
    "multiprocessing.get_logger": Logger("logging", "multiprocessing"),
    "multiprocessing.log_to_stderr": Logger("logging", "multiprocessing"),
    "multiprocessing.util.get_logger": Logger("logging", "multiprocessing"),
    "billiard.util.get_logger": Logger("logging", "multiprocessing"),
}
"""Functions that always give the same logger."""

CLASSES: dict[str, Library] = {
    "logging.Logger": "logging",
    "logging.RootLogger": "logging",
    "logging.LoggerAdapter": "logging",
    "structlog.BoundLogger": "structlog",
    "structlog.BoundLoggerBase": "structlog",
    "structlog.stdlib.BoundLogger": "structlog",
    "structlog.stdlib.AsyncBoundLogger": "structlog",
    "structlog.typing.FilteringBoundLogger": "structlog",
    "structlog.typing.BindableLogger": "structlog",
    "structlog.types.FilteringBoundLogger": "structlog",
    "structlog.types.BindableLogger": "structlog",
}
"""Classes of loggers, as bases and annotations name them."""

_LIKE = re.compile(r"(?:.*_)?log_*|(?:.*_)?logging_*|(?:.*[^b])?logger_*")
_CAMEL = re.compile(r".*[a-z0-9]Log(?:ger)?")


def looks_like_logger(expression: ast.expr) -> bool:
    """Whether an expression of unknown value is named like a logger: its last name is, or that of a container is."""
    if isinstance(expression, ast.BoolOp):
        return any(looks_like_logger(value) for value in expression.values)
    if isinstance(expression, ast.IfExp):
        return looks_like_logger(expression.body) or looks_like_logger(expression.orelse)
    if isinstance(expression, ast.Subscript):
        return _is_like(_last_name(expression.value).removesuffix("s"))
    return _is_like(_last_name(expression))


def _is_like(name: str) -> bool:
    return _LIKE.fullmatch(name.lower()) is not None or _CAMEL.fullmatch(name) is not None


def _last_name(expression: ast.expr) -> str:
    while isinstance(expression, (ast.Call, ast.Await)):
        expression = expression.func if isinstance(expression, ast.Call) else expression.value
    if isinstance(expression, ast.Attribute):
        return _last_name(expression.value) if expression.attr in SAME_LOGGER else expression.attr
    return expression.id if isinstance(expression, ast.Name) else ""
