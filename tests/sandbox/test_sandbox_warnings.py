"""What is accepted although the document advises against it: each with one sentence that says so."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sandbox_client import encode, event, update

from robotmia_logging.sandbox.api.dates import is_date
from robotmia_logging.sandbox.api.rules import check

NOW = 1_700_000_000.0
RESERVED = 'robotmia asks for names that don\'t begin with "mp_"'
NO_DATE = "read as text, not as a date, which has the form YYYY-MM-DDThh:mm:ss (UTC)"
NO_STRING = "robotmia expects a string, and treats it as"
UNDOCUMENTED = "robotmia documents no such attribute of an update"
NOT_CUSTOM = 'custom properties should not begin with "$", robotmia may give these a meaning'


def warnings(message, endpoint="track"):
    return check(endpoint, message, now=NOW).warnings


def transaction(**attributes):
    return update("$append", {"$transactions": {"$amount": 5, **{f"${key}": attributes[key] for key in attributes}}})


@pytest.mark.parametrize(
    ("message", "warning"),
    [
        (event(mp_lib="ruby", mp_x=1), '"mp_lib", "mp_x": ' + RESERVED),
        (
            event(time=1_700_000_000_123),
            "time is 1700000000123: robotmia expects seconds; read as milliseconds, which is 2023-11-14T22:13:20",
        ),
        (event(distinct_id=13793), f'distinct_id is the number 13793: {NO_STRING} "13793"'),
        (event("$create_alias", distinct_id="u", alias=7), f'alias is the number 7: {NO_STRING} "7"'),
        (event(at="2013-04-01T09:02:00Z"), '"at": ' + NO_DATE),
        (event() | {"plan": "pro"}, '"plan": an event has event and properties, nothing else is read'),
    ],
)  # fmt: skip
def test_events_with_a_warning(message, warning):
    """An event that is accepted against the document's advice has one warning, which names the field."""
    assert warnings(message) == [warning]


@pytest.mark.parametrize(
    ("message", "warning"),
    [
        (update("$set", {}, time=1.5), "$time is 1.5: robotmia expects whole seconds"),
        (
            update("$set", {}, time=1_357_203_600_000),
            "$time is 1357203600000: robotmia expects seconds; read as milliseconds, which is 2013-01-03T09:00:00",
        ),
        (update("$set", {}, ip=0), '$ip is the number 0: robotmia expects the string "0"'),
        (update("$set", {}, distinct_id=13793.0), f'$distinct_id is the number 13793: {NO_STRING} "13793"'),
        (update("$set", {}, device_id="x"), '"$device_id": ' + UNDOCUMENTED),
        (update("$set", {}, mp_metadata={"$mp_session": 1}), '"$mp_metadata": ' + UNDOCUMENTED),
        (update("$set", {}) | {"plan": "pro"}, '"plan": ignored, properties belong in the operation $set'),
        (update("$set", {"$city": "Oslo"}), '"$city": ' + NOT_CUSTOM),
        (update("$add", {"$n": 1}), '"$n": ' + NOT_CUSTOM),
        (transaction(), "a transaction without $time: robotmia requires one, a date YYYY-MM-DDThh:mm:ss (UTC)"),
        (
            transaction(time="2013-01-03T09:00:00.000Z"),
            '$time of a transaction is "2013-01-03T09:00:00.000Z": robotmia expects the form YYYY-MM-DDThh:mm:ss (UTC)',
        ),
        (
            update("$set", {"a": "2013-01-03 09:00:00", "b": 1, "c": ["x", "2013-02-30T00:00:00"]}),
            '"a", "c": ' + NO_DATE,
        ),
    ],
)  # fmt: skip
def test_updates_with_a_warning(message, warning):
    """An update that is accepted against the document's advice has one warning, which names the field."""
    assert warnings(message, "engage") == [warning]


@pytest.mark.parametrize(
    "text",
    [
        "2013-04-01T09:02:00Z", "2013-04-01T09:02:00.123", "2013-04-01T09:02:00.123456+02:00",
        "2013-04-01T09:02:00-0800", "2013-04-01 09:02:00", "2013-04-01 09:02:00 UTC", "2013-04-01T09:02",
        "2013-02-30T00:00:00", "2013-04-01T24:00:00", "0000-04-01T09:00:00",
    ],
)  # fmt: skip
@pytest.mark.parametrize("operation", ["$set", "$set_once", "$append", "$union"])
def test_nearly_dates(operation, text):
    """A text that is nearly a date is warned of in every operation that stores it."""
    value = [text] if operation == "$union" else text
    assert "read as text" in warnings(update(operation, {"at": value}), "engage")[0]


