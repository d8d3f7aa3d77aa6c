"""A request becomes stored messages, all of them, or one refusal."""

from collections.abc import Iterable
from typing import Any

from robotmia_logging.sandbox.api.answers import check_form
from robotmia_logging.sandbox.api.checked import Checked
from robotmia_logging.sandbox.api.operations import OPERATIONS
from robotmia_logging.sandbox.api.parameters import Parameters
from robotmia_logging.sandbox.api.refused import Refused
from robotmia_logging.sandbox.api.rules import check
from robotmia_logging.sandbox.api.updates import NO_IP
from robotmia_logging.sandbox.api.values import is_number, number_text
from robotmia_logging.sandbox.api.wire import Decoded, decode
from robotmia_logging.sandbox.store.records import Accepted, Arrival, Rejected
from robotmia_logging.sandbox.store.store import Store

_MAX_KEPT_DATA = 10_000  # characters of unreadable data: enough to look at
_MAX_KEPT_NAME = 255  # characters of what a refused message says it is


def take(arrival: Arrival, parameters: Parameters, store: Store, *, rejected: str = "") -> str:
    """Store what a request brought.

    Args:
        arrival: the request.
        parameters: its parameters.
        store: where its messages, or its refusal, are kept.
        rejected: why it is refused even if nothing is wrong with it.

    Returns:
        An empty string, or why the request was refused: then nothing of it was accepted.
    """
    try:
        check_form(parameters)
        decoded = decode(parameters.data, may_be_list=parameters.data_in_body)
    except Refused as refused:
        data = parameters.data[:_MAX_KEPT_DATA]
        store.refuse(arrival, Rejected(error=str(refused), what={"data": data}))
        return str(refused)
    refusal, accepted = _sift(arrival, parameters, decoded)
    if refusal is None and rejected:
        refusal = _refusal(decoded, 0, rejected)
    if refusal is not None:
        store.refuse(arrival, refusal)
        return refusal.error
    store.accept(arrival, accepted)
    return ""


def _sift(arrival: Arrival, parameters: Parameters, decoded: Decoded) -> tuple[Rejected | None, list[Accepted]]:
    """One invalid message refuses the whole batch; the error says which, counted from 0."""
    accepted = []
    # What is wrong with the request is said once, of its first message.
    of_request = [warning for warning in (parameters.warning, decoded.warning) if warning]
    for index, message in enumerate(decoded.messages):
        try:
            checked = check(arrival.endpoint, message, now=arrival.arrived)
        except Refused as refused:
            where = f"messages[{index}]: " if decoded.is_batch else ""
            return _refusal(decoded, index, f"{where}{refused}"), []
        accepted.append(_accepted(arrival, parameters, message, checked, () if index else of_request))
    return None, accepted


def _accepted(
    arrival: Arrival, parameters: Parameters, message: dict[str, Any], checked: Checked, warnings: Iterable[str]
) -> Accepted:
    if arrival.endpoint == "engage":
        ip, user = _update_ip(arrival, parameters, checked), checked.user
    else:
        # With ip=1 the address of the request stands in for a missing ip, and for a missing user.
        request_ip = arrival.client_ip if parameters.is_on("ip") else None
        ip, user = checked.ip or request_ip, checked.user or request_ip
        if user is None:
            checked.warnings.append("an event without distinct_id: robotmia asks for one in most events")
    return Accepted(
        message=message,
        event=checked.event,
        user=user,
        # The document's times are whole seconds: an update without one ties with one stamped in that second.
        time=arrival.arrived // 1 if checked.time is None else checked.time,
        ip=ip,
        alias=checked.alias,
        warnings=(*warnings, *checked.warnings),
    )


def _update_ip(arrival: Arrival, parameters: Parameters, checked: Checked) -> str | None:
    """Its own address, where "0" means none; else the request's, unless ip=0."""
    if checked.ip is not None:
        return None if checked.ip in (NO_IP, "") else checked.ip
    return None if parameters.values.get("ip") == "0" else arrival.client_ip


def _refusal(decoded: Decoded, index: int, error: str) -> Rejected:
    message = decoded.messages[index]
    event, user = _what_it_says(message) if isinstance(message, dict) else (None, None)
    return Rejected(error=error, what={"messages": decoded.messages}, event=event, user=user)


def _what_it_says(message: dict[str, Any]) -> tuple[str | None, str | None]:
    """The event or operation, and the user, of a message that may be anything."""
    event = message.get("event", next((key for key in message if key in OPERATIONS), None))
    properties = message.get("properties")
    user = properties.get("distinct_id") if isinstance(properties, dict) else message.get("$distinct_id")
    if is_number(user):
        user = number_text(user)
    return _text_or_none(event), _text_or_none(user)


def _text_or_none(value: Any) -> str | None:
    return value[:_MAX_KEPT_NAME] if isinstance(value, str) and value else None
