"""The API document, example by example: each is what one log call, or one link, sends."""

from __future__ import annotations

import base64
import json
import logging
import time
from datetime import datetime, timezone
from urllib.parse import parse_qsl, urlsplit

import pytest

from robotmia_logging import RobotmiaHandler
from robotmia_logging.links import event_url, profile_url
from tests.hostile import HostileServer, accept

EVENTS_TOKEN = "e3bc4100330c35722740fb8c6f5abddc"
GAME_TOKEN = "e3bb4100330c35722740fb8c6f5abddc"
PROFILES_TOKEN = "36ada5b10da39a1347559321baf13063"

# The document's JSON, its comments taken out, and the log call that sends it: a message and extras.
EVENTS = {
    "an event": (
        """{
            "event": "Signed Up",
            "properties": {
                "distinct_id": "13793",
                "token": "e3bc4100330c35722740fb8c6f5abddc",
                "Referred By": "Friend"
            }
        }""",
        "Signed Up",
        {"track": True, "distinct_id": "13793", "Referred By": "Friend"},
    ),
    "special properties": (
        """{
            "event": "Level Complete",
            "properties": {
                "Level Number": 9,
                "distinct_id": "13793",
                "token": "e3bc4100330c35722740fb8c6f5abddc",
                "time": 1358208000,
                "ip": "203.0.113.9"
            }
        }""",
        "level %d done",
        {
            "event": "Level Complete",
            "properties": {"Level Number": 9},
            "distinct_id": 13793,
            "time": datetime(2013, 1, 15, tzinfo=timezone.utc),
            "ip": "203.0.113.9",
        },
    ),
    "an alias": (
        """{
            "event": "$create_alias",
            "properties": {
                "distinct_id": "ORIGINAL_ID",
                "alias": "NEW_ID",
                "token": "e3bc4100330c35722740fb8c6f5abddc"
            }
        }""",
        "signed in",
        {"alias": "NEW_ID", "distinct_id": "ORIGINAL_ID"},
    ),
}
UPDATES = {
    "a $set operation": (
        """{
            "$token": "36ada5b10da39a1347559321baf13063",
            "$distinct_id": "13793",
            "$ip": "123.123.123.123",
            "$set": {
                "Address": "1313 Mockingbird Lane"
            }
        }""",
        {"profile": {"$set": {"Address": "1313 Mockingbird Lane"}}, "ip": "123.123.123.123"},
    ),
    "$set": (
        """{
            "$token": "36ada5b10da39a1347559321baf13063",
            "$distinct_id": "13793",
            "$ip": "123.123.123.123",
            "$set": {
                "Address": "1313 Mockingbird Lane",
                "Birthday": "1948-01-01"
            }
        }""",
        {"profile": {"Address": "1313 Mockingbird Lane", "Birthday": "1948-01-01"}, "ip": "123.123.123.123"},
    ),
    "$set_once": (
        """{
            "$token": "36ada5b10da39a1347559321baf13063",
            "$distinct_id": "13793",
            "$set_once": {
                "First login date": "2013-04-01T13:20:00"
            }
        }""",
        {"profile": {"$set_once": {"First login date": datetime(2013, 4, 1, 13, 20)}}},
    ),
    "$add": (
        """{
            "$token": "36ada5b10da39a1347559321baf13063",
            "$distinct_id": "13793",
            "$add": { "Coins Gathered": 12 }
        }""",
        {"profile": {"$add": {"Coins Gathered": 12}}},
    ),
    "$append": (
        """{
            "$token": "36ada5b10da39a1347559321baf13063",
            "$distinct_id": "13793",
            "$append": { "Power Ups": "Bubble Lead" }
        }""",
        {"profile": {"$append": {"Power Ups": "Bubble Lead"}}},
    ),
    "$union": (
        """{
            "$token": "36ada5b10da39a1347559321baf13063",
            "$distinct_id": "13793",
            "$union": { "Items purchased": ["socks", "shirts"] }
        }""",
        {"profile": {"$union": {"Items purchased": ["socks", "shirts"]}}},
    ),
    "$remove": (
        """{
            "$token": "36ada5b10da39a1347559321baf13063",
            "$distinct_id": "13793",
            "$remove": { "Items purchased": "socks" }
        }""",
        {"profile": {"$remove": {"Items purchased": "socks"}}},
    ),
    "$unset": (
        """{
            "$token": "36ada5b10da39a1347559321baf13063",
            "$distinct_id": "13793",
            "$unset": [ "Days Overdue" ]
        }""",
        {"profile": {"$unset": ["Days Overdue"]}},
    ),
    "$delete": (
        """{
            "$token": "36ada5b10da39a1347559321baf13063",
            "$distinct_id": "13793",
            "$delete": ""
        }""",
        {"profile": {"$delete": True}},
    ),
    "dates": (
        """{
            "$token": "36ada5b10da39a1347559321baf13063",
            "$distinct_id": "13793",
            "$set": { "Time Joined": "2013-04-01T09:02:00" }
        }""",
        {"profile": {"Time Joined": datetime(2013, 4, 1, 9, 2, tzinfo=timezone.utc)}},
    ),
    "special properties": (
        """{
            "$token": "36ada5b10da39a1347559321baf13063",
            "$distinct_id": "13793",
            "$set": {
                "$first_name": "Joe",
                "$last_name": "Doe",
                "$email": "joe.doe@example.com",
                "$created": "2013-04-01T13:20:00",
                "$phone": "4805551212"
            }
        }""",
        {
            "profile": {
                "$first_name": "Joe",
                "$last_name": "Doe",
                "$email": "joe.doe@example.com",
                "$created": datetime(2013, 4, 1, 13, 20),
                "$phone": "4805551212",
            }
        },
    ),
    "revenue": (
        """{
            "$append": {
                "$transactions": {
                    "$time": "2013-01-03T09:00:00",
                    "$amount": 25.34
                }
            },
            "$token": "36ada5b10da39a1347559321baf13063",
            "$distinct_id": "13793"
        }""",
        {"revenue": {"$amount": 25.34, "$time": datetime(2013, 1, 3, 9)}},
    ),
    "revenue at the time of the record": (
        """{
            "$append": {
                "$transactions": {
                    "$time": "2013-01-03T09:00:00",
                    "$amount": 25.34
                }
            },
            "$token": "36ada5b10da39a1347559321baf13063",
            "$distinct_id": "13793",
            "$time": 1357203600
        }""",
        {"revenue": 25.34, "time": 1357203600},
    ),
}
BATCH = """[
    {
        "event": "Signed Up",
        "properties": {
            "distinct_id": "13793",
            "token": "e3bc4100330c35722740fb8c6f5abddc",
            "Referred By": "Friend",
            "time": 1371002000
        }
    },
    {
         "event": "Uploaded Photo",
          "properties": {
              "distinct_id": "13793",
              "token": "e3bc4100330c35722740fb8c6f5abddc",
              "Topic": "Vacation",
              "time": 1371002104
          }
    }
]"""

