"""What the document says of a message: refused, accepted, or accepted with warnings, at which endpoint."""

from typing import Any

from robotmia_logging.sandbox.api.checked import Checked
from robotmia_logging.sandbox.api.events import check_event
from robotmia_logging.sandbox.api.operations import OPERATIONS
from robotmia_logging.sandbox.api.refused import Refused, must_be
from robotmia_logging.sandbox.api.updates import ATTRIBUTES, check_update
from robotmia_logging.sandbox.api.values import Object
from robotmia_logging.sandbox.store.records import Endpoint

MAX_AGE_S = 5 * 24 * 3600
_OF_UPDATES = ATTRIBUTES | OPERATIONS.keys()


def check(endpoint: Endpoint, message: Any, *, now: float) -> Checked:
    """Check one message against the document.

    Args:
        endpoint: where it was sent.
        message: any JSON value.
        now: the time of arrival, in unix seconds.

    Raises:
        Refused: with the first thing that is wrong.
    """
    if not isinstance(message, dict):
        raise must_be("a message", "a JSON object", message)
    _check_door(endpoint, message)
    if endpoint == "engage":
        return check_update(message)
    checked = check_event(message)
    if endpoint == "track" and checked.time is not None and now - checked.time > MAX_AGE_S:
        raise Refused("the event is more than 5 days old: send it to /import/")
    return checked


def _check_door(endpoint: Endpoint, message: Object) -> None:
    if endpoint == "engage":
        if "event" in message:
            raise Refused("an event belongs at /track/ or /import/, not here")
    elif "event" not in message and (of_update := sorted(_OF_UPDATES & message.keys())):
        raise Refused(f"a profile update ({of_update[0]}) belongs at /engage/, not here")
