"""Dead letters once more: read from all the files they are in, and sent again.

To be sent again a file is moved out of the way first, to `<name>.retry-1`, and deleted once each of its letters was
delivered or stands in `<name>` anew. So whatever ends the process, no letter is lost: the next retry goes on.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

from robotmia_logging.delivery.dead_letters import DeadLetterFile
from robotmia_logging.delivery.resend.journal import SUFFIX, Journal, known_done
from robotmia_logging.delivery.resend.lines import GivenLines
from robotmia_logging.delivery.resend.sending import Sent, send_lines
from robotmia_logging.delivery.resend.work import Limits
from robotmia_logging.delivery.settings import DeliverySettings


def letter_lines(letters: DeadLetterFile) -> Iterator[bytes]:
    """All lines of dead letters, the oldest file first; not those that an interrupted retry has dealt with.

    Raises:
        OSError: a file can't be read.
    """
    for path in letters.files():
        with suppress(FileNotFoundError), open(path, "rb") as file:  # or it was taken or sent meanwhile
            for line in GivenLines(file, 0, known_done(path, file.fileno())).raw():
                yield line.text if line.text.endswith(b"\n") else line.text + b"\n"


def take_letters(letters: DeadLetterFile) -> list[str]:
    """Move all letters out of the way, to be sent again.

    Returns:
        The files they are in, the oldest first; those of a retry that was interrupted, too.

    Raises:
        OSError: it can't be done, or another process holds the file's lock.
    """
    for path in letters.taken(SUFFIX):  # a retry was killed when it was done but for this
        if not os.path.exists(path.removesuffix(SUFFIX)):
            with suppress(FileNotFoundError):
                os.unlink(path)
    return letters.take()


def send_letters(
    path: str,
    settings: DeliverySettings,
    *,
    limits: Limits,
    look: Callable[[int], object],
    say: Callable[[str], None],
) -> Sent | None:
    """Send the letters of a file that was taken again, and delete it if each has its outcome.

    Args:
        path: the file.
        settings: how to deliver, and where those go that are refused again.
        limits: when to give up.
        look: called ten times a second with the number of bytes that are done.
        say: tells trouble, a line at a time.

    Returns:
        What became of them; None if another retry has just done it.

    Raises:
        JournalError: another retry is at it.
        OSError: the file can't be read, or the journal not be written.
    """
    try:
        file = open(path, "rb")  # noqa: SIM115 - closed below
    except FileNotFoundError:
        return None
    with file:
        journal = Journal.open(path, file.fileno())
        try:
            if not _is_still(path, file.fileno()):
                journal.finish()
                return None
            lines = GivenLines(file, int(time.time()), journal.done, is_numbered=False)
            sent = send_lines(lines, settings, journal=journal, limits=limits, look=look, say=say)
            if sent.is_complete:
                os.unlink(path)  # before the journal: without one all of it would be sent again
                journal.finish()
        finally:
            journal.close()
    return sent


def _is_still(path: str, descriptor: int) -> bool:
    """Whether a file that was opened is still there: else another retry was done with it just before we began."""
    try:
        return os.path.samestat(os.stat(path), os.fstat(descriptor))
    except FileNotFoundError:
        return False
