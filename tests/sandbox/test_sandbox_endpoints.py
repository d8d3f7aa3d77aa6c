import struct
from urllib.parse import quote

import pytest
from sandbox_client import encode, event, update

DAY_S = 24 * 3600


@pytest.mark.parametrize("path", ["/track/", "/track", "/import/", "/import"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_single_event(sandbox, path, method):
    """A single event is accepted by GET and by POST, with and without the slash."""
    response = getattr(sandbox, method)(path, data=encode(event()))
    assert (response.status_code, response.text) == (200, "1")
    assert response.headers["content-type"].startswith("text/plain")


@pytest.mark.parametrize("path", ["/engage/", "/engage"])
def test_single_update(sandbox, path):
    """A single update is accepted by GET and by POST, with and without the slash."""
    data = encode(update("$add", {"n": 1}))
    assert sandbox.get(path, data=data).text == sandbox.post(path, data=data).text == "1"
    assert sandbox.profile("u")["properties"]["n"] == 2


def test_refusal_is_a_body(sandbox):
    """A refusal has HTTP status 200 and the body 0, and verbose two keys with a reason."""
    assert (sandbox.get("/track/").status_code, sandbox.get("/track/").text) == (200, "0")
    answer = sandbox.get("/track/", verbose="1")
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == {"status": 0, "error": "data is missing or empty"}


def test_verbose_success(sandbox):
    """A verbose success has both keys, the error an empty string."""
    answer = sandbox.get("/track/", data=encode(event()), verbose="1")
    assert answer.json() == {"status": 1, "error": ""}


def test_parameters_from_both_places(sandbox):
    """Query string and form body are read together: data in the one, verbose in the other."""
    data = encode([event()])
    assert sandbox.post("/track/?verbose=1", data=data).json()["status"] == 1
    assert sandbox.post(f"/track/?data={encode(event()).replace('+', '%2B')}", verbose="1").json()["status"] == 1


def test_data_given_twice(sandbox):
    """Data in the query string and in the body is refused rather than half of it lost."""
    assert "more than once" in sandbox.post("/track/?verbose=1&data=e30=", data=encode(event())).text


def test_other_body_types(sandbox):
    """A body that is no form is refused with what it is and what it must be."""
    url, data = sandbox.server.url + "/track/?verbose=1", {"data": encode(event())}
    as_json = sandbox.session.post(url, json=[event()], timeout=10)
    as_parts = sandbox.session.post(url, files=data, timeout=10)
    packed = sandbox.session.post(url, data, headers={"Content-Encoding": "gzip"}, timeout=10)
    bare = sandbox.session.post(url, data=b' {"event": "x"}', timeout=10)
    form = "the body of a POST must be application/x-www-form-urlencoded"
    assert [sent.json()["error"] for sent in (as_json, as_parts, packed, bare)] == [
        f"{form}, not application/json",
        f"{form}, not multipart/form-data",
        "the body of a POST must not be compressed (gzip)",
        f"{form} with the field data, not JSON itself",
    ]


@pytest.mark.parametrize(("content_type", "named"), [("text/plain;charset=UTF-8", "text/plain"), (None, "missing")])
def test_forms_under_other_names(sandbox, content_type, named):
    """A form whose Content-Type is text/plain (a browser's sendBeacon) or missing is read, with a warning."""
    body = f"verbose=1&data={quote(encode([event(distinct_id='u')]))}".encode()
    headers = {"Content-Type": content_type} if content_type else {}
    assert sandbox.session.post(sandbox.server.url + "/track", body, headers=headers, timeout=10).json()["status"] == 1
    (sent,) = sandbox.messages()
    expected = "robotmia expects application/x-www-form-urlencoded"
    assert sent["warnings"] == [f"the body's Content-Type is {named}: {expected}"]


def test_unknown_parameters(sandbox):
    """Parameters that the document doesn't have are ignored: clients send them."""
    extra = {"_": "1700000000", "test": "1", "api_key": "k", "strict": "1", "": "", "ip": "maybe"}
    assert sandbox.get("/track/", data=encode(event()), **extra).text == "1"


def test_lists_need_a_body(sandbox):
    """A list is refused in the query string, of a GET and of a POST."""
    data = encode([event()])
    for response in (
        sandbox.get("/track/", data=data, verbose="1"),
        sandbox.session.post(sandbox.server.url + "/track/", params={"data": data, "verbose": "1"}, timeout=10),
    ):
        assert "body of a POST" in response.json()["error"]


def test_batch_limit(sandbox):
    """Fifty messages are a batch, 51 and none are not."""
    assert sandbox.send("track", [event()] * 50) == ""
    assert "this one has 51" in sandbox.send("track", [event()] * 51)
    assert "this one has 0" in sandbox.send("track", [])
    assert len(sandbox.messages()) == 50


def test_whole_batch_refused(sandbox):
    """One invalid message refuses the batch, and the error names its index and what is wrong."""
    error = sandbox.send("track", [event("a"), event("b"), event(""), event("c")])
    assert error.startswith("messages[2]: event must be a non-empty string")
    assert sandbox.messages() == []
    assert sandbox.refusals()[0]["messages"][2] == event("")


def test_five_days(sandbox):
    """/track/ accepts an event of exactly five days; a second more only /import/, which takes new ones."""
    now = sandbox.clock.now
    assert sandbox.send("track", event(time=now - 5 * DAY_S)) == ""
    assert "5 days" in sandbox.send("track", event(time=now - 5 * DAY_S - 1))
    assert sandbox.send("import", [event(time=now - 5 * DAY_S - 1), event(time=now), event()]) == ""


def test_messages_at_the_wrong_door(sandbox):
    """Updates are sent away from /track/ and /import/, events from /engage/, with the right door named."""
    for endpoint in ("track", "import"):
        assert "/engage/" in sandbox.send(endpoint, update("$set", {}))
    assert "/track/" in sandbox.send("engage", event())


def test_plus_as_space(sandbox):
    """Base64 whose '+' was sent raw, and became a space on the way, is accepted."""
    data = encode(event("~~>>~~??"))
    assert "+" in data
    assert sandbox.session.get(f"{sandbox.server.url}/track/?data={data}", timeout=10).text == "1"
    assert sandbox.messages()[0]["message"] == event("~~>>~~??")


def test_pixel(sandbox):
    """img=1 is a GIF of one pixel whose only colour is transparent."""
    gif = sandbox.get("/track/", data=encode(event()), img="1").content
    assert (gif[:6], struct.unpack("<HH", gif[6:10]), gif[-1:]) == (b"GIF89a", (1, 1), b";")
    control = gif.index(b"\x21\xf9\x04")
    assert (gif[control + 3] & 1, gif[control + 6]) == (1, 0)  # transparency on, for colour 0
    assert gif.endswith(bytes.fromhex("02 02 4401 00 3b"))  # LZW: clear, colour 0, end
    assert len(sandbox.messages()) == 1


def test_no_pixel_for_updates(sandbox):
    """The document gives /engage/ no img: it is ignored there."""
    assert sandbox.get("/engage/", data=encode(update("$set", {})), img="1").text == "1"


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "//example.com",
        "ftp://example.com",
        "http://",
        "http:/\\x",
        "http://a\nb",
        "http://[::1",
        "x",
    ],
)
def test_bad_redirects(sandbox, url):
    """A redirect to anything but http and https is refused in plain form, and nothing is accepted."""
    response = sandbox.get("/track/", data=encode(event()), redirect=url, verbose="1")
    assert (response.status_code, "redirect" in response.json()["error"]) == (200, True)
    assert sandbox.messages() == []


