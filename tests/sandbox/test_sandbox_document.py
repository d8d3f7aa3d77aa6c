"""The document's own examples, pasted from it, sent as they stand."""

import json

import pytest

GAME = (
    "eyJldmVudCI6ICJnYW1lIiwgInByb3BlcnRpZXMiOiB7ImlwIjogIjEyMy4xMjMuMTIzLjEyMyIsICJkaXN0aW5jdF9pZCI6ICIxMzc5MyIs"
    "ICJ0b2tlbiI6ICJlM2JiNDEwMDMzMGMzNTcyMjc0MGZiOGM2ZjVhYmRkYyIsICJ0aW1lIjogMTI0NTYxMzg4NSwgImFjdGlvbiI6ICJwbGF5"
    "In19"
)
GAME_OF_A_NUMBER = (
    "eyJldmVudCI6ICJnYW1lIiwgInByb3BlcnRpZXMiOiB7ImlwIjogIjEyMy4xMjMuMTIzLjEyMyIsICJkaXN0aW5jdF9pZCI6IDEzNzkzLCAi"
    "dG9rZW4iOiAiZTNiYjQxMDAzMzBjMzU3MjI3NDBmYjhjNmY1YWJkZGMiLCAidGltZSI6IDEyNDU2MTM4ODUsICJhY3Rpb24iOiAicGxheSJ9"
    "fQ=="
)
SIGNED_UP = (
    "ew0KICAgICJldmVudCI6ICJTaWduZWQgVXAiLA0KICAgICJwcm9wZXJ0aWVzIjogew0KICAgICAgICAiZGlzdGluY3RfaWQiOiAiMTM3OTMi"
    "LA0KICAgICAgICAidG9rZW4iOiAiZTNiYzQxMDAzMzBjMzU3MjI3NDBmYjhjNmY1YWJkZGMiLA0KICAgICAgICAiUmVmZXJyZWQgQnkiOiAi"
    "RnJpZW5kIg0KICAgIH0NCn0="
)
DAVID = (
    "ew0KICAgICIkdG9rZW4iOiAiMzZhZGE1YjEwZGEzOWExMzQ3NTU5MzIxYmFmMTMwNjMiLA0KICAgICIkZGlzdGluY3RfaWQiOiAiMTM3OTMi"
    "LA0KICAgICIkc2V0Ijogew0KICAgICAgICAiJGZpcnN0X25hbWUiOiAiRGF2aWQiLA0KICAgICAgICAiJGxhc3RfbmFtZSI6ICJKb25lcyIs"
    "DQogICAgICAgICIkZW1haWwiOiAiYWxhZGRpbi5zYW5lQGV4YW1wbGUuY29tIiwNCiAgICAgICAgIiRjcmVhdGVkIjogIjIwMTMtMDQtMDFU"
    "MTM6MjA6MDAiDQogICAgfQ0KfQ=="
)
BATCH = (
    "Ww0KICAgIHsNCiAgICAgICAgImV2ZW50IjogIlNpZ25lZCBVcCIsDQogICAgICAgICJwcm9wZXJ0aWVzIjogew0KICAgICAgICAgICAgImRp"
    "c3RpbmN0X2lkIjogIjEzNzkzIiwNCiAgICAgICAgICAgICJ0b2tlbiI6ICJlM2JjNDEwMDMzMGMzNTcyMjc0MGZiOGM2ZjVhYmRkYyIsDQog"
    "ICAgICAgICAgICAiUmVmZXJyZWQgQnkiOiAiRnJpZW5kIiwNCiAgICAgICAgICAgICJ0aW1lIjogMTM3MTAwMjAwMA0KICAgICAgICB9DQog"
    "ICAgfSwNCiAgICB7DQogICAgICAgICAiZXZlbnQiOiAiVXBsb2FkZWQgUGhvdG8iLA0KICAgICAgICAgICJwcm9wZXJ0aWVzIjogew0KICAg"
    "ICAgICAgICAgICAiZGlzdGluY3RfaWQiOiAiMTM3OTMiLA0KICAgICAgICAgICAgICAidG9rZW4iOiAiZTNiYzQxMDAzMzBjMzU3MjI3NDBm"
    "YjhjNmY1YWJkZGMiLA0KICAgICAgICAgICAgICAiVG9waWMiOiAiVmFjYXRpb24iLA0KICAgICAgICAgICAgICAidGltZSI6IDEzNzEwMDIx"
    "MDQNCiAgICAgICAgICB9DQogICAgfQ0KXQ=="
)
TOKEN = '"$token": "36ada5b10da39a1347559321baf13063", "$distinct_id": "13793"'


def warned_of(sandbox):
    return [sent["warnings"] for sent in sandbox.messages()]


def raw(sandbox, path_and_query):
    return sandbox.session.get(sandbox.server.url + path_and_query, allow_redirects=False, timeout=10)


