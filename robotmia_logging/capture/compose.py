"""A log call to messages: the vocabulary, the rules and the context put together."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from structlog.contextvars import get_contextvars

from robotmia_logging.capture.asked import Asked, is_a, own_extras, read, text
from robotmia_logging.capture.call import IS_EXTRA, Call, message_of_event, message_of_record, name_and_level
from robotmia_logging.capture.fields import MISSING
from robotmia_logging.capture.plain import PlainEvents
from robotmia_logging.capture.privacy import Hasher, Hidden, Privacy, Withheld
from robotmia_logging.capture.seal import About, BeforeSend, Captured, refusal, seal
from robotmia_logging.capture.vocabulary import SHAPED, SPECIAL
from robotmia_logging.messages import (
    ENGAGE,
    TRACK,
    Refused,
    alias_event,
    as_text,
    operations,
    transaction,
    unix_seconds,
)

if TYPE_CHECKING:
    from robotmia_logging.capture.filling import Filling
    from robotmia_logging.capture.patterns import Tell
    from robotmia_logging.capture.rules import Match, Rules


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptureSettings:
    """What of a door's options decides which messages a call gives."""

    token: str | None = field(repr=False)
    rules: Rules | None = None
    distinct_id: str | Callable[[Any], Any] | None = None
    properties: Mapping[str, Any] = field(default_factory=dict)
    privacy: Privacy = field(default_factory=Privacy)
    hasher: Hasher | None = field(default=None, repr=False)
    before_send: BeforeSend | None = None


class _Here(threading.local):
    """Whether this thread runs a callable of the user's. Not a set of threads: their numbers come again in a fork."""

    in_users_code = False


