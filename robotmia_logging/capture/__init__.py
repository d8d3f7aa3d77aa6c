"""A log call to messages: the vocabulary, the rules, the context."""

from robotmia_logging.capture.call import Call, from_event_dict, from_record, is_wrapped, logger_name
from robotmia_logging.capture.compose import CaptureSettings, Composer
from robotmia_logging.capture.rule_keys import compile_rules, level_number, load_rules
from robotmia_logging.capture.rules import Rules
from robotmia_logging.capture.seal import Captured
from robotmia_logging.capture.seen import SeenCopies, SeenRecords
from robotmia_logging.capture.vocabulary import SPECIAL, asks, level_of_method

__all__ = [
    "SPECIAL",
    "Call",
    "CaptureSettings",
    "Captured",
    "Composer",
    "Rules",
    "SeenCopies",
    "SeenRecords",
    "asks",
    "compile_rules",
    "from_event_dict",
    "from_record",
    "is_wrapped",
    "level_number",
    "level_of_method",
    "load_rules",
    "logger_name",
]
