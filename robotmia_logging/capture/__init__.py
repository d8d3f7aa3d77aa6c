"""A log call to messages: the vocabulary, the rules, the context.

What only some programs need, rules and explanations, is imported when it is asked for: it is a third of the whole.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from robotmia_logging.capture.call import (
    Call,
    from_event_dict,
    from_record,
    is_wrapped,
    logger_name,
)
from robotmia_logging.capture.checks import PRIVACY, level_number
from robotmia_logging.capture.compose import CaptureSettings, Composer
from robotmia_logging.capture.origins import OWN_LOGGER, is_carrier, is_own
from robotmia_logging.capture.privacy import Hasher, Privacy
from robotmia_logging.capture.seal import Captured
from robotmia_logging.capture.seen import SeenCopies, SeenRecords
from robotmia_logging.capture.vocabulary import SPECIAL, asks, level_of_method

if TYPE_CHECKING:
    from robotmia_logging.capture.explanation import Explanation, explain
    from robotmia_logging.capture.rule_keys import compile_rules, load_rules
    from robotmia_logging.capture.rules import Match, Rule, Rules
    from robotmia_logging.capture.way import on_the_way

_LATER = {
    "Explanation": "explanation",
    "explain": "explanation",
    "compile_rules": "rule_keys",
    "load_rules": "rule_keys",
    "Match": "rules",
    "Rule": "rules",
    "Rules": "rules",
    "on_the_way": "way",
}


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_LATER[name]}"), name)


__all__ = [
    "OWN_LOGGER",
    "PRIVACY",
    "SPECIAL",
    "Call",
    "CaptureSettings",
    "Captured",
    "Composer",
    "Explanation",
    "Hasher",
    "Match",
    "Privacy",
    "Rule",
    "Rules",
    "SeenCopies",
    "SeenRecords",
    "asks",
    "compile_rules",
    "explain",
    "from_event_dict",
    "from_record",
    "is_carrier",
    "is_own",
    "is_wrapped",
    "level_number",
    "level_of_method",
    "load_rules",
    "logger_name",
    "on_the_way",
]