GAME_64 = (
    "eyJldmVudCI6ICJnYW1lIiwgInByb3BlcnRpZXMiOiB7ImlwIjogIjEyMy4xMjMuMTIzLjEyMyIsICJkaXN0aW5jdF9pZCI6ICIxMzc5MyIs"
    "ICJ0b2tlbiI6ICJlM2JiNDEwMDMzMGMzNTcyMjc0MGZiOGM2ZjVhYmRkYyIsICJ0aW1lIjogMTI0NTYxMzg4NSwgImFjdGlvbiI6ICJwbGF5"
    "In19"
)
GAME_OF_A_NUMBER_64 = (
    "eyJldmVudCI6ICJnYW1lIiwgInByb3BlcnRpZXMiOiB7ImlwIjogIjEyMy4xMjMuMTIzLjEyMyIsICJkaXN0aW5jdF9pZCI6IDEzNzkzLCAi"
    "dG9rZW4iOiAiZTNiYjQxMDAzMzBjMzU3MjI3NDBmYjhjNmY1YWJkZGMiLCAidGltZSI6IDEyNDU2MTM4ODUsICJhY3Rpb24iOiAicGxheSJ9"
    "fQ=="
)
SIGNED_UP_64 = (
    "ew0KICAgICJldmVudCI6ICJTaWduZWQgVXAiLA0KICAgICJwcm9wZXJ0aWVzIjogew0KICAgICAgICAiZGlzdGluY3RfaWQiOiAiMTM3OTMi"
    "LA0KICAgICAgICAidG9rZW4iOiAiZTNiYzQxMDAzMzBjMzU3MjI3NDBmYjhjNmY1YWJkZGMiLA0KICAgICAgICAiUmVmZXJyZWQgQnkiOiAi"
    "RnJpZW5kIg0KICAgIH0NCn0="
)
DAVID_64 = (
    "ew0KICAgICIkdG9rZW4iOiAiMzZhZGE1YjEwZGEzOWExMzQ3NTU5MzIxYmFmMTMwNjMiLA0KICAgICIkZGlzdGluY3RfaWQiOiAiMTM3OTMi"
    "LA0KICAgICIkc2V0Ijogew0KICAgICAgICAiJGZpcnN0X25hbWUiOiAiRGF2aWQiLA0KICAgICAgICAiJGxhc3RfbmFtZSI6ICJKb25lcyIs"
    "DQogICAgICAgICIkZW1haWwiOiAiYWxhZGRpbi5zYW5lQGV4YW1wbGUuY29tIiwNCiAgICAgICAgIiRjcmVhdGVkIjogIjIwMTMtMDQtMDFU"
    "MTM6MjA6MDAiDQogICAgfQ0KfQ=="
)
BATCH_64 = (
    "Ww0KICAgIHsNCiAgICAgICAgImV2ZW50IjogIlNpZ25lZCBVcCIsDQogICAgICAgICJwcm9wZXJ0aWVzIjogew0KICAgICAgICAgICAgImRp"
    "c3RpbmN0X2lkIjogIjEzNzkzIiwNCiAgICAgICAgICAgICJ0b2tlbiI6ICJlM2JjNDEwMDMzMGMzNTcyMjc0MGZiOGM2ZjVhYmRkYyIsDQog"
    "ICAgICAgICAgICAiUmVmZXJyZWQgQnkiOiAiRnJpZW5kIiwNCiAgICAgICAgICAgICJ0aW1lIjogMTM3MTAwMjAwMA0KICAgICAgICB9DQog"
    "ICAgfSwNCiAgICB7DQogICAgICAgICAiZXZlbnQiOiAiVXBsb2FkZWQgUGhvdG8iLA0KICAgICAgICAgICJwcm9wZXJ0aWVzIjogew0KICAg"
    "ICAgICAgICAgICAiZGlzdGluY3RfaWQiOiAiMTM3OTMiLA0KICAgICAgICAgICAgICAidG9rZW4iOiAiZTNiYzQxMDAzMzBjMzU3MjI3NDBm"
    "YjhjNmY1YWJkZGMiLA0KICAgICAgICAgICAgICAiVG9waWMiOiAiVmFjYXRpb24iLA0KICAgICAgICAgICAgICAidGltZSI6IDEzNzEwMDIx"
    "MDQNCiAgICAgICAgICB9DQogICAgfQ0KXQ=="
)
GAME = {"action": "play", "ip": "123.123.123.123", "distinct_id": "13793", "time": 1245613885}
DAVID = {
    "$first_name": "David",
    "$last_name": "Jones",
    "$email": "aladdin.sane@example.com",
    "$created": datetime(2013, 4, 1, 13, 20),
}


