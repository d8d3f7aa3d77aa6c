"""Sending what stands in a file: lines in the one format, however many, through a delivery of its own.

The way of a line::

    file -> GivenLines -> Delivery -> the server
                             | an outcome
                          Journal       (FILE.sent: where to go on after an interruption)
"""

from robotmia_logging.delivery.resend.journal import ChangedError, Journal, JournalError
from robotmia_logging.delivery.resend.letters import letter_lines, send_letters, take_letters
from robotmia_logging.delivery.resend.lines import GivenLines
from robotmia_logging.delivery.resend.sending import Sent, send_lines
from robotmia_logging.delivery.resend.work import YEAR_S, Ending, Limits, work

__all__ = [
    "YEAR_S",
    "ChangedError",
    "Ending",
    "GivenLines",
    "Journal",
    "JournalError",
    "Limits",
    "Sent",
    "letter_lines",
    "send_letters",
    "send_lines",
    "take_letters",
    "work",
]
