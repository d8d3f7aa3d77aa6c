"""Rules: log calls that already exist, tracked by configuration alone.

For a record the rules that concern its logger are found by one look-up. Of those, the ones that name a message are
found by a look-up of the template; what remains, patterns and rules for any message, is tried in turn.

    "celery.app.trace"  ->  Concerned: the nodes of "", "celery", "celery.app.trace"
                                by_message  {template: rules}, one for each node
                                others      the rules without a message, of each node; tried in their order
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from heapq import merge
from typing import Any, NamedTuple

from robotmia_logging.capture.fields import Value
from robotmia_logging.capture.patterns import Pattern, Tell, Text
from robotmia_logging.capture.privacy import Privacy
from robotmia_logging.capture.tally import Tally
from robotmia_logging.capture.templates import Template

_KNOWN_LOGGERS = 10_000
"""Logger names kept; a program that makes more of them pays for the look-up again."""

_NEVER = 1 << 62
"""A level that no record has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule, compiled.

    Attributes:
        label: what it is called: ``"rules[2]"``, or with its file ``"rules.toml: rule[2]"``.
        position: its place among the rules.
        track: False if what it matches is never to be tracked.
        logger: this logger and those below it; None for all.
        level: at least.
        message: the template.
        pattern: a regex for the rendered text.
        template: the message, to be recognized in rendered texts of past logs.
        event: the event's name.
        name: the same as written, for a call that has not all of its fields.
        distinct_id: the user.
        properties: of the event.
        profile: operations of profile updates.
        numbers: fields whose text is sent as a number.
        privacy: what of it is sent, and of whom.
        hits: how often it matched.
    """

    label: str
    position: int
    track: bool
    logger: str | None
    level: int
    message: str | None
    pattern: Pattern | None
    event: Value | None
    name: str | None
    distinct_id: Value | None
    properties: Mapping[str, Value]
    profile: Value | None
    numbers: frozenset[str]
    privacy: Privacy
    template: Template | None = None
    hits: Tally = field(default_factory=Tally, compare=False)


class Match(NamedTuple):
    """A rule that matches a call.

    Attributes:
        rule: the rule.
        found: what was found in the rendered text: named groups; of a past log's template its fields, too.
    """

    rule: Rule
    found: Mapping[str, Any]


@dataclass(slots=True)
class _Node:
    """The rules that name one logger."""

    by_message: dict[str, list[Rule]] = field(default_factory=dict)
    others: list[Rule] = field(default_factory=list)

    def add(self, rule: Rule) -> None:
        if rule.message is None or rule.template is not None:
            self.others.append(rule)
        if rule.message is not None:
            self.by_message.setdefault(rule.message, []).append(rule)

    def rules(self) -> Iterator[Rule]:
        yield from self.others
        for rules in self.by_message.values():
            yield from (rule for rule in rules if rule.template is None)  # those with one are among the others


class Concerned:
    """The rules that concern a logger.

    Attributes:
        level: the lowest that one of them asks for.
    """

    __slots__ = ("_by_message", "_others", "_others_level", "level")

    def __init__(self, nodes: list[_Node]) -> None:
        self._by_message = tuple(node.by_message for node in nodes if node.by_message)
        self._others = tuple(node.others for node in nodes if node.others)
        self.level = min(rule.level for node in nodes for rule in node.rules())
        self._others_level = min((rule.level for others in self._others for rule in others), default=_NEVER)

    def match(self, level: int, template: Any, render: Callable[[], str], tell: Tell | None) -> Match | None:
        """The first of them that matches a call of their logger, or None.

        Args:
            level: the call's level.
            template: the message as written.
            render: gives the rendered message, for patterns.
            tell: told of trouble with patterns; without it nothing is counted against them.
        """
        named = None
        if type(template) is str:
            for by_message in self._by_message:
                for rule in by_message.get(template, ()):
                    if level >= rule.level and (named is None or rule.position < named.position):
                        named = rule
        if level >= self._others_level:
            return _first(self._tried(), named, level, Text(render), tell)
        return None if named is None else Match(named, {})

    def _tried(self) -> Iterable[Rule]:
        """The rules without a message, in their order. Each list is its node's own: loggers may be many."""
        return self._others[0] if len(self._others) == 1 else merge(*self._others, key=_position)


