"""Sending what stands in a file: lines in the one format, however many, through a delivery of its own.

The way of a line::

    file -> GivenLines -> Delivery -> the server
                             | an outcome
                          Journal       (FILE.sent: where to go on after an interruption)
"""

from robotmia_logging.delivery.resend.journal import (
    ChangedError,
    Journal,
    JournalError,
    read_stretches,
    stretch_lines,
    write_all,
)
from robotmia_logging.delivery.resend.letters import letter_lines, send_letters, take_letters
from robotmia_logging.delivery.resend.lines import Done, GivenLines, Item, Line, Passed, Source, Stretch, file_lines
from robotmia_logging.delivery.resend.sending import Sent, send_lines
from robotmia_logging.delivery.resend.stream import STDIN, Stream, open_source
from robotmia_logging.delivery.resend.work import YEAR_S, Ending, Limits, work

__all__ = [
    "STDIN",
    "YEAR_S",
    "ChangedError",
    "Done",
    "Ending",
    "GivenLines",
    "Item",
    "Journal",
    "JournalError",
    "Limits",
    "Line",
    "Passed",
    "Sent",
    "Source",
    "Stream",
    "Stretch",
    "file_lines",
    "letter_lines",
    "open_source",
    "read_stretches",
    "send_letters",
    "send_lines",
    "stretch_lines",
    "take_letters",
    "work",
    "write_all",
]
