"""A log call to messages: the vocabulary, the rules and the context put together."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from structlog.contextvars import get_contextvars

from robotmia_logging.capture.call import Call
from robotmia_logging.capture.fields import MISSING
from robotmia_logging.capture.rules import Rule, Rules, fill
from robotmia_logging.capture.vocabulary import SPECIAL, TRIGGERS
from robotmia_logging.messages import (
    ENGAGE,
    TRACK,
    Message,
    Refusal,
    Refused,
    alias_event,
    as_text,
    operations,
    plain,
    seal_event,
    seal_update,
    transaction,
    unix_seconds,
)
from robotmia_logging.messages.numbers import is_number

Captured = Message | Refusal
BeforeSend = Callable[[dict[str, Any]], "dict[str, Any] | None"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptureSettings:
    """What of a door's options decides which messages a call gives."""

    token: str | None
    rules: Rules = field(default_factory=lambda: Rules(()))
    distinct_id: str | Callable[[Any], Any] | None = None
    properties: Mapping[str, Any] = field(default_factory=dict)
    include: frozenset[str] | None = None
    exclude: frozenset[str] = frozenset()
    before_send: BeforeSend | None = None


class _Asked:
    """What a call, or the rule it matched, asks for; `keys` are the extras that did."""

    __slots__ = ("alias", "event", "keys", "profile", "revenue")

    def __init__(self) -> None:
        self.event: str | None = None
        self.alias: str | None = None
        self.profile: Mapping[Any, Any] | None = None
        self.revenue: Any = None
        self.keys: set[str] = set()

    def anything(self) -> bool:
        return bool(self.keys)


class _About:
    """Who, when, where: what all messages of one call share."""

    __slots__ = ("ignore_time", "ip", "time", "token", "user")

    def __init__(self, token: str | None, user: str | None, time: Any, ip: str | None, ignore_time: bool) -> None:
        self.token = token
        self.user = user
        self.time = time
        self.ip = ip
        self.ignore_time = ignore_time


