"""Log calls to rules: what a rule says that matches a call, and proposals for what it sends."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from robotmia_logging.capture.templates import CONVERSION
from robotmia_logging.scan.arguments import Names
from robotmia_logging.scan.calls import LogCall
from robotmia_logging.scan.templates import Field, Piece
from robotmia_logging.scan.toml_text import has_toml_form

_MAX_EVENT = 100
_NAMELESS = "Log Call"
_SPECIAL = re.compile(r"[.^$*+?{}\[\]\\|()]")
_LAST = "\U0010ffff"
_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*")


def pattern_of(call: LogCall) -> str | None:
    """The regex that finds a call's rendered text, with its fields as groups; None if too little of it is known."""
    if not call.template.is_resolved:
        return None
    names = Names(argument.name for argument in call.arguments if argument.key is not None and argument.name)
    parts = (
        f"(?P<{names.propose(piece.expression)}>.+?)" if isinstance(piece, Field) else _SPECIAL.sub(r"\\\g<0>", piece)
        for piece in call.rendered
    )
    return f"^{''.join(parts)}$"


@dataclass(slots=True)
class RuleDraft:
    """A rule that matches a log call, and every other one of the same template on the same logger.

    Attributes:
        logger: the logger's name, if a rule can say it: structlog's depends on how it is configured.
        message: the template; None if a pattern is needed.
        pattern: for texts that are rendered before the call.
        calls: those, in order.
    """

    logger: str | None
    message: str | None
    pattern: str | None
    calls: list[LogCall] = field(default_factory=list)

    @property
    def level(self) -> str | int | None:
        """The lowest of the calls' levels; None if one of them isn't known."""
        levels = [call.level for call in self.calls if call.level is not None]
        if len(levels) < len(self.calls):
            return None
        return min(self.calls, key=lambda call: call.level or 0).level_name

    @property
    def event(self) -> str:
        """A name for the event: the template without its fields, else the logger's name."""
        first = self.calls[0]
        texts = [piece for piece in first.template.pieces if isinstance(piece, str)]
        if first.rendered != first.template.pieces or first.arguments:
            texts = [CONVERSION.sub(" ", text) for text in texts]
        words = _WORD.findall(" ".join(texts)) or _WORD.findall(f"{first.logger or ''} {first.method}")
        return _title(words) or _NAMELESS

    @property
    def properties(self) -> list[tuple[str, str]]:
        """Names and fields of the properties; the groups of a pattern are properties by themselves."""
        return [
            (argument.name, f"{{{argument.field}}}")
            for argument in self.calls[0].arguments
            if argument.name is not None and (self.message is not None or argument.key is not None)
        ]


def drafts(calls: Iterable[LogCall]) -> tuple[list[RuleDraft], list[LogCall]]:
    """Rules for log calls, and the calls that no rule can be told for.

    In their order the first rule that matches a call is its own: loggers below another come in front of it, exact
    templates in front of patterns, and patterns with more text in front of those with less.
    """
    of_key: dict[tuple[str | None, tuple[str | None, ...]], RuleDraft] = {}
    hopeless = []
    for call in calls:
        draft = _draft(call)
        if draft is None:
            hopeless.append(call)
            continue
        of_key.setdefault((draft.logger, _skeleton(call, draft)), draft).calls.append(call)
    return sorted(of_key.values(), key=_order), hopeless


def _title(words: Iterable[str]) -> str:
    """Words as a title, as many as an event's name should have."""
    title = ""
    for word in words:
        longer = f"{title} {word[0].upper()}{word[1:]}".lstrip()
        if len(longer) > _MAX_EVENT:
            return title or longer[:_MAX_EVENT]
        title = longer
    return title


def _draft(call: LogCall) -> RuleDraft | None:
    logger = None if call.library == "structlog" else call.logger
    message, pattern = call.template.exact, None
    if message is None or (call.library == "structlog" and call.rendered != call.template.pieces):
        message, pattern = None, pattern_of(call)
    text = message or pattern
    return RuleDraft(logger, message, pattern) if text and has_toml_form(text + (logger or "")) else None


def _skeleton(call: LogCall, draft: RuleDraft) -> tuple[str | None, ...]:
    """What makes two calls the same to a rule: the text, whatever its fields are called."""
    if draft.message is not None:
        return ("message", draft.message)
    return ("pattern", *(piece if isinstance(piece, str) else None for piece in call.rendered))


def _order(draft: RuleDraft) -> tuple[tuple[str, ...], bool, int]:
    logger = (_LAST, _LAST) if draft.logger is None else (*draft.logger.split("."), _LAST)
    literal = _literal(draft.calls[0].rendered) if draft.message is None else 0
    return logger, draft.message is None, -literal


def _literal(pieces: Sequence[Piece]) -> int:
    return sum(len(piece) for piece in pieces if isinstance(piece, str))
