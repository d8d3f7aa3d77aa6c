"""The assertions that a capture and a sandbox have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

from robotmia_logging.testing.comparing import as_user, check_name, differences, operations_of, update_differences
from robotmia_logging.testing.failing import event_missing, is_of, too_many, update_missing, wanted
from robotmia_logging.testing.found import RefusedMessage, SentMessage

_Result = TypeVar("_Result")


class Findings(NamedTuple):
    """What there is to be looked at."""

    sent: Sequence[SentMessage]
    refused: Sequence[RefusedMessage]


class Assertions(ABC):
    """Assertions about messages that were sent.

    Properties are those of the event, `distinct_id`, `time`, `ip` and `token` among them; there may be more than are
    named. A name that isn't an identifier goes in as `**{"Referred By": "Friend"}`.
    """

    @abstractmethod
    def _look(self) -> Findings:
        """What there is now."""

    @abstractmethod
    def _hints(self) -> list[str]:
        """Why there may be nothing, a line each."""

    def _awaited(self, found: Callable[[Findings], _Result]) -> tuple[_Result, Findings]:
        """The first result that is something, and what it was found in; or the last, if time is over."""
        findings = self._look()
        return found(findings), findings

    def assert_tracked(self, event: str, /, **properties: Any) -> SentMessage:
        """Assert that an event was tracked.

        Args:
            event: its name.
            properties: properties that it must have, as they were logged or as they are sent.

        Returns:
            The first such event.

        Raises:
            AssertionError: there is none; it says how the nearest differ, or what there is instead.
            TypeError: that is no name.
        """
        __tracebackhide__ = True
        check_name(event)
        found, (sent, refused) = self._awaited(lambda findings: _events(findings.sent, event, properties))
        if not found:
            raise AssertionError(event_missing(event, properties, sent, refused, self._hints()))
        return found[0]

    def assert_tracked_once(self, event: str, /, **properties: Any) -> SentMessage:
        """Assert that exactly one event has this name and these properties.

        Returns:
            That event.

        Raises:
            AssertionError: there is none, or more than one.
        """
        __tracebackhide__ = True
        return self.assert_tracked_times(1, event, **properties)[0]

    def assert_tracked_times(self, times: int, event: str, /, **properties: Any) -> list[SentMessage]:
        """Assert that exactly so many events have this name and these properties.

        Returns:
            These events, in order.

        Raises:
            AssertionError: there are fewer, or more.
        """
        __tracebackhide__ = True
        check_name(event)

        def enough(findings: Findings) -> list[SentMessage]:
            found = _events(findings.sent, event, properties)
            return found if len(found) >= times else []

        _, (sent, refused) = self._awaited(enough)
        found = _events(sent, event, properties)
        if not found and times:
            raise AssertionError(event_missing(event, properties, sent, refused, self._hints()))
        if len(found) != times:
            count = "once" if times == 1 else f"{times} times"
            raise AssertionError(too_many(f"event {wanted(event, properties)}", count, found))
        return found

    def assert_not_tracked(self, event: str, /, **properties: Any) -> None:
        """Assert that no event has this name and these properties.

        Raises:
            AssertionError: there is one.
        """
        __tracebackhide__ = True
        check_name(event)
        found = _events(self._look().sent, event, properties)
        if found:
            raise AssertionError(too_many(f"event {wanted(event, properties)}", "never", found))

    def assert_updated(self, distinct_id: str, profile: Mapping[str, Any], /) -> list[SentMessage]:
        """Assert that a user's profile was updated.

        Args:
            distinct_id: the user.
            profile: as a log call has it: ``{"$set": {"plan": "pro"}, "$add": {"logins": 1}}``, or names and values
                for `$set`. Each operation must have been sent with these names and values; it may have more.

        Returns:
            The update of each operation.

        Raises:
            AssertionError: one of them wasn't sent so.
            ValueError: names and operations are mixed, or there is no such operation.
            TypeError: that is no user, or no mapping.
        """
        __tracebackhide__ = True
        distinct_id = as_user(distinct_id)
        found = []
        for operation, expected in operations_of(profile).items():
            updates, (sent, refused) = self._awaited(
                lambda findings, operation=operation, expected=expected: _updates(  # type: ignore[misc]
                    findings.sent, distinct_id, operation, expected
                )
            )
            if not updates:
                hints = self._hints()
                raise AssertionError(update_missing(distinct_id, operation, expected, sent, refused, hints))
            found.append(updates[0])
        return found

    def assert_not_updated(self, distinct_id: str, profile: Mapping[str, Any] | None = None, /) -> None:
        """Assert that a user's profile wasn't updated at all, or by none of these operations.

        Raises:
            AssertionError: it was.
            ValueError: names and operations are mixed, or there is no such operation.
            TypeError: that is no user, or no mapping.
        """
        __tracebackhide__ = True
        distinct_id = as_user(distinct_id)
        sent = self._look().sent
        if profile is None:
            found = [message for message in sent if message.operation is not None and is_of(message, distinct_id)]
            what = f"an update of {distinct_id!r}"
        else:
            each = operations_of(profile).items()
            found = [message for item in each for message in _updates(sent, distinct_id, *item)]
            what = f"an update of {distinct_id!r} with {dict(profile)!r}"
        if found:
            raise AssertionError(too_many(what, "never", found))

    def assert_nothing_sent(self) -> None:
        """Assert that there is neither an event nor a profile update.

        Raises:
            AssertionError: there is one.
        """
        __tracebackhide__ = True
        sent = self._look().sent
        if sent:
            raise AssertionError(too_many("a message", "never", sent))


def _events(sent: Sequence[SentMessage], event: str, properties: Mapping[str, Any]) -> list[SentMessage]:
    return [each for each in sent if each.event == event and not differences(each.properties, properties)]


def _updates(sent: Sequence[SentMessage], distinct_id: str, operation: str, expected: Any) -> list[SentMessage]:
    return [
        message
        for message in sent
        if message.operation == operation
        and is_of(message, distinct_id)
        and not update_differences(operation, message.value, expected)
    ]
