"""Past logs, read line by line: what a log tells of, as the calls that wrote it."""

from robotmia_logging.logs.formats import FORMATS, open_format
from robotmia_logging.logs.line import Continued, Line, PastCall, Unread
from robotmia_logging.logs.log_format import LogFormat
from robotmia_logging.logs.opening import open_log
from robotmia_logging.logs.ordering import in_order

__all__ = [
    "FORMATS",
    "Continued",
    "Line",
    "LogFormat",
    "PastCall",
    "Unread",
    "in_order",
    "open_format",
    "open_log",
]
