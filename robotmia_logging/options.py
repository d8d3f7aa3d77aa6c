"""The options of both doors: what they are, what they allow, where else they come from.

All are plain values, so that a `dictConfig`, a TOML or a YAML file can give them.
"""

from __future__ import annotations

import os
import pkgutil
import re
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypedDict
from urllib.parse import urlsplit

from robotmia_logging.capture import (
    PRIVACY,
    SPECIAL,
    CaptureSettings,
    Hasher,
    Privacy,
    level_number,
)
from robotmia_logging.delivery import DeliverySettings
from robotmia_logging.errors import ConfigurationError
from robotmia_logging.messages import DEFAULT_URL, MAX_BATCH, RESERVED_PREFIX

if TYPE_CHECKING:
    from robotmia_logging.capture import Rule, Rules
    from robotmia_logging.delivery import Delivery
    from robotmia_logging.delivery.settings import OnAmbiguous, Overflow


class Options(TypedDict, total=False):
    """The keyword options of `RobotmiaHandler` and `RobotmiaProcessor`. The README's table says what each does."""

    token: str | None
    url: str | None
    enabled: bool | None
    level: int | str
    capacity: int
    flush_interval: float
    flush_level: int | str
    max_pending: int
    max_pending_bytes: int
    overflow: Overflow
    block_timeout: float
    senders: int
    timeout: float | tuple[float, float] | list[float]
    shutdown_timeout: float
    spool: str | os.PathLike[str] | None
    spool_max_bytes: int
    spool_fsync: float | None
    dead_letters: str | os.PathLike[str] | None
    on_ambiguous: OnAmbiguous
    rules: Iterable[Mapping[str, Any]] | str | os.PathLike[str] | None
    distinct_id: str | Callable[[Any], Any] | None
    properties: Mapping[str, Any] | None
    include: Iterable[str] | None
    exclude: Iterable[str] | None
    hash: Iterable[str] | None
    hash_key: str | None
    sample: float | None
    before_send: str | Callable[[dict[str, Any]], dict[str, Any] | None] | None
    import_auth: Mapping[str, str] | None
    request_ip: bool
    delivery: Delivery | None


class _Wrong(Exception):  # noqa: N818  (becomes a ConfigurationError, which names the option)
    """A value that isn't allowed; its text says what is."""


Check = Callable[[Any], Any]

_KEY_CHARACTERS = 16
"""Fewer can be tried out."""

_YEAR_S = 365 * 24 * 3600
"""The longest wait: what locks and sockets take ends somewhere behind it."""


