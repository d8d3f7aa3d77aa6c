"""Events: what is sent, and what is refused because the API would."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from decimal import Decimal

import numpy as np
import pytest

from robotmia_logging.messages import Message, Refusal, Refused, alias_event, seal_event
from tests import absurd


def event(name="Signed Up", **properties):
    return {"event": name, "properties": {"token": "t", "distinct_id": "13793", "time": 1371002000, **properties}}


def sent(wire):
    return json.loads(seal_event(wire).body)


def refused(wire):
    with pytest.raises(Refused) as caught:
        seal_event(wire)
    return caught.value.reason


def test_message_of_an_event():
    """An event becomes its JSON, with the user and the time that delivery goes by."""
    message = seal_event(event(Plan="pro"))
    assert json.loads(message.body) == event(Plan="pro")
    assert (message.endpoint, message.user, message.time, message.alias) == ("track", "13793", 1371002000, None)
    assert (message.repeatable, message.located, message.rendered) == (True, False, 0)
    assert repr(message) == f"<Message track user='13793' time=1371002000 {len(message.body)} bytes>"


@pytest.mark.parametrize(
    ("value", "text"),
    [(13793, "13793"), (0, "0"), (b"13793", "13793"), (1.5, "1.5"), ("Zo\xeb", "Zo\xeb"), ("\udcff", "\ufffd")],
    ids=ascii,
)
@pytest.mark.parametrize("name", ["token", "distinct_id", "ip"])
def test_special_properties_are_texts(name, value, text):
    """Token, user and IP address are sent as text, of whatever type they were given."""
    assert sent(event(**{name: value}))["properties"][name] == text


@pytest.mark.parametrize("absent", [None, "", b""])
def test_absent_special_properties(absent):
    """None and empty texts count as absent: they aren't sent, and the message has no user."""
    wire = event(distinct_id=absent, ip=absent)
    assert seal_event(wire).user is None
    assert sent(wire)["properties"].keys() == {"token", "time"}


def test_user_is_the_one_on_the_wire():
    """The message's user is the text that was sent, so that one user is one lane."""
    assert seal_event(event(distinct_id=13793)).user == seal_event(event(distinct_id="13793")).user == "13793"


@pytest.mark.parametrize(
    "value",
    [1371002000, 1371002000.9, Decimal("1371002000.5"), np.float64(1371002000.5), np.int64(1371002000),
     datetime(2013, 6, 12, 1, 53, 20, 5), datetime(2013, 6, 12, 1, 53, 20, tzinfo=timezone.utc)],
    ids=repr,
)  # fmt: skip
def test_time_is_whole_seconds(value):
    """Whatever form the time has, whole seconds are sent, and delivery gets the same."""
    message = seal_event(event(time=value))
    assert message.time == json.loads(message.body)["properties"]["time"] == 1371002000


@pytest.mark.parametrize("value", [None, "yesterday", 1371002000_000, float("nan"), True, [1]], ids=repr)
def test_time_that_is_none(value):
    """A time that is no time is refused."""
    assert refused(event(time=value)) == "bad_time"


@pytest.mark.parametrize("token", [None, ""])
def test_no_token(token):
    """An event without a token is refused: the API would ignore it."""
    assert refused(event(token=token)) == "no_token"
    wire = event()
    del wire["properties"]["token"]
    assert refused(wire) == "no_token"


@pytest.mark.parametrize(
    "wire",
    [{}, {"event": "E"}, {"event": 5, "properties": {}}, {"event": None, "properties": {}}, {"properties": {}},
     {"event": "E", "properties": [1]}],
    ids=repr,
)  # fmt: skip
def test_no_event(wire):
    """What has no name or no object of properties is no event."""
    assert refused(wire) == "bad_message"


def test_empty_name():
    """An event with an empty name is refused."""
    assert refused(event("")) == "empty_event_name"


@pytest.mark.parametrize("name", ["mp_", "mp_lib", b"mp_lib", absurd.Liar("mp_lib")], ids=ascii)
@pytest.mark.parametrize("beside", [1, {1}], ids=["as it is", "by a walk"])
def test_reserved_names(name, beside):
    """A property that is called mp_... on the wire is refused, whatever its key is in Python."""
    wire = event(beside=beside)
    wire["properties"][name] = 1
    assert refused(wire) == "reserved_name"


def test_names_that_only_look_reserved():
    """mp_ may stand in values, inside of values, in the event's name and within names."""
    wire = event("mp_event", value="mp_value", inner={"mp_name": 1}, amp_lib=1, MP_lib=2)
    assert sent(wire) == wire


def test_alias():
    """An alias names both ids: the message's user is the original, its alias the new one."""
    message = seal_event(alias_event("ORIGINAL_ID", "NEW_ID", "t", 5))
    assert (message.user, message.alias, message.time) == ("ORIGINAL_ID", "NEW_ID", 5)
    assert json.loads(message.body) == {
        "event": "$create_alias",
        "properties": {"distinct_id": "ORIGINAL_ID", "alias": "NEW_ID", "token": "t", "time": 5},
    }


def test_alias_is_the_one_on_the_wire():
    """The message's alias is the text that is sent."""
    message = seal_event(alias_event("a", "lone \udcff", "t", 5))
    assert message.alias == json.loads(message.body)["properties"]["alias"] == "lone \ufffd"


@pytest.mark.parametrize(
    ("user", "alias", "reason"),
    [("", "b", "no_distinct_id"), (None, "b", "no_distinct_id"), ("a", "", "bad_message"), ("a", None, "bad_message"),
     ("a", 5, "bad_message")],
)  # fmt: skip
def test_alias_without_both_ids(user, alias, reason):
    """An alias needs the id that it stands for, and a name."""
    assert refused(alias_event(user, alias, "t", 5)) == reason


def test_refusal_tells_why():
    """A refusal has a reason to count by and a sentence to read, and its account shows both."""
    with pytest.raises(Refused, match="names may not begin with 'mp_'") as caught:
        seal_event(event(mp_lib=1))
    refusal = Refusal(caught.value.reason, caught.value.error, "track", user="13793", time=5)
    assert repr(refusal) == "<Refusal reserved_name: the property 'mp_lib': names may not begin with 'mp_'>"


def test_message_has_no_dict():
    """Messages are slotted: one is made for every tracked log call."""
    assert not hasattr(Message("track", None, 0, b""), "__dict__")
