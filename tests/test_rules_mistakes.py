"""The documented mistakes in rules, each with the error it really gives."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from robotmia_logging import ConfigurationError, RobotmiaHandler, RobotmiaProcessor

PAGE = (Path(__file__).parent.parent / "docs" / "mistakes.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| `(.+?)` \| (`+)(.+)\2 \|$", re.MULTILINE)
OF_RULES, OF_FILES = PAGE.split("Of the whole file:")


def rows(text):
    return [(row[1].replace("⏎", "\n"), row[3]) for row in ROW.finditer(text)]


def check(door, content, error, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rules.toml").write_text(content)
    with pytest.raises(ConfigurationError) as caught:
        door(token="T", rules="rules.toml")
    assert re.fullmatch(re.escape(f"robotmia_logging: {error}").replace("…", ".*"), str(caught.value))


def test_the_page_has_them():
    """The tables are read: a good number of mistakes, of most keys."""
    assert len(rows(OF_RULES)) > 15
    assert len(rows(OF_FILES)) > 3


@pytest.mark.parametrize("door", [RobotmiaHandler, RobotmiaProcessor])
@pytest.mark.parametrize(("rule", "error"), rows(OF_RULES))
def test_mistake_in_a_rule(door, rule, error, monkeypatch, tmp_path):
    """The error names the file, the rule, the key and what is allowed, as the page says."""
    check(door, f"[[rule]]\n{rule}\n", f"rules.toml: rule[0]{error}", monkeypatch, tmp_path)


@pytest.mark.parametrize(("content", "error"), rows(OF_FILES))
def test_mistake_in_a_file(content, error, monkeypatch, tmp_path):
    """A file that holds no rules is an error that names it and says what it is to hold."""
    check(RobotmiaHandler, content, f"rules is 'rules.toml'{error}", monkeypatch, tmp_path)
