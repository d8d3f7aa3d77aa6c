"""Consent and privacy by configuration: include, exclude, hash, sample."""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.contextvars import bound_contextvars

from robotmia_logging import ConfigurationError, RobotmiaHandler
from robotmia_logging.capture.privacy import Hasher, is_sampled
from tests.doors import StdlibDoor, both

KEY = "a key for tests only"
USERS = [f"user-{number}" for number in range(200)]


def hashed(text):
    return hmac.new(KEY.encode(), text.encode(), hashlib.sha256).hexdigest()


def sent(door):
    return {name: value for name, value in door.properties().items() if name not in ("token", "time")}


def test_unkeyed_hash_is_refused(monkeypatch):
    """`hash` needs a key: from the option or the environment."""
    monkeypatch.delenv("ROBOTMIA_HASH_KEY", raising=False)
    with pytest.raises(ConfigurationError, match=r"or set \$ROBOTMIA_HASH_KEY") as caught:
        RobotmiaHandler(token="T", hash=["email"])
    assert caught.value.option == "hash_key"
    monkeypatch.setenv("ROBOTMIA_HASH_KEY", "short")
    with pytest.raises(ConfigurationError, match="at least 16 characters") as caught:
        RobotmiaHandler(token="T", hash=["email"])
    assert caught.value.option == "$ROBOTMIA_HASH_KEY"
    monkeypatch.setenv("ROBOTMIA_HASH_KEY", KEY)
    RobotmiaHandler(token="T", hash=["email"]).close()


@both
def test_hashed_values_can_be_joined_but_not_read(opened):
    """A name's value is hashed wherever it stands: events, updates, lists, nested; equal values have equal hashes."""
    with opened(hash=["email", "$email"], hash_key=KEY) as door:
        door.log(
            "x",
            track="X",
            distinct_id="ada",
            email="ada@example.com",
            contacts=[{"email": ["bob@example.com", "", None]}],
            profile={"$set": {"$email": "ada@example.com", "n": 1}, "$unset": ["email"]},
            revenue={"$amount": 5, "email": "ada@example.com"},
        )
        ada, bob = hashed("ada@example.com"), hashed("bob@example.com")
        assert sent(door) == {"distinct_id": "ada", "email": ada, "contacts": [{"email": [bob, "", None]}]}
        change, unset, paid = door.updates()
        assert change["$set"] == {"$email": ada, "n": 1}
        assert unset["$unset"] == ["email"]
        assert paid["$append"]["$transactions"]["email"] == ada
        assert "example.com" not in json.dumps(door.server.taken)


@both
def test_hashed_user_is_one_user_everywhere(opened):
    """`distinct_id` hashed is so in events, updates and aliases; numbers as their text."""
    with opened(hash=["distinct_id"], hash_key=KEY) as door:
        door.log("x", track=True, distinct_id=7, alias="seven", profile={"a": 1})
        alias, event = door.events()
        assert alias["properties"]["distinct_id"] == event["properties"]["distinct_id"] == hashed("7")
        assert alias["properties"]["alias"] == hashed("seven")
        assert door.update()["$distinct_id"] == hashed("7")


@both
def test_hash_comes_after_before_send(opened):
    """What `before_send` puts there is hashed as well: nothing gets past."""
    add = {"before_send": lambda message: {**message, "properties": {**message["properties"], "email": "x@y"}}}
    with opened(hash=["email"], hash_key=KEY, **add) as door:
        door.log("x", track=True)
        assert sent(door)["email"] == hashed("x@y")


def test_dead_letters_hold_hashes(tmp_path):
    """A message that is refused is written down hashed, its user too."""
    letters = tmp_path / "dead.jsonl"
    with StdlibDoor(hash=["email", "distinct_id"], hash_key=KEY, dead_letters=str(letters)) as door:
        door.log("x", profile={"$add": {"n": "many"}, "$set": {"email": "ada@example.com"}}, distinct_id="ada")
        door.log("x", profile={"$set": {"email": "ada@example.com"}, "a": 1}, distinct_id="ada")
        door.log("x", event="X", email="ada@example.com", mp_a=1, distinct_id="ada")
        door.door.flush()
    text = letters.read_text()
    assert len(text.splitlines()) == 3
    assert '"ada' not in text
    assert hashed("ada") in text


CLEAR = "ada@example.com"


class Unreadable(dict):
    """A profile that can't be copied, and says what is in it."""

    def keys(self):
        raise ValueError(CLEAR)

    def __iter__(self):
        raise ValueError(CLEAR)

    def __repr__(self):
        return CLEAR


