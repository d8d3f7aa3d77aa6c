"""capture_messages: what log calls send, without a network."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, overload

import orjson

from robotmia_logging.diversion import doors
from robotmia_logging.handler import RobotmiaHandler
from robotmia_logging.messages import Message, Refusal
from robotmia_logging.testing.active import active
from robotmia_logging.testing.assertions import Assertions, Findings
from robotmia_logging.testing.found import RefusedMessage, SentMessage, name_of
from robotmia_logging.testing.switched_off_chains import remember_switched_off_chains

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from robotmia_logging.options import Options

remember_switched_off_chains()


class CapturedMessages(Assertions, Sequence[SentMessage]):
    """The messages captured so far, in the order they were sent: a sequence, with assertions.

    Attributes:
        refused: the messages that were refused or dropped instead.
    """

    def __init__(self) -> None:
        self._sent: list[SentMessage] = []
        self.refused: list[RefusedMessage] = []

    @overload
    def __getitem__(self, place: int) -> SentMessage: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[SentMessage]: ...
    def __getitem__(self, place: int | slice) -> SentMessage | Sequence[SentMessage]:
        return self._sent[place]

    def __len__(self) -> int:
        return len(self._sent)

    def __repr__(self) -> str:
        refused = f", refused: {self.refused!r}" if self.refused else ""
        return f"<captured: {self._sent!r}{refused}>"

    @property
    def events(self) -> list[SentMessage]:
        """The events."""
        return [message for message in self._sent if message.event is not None]

    @property
    def updates(self) -> list[SentMessage]:
        """The profile updates."""
        return [message for message in self._sent if message.event is None]

    def clear(self) -> None:
        """Forget what was captured so far, to look at what comes next."""
        self._sent.clear()
        self.refused.clear()

    def _look(self) -> Findings:
        return Findings(list(self._sent), list(self.refused))

    def _hints(self) -> list[str]:
        if doors():
            return [
                "(a log call is tracked if it has track=True or the like or a rule, and if its level lets it through)"
            ]
        return [
            (
                "(there is no RobotmiaHandler and no RobotmiaProcessor in this process;"
                " capture_messages(level='INFO') puts one on the root logger)"
            )
        ]


class _Capture:
    """The outlet that fills `CapturedMessages`; called from any thread."""

    def __init__(self, captured: CapturedMessages) -> None:
        self._captured = captured

    def put(self, message: Message) -> None:
        """Take a message."""
        self._captured._sent.append(SentMessage(endpoint=message.endpoint, message=orjson.loads(message.body)))  # noqa: SLF001

    def account(self, refusal: Refusal) -> None:
        """Take the account of one that was refused or dropped."""
        self._captured.refused.append(
            RefusedMessage(
                reason=refusal.reason,
                error=refusal.error,
                endpoint=refusal.endpoint,
                event=name_of(refusal.wire),
                distinct_id=refusal.user,
                dropped=refusal.dropped,
                message=refusal.wire,
            )
        )

    def hurry(self) -> None:
        """Nothing waits."""


@contextmanager
def capture_messages(**options: Unpack[Options]) -> Iterator[CapturedMessages]:
    """Capture, for the block, what all handlers and processors of this process would send; nothing is delivered.

    Those that are made within the block count, too, and those that are switched off (`enabled=False`,
    `ROBOTMIA_ENABLED=0`); from any thread. Their `stats()` don't count what is captured. What was pending before isn't
    captured, and is delivered as ever. Of nested captures the innermost gets the messages.

    Args:
        options: any option of a RobotmiaHandler (`rules=...`, `level="INFO"`) puts one on the root logger for the
            block: for programs that have none in their tests. The root logger's level is then at most the handler's,
            `"INFO"` if it has none.

    Yields:
        What was captured so far; after the block, all of it.

    Raises:
        ConfigurationError: an option is unknown, or its value isn't allowed.
    """
    captured = CapturedMessages()
    with ExitStack() as stack:
        if options:
            stack.enter_context(_door_on_root({"level": "INFO", **options}))
        stack.enter_context(active(captured, _Capture(captured)))
        yield captured


@contextmanager
def _door_on_root(options: dict[str, Any]) -> Iterator[None]:
    handler = RobotmiaHandler(**{**options, "enabled": False})
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(min(level, handler.level) if level else handler.level)
    try:
        yield
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
        handler.close()
