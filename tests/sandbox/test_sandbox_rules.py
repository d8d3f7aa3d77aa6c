import pytest
from sandbox_client import event, update

from robotmia_logging.sandbox.api.refused import Refused
from robotmia_logging.sandbox.api.rules import check

NOW = 1_700_000_000.0
EVERY_OPERATION = {
    "$set": {},
    "$set_once": {},
    "$add": {"n": 1},
    "$append": {"n": None},
    "$union": {"n": [1]},
    "$remove": {"n": 1},
    "$unset": ["n"],
    "$delete": "",
}


def without(message, key):
    return {name: value for name, value in message.items() if name != key}


@pytest.mark.parametrize(
    ("message", "error"),
    [
        ([], "must be a JSON object"),
        ({}, "event must be a non-empty string, not null"),
        (event(""), 'not ""'),
        (event(7), "not 7"),
        ({"event": "x"}, "properties must be an object"),
        ({"event": "x", "properties": []}, "properties must be an object"),
        ({"event": "x", "properties": {}}, "token must be a non-empty string"),
        (event(token=""), "token must be"),
        (event(token=5), "token must be"),
        (event(distinct_id=None), "distinct_id must be a non-empty string, not null"),
        (event(distinct_id=True), "distinct_id must be a non-empty string"),
        (event(time="1371002000"), "time must be a number"),
        (event(time=True), "time must be a number"),
        (event(ip=1), "ip must be a string"),
        (event(time=1e15), "time must be unix seconds in the years 1 to 9999, not 1000000000000000.0"),
        (event(time=-1e14), "years 1 to 9999"),
        (event("$create_alias", distinct_id="u"), "alias must be"),
        (event("$create_alias", alias="v"), "distinct_id of an alias must be"),
        (event("$create_alias", distinct_id="", alias="v"), "distinct_id of an alias must be"),
    ],
)
def test_events_refused(message, error):
    """An event that the document doesn't allow is refused, with the field and the value named."""
    with pytest.raises(Refused, match=error):
        check("track", message, now=NOW)


@pytest.mark.parametrize(
    ("message", "error"),
    [
        ("x", "must be a JSON object"),
        (without(update("$set", {}), "$token"), r"\$token must be"),
        (without(update("$set", {}), "$distinct_id"), r"\$distinct_id must be"),
        (update("$set", {}, distinct_id=""), r"\$distinct_id must be"),
        (update("$set", {}, distinct_id=False), r"\$distinct_id must be"),
        (update("$set", {}, ip=1), r"\$ip must be"),
        (update("$set", {}, ip=False), r"\$ip must be"),
        (update("$set", {}, time="2013-01-03T09:00:00"), r"\$time must be a number"),
        (update("$set", {}, time=True), r"\$time must be a number"),
        (update("$set", {}, time=10**20), "years 1 to 9999"),
        (update("$set", {}, ignore_time=1), r"\$ignore_time must be true or false"),
        (update("$increment", {"n": 1}), r'"\$increment" is neither'),
        (update("$set", {}, rename={"a": "b"}), r'"\$rename" is neither'),
        (update("$set", {}, pop=["a"]), r'"\$pop" is neither'),
        (without(update("$set", {}), "$set"), "exactly one operation .* not none"),
        (update("$set", {}) | {"$add": {}}, r"not \$set, \$add"),
        (update("$add", {"n": "1"}), "must be a number"),
        (update("$add", {"n": True}), "must be a number"),
        (update("$union", {"n": "x"}), "must be a list"),
        (update("$unset", {"n": 1}), "a list of strings"),
        (update("$unset", ["n", 1]), "a list of strings"),
        (update("$unset", "n"), "a list of strings"),
        (update("$append", {"$transactions": 5}), "transaction must be an object"),
        (update("$append", {"$transactions": {"$time": "2013-01-03T09:00:00"}}), r"\$amount .* not null"),
        (update("$append", {"$transactions": {"$amount": "5", "$time": "2013-01-03T09:00:00"}}), r"\$amount"),
        (update("$append", {"$transactions": {"$amount": 5, "$time": 1371002000}}), r"\$time of a transaction"),
        (update("$append", {"$transactions": {"$amount": 5, "$time": None}}), r"\$time of a transaction"),
        (
            update("$append", {"$transactions": {"$amount": 5, "$time": "2013-13-03T09:00:00"}}),
            r"\$time of a",
        ),
        *[(update(name, 5), "must be") for name in EVERY_OPERATION if name != "$delete"],
    ],
)
def test_updates_refused(message, error):
    """An update that the document doesn't allow is refused, with the field and the value named."""
    with pytest.raises(Refused, match=error):
        check("engage", message, now=NOW)


@pytest.mark.parametrize("operation", EVERY_OPERATION)
def test_updates_accepted(operation):
    """Each operation with its documented value is accepted, with every attribute and a numeric id."""
    attributes = {"distinct_id": 13793, "ip": "0", "time": 1371002000.0, "ignore_time": True}
    check("engage", update(operation, EVERY_OPERATION[operation], **attributes), now=NOW)


@pytest.mark.parametrize("value", ["", None, 5, {}, [1]])
def test_delete_takes_anything(value):
    """The value of $delete is ignored."""
    check("engage", update("$delete", value), now=NOW)


def test_long_values_are_cut():
    """An error shows at most the beginning of a long value."""
    with pytest.raises(Refused) as refused:
        check("track", event(["x" * 1000]), now=NOW)
    assert len(str(refused.value)) < 120
