"""The document's rules for events."""

from robotmia_logging.sandbox.api.checked import Checked
from robotmia_logging.sandbox.api.dates import DATE_FORM, nearly_dates
from robotmia_logging.sandbox.api.refused import Refused, must_be, need
from robotmia_logging.sandbox.api.times import read_time
from robotmia_logging.sandbox.api.values import Object, is_text, named, read_id

MAX_EVENT_NAME = 255  # the sandbox's own: something only the server can know
_RESERVED = "mp_"
_PARTS = frozenset({"event", "properties"})


def check_event(message: Object) -> Checked:
    """Check an event.

    Raises:
        Refused: with the first thing that is wrong.
    """
    name = message.get("event")
    need(is_text(name), "event", "a non-empty string", name)
    checked = Checked(event=str(name))
    if len(checked.event) > MAX_EVENT_NAME:
        raise Refused(f"event name is longer than {MAX_EVENT_NAME} characters")
    properties = message.get("properties")
    if not isinstance(properties, dict):
        raise must_be("properties", "an object", properties)
    _read_special(properties, checked)
    if name == "$create_alias":
        _read_alias(properties, checked)
    _warn_of_names(message, properties, checked.warnings)
    if texts := nearly_dates(properties):
        checked.warnings.append(f"{named(texts)}: read as text, not as a date, which has the form {DATE_FORM} (UTC)")
    return checked


def _read_special(properties: Object, checked: Checked) -> None:
    """The special properties: token, distinct_id, time, ip."""
    need(is_text(properties.get("token")), "token", "a non-empty string", properties.get("token"))
    user = properties.get("distinct_id", "")
    if user != "":
        checked.user = read_id("distinct_id", user, checked.warnings)
    if "time" in properties:
        checked.time = read_time("time", properties["time"], checked.warnings)
    ip = properties.get("ip", "")
    need(isinstance(ip, str), "ip", "a string", ip)
    checked.ip = ip or None


def _read_alias(properties: Object, checked: Checked) -> None:
    user = properties.get("distinct_id")
    need(checked.user is not None, "distinct_id of an alias", "a non-empty string", user)
    checked.alias = read_id("alias", properties.get("alias"), checked.warnings)


def _warn_of_names(message: Object, properties: Object, warnings: list[str]) -> None:
    if reserved := [name for name in properties if name.startswith(_RESERVED)]:
        warnings.append(f'{named(reserved)}: robotmia asks for names that don\'t begin with "{_RESERVED}"')
    if message.keys() != _PARTS:
        others = [key for key in message if key not in _PARTS]
        warnings.append(f"{named(others)}: an event has event and properties, nothing else is read")