def test_redirect_keeps_the_url(sandbox):
    """A redirect's query string, escapes and fragment arrive as they were given."""
    url = "https://example.com/a%20b?x=1&y=%C3%A9#part"
    assert sandbox.get("/track/", data=encode(event()), redirect=url).headers["location"] == url


@pytest.mark.parametrize("name", ["alert(1)", "a b", "1a", "a.", "if", "a;b", "a\n", "é", "<script>"])
def test_bad_callbacks(sandbox, name):
    """A callback that is no function name is refused in plain form, and nothing is accepted."""
    response = sandbox.get("/track/", data=encode(event()), callback=name, verbose="1")
    assert "callback must be the name" in response.json()["error"]
    assert sandbox.messages() == []


def test_verbose_callback(sandbox):
    """A callback with verbose=1 is called with the object."""
    response = sandbox.get("/track/", data=encode(event()), callback="$.app.done_1", verbose="1")
    assert response.text == '$.app.done_1({"status": 1, "error": ""});'


def test_request_ip_of_events(sandbox):
    """With ip=1, and only then, the request's address is the missing user and the missing ip of an event."""
    sandbox.send("track", [event(), event(distinct_id="u"), event(ip="1.2.3.4")], ip="1")
    sandbox.send("track", [event(), event(ip="1.2.3.4")])
    home = "127.0.0.1"
    assert [(sent["distinct_id"], sent["ip"]) for sent in sandbox.messages()] == [
        (home, home), ("u", home), (home, "1.2.3.4"), (None, None), (None, "1.2.3.4"),
    ]  # fmt: skip