def decoded(data):
    return json.loads(base64.b64decode(data, validate=True))


class Log:
    """A logger whose handler sends to a server."""

    def __init__(self, server):
        self.server = server
        self.handlers = []

    def __call__(self, token, *calls):
        """Log the calls, deliver, and give the path and the decoded `data` of the one request they made."""
        handler = RobotmiaHandler(token=token, url=self.server.url, flush_interval=60)
        self.handlers.append(handler)
        logger = logging.Logger("shop")
        logger.addHandler(handler)
        for message, extras in calls:
            logger.info(message, extra=extras)
        assert handler.flush(10)
        (request,) = self.server.requests
        assert (request.method, self.server.violations) == ("POST", [])
        return request.path, decoded(request.form["data"])

    def close(self):
        for handler in self.handlers:
            handler.close()


@pytest.fixture
def log():
    with HostileServer(accept) as server:
        log = Log(server)
        yield log
        log.close()


@pytest.mark.parametrize(("document", "message", "extras"), EVENTS.values(), ids=EVENTS)
def test_events(log, document, message, extras):
    """Each event of the document is what a log call sends, its time the record's own where the document has none."""
    document, earliest = json.loads(document), int(time.time())
    path, (sent,) = log(EVENTS_TOKEN, (message, extras))
    assert path == ("/import/" if "time" in document["properties"] else "/track/")
    if "time" not in document["properties"]:
        assert earliest <= sent["properties"].pop("time") <= time.time()
    assert sent == document


@pytest.mark.parametrize(("document", "extras"), UPDATES.values(), ids=UPDATES)
def test_updates(log, document, extras):
    """Each profile update of the document is what a log call sends, `$time` the record's own."""
    document, earliest = json.loads(document), int(time.time())
    path, (sent,) = log(PROFILES_TOKEN, ("profile changed", {"distinct_id": "13793", **extras}))
    assert path == "/engage/"
    if "$time" not in document:
        assert earliest <= sent.pop("$time") <= time.time()
    assert sent == document