class Composer:
    """Turns calls into messages, by one door's settings.

    Args:
        settings: the options.
        trouble: told when a callable of the user's fails: what happened, and the error.

    Attributes:
        plain_events: the quick way for most calls that no rule matches; None where no call may take it.
    """

    def __init__(self, settings: CaptureSettings, trouble: Tell = lambda _cause, _error: None) -> None:
        self._settings = settings
        self._trouble = trouble
        self._rules = settings.rules or None
        self._has_users_code = settings.before_send is not None or callable(settings.distinct_id)
        self._not_loose = SPECIAL | SHAPED | settings.privacy.exclude
        self._before_send = None if settings.before_send is None else self._show
        self._hidden = self._hide(settings.privacy.hash)
        self._here = _Here()
        self.plain_events = self._plain_events()

    @property
    def has_rules(self) -> bool:
        """Whether a call that asks for nothing may be tracked."""
        return self._rules is not None

    @property
    def rules(self) -> Rules:
        """The rules."""
        if self._rules is not None:
            return self._rules
        from robotmia_logging.capture.rules import Rules  # noqa: PLC0415  (not imported without need)

        return Rules(())

    def match_record(self, record: logging.LogRecord) -> Match | None:
        """The rule that matches a LogRecord, if there is one: for most records one look-up, and they aren't read."""
        logger, level = name_and_level(record)
        concerned = None if self._rules is None else self._rules.concerning(logger, level)
        return None if concerned is None else concerned.match(level, *message_of_record(record), self._trouble)

    def match_event_dict(self, logger: str, level: int, event_dict: Mapping[str, Any]) -> Match | None:
        """The rule that matches a structlog call, if there is one; likewise."""
        concerned = None if self._rules is None else self._rules.concerning(logger, level)
        return None if concerned is None else concerned.match(level, *message_of_event(event_dict), self._trouble)

    def match_call(self, call: Call) -> Match | None:
        """The rule that matches a call, if there is one."""
        if self._rules is None:
            return None
        return self._rules.match(call.logger, call.level, call.template, call.rendered, self._trouble)

    def asking(self, call: Call) -> Set[str]:
        """The extras of a call that ask for messages."""
        return frozenset() if _is_muted(call) else read(call, own_extras(call, get_contextvars())).keys

    def compose(self, call: Call, match: Match | None) -> tuple[list[Captured], Set[str]]:
        """The messages of one call, in the order they leave, and the extras that asked for them.

        Never raises an Exception: what goes wrong with one message becomes its Refusal. Calls made by `before_send`
        and its like give none, or they would feed themselves.

        Args:
            call: the log call.
            match: the rule that matches it.
        """
        if _is_muted(call) or (self._has_users_code and self._here.in_users_code):
            return [], frozenset()
        if match is not None:
            match.rule.hits.add()
        return self.compose_unseen(call, match)

    def compose_unseen(self, call: Call, match: Match | None) -> tuple[list[Captured], Set[str]]:
        """What `compose` would give, without counting it."""
        try:
            return self._compose(call, match)
        except Exception as error:
            words = type(error).__name__ if self._settings.hasher else f"{type(error).__name__}: {as_text(error)}"
            unreadable = Refused("unreadable", f"the log call can't be read: {words}")
            return [refusal(unreadable, TRACK, None, None)], frozenset()

    def _compose(self, call: Call, match: Match | None) -> tuple[list[Captured], Set[str]]:
        context = get_contextvars()
        own = own_extras(call, context) if context else call.extras
        asked = read(call, own)
        rule = None if match is None or not match.rule.track else _filling(match, call, context)
        if rule is None and not asked.keys:
            return [], frozenset()
        privacy = None if match is None else match.rule.privacy  # that of a rule with track = false, too
        about = self._about(call, own, rule, context, privacy, lenient=not asked.keys)
        captured: list[Captured] = []
        if asked.alias is not None:
            alias = asked.alias
            captured.append(self._seal(TRACK, about, lambda: _alias(about, alias)))
        name = asked.event if asked.event is not None or rule is None else rule.event()
        if name is not None:
            captured.append(self._seal(TRACK, about, lambda: self._event(name, call, own, asked, rule, about, privacy)))
        if asked.profile is not None or rule is not None:
            captured += self._updates(asked, rule, about)
        if asked.revenue is not None:
            captured.append(self._revenue(asked.revenue, about))
        return captured, asked.keys

    def _plain_events(self) -> PlainEvents | None:
        """The quick way for plain events, unless there is more to be done to each of them."""
        settings, user = self._settings, self._settings.distinct_id
        changes = self._has_users_code or settings.privacy.hash or settings.privacy.sample < 1
        if changes or settings.token is None or callable(user) or (user is not None and not IS_EXTRA[user]):
            return None
        return PlainEvents(settings.token, settings.properties, settings.privacy, user)

    def _seal(self, endpoint: str, about: About, make: Callable[[], dict[str, Any]]) -> Captured:
        return seal(endpoint, about, make, self._before_send)

    def _hide(self, names: frozenset[str]) -> Hidden | None:
        hasher = self._settings.hasher
        return Hidden(hasher, names) if names and hasher is not None else None

    # --- who, when, where

    def _about(
        self,
        call: Call,
        own: Mapping[str, Any],
        rule: Filling | None,
        context: Mapping[str, Any],
        privacy: Privacy | None,
        *,
        lenient: bool,
    ) -> About:
        get = own.get
        said = get("time")
        hidden, share = self._hidden, self._settings.privacy.sample
        if privacy is not None:
            share = min(share, privacy.sample)
            if privacy.hash:
                hidden = self._hide(self._settings.privacy.hash | privacy.hash)
        return About(
            text(get("token")) or self._settings.token,
            self._user(call, own, rule, context),
            int(call.created) if said is None else _time(said, call, lenient=lenient),
            text(get("ip")) or text(context.get("ip")),
            get("ignore_time") is True,
            hidden,
            share,
        )

    def _user(self, call: Call, own: Mapping[str, Any], rule: Filling | None, context: Mapping[str, Any]) -> str | None:
        """The user: from the call, the rule, the context, the `distinct_id` option."""
        user = text(own.get("distinct_id"))
        if user is None and rule is not None:
            user = _found(rule.user())
        if user is None and context:
            user = text(context.get("distinct_id"))
        option = self._settings.distinct_id
        if user is None and option is not None:
            if isinstance(option, str):
                user = text(call.extras.get(option)) or text(context.get(option))
            else:
                user = self._ask_user(option, call)
        return user

    def _ask_user(self, function: Callable[[Any], Any], call: Call) -> str | None:
        try:
            with self._users_code():
                return text(function(call.source))
        except Exception as error:  # without a user an event still counts
            shown = error if self._hidden is None else Withheld(error)
            self._trouble("the callable given as distinct_id failed", shown)
            return None

    # --- events

    def _event(
        self,
        name: str,
        call: Call,
        own: Mapping[str, Any],
        asked: Asked,
        rule: Filling | None,
        about: About,
        privacy: Privacy | None,
    ) -> dict[str, Any]:
        properties: dict[str, Any] = {"token": about.token, "time": about.time}
        if about.user is not None:
            properties["distinct_id"] = about.user
        if about.ip is not None:
            properties["ip"] = about.ip
        properties.update(self._settings.properties)
        if rule is not None:
            said = [special for special in SPECIAL if text(own.get(special)) is not None]
            given = rule.properties(self._settings.privacy.exclude)
            _add(properties, (item for item in given if item[0] not in said))
        if asked.event is not None:  # a rule's event carries no loose extras: Django's hold whole requests
            loose = self._loose(call.extras, asked.keys)
            kept_back = frozenset() if privacy is None else privacy.exclude
            properties.update({name: loose[name] for name in loose.keys() - kept_back} if kept_back else loose)
        outright: Any = own.get("properties")
        if is_a(Mapping, outright):
            _add(properties, outright.items())
        return {"event": name, "properties": properties}

    def _loose(self, extras: Mapping[str, Any], keys: Set[str]) -> dict[str, Any]:
        """The extras that are nobody's: event properties, as `include` and `exclude` allow."""
        not_loose = self._not_loose
        loose = {name: value for name, value in extras.items() if name not in not_loose}
        shaped = SHAPED.intersection(extras)
        for name in shaped - keys if len(shaped) > len(keys) else ():
            if name not in self._settings.privacy.exclude and _is_strange(name, extras[name]):
                loose[name] = extras[name]
        include = self._settings.privacy.include
        return loose if include is None else {name: value for name, value in loose.items() if name in include}

    # --- profile updates

    def _updates(self, asked: Asked, rule: Filling | None, about: About) -> list[Captured]:
        """One update for each operation; a profile mapping that is refused is refused whole."""
        profile: Any = asked.profile
        if profile is None and rule is not None:
            profile = rule.profile()
        if profile is None or profile is MISSING:
            return []
        try:
            each = operations(profile)
        except Exception as error:  # Refused, or a mapping that raises
            given = _as_given(profile, about)
            return [refusal(_told(error, about, operations, given), ENGAGE, about, about.update(given))]
        return [self._seal(ENGAGE, about, partial(about.update, {name: value})) for name, value in each]

    def _revenue(self, revenue: Any, about: About) -> Captured:
        try:
            entry = transaction(revenue, unix_seconds(about.time))
        except Exception as error:
            told = _told(error, about, lambda again: transaction(again, unix_seconds(about.time)), revenue)
            return refusal(told, ENGAGE, about, about.update({"$append": {"$transactions": revenue}}))
        return self._seal(ENGAGE, about, partial(about.update, {"$append": {"$transactions": entry}}))

    # --- the user's code

    def _show(self, wire: dict[str, Any]) -> Any:
        with self._users_code():
            return self._settings.before_send(wire)  # type: ignore[misc]

    @contextmanager
    def _users_code(self) -> Iterator[None]:
        here = self._here
        here.in_users_code = True
        try:
            yield
        finally:
            here.in_users_code = False