class Rules:
    """All rules of a door. First match wins.

    Args:
        rules: in their order.
    """

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._rules = tuple(rules)
        self._nodes: dict[str, _Node] = {}
        for rule in self._rules:
            self._nodes.setdefault(rule.logger or "", _Node()).add(rule)
        self._of_node: dict[str, Concerned | None] = {}
        self._known: dict[str, Concerned | None] = {}

    def __len__(self) -> int:
        return len(self._rules)

    def __iter__(self) -> Iterator[Rule]:
        return iter(self._rules)

    def hits(self) -> dict[str, int]:
        """How often each rule matched, by its label."""
        return {rule.label: rule.hits.value for rule in self._rules}

    def for_rendered(self) -> Rules:
        """These rules for past logs, which hold rendered texts: a message is recognized in them, too.

        Raises:
            ValueError: the `regex` library is missing.
        """
        return Rules(
            replace(rule, template=template)
            if rule.message is not None and (template := Template(rule.message)).has_fields
            else rule
            for rule in self._rules
        )

    def concerning(self, logger: str, level: int) -> Concerned | None:
        """The rules that a call of this logger and level may match, or None: one look-up."""
        try:
            concerned = self._known[logger]
        except KeyError:
            concerned = self._look(logger)
        return None if concerned is None or level < concerned.level else concerned

    def match(
        self, logger: str, level: int, template: Any, render: Callable[[], str], tell: Tell | None
    ) -> Match | None:
        """The first rule that matches a call, or None; see `Concerned.match`."""
        concerned = self.concerning(logger, level)
        return None if concerned is None else concerned.match(level, template, render, tell)

    def of_logger(self, logger: str) -> list[Rule]:
        """The rules that concern a logger, in their order."""
        return sorted((rule for node in self._chain(logger) for rule in node.rules()), key=_position)

    def _look(self, logger: str) -> Concerned | None:
        """Loggers without rules of their own share what the nearest one above them has."""
        nearest = logger
        while nearest not in self._nodes and nearest:
            nearest = nearest.rpartition(".")[0]
        if nearest not in self._of_node:
            nodes = self._chain(nearest)
            self._of_node[nearest] = Concerned(nodes) if nodes else None
        if len(self._known) >= _KNOWN_LOGGERS:
            self._known.clear()
        self._known[logger] = concerned = self._of_node[nearest]
        return concerned

    def _chain(self, logger: str) -> list[_Node]:
        parts = logger.split(".") if logger else []
        names = dict.fromkeys(["", *(".".join(parts[: depth + 1]) for depth in range(len(parts)))])
        return [self._nodes[name] for name in names if name in self._nodes]


def _position(rule: Rule) -> int:
    return rule.position


def _first(others: Iterable[Rule], named: Rule | None, level: int, text: Text, tell: Tell | None) -> Match | None:
    """The first of the others that matches, unless the named rule stands before it."""
    for rule in others:
        if named is not None and named.position <= rule.position:
            break
        if level >= rule.level:
            found = _look_into(rule, text, tell)
            if found is not None:
                return Match(rule, found)
    return None if named is None else Match(named, {})


def _look_into(rule: Rule, text: Text, tell: Tell | None) -> Mapping[str, Any] | None:
    """What a rule finds in the rendered text; None if that isn't what it looks for."""
    if rule.pattern is not None:
        return rule.pattern.search(text.rendered, tell)
    if rule.template is not None:
        return rule.template.fields(text.rendered, tell)
    return {}


def would_match(rule: Rule, template: Any, text: Text) -> bool:
    """Whether the rule's message or pattern is that of a call, whatever its logger and level."""
    if rule.message is not None and type(template) is str and template == rule.message:
        return True
    return (rule.pattern or rule.template) is not None and _look_into(rule, text, None) is not None