def test_batch(log):
    """Two log calls leave as the document's batch of two: one POST, one list, in their order."""
    path, sent = log(
        EVENTS_TOKEN,
        ("Signed Up", {"track": True, "distinct_id": "13793", "Referred By": "Friend", "time": 1371002000}),
        ("Uploaded Photo", {"track": True, "distinct_id": "13793", "Topic": "Vacation", "time": 1371002104}),
    )
    assert path == "/import/"
    assert sent == json.loads(BATCH) == decoded(BATCH_64)


@pytest.mark.parametrize("example", [GAME_64, GAME_OF_A_NUMBER_64], ids=["text", "number"])
def test_base64_of_an_old_event(log, example):
    """The event of the document's URLs is what a log call sends; the user as a string, as which robotmia treats it."""
    _, (sent,) = log(GAME_TOKEN, ("game", {"track": True, **GAME}))
    document = decoded(example)
    document["properties"]["distinct_id"] = str(document["properties"]["distinct_id"])
    assert sent == document


def test_base64_of_an_event(log):
    """The Base64 of the document's first event decodes to what the log call sends."""
    document, message, extras = EVENTS["an event"]
    _, (sent,) = log(EVENTS_TOKEN, (message, extras))
    del sent["properties"]["time"]
    assert sent == decoded(SIGNED_UP_64) == json.loads(document)


def test_base64_of_an_update(log):
    """The Base64 of the document's profile update decodes to what the log call sends."""
    _, (sent,) = log(PROFILES_TOKEN, ("profile changed", {"profile": DAVID, "distinct_id": "13793"}))
    del sent["$time"]
    assert sent == decoded(DAVID_64)


def test_request_is_padded_base64_in_a_form(log):
    """A request's body is the form field `data` in the document's alphabet, padded; it asks for a verbose answer."""
    log(EVENTS_TOKEN, ("Signed Up", {"track": True, "note": ">>>???\xff\xfe~~~"}))
    (request,) = log.server.requests
    assert request.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert request.query["verbose"] == "1"
    assert base64.b64encode(base64.b64decode(request.form["data"], validate=True)).decode() == request.form["data"]


def game_url(**options):
    return event_url("game", GAME, token=GAME_TOKEN, url="http://api.robotmia.com", **options)


def signed_up_url(**options):
    properties = {"distinct_id": "13793", "Referred By": "Friend"}
    return event_url("Signed Up", properties, token=EVENTS_TOKEN, url="http://api.robotmia.com", **options)


def david_url(**options):
    return profile_url("13793", DAVID, token=PROFILES_TOKEN, url="http://api.robotmia.com", **options)


TRACK, ENGAGE = "http://api.robotmia.com/track/?data=", "http://api.robotmia.com/engage/?data="


@pytest.mark.parametrize(
    ("document", "url"),
    [
        (TRACK + GAME_64, game_url()),
        (TRACK + SIGNED_UP_64, signed_up_url()),
        # This one's data has two = too many, as the document prints it.
        (TRACK + GAME_64 + "==&redirect=http%3A%2F%2Fwww.example.com", game_url(redirect="http://www.example.com")),
        (TRACK + GAME_OF_A_NUMBER_64 + "&img=1", game_url(img=True)),
        (TRACK + GAME_OF_A_NUMBER_64 + "&callback=wasTracked", game_url(callback="wasTracked")),
        (ENGAGE + DAVID_64, david_url()),
        (ENGAGE + DAVID_64 + "&redirect=http%3A%2F%2Fwww.example.com", david_url(redirect="http://www.example.com")),
        (ENGAGE + DAVID_64 + "&callback=wasTracked", david_url(callback="wasTracked")),
    ],
    ids=[
        "track", "track as made", "track redirect", "track img", "track callback",
        "engage", "engage redirect", "engage callback",
    ],
)  # fmt: skip
def test_urls(document, url):
    """Each URL of the document comes out of `links`: all but `data` letter by letter, and `data` decoded."""
    ours, theirs = urlsplit(url), urlsplit(document)
    assert (ours.scheme, ours.netloc, ours.path) == (theirs.scheme, theirs.netloc, theirs.path)
    our_data, *our_others = ours.query.split("&")
    their_data, *their_others = theirs.query.split("&")
    assert our_others == their_others
    theirs = decoded(their_data.removeprefix("data=").replace(GAME_64 + "==", GAME_64))
    if "properties" in theirs:
        theirs["properties"]["distinct_id"] = str(theirs["properties"]["distinct_id"])
    assert decoded(dict(parse_qsl(our_data))["data"]) == theirs