class Composer:
    """Turns calls into messages, by one door's settings."""

    def __init__(self, settings: CaptureSettings) -> None:
        self._settings = settings
        self._rules = settings.rules if len(settings.rules) else None

    def __len__(self) -> int:
        return len(self._settings.rules)

    def concerns(self, logger: str, level: int) -> bool:
        """Whether a rule could match a call of this logger and level."""
        return self._rules is not None and self._rules.concern(logger, level)

    def compose(self, call: Call) -> tuple[list[Captured], set[str]]:
        """The messages of one call, in the order they leave, and the extras that asked for them.

        Never raises an Exception: what goes wrong with one message becomes its Refusal.
        """
        if call.extras.get("track") is False:
            return [], set()
        context = get_contextvars()
        asked = _asked(call, context)
        rule = self._rules.match(call) if self._rules else None
        if rule is not None and not rule.track:
            rule = None
        if rule is None and not asked.anything():
            return [], set()
        about = self._about(call, rule, context, lenient=not asked.anything())
        return [self._seal(build) for build in self._builds(call, asked, rule, about, context)], asked.keys

    def _about(self, call: Call, rule: Rule | None, context: Mapping[str, Any], *, lenient: bool) -> _About:
        extras = call.extras
        time = extras.get("time")
        if time is None or (lenient and not _is_time(time)):  # somebody else's extra of that name
            time = int(call.created)
        ip = _text(extras.get("ip"))
        return _About(
            _text(extras.get("token")) or self._settings.token,
            self._user(call, rule, context),
            time,
            ip if ip is not None else _text(context.get("ip")),
            extras.get("ignore_time") is True,
        )

    def _user(self, call: Call, rule: Rule | None, context: Mapping[str, Any]) -> str | None:
        """The user: from the call, the rule, the context, the `distinct_id` option."""
        said = call.extras.get("distinct_id")
        user = None if _is_from(context, "distinct_id", said) else _text(said)
        if user is None and rule is not None:
            found = fill(rule.distinct_id, call, context)
            user = None if found is MISSING else _text(found)
        if user is None:
            user = _text(context.get("distinct_id"))
        option = self._settings.distinct_id
        if user is None and option is not None:
            if isinstance(option, str):
                user = _text(call.extras.get(option, context.get(option)))
            else:
                user = _text(_called(option, call.source))
        return user

    def _builds(
        self, call: Call, asked: _Asked, rule: Rule | None, about: _About, context: Mapping[str, Any]
    ) -> Iterator[tuple[str, _About, Callable[[], dict[str, Any]]]]:
        """The messages to build: alias, event, updates, revenue. Each built apart, so that one can fail alone."""
        if asked.alias is not None:
            alias = asked.alias
            yield TRACK, about, lambda: alias_event(about.user or "", alias, about.token or "", about.time)
        event = asked.event
        if event is None and rule is not None:
            event = _rule_event(call, rule, context)
        if event is not None:
            name = event
            yield TRACK, about, lambda: self._event(name, call, asked, rule, about, context)
        profile = asked.profile
        if profile is None and rule is not None:
            filled = fill(rule.profile, call, context)
            profile = None if filled is MISSING else filled
        if profile is not None:
            yield from _updates(profile, about)
        if asked.revenue is not None:
            revenue = asked.revenue
            yield (
                ENGAGE,
                about,
                lambda: _update(about, "$append", {"$transactions": transaction(revenue, unix_seconds(about.time))}),
            )

    def _event(
        self,
        name: str,
        call: Call,
        asked: _Asked,
        rule: Rule | None,
        about: _About,
        context: Mapping[str, Any],
    ) -> dict[str, Any]:
        properties: dict[str, Any] = {"token": about.token, "time": about.time}
        if about.user is not None:
            properties["distinct_id"] = about.user
        if about.ip is not None:
            properties["ip"] = about.ip
        properties.update(self._settings.properties)
        if rule is not None:
            filled = {key: fill(value, call, context) for key, value in rule.properties.items()}
            _add(properties, {key: value for key, value in filled.items() if value is not MISSING})
        if asked.event is not None:  # a rule's event carries no loose extras: Django's hold whole requests
            properties.update(self._loose(call.extras, asked.keys))
        given = call.extras.get("properties")
        if isinstance(given, Mapping):
            _add(properties, given)
        return {"event": name, "properties": properties}

    def _loose(self, extras: Mapping[str, Any], keys: set[str]) -> dict[str, Any]:
        """The extras that are nobody's: event properties, as `include` and `exclude` allow."""
        include, exclude = self._settings.include, self._settings.exclude
        return {
            name: value
            for name, value in extras.items()
            if name not in SPECIAL
            and name not in keys
            and name not in exclude
            and (include is None or name in include)
            and not (name in _SHAPED and _has_shape(name, value))
        }

    def _seal(self, build: tuple[str, _About, Callable[[], dict[str, Any]]]) -> Captured:
        endpoint, about, make = build
        wire: Any = None
        try:
            wire = make()
            if self._settings.before_send is not None:
                wire = _before_send(self._settings.before_send, wire)
            return seal_event(wire) if endpoint == TRACK else seal_update(wire)
        except _Dropped as drop:
            return Refusal(drop.reason, drop.error, endpoint, wire, user=about.user, dropped=True)
        except Refused as refused:
            return Refusal(refused.reason, refused.error, endpoint, wire, user=about.user, time=_time(about.time))
        except Exception as error:
            return Refusal("unencodable", f"it can't be encoded: {as_text(error)}", endpoint, wire, user=about.user)


class _Dropped(Exception):  # noqa: N818  (a verdict, not an error)
    """`before_send` dropped the message, or failed."""

    def __init__(self, reason: str, error: str) -> None:
        self.reason = reason
        self.error = error


def _before_send(before_send: BeforeSend, wire: dict[str, Any]) -> dict[str, Any]:
    """Let the user redact or drop: on a copy of plain values, so that the caller's own objects stay as they are."""
    try:
        changed: Any = before_send(plain(wire))
    except Exception as error:
        raise _Dropped("before_send_error", f"before_send raised {type(error).__name__}: {as_text(error)}") from None
    if changed is None:
        raise _Dropped("before_send", "before_send returned None")
    if not isinstance(changed, dict):
        raise _Dropped("before_send_error", f"before_send returned {type(changed).__name__}, not a dict or None")
    return changed