def test_request_ip_of_updates(sandbox):
    """An update counts its $ip, else the request's unless ip=0, and none for "0"."""
    updates = [update("$set", {}), update("$set", {}, ip="1.2.3.4"), update("$set", {}, ip="0")]
    sandbox.send("engage", updates)
    sandbox.send("engage", updates, ip="0")
    assert [sent["ip"] for sent in sandbox.messages()] == [
        "127.0.0.1",
        "1.2.3.4",
        None,
        None,
        "1.2.3.4",
        None,
    ]


@pytest.mark.parametrize("ip", ["", "0", 0])
def test_updates_without_address(sandbox, ip):
    """A $ip that is no address means none, not the request's."""
    sandbox.update("$set", {}, ip=ip)
    assert sandbox.messages()[0]["ip"] is None


def test_time_of_messages(sandbox):
    """A message's time is its own, from milliseconds too, else the whole second of its arrival."""
    now = int(sandbox.clock.now)
    sandbox.send("track", [event(time=now - 60), event(time=(now - 60) * 1000), event()])
    sandbox.update("$set", {}, time=now - 0.5)
    sandbox.update("$set", {})
    assert [sent["time"] for sent in sandbox.messages()] == [now - 60, now - 60, now, now - 0.5, now]


def test_what_refusals_are_about(sandbox):
    """A refusal shows the event and the user of the message at fault."""
    sandbox.send("track", [event("fine", distinct_id="a"), event("bad", distinct_id=7, time="x")])
    sandbox.send("engage", update("$add", {"n": "x"}))
    sandbox.send("engage", 5)
    sandbox.send("track", {"event": 5, "properties": []})
    assert [(refused["event"], refused["distinct_id"]) for refused in sandbox.refusals()] == [
        ("bad", "7"), ("$add", "u"), (None, None), (None, None),
    ]  # fmt: skip


def test_request_as_it_came_in(sandbox):
    """The request of a message can be read back: its target without data, its data, who sent it."""
    data = encode(event())
    sandbox.session.get(
        f"{sandbox.server.url}/track?verbose=1&data={data}&_=1", headers={"User-Agent": "me/1"}, timeout=10
    )
    request = sandbox.get(f"/sandbox/arrivals/{sandbox.messages()[0]['id']}").json()["request"]
    assert request == {
        "method": "GET", "target": "/track?verbose=1&_=1", "client_ip": "127.0.0.1", "user_agent": "me/1",
        "data": data, "data_size": len(data),
    }  # fmt: skip


def test_event_name_limit(sandbox):
    """A name of 255 characters is accepted, one more is refused: the sandbox's own limit."""
    assert sandbox.send("track", event("é" * 255)) == ""
    assert sandbox.send("track", event("é" * 256)) == "event name is longer than 255 characters"


def test_other_methods(sandbox):
    """All methods but GET and POST store nothing and get 405."""
    url = f"{sandbox.server.url}/track/?data={encode(event())}"
    for method in ("HEAD", "PUT", "DELETE", "OPTIONS", "PATCH"):
        assert sandbox.session.request(method, url, timeout=10).status_code == 405
    assert sandbox.messages() == []
