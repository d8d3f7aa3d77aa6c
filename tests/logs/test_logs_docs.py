"""The documentation of past logs says what is so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from robotmia_logging.logs import FORMATS, open_format
from robotmia_logging.logs.json_lines import NAMES
from tests.logs.log_reading import WHEN

TEXT = (Path(__file__).parents[2] / "docs" / "logs.md").read_text()
EXAMPLES = re.findall(r"^\| `(\w+)` \| `(.+?)`(?: |,)", TEXT, re.MULTILINE)


def test_all_formats_are_there():
    """Each has its line in the table."""
    assert [name for name, _ in EXAMPLES] == [name for name in FORMATS if name != "auto"]


@pytest.mark.parametrize(("name", "line"), EXAMPLES)
def test_the_examples_are_read_as_what_they_are_examples_of(name, line):
    """By name, and found out."""
    if name in {"syslog", "docker"}:
        line += "hello"
    log, auto = open_format(name, latest=WHEN), open_format(latest=WHEN)
    assert log.read(line.encode()).rendered() == auto.read(line.encode()).rendered()
    assert auto.name == f"auto ({name})"


def test_the_keys_of_json_lines():
    """They are looked for in the order that the table says."""
    for part, names in NAMES.items():
        assert f"| {part} | {', '.join(f'`{name}`' for name in names)}" in TEXT
