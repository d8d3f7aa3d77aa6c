"""Messages of servers whose templates are known: read back to the arguments that the live call has.

So a rule that names the template matches a line of the log as it matches the call.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

ACCESS = '%(h)s %(l)s %(u)s %(t)s "%(r)s" %(s)s %(b)s "%(f)s" "%(a)s"'
"""gunicorn's default `access_log_format`: the Combined Log Format."""
UVICORN = '%s - "%s %s HTTP/%s" %d'
DJANGO = '"%s" %s %s'
TASK_RECEIVED = "Task %(name)s[%(id)s] received"
TASK_SUCCEEDED = "Task %(name)s[%(id)s] succeeded in %(runtime)ss: %(return_value)s"

_LONGEST = 64 * 1024
_QUOTED = r'"([^"\\]*(?:\\.[^"\\]*)*)"'
#: The second field, which nobody uses, is what tells such a line from others with a time in brackets.
_ACCESS_LINE = re.compile(
    rf"(\S+) (-) ([^\[]*?) (\[[^\]]{{20,40}}\]) {_QUOTED} (\d{{3}}|-) (\d{{1,19}}|-)(?: {_QUOTED} {_QUOTED})?(?: .*)?",
    re.ASCII | re.DOTALL,
)
_UVICORN_LINE = re.compile(r'(\S+) - "([A-Z]+) (\S*) HTTP/([\d.]+)" (\d{3})(?: .*)?', re.ASCII)
_DJANGO_LINE = re.compile(r'"(.*)" (\d{3}|-) (\S+)', re.ASCII | re.DOTALL)
_TASK_LINE = re.compile(r"Task ([^\[\s]+)\[([^\]\s]+)\] (?:(received)|succeeded in ([\d.e-]+)s: (.*))\s*", re.DOTALL)

Known = tuple[str, Any]
"""A template and its arguments."""


def as_live(logger: str, message: str) -> Known | None:
    """The template and arguments that a rendered message was made from, if it is a known one."""
    read = _READERS.get(logger)
    return None if read is None or len(message) > _LONGEST else read(message)


def access(message: str) -> Known | None:
    """A line of the Common or Combined Log Format: the atoms as gunicorn has them."""
    match = _ACCESS_LINE.fullmatch(message) if len(message) <= _LONGEST else None
    if match is None:
        return None
    host, identity, user, time, request, status, size, referrer, agent = match.groups()
    atoms = {"h": host, "l": identity, "u": user, "t": time, "r": request, "s": status, "b": size}
    if size != "-":
        atoms["B"] = int(size)
    if agent is not None:
        atoms |= {"f": referrer, "a": agent}
    parts = request.split(" ")
    if len(parts) == len(("method", "target", "protocol")):
        path, _, query = parts[1].partition("?")
        atoms |= {"m": parts[0], "U": unquote(path, "latin-1"), "q": query, "H": parts[2]}
    return ACCESS, atoms


def uvicorn(message: str) -> Known | None:
    """A request as uvicorn logs it, the status's phrase behind it or not."""
    match = _UVICORN_LINE.fullmatch(message) if len(message) <= _LONGEST else None
    return None if match is None else (UVICORN, (*match.groups()[:4], int(match[5])))


def django(message: str) -> Known | None:
    """A request as Django's runserver logs it."""
    match = _DJANGO_LINE.fullmatch(message) if len(message) <= _LONGEST else None
    return None if match is None else (DJANGO, match.groups())


def task(message: str) -> tuple[str, Known] | None:
    """What a Celery worker says of a task, and the logger that says it."""
    match = _TASK_LINE.fullmatch(message)
    if match is None:
        return None
    name, identity, received, runtime, returned = match.groups()
    fields: dict[str, Any] = {"name": name, "id": identity}
    if received:
        return "celery.worker.strategy", (TASK_RECEIVED, fields)
    try:
        seconds = float(runtime)
    except ValueError:
        return None
    return "celery.app.trace", (TASK_SUCCEEDED, {**fields, "runtime": seconds, "return_value": returned})


def _task(message: str) -> Known | None:
    found = task(message)
    return None if found is None else found[1]


_READERS: dict[str, Callable[[str], Known | None]] = {
    "gunicorn.access": access,
    "uvicorn.access": uvicorn,
    "django.server": django,
    "celery.app.trace": _task,
    "celery.worker.strategy": _task,
}
