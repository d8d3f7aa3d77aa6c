"""Every Python block of docs/testing.md runs, in a process of its own; those that hold tests, by pytest."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

TEXT = (Path(__file__).parents[2] / "docs" / "testing.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
NAMED = re.compile(r"# (\w+\.py)\n")


def files(tmp_path):
    """Write the blocks that have a file's name in their first line; gives the names."""
    named = {match[1]: block for block in BLOCKS if (match := NAMED.match(block))}
    for name, block in named.items():
        (tmp_path / name).write_text(block)
    return named


def run(tmp_path, *arguments):
    env = {name: value for name, value in os.environ.items() if not name.startswith("ROBOTMIA_")}
    return subprocess.run(
        [sys.executable, *arguments], cwd=tmp_path, env=env, capture_output=True, text=True, check=False, timeout=50
    )


def test_blocks_with_a_name_pass_as_tests(tmp_path):
    """Together, as the files of one project."""
    named = files(tmp_path)
    tests = [name for name in named if name.startswith("test_")]
    done = run(tmp_path, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:randomly", "-W", "error", *tests)
    assert done.returncode == 0, done.stdout
    assert len(tests) >= 4


@pytest.mark.parametrize("block", [block for block in BLOCKS if not NAMED.match(block)])
def test_other_blocks_run(tmp_path, block):
    """By themselves, beside those files."""
    files(tmp_path)
    (tmp_path / "block.py").write_text(block)
    done = run(tmp_path, "block.py")
    assert (done.returncode, done.stderr) == (0, "")
