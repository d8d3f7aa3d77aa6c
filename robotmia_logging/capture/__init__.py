"""A log call to messages: the vocabulary, the rules, the context."""

from robotmia_logging.capture.call import (
    Call,
    from_event_dict,
    from_record,
    is_wrapped,
    logger_name,
)
from robotmia_logging.capture.compose import CaptureSettings, Composer
from robotmia_logging.capture.explain import Explanation, explain
from robotmia_logging.capture.privacy import Hasher, Privacy
from robotmia_logging.capture.rule_keys import PRIVACY, compile_rules, level_number, load_rules
from robotmia_logging.capture.rules import Match, Rule, Rules
from robotmia_logging.capture.seal import Captured
from robotmia_logging.capture.seen import SeenCopies, SeenRecords
from robotmia_logging.capture.vocabulary import SPECIAL, asks, level_of_method
from robotmia_logging.capture.way import on_the_way

__all__ = [
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
    "is_wrapped",
    "level_number",
    "level_of_method",
    "load_rules",
    "logger_name",
    "on_the_way",
]