@pytest.mark.parametrize(
    "extras",
    [
        {"profile": {"$add": {"email": CLEAR}}},
        {"profile": {"$add": {"email": CLEAR}, "a": 1}},
        {"profile": {"$set": [("email", CLEAR)]}},
        {"profile": {"$union": {"email": CLEAR}}},
        {"profile": Unreadable()},
        {"revenue": {"$amount": float("nan"), "email": CLEAR}},
        {"event": "X", "email": CLEAR, "mp_a": 1},
        {"event": "X", "properties": {"email": CLEAR, "time": "soon"}},
    ],
    ids=lambda extras: str(extras)[:40],
)
def test_nothing_of_a_refused_message_is_clear(extras, tmp_path, caplog):
    """Hashed values are in clear nowhere: not in dead letters and their errors, the spool, reports, or `stats()`."""
    with StdlibDoor(hash=["email", "distinct_id"], hash_key=KEY, spool=str(tmp_path)) as door:
        door.log("x", distinct_id=CLEAR, **extras)
        spooled = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
        door.door.flush()
        assert sum(door.door.stats().dead_lettered.values()) == 1
        shown = repr(door.door.stats()) + caplog.text
    written = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert CLEAR.encode() not in spooled + written
    assert CLEAR not in shown


def test_code_of_the_users_that_fails_quotes_nothing(caplog):
    """What `before_send` or a `distinct_id` callable raises may quote the message: only its kind is told."""

    def fail(seen):
        raise KeyError(str(vars(seen) if isinstance(seen, logging.LogRecord) else seen))

    with StdlibDoor(hash=["email"], hash_key=KEY, before_send=fail, distinct_id=fail) as door:
        door.log("x", event="X", email=CLEAR)
        assert door.door.flush()
        assert door.door.stats().dropped == {"before_send_error": 1}
        assert CLEAR not in caplog.text + repr(door.door.stats())
    assert "KeyError" in caplog.text


def test_the_special_property_is_the_user(tmp_path):
    """`hash = ["$distinct_id"]` means `distinct_id`: in a dead letter's user, too."""
    with StdlibDoor(hash=["$distinct_id"], hash_key=KEY, dead_letters=str(tmp_path / "letters")) as door:
        door.log("x", distinct_id="ada", profile={"$add": {"n": "many"}})
        door.log("x", distinct_id="ada", event="X")
        assert door.properties()["distinct_id"] == hashed("ada")
    assert json.loads((tmp_path / "letters").read_text())["user"] == hashed("ada")


def test_muting_rule_still_hides():
    """A call that asks for tracking, though a rule says `track = false`, is hashed and narrowed as the rule says."""
    rule = {"logger": "", "track": False, "hash": ["email"], "exclude": ["password"]}
    del rule["logger"]
    with StdlibDoor(rules=[rule], hash_key=KEY) as door:
        door.log("x", event="X", email=CLEAR, password="p")
        assert sent(door) == {"email": hashed(CLEAR)}


@both
def test_rule_hashes_beside_the_door(opened):
    """A rule's `hash` is added to the door's, for what comes of that rule."""
    rule = {"pattern": r"(?P<email>\S+@\S+) from (?P<host>\S+)", "hash": ["email"], "event": "X"}
    with opened(rules=[rule], hash=["host"], hash_key=KEY) as door:
        door.log("a@b from c")
        door.log("y", track=True, email="a@b", host="c")
        by_rule, by_itself = door.events()
        assert (by_rule["properties"]["email"], by_rule["properties"]["host"]) == (hashed("a@b"), hashed("c"))
        assert (by_itself["properties"]["email"], by_itself["properties"]["host"]) == ("a@b", hashed("c"))


@both
def test_include_and_exclude_of_a_rule(opened):
    """A rule's `include` takes extras along and narrows its groups, `exclude` keeps some back; its properties stand."""
    pattern = r"(?P<method>\S+) (?P<path>\S+) (?P<secret>\S+)"
    rules = [
        {"level": "ERROR", "pattern": pattern, "include": ["path", "plan", "absent"], "event": "Narrow"},
        {"pattern": pattern, "exclude": ["secret"], "properties": {"secret_too": "{secret}"}, "event": "Wide"},
    ]
    with opened(rules=rules) as door, bound_contextvars(plan="pro"):
        door.log("GET /x s3cret", method="error", other=1)
        assert sent(door) == {"path": "/x", "plan": "pro"}
    with opened(rules=rules) as door:
        door.log("GET /x s3cret", plan="pro")
        assert sent(door) == {"method": "GET", "path": "/x", "secret_too": "s3cret"}


@both
def test_exclude_of_the_door_holds_for_groups(opened):
    """What the door excludes comes from nowhere; a rule's `exclude` holds for the call's own event, too."""
    rule = {"pattern": r"(?P<email>\S+@\S+)", "include": ["email", "plan", "phone"], "exclude": ["phone"], "event": "X"}
    with opened(rules=[rule], exclude=["email"]) as door:
        door.log("a@b", plan="pro", phone="1", email="c@d")
        door.log("a@b", track="Y", plan="pro", phone="1", email="c@d", other=1)
        assert [sorted(event["properties"].keys() - {"time", "token"}) for event in door.events()] == [
            ["plan"],
            ["other", "plan"],
        ]


