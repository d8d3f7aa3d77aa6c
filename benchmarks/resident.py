"""Resident memory of a process."""

from __future__ import annotations

import os
import resource
import sys


def resident_bytes(process: int | str = "self") -> int:
    """What is resident now, of this process or another; where the system doesn't tell, the most that was of this."""
    try:
        with open(f"/proc/{process}/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else peak * 1024
