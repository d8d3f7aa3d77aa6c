"""What robotmia accepts, as the API document has it: messages, their limits, and any value as JSON.

Pure: no I/O and no clock, and no knowledge of logging or of the network.
"""

from robotmia_logging.messages.encode import as_text, encode, plain
from robotmia_logging.messages.event import CREATE_ALIAS, alias_event, ready_event, seal_event
from robotmia_logging.messages.given import INVALID_LINE, MAX_LINE_BYTES, given_line, is_blank
from robotmia_logging.messages.limits import (
    DEFAULT_URL,
    IMPORT_AGE_S,
    MAX_BATCH,
    OPERATIONS,
    RESERVED_PREFIX,
    SPECIAL_PROFILE_PROPERTIES,
)
from robotmia_logging.messages.lines import LINE_START, DeadLetter, message_line, read_line
from robotmia_logging.messages.message import ENGAGE, TRACK, Message, Refusal, Refused
from robotmia_logging.messages.profile import operations, seal_update, transaction
from robotmia_logging.messages.times import date_string, unix_seconds

__all__ = [
    "CREATE_ALIAS",
    "DEFAULT_URL",
    "ENGAGE",
    "IMPORT_AGE_S",
    "INVALID_LINE",
    "LINE_START",
    "MAX_BATCH",
    "MAX_LINE_BYTES",
    "OPERATIONS",
    "RESERVED_PREFIX",
    "SPECIAL_PROFILE_PROPERTIES",
    "TRACK",
    "DeadLetter",
    "Message",
    "Refusal",
    "Refused",
    "alias_event",
    "as_text",
    "date_string",
    "encode",
    "given_line",
    "is_blank",
    "message_line",
    "operations",
    "plain",
    "read_line",
    "ready_event",
    "seal_event",
    "seal_update",
    "transaction",
    "unix_seconds",
]