@both
def test_sample_keeps_a_user_in_or_out_of_everything(opened):
    """With `sample` each user is in all messages or in none, at about that share; the rest is counted as sampled."""
    with opened(sample=0.3) as door:
        for user in USERS:
            door.log("x", track="A", distinct_id=user, profile={"a": 1})
            door.log("y", track="B", distinct_id=user)
        users = {event["properties"]["distinct_id"] for event in door.events()}
        assert 0.15 < len(users) / len(USERS) < 0.45
        assert len(door.events()) == 2 * len(users)
        assert {update["$distinct_id"] for update in door.updates()} == users
        assert door.door.stats().dropped == {"sampled": 3 * (len(USERS) - len(users))}
        assert users == {user for user in USERS if is_sampled(user, 0.3)}


@both
def test_samples_of_rule_and_door_nest(opened):
    """The smaller share of rule and door counts, and who is in at a small share is in at a greater one."""
    with opened(sample=0.5, rules=[{"message": "rare", "event": "Rare", "sample": 0.1, "distinct_id": "{0}"}]) as door:
        for user in USERS:
            door.door.handle(
                door.logger.makeRecord("l", 20, "f", 1, "rare", (user,), None)
            ) if opened is StdlibDoor else (door.door(None, "info", {"event": "rare", "positional_args": (user,)}))
            door.log("often", track="Often", distinct_id=user)
        users = {
            name: {e["properties"]["distinct_id"] for e in door.events() if e["event"] == name}
            for name in ("Rare", "Often")
        }
        assert users["Rare"] < users["Often"] < set(USERS)


@both
@pytest.mark.parametrize(
    "how",
    [
        lambda door, user: door.log("x", track=True, properties={"distinct_id": user}),
        lambda door, user: door.log("by rule", who=user),
        lambda door, user: door.log("x", distinct_id=user, track="X", profile={"$add": {"n": "many"}}),
        lambda door, user: door.log("x", distinct_id=user, revenue={"$amount": float("nan")}),
    ],
    ids=["properties", "a rule's properties", "a refused profile", "a refused revenue"],
)
def test_sample_goes_by_the_user_of_each_message(opened, how):
    """Wherever the user comes from, and whatever is wrong with a message: out of the sample it leaves no trace."""
    rule = {"message": "by rule", "event": "X", "properties": {"distinct_id": "{who}"}}
    outside = [user for user in USERS if not is_sampled(user, 0.5)]
    with opened(sample=0.5, rules=[rule]) as door:
        for user in outside:
            how(door, user)
        assert door.messages() == []
        assert door.door.stats().dropped == {"sampled": door.door.stats().accepted}


@both
def test_rule_names_the_user_of_all_its_messages(opened):
    """A group called `distinct_id` doesn't stand against the rule's `distinct_id`: event and update are of one user."""
    rule = {"pattern": r"in (?P<distinct_id>\S+) (?P<w>\S+)", "distinct_id": "{w}", "event": "X", "profile": {"a": 1}}
    with opened(rules=[rule]) as door:
        door.log("in u1 u2")
        assert (sent(door), door.update()["$distinct_id"]) == ({"distinct_id": "u2", "w": "u2"}, "u2")


def test_sampling_is_nobodys_trouble(caplog):
    """What the sample leaves out is the user's own word: counted, not reported, no dead letter."""
    with StdlibDoor(sample=0) as door:
        with bound_contextvars(distinct_id="ada"):
            door.log("x", track=True)
        door.log("nobody", track=True)
        assert door.door.flush()
        assert door.door.stats().dropped == {"sampled": 2}
    assert caplog.records == []


@given(st.one_of(st.none(), st.text()))
def test_everybody_or_nobody(user):
    """A share of 1 takes all, of 0 none."""
    assert is_sampled(user, 1.0)
    assert not is_sampled(user, 0.0)


def test_without_a_user_each_call_is_drawn():
    """Calls without a user are in at about that share, and the program's own random numbers stay as they were."""
    random.seed(1)
    state = random.getstate()
    assert 300 < sum(is_sampled(None, 0.5) for _ in range(1_000)) < 700
    assert random.getstate() == state


@given(st.text(), st.text())
def test_hash_tells_values_apart(one, other):
    """Equal texts have equal hashes, others don't, and the hash doesn't show the text."""
    hasher = Hasher(KEY)
    assert (hasher.text(one) == hasher.text(other)) == (one == other)
    assert len(hasher.text(one)) == 64


def test_hash_depends_on_the_key():
    """Another key, other hashes."""
    assert Hasher(KEY).text("a") == hashed("a") != Hasher(KEY + "2").text("a")


def test_key_is_not_shown():
    """Neither `repr` nor an error shows the key."""
    handler = RobotmiaHandler(token="T", hash=["a"], hash_key=KEY)
    assert KEY not in repr(handler)
    assert KEY not in repr(handler._door.composer._settings)
    handler.close()
    with pytest.raises(ConfigurationError) as caught:
        RobotmiaHandler(token="T", hash_kex=KEY)
    assert KEY not in str(caught.value)
