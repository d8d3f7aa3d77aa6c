"""Sandbox: a robotmia of one's own for a test, over real HTTP."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

from robotmia_logging.diversion import doors
from robotmia_logging.testing.active import active
from robotmia_logging.testing.assertions import Assertions, Findings
from robotmia_logging.testing.found import RefusedMessage, SentMessage, name_of

if TYPE_CHECKING:
    from robotmia_logging.sandbox.people.person import Person
    from robotmia_logging.sandbox.server import SandboxServer
    from robotmia_logging.sandbox.store.records import Entry, Filters
    from robotmia_logging.sandbox.store.store import Store

_Result = TypeVar("_Result")

_TIMEOUT_S = 2.0
_LOOK_S = 0.01
_FILTERS = ("event", "distinct_id", "endpoint", "since", "limit", "warnings", "search", "after", "before")


class Sandbox(Assertions):
    """A local robotmia on a free port, in a thread, for as long as the `with` block.

    What is asked of it, and what is asserted, comes after the doors of this process that send to it are flushed.
    Assertions that something was sent then wait for what other processes send. Those that nothing was fail while a
    door still holds messages.

    Args:
        timeout: how many seconds to wait for messages, at most.
        is_active: whether entering the block also enters `active()`.
        options: those of the server: `host`, `port` (a free one), `db` (a file to keep messages in), `max_messages`,
            `max_bytes`, `clock` (says when messages arrive).

    Raises:
        ImportError: the extra `robotmia_logging[sandbox]` isn't installed.
        OSError: on entering, when it can't listen.
    """

    def __init__(self, *, timeout: float = _TIMEOUT_S, is_active: bool = True, **options: Any) -> None:
        self._timeout_s = timeout
        self._is_active = is_active
        self._server = _server(**options)
        self._block = ExitStack()

    def __enter__(self) -> Sandbox:  # noqa: PYI034 - Self came with 3.11
        with ExitStack() as block:
            block.enter_context(self._server)
            if self._is_active:
                block.enter_context(self.active())
            self._block = block.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._block.close()

    def __repr__(self) -> str:
        return f"<Sandbox at {self.url}>"

    @contextmanager
    def active(self) -> Iterator[None]:
        """For the block, have assertions that name no sandbox be about this one.

        An outer `capture_messages` captures nothing meanwhile.
        """
        with active(self, None):
            yield

    @property
    def url(self) -> str:
        """What to give a handler or a processor as `url`."""
        return self._server.url

    @property
    def store(self) -> Store:
        """What arrived, as the server keeps it."""
        return self._server.store

    # --- what arrived

    def messages(self, **filters: Any) -> list[SentMessage]:
        """What was accepted, in order of arrival.

        Args:
            filters: `event`, `distinct_id` (aliases count as their original), `endpoint`, `since` (unix seconds or a
                `datetime`), `limit` (the newest so many), `warnings` (True: those with warnings), `search`, `after`,
                `before`: as `/sandbox/messages` takes them.

        Raises:
            TypeError: there is no such filter.
            ValueError: a filter can't have this value.
        """
        asked = _filters(filters, refused=False)
        self.flush()
        return [_sent(entry) for entry in self.store.entries(asked)]

    def refusals(self, **filters: Any) -> list[RefusedMessage]:
        """The messages of requests that were refused, in order of arrival; filters as those of `messages`."""
        asked = _filters(filters, refused=True)
        self.flush()
        return [message for entry in self.store.entries(asked) for message in _refused(entry)]

    def profile(self, distinct_id: str) -> Person | None:
        """A user: properties, events, aliases, revenue. None if nothing is known; an alias stands for its original."""
        self.flush()
        return self.store.person(distinct_id)

    def wait_for(self, count: int) -> list[SentMessage]:
        """Wait until so many messages have been accepted.

        Returns:
            All of them.

        Raises:
            AssertionError: fewer have, when `timeout` is over.
        """
        __tracebackhide__ = True
        _, (sent, _refused) = self._awaited(lambda findings: len(findings.sent) >= count)
        if len(sent) < count:
            head = f"{len(sent)} of {count} messages arrived within {self._timeout_s:g} s"
            raise AssertionError("\n".join([head, *self._hints()]))
        return list(sent)

    # --- what it is told

    def flush(self) -> bool:
        """Have the doors of this process that send here deliver what they hold; gives whether they did in time."""
        deadline = time.monotonic() + self._timeout_s
        ended = [
            door.flush(max(0.0, deadline - time.monotonic()), self.url) for door in doors()
        ]  # each, whatever comes
        return all(ended)

    def reset(self) -> None:
        """End all faults, wait for what is on its way, and forget everything."""
        self._server.set_faults(_faults({}))
        self.flush()
        self.store.clear()

    @contextmanager
    def faults(self, **faults: Any) -> Iterator[None]:
        """Fail for the block: see your tracking survive.

        Args:
            faults: `latency`, `fail` (`{503: 0.5}`: that status for half of the requests), `hang`, `reset`,
                `lose_reply`, `reject` (probabilities), `slow` (bytes a second), `refuse` (connections, for so many
                seconds), `retry_after`; `times` (only the next so many requests), `endpoint` (only there).

        Raises:
            ValueError: there is no such fault, or its value isn't allowed.
        """
        asked = _faults(faults)
        before = self._server.current_faults
        self._server.set_faults(asked)
        try:
            yield
        finally:
            self._server.set_faults(before)

    # --- for assertions

    def _look(self) -> Findings:
        __tracebackhide__ = True
        if not self.flush():
            head = f"messages of this process are still on their way after {self._timeout_s:g} s: they may yet arrive"
            raise AssertionError("\n".join([head, *self._hints()]))
        return self._found()

    def _found(self) -> Findings:
        entries = self.store.entries(_filters({}))
        return Findings(
            [_sent(entry) for entry in entries if entry.error is None],
            [message for entry in entries if entry.error is not None for message in _refused(entry)],
        )

    def _awaited(self, found: Callable[[Findings], _Result]) -> tuple[_Result, Findings]:
        deadline = time.monotonic() + self._timeout_s
        self.flush()
        while True:
            seen = self.store.last_id
            findings = self._found()
            result = found(findings)
            if result:
                return result, findings
            while self.store.last_id == seen:
                if time.monotonic() >= deadline:
                    return result, findings
                time.sleep(_LOOK_S)  # another process's messages: nothing here tells of them

    def _hints(self) -> list[str]:
        states = [door.describe() for door in doors()]
        if not states:
            return ["(there is no RobotmiaHandler and no RobotmiaProcessor in this process)"]
        return [f"(a handler or processor of this process: {state}; the sandbox is {self.url})" for state in states]


def _server(**options: Any) -> SandboxServer:
    try:
        from robotmia_logging.sandbox.server import SandboxServer  # noqa: PLC0415 - needs the extra
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package == "robotmia_logging":  # a defect of ours, no missing extra
            raise
        missing = f"Sandbox needs {package}, which isn't installed: pip install 'robotmia_logging[sandbox]'"
        raise ImportError(missing, name=error.name) from None
    return SandboxServer(**options)


def _faults(given: dict[str, Any]) -> Any:
    from robotmia_logging.sandbox.faults import Faults  # noqa: PLC0415 - beside the server

    return Faults.from_mapping(given)


def _filters(given: dict[str, Any], **fixed: Any) -> Filters:
    from starlette.datastructures import QueryParams  # noqa: PLC0415 - beside the server

    from robotmia_logging.sandbox.reading.filters import read_filters  # noqa: PLC0415 - beside the server

    if unknown := [name for name in given if name not in _FILTERS]:
        raise TypeError(f"{unknown[0]!r} is no filter; there are {', '.join(_FILTERS)}")
    query = {name: _as_parameter(value) for name, value in given.items() if value is not None}
    return read_filters(QueryParams(query), **fixed)


def _as_parameter(value: Any) -> str:
    """A filter's value as `/sandbox/messages` takes it, which checks it, too."""
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, float):
        return f"{value:.6f}"
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _sent(entry: Entry) -> SentMessage:
    return SentMessage(endpoint=entry.endpoint, message=entry.body, user=entry.distinct_id, warnings=entry.warnings)


def _refused(entry: Entry) -> list[RefusedMessage]:
    """The messages of a refused request; one without any, if none could be read."""
    return [
        RefusedMessage(
            reason="refused",
            error=entry.error or "",
            endpoint=entry.endpoint,
            event=name_of(message),
            distinct_id=_user(message),
            message=message,
        )
        for message in entry.body.get("messages") or [entry.body]
    ]


def _user(message: Any) -> str | None:
    if not isinstance(message, dict):
        return None
    properties = message.get("properties")
    user = properties.get("distinct_id") if isinstance(properties, dict) else message.get("$distinct_id")
    return None if user is None else str(user)
