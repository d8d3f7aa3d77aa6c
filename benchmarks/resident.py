"""Resident memory of this process."""

from __future__ import annotations

import os
import resource
import sys


def resident_bytes() -> int:
    """What is resident now; where the system doesn't tell, the most that was."""
    try:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else peak * 1024
