"""The document's rules for profile updates."""

from typing import Any

from robotmia_logging.sandbox.api.checked import Checked
from robotmia_logging.sandbox.api.operations import OPERATIONS, check_operation
from robotmia_logging.sandbox.api.refused import Refused, need, show
from robotmia_logging.sandbox.api.times import read_time
from robotmia_logging.sandbox.api.values import Object, is_number, is_text, named, read_id

ATTRIBUTES = frozenset({"$token", "$distinct_id", "$ip", "$time", "$ignore_time"})
NO_IP = "0"


def check_update(message: Object) -> Checked:
    """Check a profile update.

    Raises:
        Refused: with the first thing that is wrong.
    """
    need(is_text(message.get("$token")), "$token", "a non-empty string", message.get("$token"))
    warnings: list[str] = []
    user = read_id("$distinct_id", message.get("$distinct_id"), warnings)
    ip = _read_ip(message["$ip"], warnings) if "$ip" in message else None
    time = read_time("$time", message["$time"], warnings, is_whole=True) if "$time" in message else None
    ignore = message.get("$ignore_time", False)
    need(isinstance(ignore, bool), "$ignore_time", "true or false", ignore)
    operation = _read_operation(message, warnings)
    check_operation(operation, message[operation], warnings)
    return Checked(event=operation, user=user, time=time, ip=ip, warnings=warnings)


def _read_ip(value: Any, warnings: list[str]) -> str:
    if is_number(value) and value == 0:
        warnings.append('$ip is the number 0: robotmia expects the string "0"')
        return NO_IP
    need(isinstance(value, str), "$ip", "a string", value)
    return str(value)


def _read_operation(message: Object, warnings: list[str]) -> str:
    """The one operation; what else stands beside it is refused when it may be a second one, else ignored."""
    operations = [key for key in message if key in OPERATIONS]
    others = [key for key in message if key not in OPERATIONS and key not in ATTRIBUTES]
    undocumented = [key for key in others if key.startswith("$")]
    if doubtful := [key for key in undocumented if not operations or _may_be_operation(key, message[key])]:
        raise Refused(f"{show(doubtful[0])} is neither an operation nor an attribute of an update")
    if len(operations) != 1:
        found = ", ".join(operations) or "none"
        raise Refused(f"an update must have exactly one operation ({', '.join(OPERATIONS)}), not {found}")
    if undocumented:
        warnings.append(f"{named(undocumented)}: robotmia documents no such attribute of an update")
    if plain := [key for key in others if not key.startswith("$")]:
        warnings.append(f"{named(plain)}: ignored, properties belong in the operation {operations[0]}")
    return operations[0]


def _may_be_operation(key: str, value: Any) -> bool:
    """Operations take objects and lists; `$mp_...` are what mobile clients note about themselves."""
    return isinstance(value, dict | list) and not key.startswith("$mp_")