def test_urls_of_current_messages(sandbox):
    """The URLs of the undated event and of the profile update are answered with 1."""
    for url in (f"/track/?data={SIGNED_UP}", f"/engage/?data={DAVID}"):
        assert raw(sandbox, url).text == "1"
    assert warned_of(sandbox) == [[], []]
    assert sandbox.profile("13793")["properties"]["$last_name"] == "Jones"


@pytest.mark.parametrize("data", [GAME, GAME + "==", GAME_OF_A_NUMBER], ids=["exact", "surplus", "number"])
def test_old_event_urls(sandbox, data):
    """/track/ refuses the URLs of 2009 for their age alone: /import/ accepts them, surplus padding too."""
    refused = raw(sandbox, f"/track/?data={data}&verbose=1").json()
    assert (refused["status"], "5 days" in refused["error"]) == (0, True)
    assert raw(sandbox, f"/import/?data={data}").text == "1"
    assert sandbox.messages()[0]["distinct_id"] == "13793"


@pytest.mark.parametrize(
    ("data", "warnings"),
    [
        (GAME, []),
        (GAME + "==", ["data ends with 2 '=' where Base64 has 0"]),
        (
            GAME_OF_A_NUMBER,
            ['distinct_id is the number 13793: robotmia expects a string, and treats it as "13793"'],
        ),
    ],
    ids=["exact", "surplus", "number"],
)
def test_event_urls_in_their_time(sandbox, data, warnings):
    """All event URLs are accepted by /track/ on the day of their events, with warnings where they err."""
    sandbox.clock.now = 1245613885.0 + 60
    assert raw(sandbox, f"/track/?data={data}").text == "1"
    assert warned_of(sandbox) == [warnings]


@pytest.mark.parametrize("data", [SIGNED_UP, GAME + "=="], ids=["accepted", "refused"])
def test_answer_forms(sandbox, data):
    """The document's redirect, img and callback URLs get their form of answer, also for refused data."""
    redirect = raw(sandbox, f"/track/?data={data}&redirect=http%3A%2F%2Fwww.example.com")
    assert (redirect.status_code, redirect.headers["location"]) == (302, "http://www.example.com")
    image = raw(sandbox, f"/track/?data={data}&img=1")
    assert image.headers["content-type"] == "image/gif"
    script = raw(sandbox, f"/track/?data={data}&callback=wasTracked")
    assert script.headers["content-type"].startswith("text/javascript")
    assert script.text == f"wasTracked({1 if data == SIGNED_UP else 0});"


def test_update_answer_forms(sandbox):
    """The profile update's redirect and callback URLs are accepted and answered in their form."""
    redirect = raw(sandbox, f"/engage/?data={DAVID}&redirect=http%3A%2F%2Fwww.example.com")
    assert redirect.headers["location"] == "http://www.example.com"
    assert raw(sandbox, f"/engage/?data={DAVID}&callback=wasTracked").text == "wasTracked(1);"
    assert len(sandbox.messages()) == 2


def test_batch_body(sandbox):
    """The document's batch body is accepted by /import/ as it stands, and by /track/ in its time."""
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    for path, now in (("/import/", sandbox.clock.now), ("/track/", 1371002200.0)):
        sandbox.clock.now = now
        url = sandbox.server.url + path
        assert sandbox.session.post(url, f"data={BATCH}", headers=form, timeout=10).text == "1"
    assert [sent["message"]["event"] for sent in sandbox.messages()] == ["Signed Up", "Uploaded Photo"] * 2
    assert warned_of(sandbox) == [[]] * 4


@pytest.mark.parametrize(
    "operation",
    [
        '"$ip": "123.123.123.123", "$set": {"Address": "1313 Mockingbird Lane", "Birthday": "1948-01-01"}',
        '"$set_once": {"First login date": "2013-04-01T13:20:00"}',
        '"$add": { "Coins Gathered": 12 }',
        '"$append": { "Power Ups": "Bubble Lead" }',
        '"$union": { "Items purchased": ["socks", "shirts"] }',
        '"$remove": { "Items purchased": "socks" }',
        '"$unset": [ "Days Overdue" ]',
        '"$delete": ""',
        '"$set": {"$first_name": "Joe", "$email": "joe.doe@example.com", "$phone": "4805551212"}',
        '"$append": {"$transactions": {"$time": "2013-01-03T09:00:00", "$amount": 25.34}}',
    ],
)
def test_operations(sandbox, operation):
    """Each profile update of the document is accepted, without a warning."""
    assert sandbox.send("engage", json.loads(f"{{{TOKEN}, {operation}}}")) == ""
    assert warned_of(sandbox) == [[]]


def test_alias_example(sandbox):
    """The document's alias sends what the new id did to the original."""
    alias = {"distinct_id": "ORIGINAL_ID", "alias": "NEW_ID", "token": "e3bc4100330c35722740fb8c6f5abddc"}
    assert sandbox.send("track", {"event": "$create_alias", "properties": alias}) == ""
    assert warned_of(sandbox) == [[]]
    sandbox.send("engage", {"$token": "t", "$distinct_id": "NEW_ID", "$set": {"a": 1}})
    assert sandbox.profile("ORIGINAL_ID")["properties"]["a"] == 1
