"""Sends the lines of a file: reads no faster than they are delivered, and keeps account of each."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace

from robotmia_logging.delivery.delivery import Delivery
from robotmia_logging.delivery.resend.journal import Journal
from robotmia_logging.delivery.resend.lines import Item, Passed, Source
from robotmia_logging.delivery.resend.stream import ClosedError
from robotmia_logging.delivery.resend.work import YEAR_S, Ending, Limits, work
from robotmia_logging.delivery.settings import DeliverySettings
from robotmia_logging.delivery.stats import Stats
from robotmia_logging.messages import MAX_LINE_BYTES, Message

_MAX_PENDING, _MAX_PENDING_BYTES = 5_000, 2 * MAX_LINE_BYTES
_AHEAD, _AGAIN = 2_400, 1_200
"""Reading pauses when so many wait, and goes on when so few do: `put` looks for room only when half of it is taken."""
_LOOK_AGAIN_S = 0.1
_REFUSED_BYTES = 8 * 1024 * 1024
_LETTER_BYTES = 8 * 1024
"""What a refused line is reckoned to take in memory beside its own size."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What became of a file.

    Attributes:
        ending: how it ended.
        stats: what became of the lines.
        earlier: lines that had their outcome before.
        is_complete: whether all lines of the file have theirs.
        unwritten: dead letters that couldn't be written.
    """

    ending: Ending
    stats: Stats
    earlier: int
    is_complete: bool
    unwritten: int


class Account:
    """What has its outcome for good; of dead letters, those that are written.

    Attributes:
        has_news: set when there are more.
        count: how many lines.
        size: how much of the file, in the units of its places.
    """

    def __init__(self, journal: Journal | None) -> None:
        self._journal = journal
        self.has_news = threading.Event()
        self.count = 0
        self.size = 0

    def settled(self, items: Iterable[Item]) -> None:
        """These, too. Called by senders, under their lock."""
        items = list(items)
        if self._journal is not None:
            self._journal.settled(items)
        self.count += len(items)
        self.size += sum(item.place.end - item.place.start for item in items)
        self.has_news.set()

    def passed(self, passed: Passed) -> None:
        """Nothing of this is to be sent."""
        if self._journal is not None:
            self._journal.passed(passed.place)


def send_lines(
    lines: Source,
    settings: DeliverySettings,
    *,
    journal: Journal | None = None,
    limits: Limits,
    look: Callable[[int], object],
    say: Callable[[str], None],
) -> Sent:
    """Send what is still to be sent of a file.

    Args:
        lines: the file's; those that are passed over, too.
        settings: how to deliver it, and where dead letters go.
        journal: told of what has its outcome.
        limits: when to give up.
        look: called ten times a second with the number of bytes of the file that are done.
        say: tells trouble, a line at a time.

    Raises:
        OSError: the file can't be read, or the journal not be written, any more.
    """
    account = Account(journal)
    delivery = Delivery(_for_files(settings), say=say, settled=account.settled)

    is_read = threading.Event()

    def feed(stop: threading.Event) -> None:
        with suppress(ClosedError):
            if _feed(delivery, lines, account, stop):
                is_read.set()
                delivery.flush(YEAR_S)

    def see() -> None:
        if journal is not None and journal.error is not None:
            raise journal.error
        look(lines.passed_bytes + account.size // lines.units)

    ending = work(delivery, feed, limits, see)
    see()
    stats = delivery.stats()
    is_all_read = is_read.is_set() and not stats.pending
    return Sent(
        ending=Ending.DONE if is_all_read else ending,
        stats=stats,
        earlier=lines.earlier,
        is_complete=is_all_read and account.count == stats.accepted,
        unwritten=stats.accepted - stats.pending - account.count,
    )


def _feed(delivery: Delivery, lines: Source, account: Account, stop: threading.Event) -> bool:
    """Hand the lines over; False if it was to stop before the last one."""
    refused_bytes = 0
    for item in lines:
        if stop.is_set():
            return False
        if isinstance(item, Message):
            delivery.put(item)  # waits for room
            if delivery.pending >= _AHEAD:
                _pause(delivery, account, stop)
            continue
        if isinstance(item, Passed):
            account.passed(item)
            continue
        delivery.account(item)
        refused_bytes += _LETTER_BYTES + (item.place.end - item.place.start) // lines.units
        if refused_bytes > _REFUSED_BYTES:  # written here, for nobody else may come to it before there are too many
            refused_bytes = 0
            delivery.stats()
            delivery.tidy()
    return True


def _pause(delivery: Delivery, account: Account, stop: threading.Event) -> None:
    """Wait until few messages wait: reading and sending in turns is faster than both at every message."""
    account.has_news.clear()
    while delivery.pending > _AGAIN and not stop.is_set():
        account.has_news.wait(_LOOK_AGAIN_S)
        account.has_news.clear()


def _for_files(settings: DeliverySettings) -> DeliverySettings:
    """These settings, such that reading waits for delivery, and nothing is dropped, nor waited for at exit."""
    return replace(
        settings,
        spool=None,
        overflow="block",
        block_timeout=YEAR_S,
        max_pending=min(_MAX_PENDING, settings.max_pending),
        max_pending_bytes=_MAX_PENDING_BYTES,
        shutdown_timeout=0.0,  # what isn't delivered is still in the file
    )
