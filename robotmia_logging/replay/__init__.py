"""Past logs become messages: read, matched against rules, sent once, however often it is interrupted.

The way of a line::

    file -> LogLines -> LineReader (a format, the rules) -> messages, each with its part of the line's place
                                                              |
                            LogState <- an outcome - send_lines
"""

from robotmia_logging.replay.account import Account, LineCounts
from robotmia_logging.replay.line_reader import LineReader, Span, read_line
from robotmia_logging.replay.log_lines import LogLines
from robotmia_logging.replay.rejects import RejectsFile, is_rejects_file
from robotmia_logging.replay.replaying import Replay, Replayed, Way
from robotmia_logging.replay.state import LogState, StateFolder
from robotmia_logging.replay.summary import Row, Summary

__all__ = [
    "Account",
    "LineCounts",
    "LineReader",
    "LogLines",
    "LogState",
    "RejectsFile",
    "Replay",
    "Replayed",
    "Row",
    "Span",
    "StateFolder",
    "Summary",
    "Way",
    "is_rejects_file",
    "read_line",
]
