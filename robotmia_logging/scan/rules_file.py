"""A rules file to start from: a rule for every log call, all of them commented out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from robotmia_logging.scan.calls import LogCall
from robotmia_logging.scan.rules import RuleDraft, drafts
from robotmia_logging.scan.toml_text import toml_string, toml_table

_HEAD = """\
## Rules for log calls that already exist, to start from: one for each, all of them commented out.
##
## Take the comment signs ("# ") off the rules that you want, name their events and properties as you like, and say
## whose event it is: distinct_id = "{field}". Then give the file to the handler or processor: "rules": "<this file>".
## A rule matches the call that stands above it, and the first that matches wins: keep their order.
## Lines with "##" are explanations, and stay comments.
"""

_HOPELESS = """\
## Calls whose messages only the program knows, or nearly so. A rule of your own may match them, by `logger` and
## `level` alone, or by a `pattern` for their rendered text.
"""


def rules_file(calls: Iterable[LogCall]) -> Iterator[str]:
    """The lines of the file.

    Args:
        calls: what was found.
    """
    rules, hopeless = drafts(calls)
    yield from _HEAD.splitlines()
    for rule in rules:
        yield ""
        yield from _places(rule)
        yield from (f"# {line}" for line in _rule(rule))
    if hopeless:
        yield ""
        yield from _HOPELESS.splitlines()
    for call in hopeless:
        yield f"## {_plain(f'{call.place}  {call.expression}.{call.method}  {call.template.text}')}"


def _places(rule: RuleDraft) -> Iterator[str]:
    for call in rule.calls:
        note = ""
        if call.library == "structlog" and call.logger is not None:
            note = f"  (structlog; with its stdlib.LoggerFactory the logger is {call.logger})"
        elif call.logger is None:
            note = f"  (the logger, {call.expression}, isn't known)"
        yield f"## {_plain(call.place + note)}"


def _rule(rule: RuleDraft) -> Iterator[str]:
    yield "[[rule]]"
    if rule.logger is not None:
        yield f"logger = {toml_string(rule.logger)}"
    if rule.level is not None:
        yield f"level = {toml_string(rule.level) if isinstance(rule.level, str) else rule.level}"
    if rule.message is not None:
        yield f"message = {toml_string(rule.message)}"
    if rule.pattern is not None:
        yield f"pattern = {toml_string(rule.pattern)}"
    yield f"event = {toml_string(rule.event)}"
    if rule.properties:
        yield f"properties = {toml_table(rule.properties)}"


def _plain(text: str) -> str:
    """A text of others on one line of comment."""
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)
