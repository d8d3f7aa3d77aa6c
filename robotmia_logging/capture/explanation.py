"""What becomes of a log call, and why: for people who write rules."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import orjson
from structlog.contextvars import get_contextvars

from robotmia_logging.capture.call import Call
from robotmia_logging.capture.compose import Composer
from robotmia_logging.capture.filling import Filling
from robotmia_logging.capture.patterns import Tell, Text
from robotmia_logging.capture.rules import Match, Rule, would_match
from robotmia_logging.capture.seal import Captured
from robotmia_logging.messages import Message, as_text

_MANY = 20
"""Rules that are gone into, one by one."""

_LOOKED_AT = 1_000
"""Rules of other loggers that are tried."""

_SECRETS = ("token", "$token")
_SHOWN = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """What becomes of a log call.

    Attributes:
        rule: the name of the rule that matches (``"rules.toml: rule[2]"``), or None.
        asked: the keys of the call itself that ask for messages.
        messages: what comes of it, in the order in which it leaves: `endpoint`, `user`, `time` and the `message` as
            robotmia gets it, but for the token; of those that don't leave `reason` and `error`, too.
        why: what stands against it, or why no rule matches, in sentences.
        notes: what may not be as it was meant: fields that aren't there, a match that live calls may not give.
        tracked: whether anything leaves.
    """

    rule: str | None = None
    asked: tuple[str, ...] = ()
    messages: tuple[dict[str, Any], ...] = ()
    why: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    tracked: bool = False

    def but(self, obstacles: tuple[str, ...]) -> Explanation:
        """The same call, with obstacles on its way to the door."""
        return replace(self, why=obstacles + self.why, tracked=False) if obstacles else self

    def __str__(self) -> str:
        lines = [f"matches {self.rule}"] if self.rule else []
        lines += [f"the call itself asks: {', '.join(self.asked)}"] if self.asked else []
        lines += [orjson.dumps(message).decode() for message in self.messages]
        lines += [*self.why, *(f"note: {note}" for note in self.notes)]
        return "\n".join([("tracked" if self.tracked else "not tracked"), *(f"  {line}" for line in lines)])


def explain(composer: Composer, call: Call, tell: Tell | None = None) -> Explanation:
    """What becomes of a call; nothing is sent or counted.

    Args:
        composer: a door's.
        call: the log call.
        tell: told of trouble with patterns, which then counts against them; without it they are left as they are.
    """
    rules = composer.rules
    match = rules.match(call.logger, call.level, call.template, call.rendered, tell)
    captured, asked = composer.compose_unseen(call, match)
    messages = tuple(_shown(item) for item in captured)
    muted = call.extras.get("track") is False
    return Explanation(
        rule=None if match is None or muted else match.rule.label,
        asked=() if muted else tuple(sorted(asked)),
        messages=() if muted else messages,
        why=("the call says track=False",) if muted else tuple(_why(composer, call, match)) if not messages else (),
        notes=() if muted or match is None or not match.rule.track else tuple(_notes(match, call)),
        tracked=not muted and any("reason" not in message for message in messages),
    )


def _shown(item: Captured) -> dict[str, Any]:
    fields = {"endpoint": item.endpoint, "user": item.user, "time": item.time}
    if isinstance(item, Message):
        return {**fields, "message": _without_token(orjson.loads(item.body))}
    return {**fields, "message": _without_token(item.wire), "reason": item.reason, "error": item.error}


def _without_token(wire: Any) -> Any:
    if not isinstance(wire, dict):
        return wire
    shown = {key: "..." if key in _SECRETS else value for key, value in wire.items()}
    properties = wire.get("properties")
    return shown if not isinstance(properties, dict) else {**shown, "properties": _without_token(properties)}


def _notes(match: Match, call: Call) -> Iterator[str]:
    rule = match.rule
    missing = Filling(match, call, get_contextvars()).missing()
    if missing:
        yield f"not there: {', '.join(f'{{{field}}}' for field in missing)}"
    if rule.template is not None and call.template != rule.message:
        yield f"found in the text; a live call matches if its template is {_quoted(rule.message)}, and no f-string"


def _why(composer: Composer, call: Call, match: Match | None) -> Iterator[str]:
    if match is not None:
        yield f"{match.rule.label} says track = false" if not match.rule.track else f"{match.rule.label} gives nothing"
        return
    if not composer.has_rules:
        yield "the call has no tracking keys, and there are no rules"
        return
    text = Text(call.rendered)
    rules = composer.rules.of_logger(call.logger)
    if not rules:
        named = sorted({rule.logger for rule in composer.rules if rule.logger})
        yield f"no rule concerns the logger {_quoted(call.logger)}: rules name {', '.join(map(_quoted, named[:_MANY]))}"
    concerned = {rule.position for rule in rules}
    for rule in islice(composer.rules, _LOOKED_AT):
        if rule.position not in concerned and (rule.message or rule.pattern) and would_match(rule, call.template, text):
            yield f"{rule.label} would match, but is for the logger {_quoted(rule.logger)}, not {_quoted(call.logger)}"
    for rule in rules[:_MANY]:
        yield f"{rule.label} doesn't match: {_miss(rule, call, text)}"
    if len(rules) > _MANY:
        yield f"nor do {len(rules) - _MANY:,} more rules that concern this logger"


def _miss(rule: Rule, call: Call, text: Text) -> str:
    if call.level < rule.level:
        return f"its level is {logging.getLevelName(rule.level)}, the call's {logging.getLevelName(call.level)}"
    if rule.pattern is not None:
        return f"its pattern {_quoted(rule.pattern.text)} {rule.pattern.miss(text.rendered)} {_quoted(text.rendered)}"
    return f"its message is {_quoted(rule.message)}, the call's {_quoted(call.template)}"


def _quoted(value: Any) -> str:
    text = repr(as_text(value))
    return text if len(text) <= _SHOWN else text[: _SHOWN - 4] + "...'"
