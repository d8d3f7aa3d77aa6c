"""What collectors of logs put around the lines of programs: syslog and journald, Docker and Kubernetes."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from robotmia_logging.logs.json_lines import is_wrapping, loads
from robotmia_logging.logs.times import ISO, SYSLOG


class Wrapped(NamedTuple):
    """A line in its wrapping.

    Attributes:
        time: when the collector got it, if that is said.
        program: whose it is, if that is said.
        inside: the line itself.
    """

    time: str | None
    program: str
    inside: str


Unwrap = Callable[[str], Wrapped | None]
"""Takes the wrapping off; None if there is none of this kind."""

_SYSLOG = re.compile(
    rf"(?:<\d{{1,3}}>)?({SYSLOG}|{ISO}) [^\s\[\]:]{{1,255}} ([^\s\[\]:]{{1,255}})(?:\[\d+\])?: (.*)",
    re.ASCII | re.DOTALL,
)
_DOCKER = re.compile(
    r"(?:([\w.\-]{1,255}) +\| )?"
    r"(?:(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{1,9}(?:Z|[+-]\d\d:\d\d)) (?:(?:stdout|stderr) [FP] )?)?(.*)",
    re.ASCII | re.DOTALL,
)


def syslog(text: str) -> Wrapped | None:
    """``Nov 25 13:00:00 host app[1]: `` or ``2026-11-25T13:00:00+00:00 host app[1]: `` in front."""
    match = _SYSLOG.fullmatch(text)
    return None if match is None else Wrapped(*match.groups())


def docker(text: str) -> Wrapped | None:
    """A time with fractions and a zone in front, as Docker, Compose and Kubernetes put it; or the file of Docker's."""
    if text[:1] == "{":
        fields = loads(text)
        if fields is None or not is_wrapping(fields):
            return None
        return Wrapped(str(fields["time"]), "", fields["log"].rstrip("\r\n"))
    match = _DOCKER.fullmatch(text)
    if match is None or (match[1] is None and match[2] is None):
        return None
    return Wrapped(match[2], match[1] or "", match[3])


WRAPPERS: dict[str, Unwrap] = {"syslog": syslog, "docker": docker}