def _asked(call: Call, context: Mapping[str, Any]) -> _Asked:
    """What stands in the call itself, in its stated form. Context never triggers."""
    asked = _Asked()
    for key in TRIGGERS & call.extras.keys():
        value = call.extras[key]
        if _is_from(context, key, value):
            continue
        if key == "track":
            if isinstance(value, (bool, str)):
                asked.keys.add(key)
                asked.event = as_text(call.template) if value is True else as_text(value)
        elif key == "event":
            if isinstance(value, str):
                asked.keys.add(key)
        elif key == "profile":
            if isinstance(value, Mapping):
                asked.keys.add(key)
                asked.profile = value
        elif key == "revenue":
            if _is_revenue(value):
                asked.keys.add(key)
                asked.revenue = value
        elif isinstance(value, str) and value and _has_own_user(call, context):
            asked.keys.add(key)
            asked.alias = value
    if "event" in asked.keys and not isinstance(call.extras.get("track"), str):
        asked.event = as_text(call.extras["event"])
    return asked


def _is_from(context: Mapping[str, Any], key: str, value: Any) -> bool:
    """Whether `merge_contextvars` put this key into the call: then it wasn't said there."""
    return key in context and context[key] is value


def _has_own_user(call: Call, context: Mapping[str, Any]) -> bool:
    said = call.extras.get("distinct_id")
    return _text(said) is not None and not _is_from(context, "distinct_id", said)


def _is_revenue(value: Any) -> bool:
    return is_number(value) or (isinstance(value, Mapping) and "$amount" in value)


def _rule_event(call: Call, rule: Rule, context: Mapping[str, Any]) -> str | None:
    filled = fill(rule.event, call, context)
    if filled is not MISSING:
        return as_text(filled)
    if rule.profile is not None and rule.event is None:
        return None
    return as_text(call.template)


def _updates(profile: Mapping[Any, Any], about: _About) -> Iterator[tuple[str, _About, Callable[[], dict[str, Any]]]]:
    """One update for each operation; a profile mapping that is refused is refused whole."""
    try:
        asked = operations(profile)
    except Exception as error:  # Refused, or a mapping that raises
        failure = error
        yield ENGAGE, about, partial(_fail, failure)
        return
    for operation, value in asked:
        yield ENGAGE, about, partial(_update, about, operation, value)


def _fail(error: Exception) -> dict[str, Any]:
    raise error


def _update(about: _About, operation: str, value: Any) -> dict[str, Any]:
    wire: dict[str, Any] = {"$token": about.token, "$distinct_id": about.user, "$time": about.time}
    if about.ip is not None:
        wire["$ip"] = about.ip
    if about.ignore_time:
        wire["$ignore_time"] = True
    wire[operation] = value
    return wire


def _add(properties: dict[str, Any], given: Mapping[Any, Any]) -> None:
    """Properties given by name win, special ones too, unless they are absent (None or "")."""
    for name, value in given.items():
        if name not in SPECIAL or (value is not None and value != ""):
            properties[name] = value


_SHAPED = frozenset({"ignore_time", "properties", "alias"})


def _has_shape(name: str, value: Any) -> bool:
    """Whether a key of the vocabulary has its stated form; else it is somebody's loose extra."""
    if name == "ignore_time":
        return isinstance(value, bool) or value is None
    if name == "properties":
        return isinstance(value, Mapping)
    return value is None or value == ""


def _text(value: Any) -> str | None:
    """An id as text; None and "" count as absent."""
    return None if value is None else (as_text(value) or None)


def _called(function: Callable[[Any], Any], source: Any) -> Any:
    try:
        return function(source)
    except Exception:  # the user's callable; without a user an event still counts
        return None


def _is_time(value: Any) -> bool:
    return _time(value) is not None


def _time(value: Any) -> int | None:
    try:
        return unix_seconds(value)
    except Exception:
        return None
