"""What the two doors have in common: options, capture, delivery, and the ways not to track a call."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Mapping, Set
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from robotmia_logging.capture import OWN_LOGGER, Call, Captured, Composer, is_carrier, is_own
from robotmia_logging.delivery import SENDING, THREAD_NAME, Delivery, Stats, switched_off
from robotmia_logging.diversion import Nowhere, Outlet, adopt
from robotmia_logging.errors import ConfigurationError
from robotmia_logging.messages import Message
from robotmia_logging.options import Given

if TYPE_CHECKING:
    from robotmia_logging.capture import Explanation, Match

_log = logging.getLogger(OWN_LOGGER)

PLACEHOLDER_TOKEN = "no-token"  # noqa: S105  (what it says)
"""In messages captured from a door that is switched off and was given no token."""


def _tell(line: str) -> None:
    # dictConfig imports us while it builds handlers, and then disables all loggers that it doesn't name: ours, too.
    _log.disabled = False
    _log.warning(line)


class SharedDelivery(Delivery):
    """A door's delivery, with what another door that shares it needs to know."""

    token: str | None = None
    enabled: bool = True


class Door:
    """One way in for log calls. `RobotmiaHandler` and `RobotmiaProcessor` each hold one."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        given = Given(options)
        self.level = given.level("level", logging.NOTSET)
        self.flush_level = given.level("flush_level", logging.ERROR)
        shared = given.get("delivery")
        if shared is None:
            self.enabled = given.enabled()
            settings = given.capture(enabled=self.enabled)
            transport = None if self.enabled else switched_off
            self.delivery = SharedDelivery(given.delivery(), say=_tell, transport=transport)
            self.delivery.token, self.delivery.enabled = settings.token, self.enabled
        else:
            if not isinstance(shared, SharedDelivery):
                raise ConfigurationError("delivery", shared, "give the `delivery` of another handler or processor")
            given.refuse_delivery()
            self.enabled = shared.enabled and given.enabled()
            settings = given.capture(shared.token, enabled=self.enabled)
            self.delivery = shared
        self.is_switched_off = not self.enabled
        if self.is_switched_off and settings.token is None:
            settings = replace(settings, token=PLACEHOLDER_TOKEN)
        self.composer = Composer(settings, self.delivery.trouble)
        self.plain_events = self.composer.plain_events if self.enabled else None
        self._own_outlet: Outlet = Nowhere() if self.is_switched_off else self.delivery
        self._outlet: Outlet = self._own_outlet
        adopt(self)

    def divert(self, outlet: Outlet | None) -> None:
        """Hand all messages to an outlet, those of a door that is switched off too; None: as it was set up."""
        # Whoever logs meanwhile finds a door that is on only with an outlet that takes messages.
        if outlet is None:
            self.enabled = not self.is_switched_off
            self._outlet = self._own_outlet
        else:
            self._outlet = outlet
            self.enabled = True

    def send(self, message: Message, level: int) -> None:
        """Send the message of a call of this level."""
        self._outlet.put(message)
        if level >= self.flush_level:
            self._outlet.hurry()

    def track(self, call: Call, match: Match | None) -> Set[str]:
        """Send what the call asks for, and the rule that matches it; gives the extras that asked for something.

        Raises no Exception.
        """
        sending = _is_sending(call)
        if is_own(call.logger) or (sending and is_carrier(call.logger)):
            return frozenset()
        captured, keys = self.composer.compose(call, None if sending else match)
        for item in captured:
            self._deliver(item)
        if captured and call.level >= self.flush_level:
            self._outlet.hurry()
        return keys

    def _deliver(self, item: Captured) -> None:
        if isinstance(item, Message):
            self._outlet.put(item)
        else:
            self._outlet.account(item)

    def explain(self, call: Call, obstacles: Iterable[str]) -> Explanation:
        """What would become of a call; nothing is sent or counted.

        Args:
            call: the log call.
            obstacles: what keeps it from coming this far.
        """
        from robotmia_logging.capture import explain  # noqa: PLC0415  (for people, and seldom)

        own = ["what robotmia_logging itself logs is never tracked"] if is_own(call.logger) else []
        obstacle = [] if not self.is_switched_off else ["switched off: enabled=False, or $ROBOTMIA_ENABLED"]
        return explain(self.composer, call).but((*obstacle, *own, *obstacles))

    def flush(self, timeout_s: float, url: str) -> bool:
        """Wait until what was accepted for this URL has its outcome; gives whether it has."""
        if self.is_switched_off or self.delivery.settings.url.rstrip("/") != url.rstrip("/"):
            return True
        return self.delivery.flush(timeout_s)

    def stats(self) -> Stats:
        """The account of every message."""
        stats = self.delivery.stats()
        return replace(stats, rules=self.composer.rules.hits()) if self.composer.has_rules else stats

    def describe(self) -> str:
        """The state in words; never the token."""
        if self.is_switched_off:
            return "switched off"
        delivery = self.delivery
        error = f", last error: {delivery.last_error}" if delivery.last_error else ""
        return f"to {delivery.settings.url}, {delivery.pending} pending{error}"


def _is_sending(call: Call) -> bool:
    """Whether it was logged amid a request: a rule on that would feed itself.

    Not only urllib3 logs there: a destructor may, when the garbage collector runs. What it says outright counts.
    """
    if SENDING and threading.get_ident() in SENDING:
        return True
    return getattr(call.source, "threadName", None) == THREAD_NAME  # behind a queue