def _whole(low: int, high: int | None = None) -> Check:
    allowed = f"give a whole number from {low} to {high}" if high else f"give a whole number of at least {low}"

    def check(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or value < low or (high and value > high):
            raise _Wrong(allowed)
        return value

    return check


def _seconds(*, zero: bool) -> Check:
    allowed = f"give a number of seconds, {'0 or more' if zero else 'more than 0'}, at most {_YEAR_S}"

    def check(value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= _YEAR_S:
            raise _Wrong(allowed)
        if value == 0 and not zero:
            raise _Wrong(allowed)
        return float(value)

    return check


def _one_of(*allowed: str) -> Check:
    def check(value: Any) -> Any:
        if value not in allowed:
            raise _Wrong(f"give one of {', '.join(map(repr, allowed))}")
        return value

    return check


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise _Wrong("give True or False")
    return value


def _timeout(value: Any) -> tuple[float, float]:
    positive = _seconds(zero=False)
    try:
        if isinstance(value, (list, tuple)):
            connect, read = value
            return positive(connect), positive(read)
        return positive(value), positive(value)
    except (_Wrong, ValueError):
        raise _Wrong("give seconds (more than 0), or a pair of them: to connect, and to read") from None


def _url(value: Any) -> str:
    if isinstance(value, str) and not any(character.isspace() for character in value):
        try:
            parts = urlsplit(value)
            named = parts.scheme in ("http", "https") and parts.hostname and "@" not in parts.netloc
            is_endpoint = parts.path.rstrip("/").endswith(("/track", "/engage", "/import"))
            if named and not is_endpoint and not parts.query and not parts.fragment:
                _ = parts.port  # raises for a port that is none
                return value
        except ValueError:
            pass
    raise _Wrong(f"give the API's base, such as {DEFAULT_URL!r}, without endpoint, user, password or query")


def _token(value: Any) -> str:
    # The API answers 1 for a wrong token too: one read from a file with its line's end would lose all, silently.
    if not isinstance(value, str) or not value or any(character.isspace() for character in value):
        raise _Wrong("give your project's token: a non-empty string without blanks or line ends")
    return value


def _expanded(value: Any, what: str) -> str:
    """A path, with `~` as the user's home."""
    path = os.fsdecode(value) if isinstance(value, (str, os.PathLike)) else ""
    if not path.strip() or "\0" in path:
        raise _Wrong(f"give the path of a {what}")
    path = os.path.expanduser(path)
    if path.startswith("~"):
        raise _Wrong(f"give the path of a {what}; nobody's home is {path.partition(os.sep)[0]}")
    return path


def _path(value: Any) -> str:
    path = _expanded(value, "file")
    if os.path.isdir(path) or not os.path.isdir(os.path.dirname(path) or "."):
        raise _Wrong("give the path of a file in a folder that exists")
    return path


def _folder(value: Any) -> str:
    path = os.path.abspath(_expanded(value, "folder"))
    if os.path.lexists(path) and not os.path.isdir(path):
        raise _Wrong("give the path of a folder; this is none")
    from robotmia_logging.delivery.spool.chain import SUPPORTED  # noqa: PLC0415  (not imported without a spool)

    if not SUPPORTED:
        raise _Wrong("a spool needs file locks, which this system lacks (fcntl)")
    return path


def _hash_key(value: Any) -> str:
    if not isinstance(value, str) or len(value) < _KEY_CHARACTERS or value != value.strip():
        raise _Wrong(f"give a secret of at least {_KEY_CHARACTERS} characters, without blanks around it")
    return value


def _properties(value: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise _Wrong("give a mapping of names and values")
    for name in value:
        if not isinstance(name, str) or name.startswith(RESERVED_PREFIX) or name in SPECIAL:
            raise _Wrong(f"{name!r} can't be a property of all events: names are strings, don't begin with 'mp_', "
                         f"and {', '.join(sorted(SPECIAL))} belong to each message")  # fmt: skip
    return dict(value)


def _form_fields(value: Any) -> dict[str, str]:
    if not isinstance(value, Mapping) or not all(isinstance(part, str) for item in value.items() for part in item):
        raise _Wrong('give a mapping of form fields, such as {"api_key": "..."}')
    if "data" in value:
        raise _Wrong("the form field 'data' holds the messages: give others")
    return dict(value)


def _callable(value: Any) -> Any:
    if isinstance(value, str):
        value = _resolved(value)
    if not callable(value):
        raise _Wrong("give a callable, or its place as 'ext://package.module.function'")
    return value


def _user(value: Any) -> Any:
    if isinstance(value, str) and value.startswith("ext://"):
        return _callable(value)
    if callable(value) or (isinstance(value, str) and value):
        return value
    raise _Wrong("give the name of an extra or context key, or a callable")


def _resolved(place: str) -> Any:
    try:
        return pkgutil.resolve_name(place.removeprefix("ext://"))
    except Exception as error:
        raise _Wrong(f"it can't be imported ({error}): give a callable, or 'ext://package.module.function'") from None


_DELIVERY: dict[str, Check] = {
    "url": _url,
    "capacity": _whole(1, MAX_BATCH),
    "flush_interval": _seconds(zero=False),
    "max_pending": _whole(1),
    "max_pending_bytes": _whole(1),
    "overflow": _one_of("drop_oldest", "drop_newest", "block"),
    "block_timeout": _seconds(zero=True),
    "senders": _whole(1, 64),
    "timeout": _timeout,
    "shutdown_timeout": _seconds(zero=True),
    "spool": _folder,
    "spool_max_bytes": _whole(64 * 1024),
    "spool_fsync": _seconds(zero=False),
    "dead_letters": _path,
    "on_ambiguous": _one_of("resend", "dead_letter"),
    "import_auth": _form_fields,
    "request_ip": _flag,
}
_CAPTURE: dict[str, Check] = {
    "token": _token,
    "distinct_id": _user,
    "properties": _properties,
    "before_send": _callable,
}
_HASH_KEY: dict[str, Check] = {"hash_key": _hash_key}
_OF_A_SPOOL = ("spool_max_bytes", "spool_fsync")
#: None means "as if it weren't given" for these.
_NONE_IS_DEFAULT = frozenset(
    {
        *("url", "spool", "spool_fsync", "dead_letters", "import_auth", "enabled", "rules", "delivery", "hash_key"),
        *_CAPTURE,
        *PRIVACY,
    }
)
_OTHERS = ("enabled", "level", "flush_level", "rules", "delivery")
_SECRET = re.compile("token|auth|key|secret|passw", re.IGNORECASE)
"""Options, misspelt ones too, whose values no error shows."""


class Given:
    """The options that a user gave, to be checked one after another."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        known = (*_CAPTURE, *PRIVACY, *_HASH_KEY, *_DELIVERY, *_OTHERS)
        for name, value in options.items():
            if name not in known:
                import difflib  # noqa: PLC0415  (for a mistake only)

                close = difflib.get_close_matches(name, known, 1)
                hint = f"did you mean {close[0]!r}?" if close else f"options are {', '.join(sorted(known))}"
                raise ConfigurationError(name, _showable(name, value, *close), f"there is no such option; {hint}")
        self._options = {
            name: _copied(value) for name, value in options.items() if value is not None or name not in _NONE_IS_DEFAULT
        }

    def get(self, name: str) -> Any:
        """An option as given, unchecked."""
        return self._options.get(name)

    def level(self, name: str, default: int) -> int:
        """A level by name or number."""
        return level_number(name, self._options[name]) if name in self._options else default

    def enabled(self) -> bool:
        """Whether the door does anything: the option, or `$ROBOTMIA_ENABLED`."""
        if "enabled" in self._options:
            return bool(_checked("enabled", self._options["enabled"], _flag))
        value = os.environ.get("ROBOTMIA_ENABLED", "").strip().lower()
        if value in ("", "1", "true", "yes", "on"):
            return True
        if value in ("0", "false", "no", "off"):
            return False
        raise ConfigurationError("$ROBOTMIA_ENABLED", value, "give 1, or 0 to switch off")

    def delivery(self) -> DeliverySettings:
        """The options of delivery."""
        values = self._checked(_DELIVERY)
        url = None if "url" in values else _from_environment("ROBOTMIA_URL", _url)
        if url is not None:
            values["url"] = url
        spool = values.setdefault("spool", _from_environment("ROBOTMIA_SPOOL", _folder))
        if spool is not None:
            values.setdefault("dead_letters", os.path.join(spool, "dead-letters.jsonl"))
        elif self.enabled():
            for name in _OF_A_SPOOL:
                if name in values:
                    raise ConfigurationError(name, values[name], "there is no spool: give `spool`, or $ROBOTMIA_SPOOL")
        return DeliverySettings(**values)

    def refuse_delivery(self) -> None:
        """A door that shares a delivery can't have options for one."""
        for name in _DELIVERY:
            if name in self._options:
                raise ConfigurationError(
                    name,
                    _showable(name, self._options[name]),
                    "it belongs to the door whose delivery is shared: give it there",
                )

    def capture(self, shared_token: str | None = None, *, enabled: bool) -> CaptureSettings:
        """The options of capture. A token is needed unless the door is switched off."""
        values = self._checked(_CAPTURE)
        if "token" not in values:
            values["token"] = shared_token or (_from_environment("ROBOTMIA_TOKEN", _token) if enabled else None)
        if enabled and values["token"] is None:
            raise ConfigurationError(
                "token", None, "give your project's token, or set $ROBOTMIA_TOKEN (or enabled=False for development)"
            )
        rules = self._options.get("rules")
        if rules is not None:
            values["rules"] = _rules(rules)
        privacy = self._privacy()
        return CaptureSettings(**values, privacy=privacy, hasher=self._hasher(privacy, values.get("rules", ())))

    def _privacy(self) -> Privacy:
        return Privacy(
            **{name: check(name, self._options[name]) for name, check in PRIVACY.items() if name in self._options}
        )

    def _hasher(self, privacy: Privacy, rules: Iterable[Rule]) -> Hasher | None:
        """What hashes; it needs a key if anything is to be hashed."""
        key = self._checked(_HASH_KEY).get("hash_key") or _from_environment("ROBOTMIA_HASH_KEY", _hash_key)
        if key is None and (privacy.hash or any(rule.privacy.hash for rule in rules)):
            allowed = (
                f"`hash` needs a key: give a secret of at least {_KEY_CHARACTERS} characters, or set $ROBOTMIA_HASH_KEY"
            )
            raise ConfigurationError("hash_key", None, allowed)
        return None if key is None else Hasher(key)

    def _checked(self, checks: Mapping[str, Check]) -> dict[str, Any]:
        return {
            name: _checked(name, self._options[name], check) for name, check in checks.items() if name in self._options
        }


def _rules(rules: Any) -> Rules:
    from robotmia_logging.capture import compile_rules, load_rules  # noqa: PLC0415  (not imported without rules)

    if isinstance(rules, (str, os.PathLike)):
        return load_rules(rules)
    if isinstance(rules, Mapping) or not isinstance(rules, Iterable):
        raise ConfigurationError("rules", rules, "give a list of rules, or the path of a TOML or JSON file")
    return compile_rules(list(rules))


def _from_environment(name: str, check: Check) -> Any:
    value = os.environ.get(name)
    return _checked(f"${name}", value, check) if value else None


def _checked(name: str, value: Any, check: Check) -> Any:
    try:
        return check(value)
    except _Wrong as wrong:
        raise ConfigurationError(name, _showable(name, value), str(wrong)) from None


def _showable(name: str, value: Any, *meant: str) -> Any:
    if isinstance(value, str) and "@" in value and "url" in name.lower():  # a password may stand before it
        return "..."
    return "..." if any(_SECRET.search(text) for text in (name, *meant)) else value


def _copied(value: Any) -> Any:
    """A copy of plain containers: later changes don't show.

    Read item by item, for a `dictConfig` hands over its own kinds of dict and list, which resolve `ext://` on access.
    """
    if isinstance(value, dict):
        return {key: _copied(value[key]) for key in value}
    if isinstance(value, (list, tuple)):
        items = [_copied(value[position]) for position in range(len(value))]
        return tuple(items) if isinstance(value, tuple) else items
    return value
