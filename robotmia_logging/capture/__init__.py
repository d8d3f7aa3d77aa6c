"""A log call to messages: the vocabulary, the rules, the context."""

from robotmia_logging.capture.call import Call, from_event_dict, from_record, is_wrapped
from robotmia_logging.capture.compose import Captured, CaptureSettings, Composer
from robotmia_logging.capture.rules import Rules, compile_rules, level_number, load_rules
from robotmia_logging.capture.vocabulary import SPECIAL, TRIGGERS, level_of_method

__all__ = [
    "SPECIAL",
    "TRIGGERS",
    "Call",
    "CaptureSettings",
    "Captured",
    "Composer",
    "Rules",
    "compile_rules",
    "from_event_dict",
    "from_record",
    "is_wrapped",
    "level_number",
    "level_of_method",
    "load_rules",
]
