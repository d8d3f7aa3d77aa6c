"""Messages for a store, without a server."""

from typing import Any

from robotmia_logging.sandbox.store.records import Accepted, Arrival, Endpoint, Rejected
from robotmia_logging.sandbox.store.store import Store


def keep(store: Store, endpoint: Endpoint, *messages: Accepted, arrived: float = 0.0, data: str = "") -> None:
    """One request with these messages."""
    store.accept(Arrival(endpoint=endpoint, arrived=arrived, data=data, data_size=len(data)), messages)


def refuse(store: Store, error: str, *, arrived: float = 0.0, **rejected: Any) -> None:
    store.refuse(
        Arrival(endpoint="track", arrived=arrived), Rejected(error=error, **{"what": {"data": "!"}, **rejected})
    )


def event(name: str = "E", user: str | None = "u", *, time: float = 0.0, **properties: Any) -> Accepted:
    message = {"event": name, "properties": {"token": "t", "distinct_id": user, **properties}}
    return Accepted(message=message, event=name, user=user, time=time)


def alias(new: str, user: str) -> Accepted:
    properties = {"token": "t", "distinct_id": user, "alias": new}
    message = {"event": "$create_alias", "properties": properties}
    return Accepted(message=message, event="$create_alias", user=user, time=0.0, alias=new)


def update(
    operation: str, value: Any, user: str = "u", *, time: float = 0.0, ip: str | None = None, **attributes: Any
) -> Accepted:
    message = {"$token": "t", "$distinct_id": user, "$ignore_time": True, **attributes, operation: value}
    return Accepted(message=message, event=operation, user=user, time=time, ip=ip)


def properties(store: Store, user: str = "u") -> dict[str, Any] | None:
    person = store.person(user)
    return None if person is None else person.properties
