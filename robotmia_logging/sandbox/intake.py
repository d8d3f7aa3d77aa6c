"""A request becomes stored messages, all of them, or one refusal."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from robotmia_logging.sandbox.answers import check_form
from robotmia_logging.sandbox.parameters import Parameters
from robotmia_logging.sandbox.rules import Endpoint, check
from robotmia_logging.sandbox.store import Message, Refusal, Store
from robotmia_logging.sandbox.wire import Decoded, Refused, decode

_MAX_KEPT_DATA = 10_000  # characters of unreadable data: enough to look at


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """A request as it came in: where, when (unix seconds), from which address, with which parameters."""

    endpoint: Endpoint
    arrived: float
    client_ip: str | None
    parameters: Parameters


def take(arrival: Arrival, store: Store) -> str:
    """Store what a request brought.

    Returns:
        An empty string, or why the request was refused: then nothing of it was accepted.
    """
    data = arrival.parameters.data
    what: dict[str, Any] = {"data": data[:_MAX_KEPT_DATA]}
    try:
        check_form(arrival.parameters)
        decoded = decode(data, may_be_list=arrival.parameters.data_in_body)
        what = {"messages": decoded.messages}
        _check_all(arrival, decoded)
    except Refused as refused:
        error = str(refused)
        store.refuse(Refusal(endpoint=arrival.endpoint, arrived=arrival.arrived, error=error, what=what))
        return error
    store.accept([_accepted(arrival, message) for message in decoded.messages])
    return ""


def _check_all(arrival: Arrival, decoded: Decoded) -> None:
    """One invalid message refuses the whole batch; the error says which, counted from 0."""
    for index, message in enumerate(decoded.messages):
        try:
            check(arrival.endpoint, message, now=arrival.arrived)
        except Refused as refused:
            where = f"messages[{index}]: " if decoded.is_batch else ""
            raise Refused(f"{where}{refused}") from None


def _accepted(arrival: Arrival, message: dict[str, Any]) -> Message:
    is_update = arrival.endpoint == "engage"
    alias = message["properties"]["alias"] if message.get("event") == "$create_alias" and not is_update else None
    return Message(
        endpoint=arrival.endpoint,
        arrived=arrival.arrived,
        user=_update_user(message) if is_update else _event_user(arrival, message["properties"]),
        ip=_update_ip(arrival, message) if is_update else _event_ip(arrival, message["properties"]),
        alias=None if alias is None else str(alias),
        message=message,
    )


def _update_user(message: Mapping[str, Any]) -> str:
    return str(message["$distinct_id"])


def _event_user(arrival: Arrival, properties: Mapping[str, Any]) -> str | None:
    """The user of an event; with ip=1 the address of the request stands in for a missing one."""
    user = str(properties.get("distinct_id", ""))
    return user or (arrival.client_ip if arrival.parameters.is_on("ip") else None)


def _event_ip(arrival: Arrival, properties: Mapping[str, Any]) -> str | None:
    """Its own address, else with ip=1 the request's, else none."""
    own: str = properties.get("ip", "")
    return own or (arrival.client_ip if arrival.parameters.is_on("ip") else None)


def _update_ip(arrival: Arrival, message: Mapping[str, Any]) -> str | None:
    """Its own address, where "0" means none; else the request's, unless ip=0."""
    if "$ip" in message:
        return None if message["$ip"] == "0" else str(message["$ip"])
    return None if arrival.parameters.values.get("ip") == "0" else arrival.client_ip
