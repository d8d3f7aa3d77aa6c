"""A small file system for a spool to fill, where mounting is possible."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from tests.chaos.plans import FULL_DISK_BYTES


def can_mount() -> bool:
    """Whether this process may mount a tmpfs."""
    with tempfile.TemporaryDirectory() as folder, suppress(OSError, subprocess.CalledProcessError), small_disk(folder):
        return True
    return False


@contextmanager
def small_disk(folder: str) -> Iterator[None]:
    """Have a folder on a small file system of its own."""
    options = f"size={FULL_DISK_BYTES},mode=700"
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "chaos", folder], check=True, capture_output=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True, capture_output=True)
