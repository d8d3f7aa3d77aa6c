"""What a failed assertion says: how the nearest message differs, or what there is instead."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from robotmia_logging.messages import ENGAGE
from robotmia_logging.testing.comparing import differences, nearest, update_differences
from robotmia_logging.testing.found import RefusedMessage, SentMessage

_NAMES = 10


def event_missing(
    event: str,
    properties: Mapping[str, Any],
    sent: Sequence[SentMessage],
    refused: Sequence[RefusedMessage],
    hints: Iterable[str],
) -> str:
    """Why no event is as expected."""
    lines = [f"no event {wanted(event, properties)} was tracked"]
    lines += [
        f"an {each.what} was {_verb(each)}: {each.error} ({each.reason})" for each in refused if each.event == event
    ]
    alike = [message for message in sent if message.event == event]
    candidates = [(message, differences(message.properties, properties)) for message in alike]
    lines += _closest("event", f" {event!r}", candidates)
    if not alike:
        lines += _instead(event, sent, hints)
    return "\n".join(lines)


def update_missing(
    distinct_id: str,
    operation: str,
    expected: Any,
    sent: Sequence[SentMessage],
    refused: Sequence[RefusedMessage],
    hints: Iterable[str],
) -> str:
    """Why no profile update is as expected."""
    lines = [f"no profile update of {distinct_id!r} with {operation}={expected!r} was sent"]
    lines += [
        f"an {each.what} was {_verb(each)}: {each.error} ({each.reason})"
        for each in refused
        if each.endpoint == ENGAGE and each.event in (operation, None) and each.distinct_id in (distinct_id, None)
    ]
    same = [message for message in sent if message.operation == operation]
    of_user = [message for message in same if is_of(message, distinct_id)]
    candidates = [(message, update_differences(operation, message.value, expected)) for message in of_user or same]
    if not of_user:
        candidates = [
            (message, [f"distinct_id: expected {distinct_id!r}, got {message.distinct_id!r}", *lines_of])
            for message, lines_of in candidates
        ]
    lines += _closest("update", f" with {operation}", candidates)
    if not same:
        lines += _instead(operation, sent, hints)
    return "\n".join(lines)


def too_many(what: str, count: str, found: Sequence[SentMessage]) -> str:
    """Why there are more, or fewer, than expected."""
    head = f"{what} was expected {count}, but there {_are(len(found))}"
    return "\n".join([head + (":" if found else ""), *_listed(found)])


def wanted(event: str, properties: Mapping[str, Any]) -> str:
    """An expectation in words."""
    given = ", ".join(f"{name}={value!r}" for name, value in properties.items())
    return f"{event!r} with {given}" if given else repr(event)


def is_of(message: SentMessage, distinct_id: str) -> bool:
    """Whether a message is of a user, as it was sent or, in a sandbox, by an alias."""
    return distinct_id in (message.distinct_id, message.user)


def _closest(kind: str, which: str, candidates: list[tuple[SentMessage, list[str]]]) -> list[str]:
    if not candidates:
        return []
    ranked = sorted(candidates, key=lambda candidate: len(candidate[1]))
    _, different = ranked[0]
    head = f"one {kind}{which}; it" if len(ranked) == 1 else f"{len(ranked)} {kind}s{which}; the nearest"
    return [f"there {'is' if len(ranked) == 1 else 'are'} {head} differs:", *(f"  {line}" for line in different)]


def _instead(name: str, sent: Sequence[SentMessage], hints: Iterable[str]) -> list[str]:
    if not sent:
        return ["nothing was sent at all", *hints]
    names = Counter(message.event or message.operation or "?" for message in sent)
    near = nearest(name, names)
    lines = [f"did you mean {near!r}?"] if near else []
    told = [f"{each!r} ({count} times)" if count > 1 else repr(each) for each, count in names.most_common(_NAMES)]
    more = f" and {len(names) - _NAMES} more" if len(names) > _NAMES else ""
    return [*lines, f"what was sent: {', '.join(told)}{more}"]


def _listed(found: Sequence[SentMessage]) -> list[str]:
    more = [f"  ... and {len(found) - _NAMES} more"] if len(found) > _NAMES else []
    return [f"  {message!r}" for message in found[:_NAMES]] + more


def _are(count: int) -> str:
    return {0: "is none", 1: "is one"}.get(count, f"are {count}")


def _verb(refused: RefusedMessage) -> str:
    return "dropped" if refused.dropped else "refused"
