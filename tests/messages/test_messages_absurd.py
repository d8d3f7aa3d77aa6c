"""Whatever is logged, what leaves is JSON."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings

from robotmia_logging.messages import Refused, as_text, encode, plain, seal_event, seal_update, transaction
from robotmia_logging.messages.encode import MAX_DEPTH
from robotmia_logging.messages.numbers import is_number
from tests import absurd

pytestmark = pytest.mark.filterwarnings("ignore")  # numpy's, about overflows
many = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))


def strict(body):
    """Read JSON as the standard has it: UTF-8, no NaN, no name twice."""

    def no_constant(name):
        raise AssertionError(f"{name} is no JSON")

    def once(pairs):
        assert len({name for name, _ in pairs}) == len(pairs)
        return dict(pairs)

    return json.loads(body.decode("utf-8"), parse_constant=no_constant, object_pairs_hook=once)


def depth_of(value):
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inner is None else 1 + max(map(depth_of, inner), default=0)


@pytest.mark.parametrize("odd", absurd.ODD, ids=repr)
def test_each_odd_value_costs_nothing_beside_it(odd):
    """Next to each of the oddest values, alone, in a list or as a dict's value, the others arrive untouched."""
    wire = {"before": 1, "odd": odd.make(), "list": [1, odd.make(), 2], "dict": {1: odd.make(), "a": "b"}, "after": 2}
    sent = strict(encode(wire)[0])
    assert (sent["before"], sent["after"], sent["list"][0], sent["list"][2], sent["dict"]["a"]) == (1, 2, 1, 2, "b")
    assert sent.keys() == wire.keys()
    assert sent["dict"].keys() == {"1", "a"}


@many
@given(absurd.values())
def test_any_value_becomes_valid_json(drawn):
    """Any value at all is encoded, to strict JSON of 64 levels at most."""
    body, rendered = encode(drawn.make())
    assert depth_of(strict(body)) <= MAX_DEPTH
    assert rendered >= 0


@many
@given(absurd.properties())
def test_any_properties_leave_the_event_whole(drawn):
    """An event with absurd properties is still an event with its name, token and user, or refused for `mp_`."""
    properties = {"token": "t", "distinct_id": "u", "ip": "1", "time": 1, **drawn.make()}
    if any(name.startswith("mp_") for name in plain(properties)):
        with pytest.raises(Refused, match="mp_"):
            seal_event({"event": "E", "properties": properties})
        return
    message = seal_event({"event": "E", "properties": properties})
    sent = strict(message.body)
    assert sent["event"] == "E"
    assert [sent["properties"][name] for name in ("token", "distinct_id", "ip", "time")] == ["t", "u", "1", 1]


@many
@given(absurd.values())
def test_any_special_property_is_a_text_or_absent(drawn):
    """Absurd ids are sent as text that UTF-8 can hold, and the message's user is the one that it carries."""
    value = drawn.make()
    event = seal_event({"event": "E", "properties": {"token": "t", "distinct_id": value, "ip": value, "time": 1}})
    assert event.user == strict(event.body)["properties"].get("distinct_id")
    wire = {"$token": "t", "$distinct_id": value, "$time": 1, "$set": {"a": value}}
    if event.user is None:
        with pytest.raises(Refused):
            seal_update(wire)
    else:
        update = seal_update(wire)
        assert update.user == strict(update.body)["$distinct_id"]


@many
@given(absurd.values())
def test_numbers_text_and_plain_copies_of_any_value(drawn):
    """A number is what stands as one on the wire, a text is a real `str`, and `before_send` sees what will be sent."""
    value = drawn.make()
    if is_number(value):
        assert type(strict(encode(value)[0])) in (int, float)
        assert transaction(value, 0)["$amount"] is value
    text = as_text(value)
    assert type(text) is str
    text.encode()
    copy = plain(value)
    body, rendered = encode(copy)
    assert rendered == 0
    assert json.dumps(strict(body)) == json.dumps(copy)