def _filling(match: Match, call: Call, context: Mapping[str, Any]) -> Filling:
    from robotmia_logging.capture.filling import Filling  # noqa: PLC0415  (not imported without rules)

    return Filling(match, call, context)


def _as_given(profile: Any, about: About) -> dict[Any, Any]:
    """A refused profile beside who and when, as an update has it: what is wrong can be put right, and sent."""
    try:
        return dict(profile)
    except Exception:  # a mapping that raises: it would be rendered as text, where nothing can be hidden
        return {"profile": profile} if about.hidden is None else {}


def _told(error: Exception, about: About, check: Callable[[Any], object], content: Any) -> Exception:
    """An error whose words may quote values: if some are to be hidden, as it is with their hashes."""
    if about.hidden is None or not isinstance(error, Refused):
        return error
    try:
        check(about.hidden.wire(content))
    except Refused as again:
        return again
    except Exception:  # it can't be said without quoting
        pass
    return Refused(error.reason, "a value isn't what it should be")


def _is_muted(call: Call) -> bool:
    return call.extras.get("track") is False


def _alias(about: About, alias: str) -> dict[str, Any]:
    return alias_event(about.user or "", alias, about.token or "", about.time)


def _add(properties: dict[str, Any], given: Iterable[tuple[Any, Any]]) -> None:
    """Properties given by name win, special ones too, unless they are absent (None or "")."""
    for name, value in given:
        if name not in SPECIAL:
            properties[name] = value
        elif text(value) is not None:
            properties[name] = unix_seconds(value) if name == "time" else text(value)


def _is_strange(name: str, value: Any) -> bool:
    """Whether a key of the vocabulary is somebody's loose extra: not absent, and not of its stated form."""
    if name == "ignore_time":
        return value is not None and not is_a(bool, value)
    if name == "properties":
        return value is not None and not is_a(Mapping, value)
    return value is not None and value is not True and not (is_a(str, value) and not value)


def _time(said: Any, call: Call, *, lenient: bool) -> Any:
    """When it happened, in whole seconds; what is no time stays, to be refused, if the call asked for messages."""
    try:
        return unix_seconds(said)
    except Exception:
        return int(call.created) if lenient else said


def _found(filled: Any) -> str | None:
    return None if filled is MISSING else text(filled)