@pytest.mark.parametrize(
    "text", ["1948-01-01", "2013-04-01T13:20:00", "2013-04-01T13:20:00 sharp", "1234-5678-9012-3456"]
)
def test_no_nearly_dates(text):
    """Dates, days and other text have no warning."""
    assert warnings(update("$set", {"at": text, "list": [text, {"x": "2013-04-01 09:02:00"}]}), "engage") == []


def test_special_properties():
    """The special properties that the document lists have no warning."""
    known = ["$first_name", "$last_name", "$name", "$email", "$phone"]
    values = dict.fromkeys(known, "x") | {"$created": "2013-04-01T13:20:00", "$transactions": []}
    assert warnings(update("$set", values), "engage") == []


def test_fractions_of_an_event():
    """An event's time is any number, as the document says: only an update's is an integer."""
    assert warnings(event(time=NOW + 0.5)) == []


def test_many_are_one_warning():
    """However many properties have the same flaw, one short sentence says so."""
    found = warnings(event(**{f"mp_{i}": i for i in range(1000)}))
    assert found == ['"mp_0", "mp_1", "mp_2" and 997 more: ' + RESERVED]


@pytest.mark.parametrize(
    ("sent", "user"),
    [(13793, "13793"), (13793.0, "13793"), (0.5, "0.5"), (-1, "-1"), (1e300, "1e+300"), (10**30, "1" + "0" * 30)],
)
def test_numeric_ids(sent, user):
    """A numeric id is the string that a reader would write for the number."""
    assert check("engage", update("$set", {}, distinct_id=sent), now=NOW).user == user


@pytest.mark.parametrize(
    ("sent", "time_s"),
    [(1371002000, 1371002000), (1371002000.25, 1371002000.25), (1371002000123, 1371002000.123), (-5, -5), (0, 0),
     (253402300799999, 253402300799.999), (99999999999, 99999999999), (100000000000, 1e8)],
)  # fmt: skip
def test_times(sent, time_s):
    """A time is unix seconds, or milliseconds from the size on where seconds make no sense."""
    assert check("import", event(time=sent), now=NOW).time == time_s


def test_age_of_milliseconds():
    """/track/ counts the five days from a time in milliseconds, too."""
    assert check("track", event(time=(NOW - 3600) * 1000), now=NOW).time == NOW - 3600
    with pytest.raises(Exception, match="more than 5 days"):
        check("track", event(time=(NOW - 6 * 24 * 3600) * 1000), now=NOW)


@given(st.datetimes())
def test_all_dates_are_dates(moment):
    """Every moment in the document's form is a date; with anything behind it, it isn't."""
    text = moment.isoformat(timespec="seconds")
    assert is_date(text)
    assert not is_date(text + "Z")
    assert not is_date(moment.isoformat(" ", timespec="seconds"))


def test_warnings_of_a_request(sandbox):
    """What is wrong with the request is said of its first message, before what is wrong with that one."""
    data = encode([event(mp_a=1, distinct_id="u"), event(distinct_id="u")]).rstrip("=") + "===="
    assert sandbox.session.post(
        sandbox.server.url + "/track/", f"data={data}", headers={"Content-Type": "text/plain;charset=UTF-8"}, timeout=10
    ).text == "1"  # fmt: skip
    first, second = (sent["warnings"] for sent in sandbox.messages())
    assert first[0] == "the body's Content-Type is text/plain: robotmia expects application/x-www-form-urlencoded"
    assert first[1].startswith("data ends with 4 '=' where Base64 has")
    assert '"mp_a"' in first[2]
    assert second == []


def test_missing_users(sandbox):
    """An event without distinct_id has a warning, unless ip=1 gives it a user; an alias can't be without."""
    assert sandbox.send("track", [event(), event(distinct_id=""), event(distinct_id="u")]) == ""
    assert sandbox.send("track", event(), ip="1") == ""
    warned = [sent["warnings"] for sent in sandbox.messages()]
    assert warned == [["an event without distinct_id: robotmia asks for one in most events"]] * 2 + [[], []]


def test_answers_are_those_of_accepted_messages(sandbox):
    """Warnings don't show in the answer."""
    assert sandbox.post("/track/", data=encode(event(mp_a=1)), verbose="1").json() == {"status": 1, "error": ""}
