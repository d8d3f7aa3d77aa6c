"""The examples, each run as the process a user would start."""

import importlib.util
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
import requests

from robotmia_logging.sandbox.server import SandboxServer
from robotmia_logging.sandbox.store.records import Filters

EXAMPLES = Path(__file__).parent.parent / "examples"
TOKEN = "a-token"


def _load_demo():
    spec = importlib.util.spec_from_file_location("examples_demo", EXAMPLES / "demo.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


demo = _load_demo()


@pytest.fixture(scope="module")
def server():
    with SandboxServer() as running:
        yield running


@pytest.fixture
def run(server):
    """Run an example to its end, which must be a quiet one; gives what it printed."""
    server.store.clear()
    env = {key: value for key, value in os.environ.items() if not key.startswith("ROBOTMIA_")}
    env |= {"ROBOTMIA_URL": server.url, "ROBOTMIA_TOKEN": TOKEN}

    def run_to_end(name):
        command = [sys.executable, EXAMPLES / name]
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=False)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    return run_to_end


def accepted(server):
    """What the server has accepted."""
    return server.store.entries(Filters(refused=False))


@pytest.fixture
def events(server):
    """The events that arrived, as (endpoint, user, name, properties less token, user and time)."""

    def read():
        found = []
        for sent in accepted(server):
            if sent.endpoint != "engage":
                properties = dict(sent.body["properties"])
                assert properties.pop("token") == TOKEN
                assert isinstance(properties.pop("time"), int)
                found.append((sent.endpoint, properties.pop("distinct_id", None), sent.body["event"], properties))
        return found

    return read


@pytest.fixture
def updates(server):
    """The profile updates that arrived, as (user, what is left without token, user and time)."""

    def read():
        found = []
        for sent in accepted(server):
            if sent.endpoint == "engage":
                update = dict(sent.body)
                assert update.pop("$token") == TOKEN
                assert isinstance(update.pop("$time"), int)
                found.append((update.pop("$distinct_id"), update))
        return found

    return read


def _by_user(found, user, at=0):
    return [each for each in found if each[at] == user]


# The examples


def test_quickstart(run, events, updates):
    """Two log calls arrive as an event and a profile update, and are printed as ever."""
    assert run("quickstart.py") == "order 17 placed\nplan changed\n"
    assert events() == [("track", "ada", "Order Placed", {"total": 49.9})]
    assert updates() == [("ada", {"$set": {"Plan": "pro"}})]


def test_quickstart_is_what_the_readme_shows():
    """The README's first Python block is this file, so that what users paste has been run."""
    readme = (EXAMPLES.parent / "README.md").read_text(encoding="utf-8")
    first, *_ = re.findall(r"^```python\n(.*?)^```$", readme, re.MULTILINE | re.DOTALL)
    assert first == (EXAMPLES / "quickstart.py").read_text(encoding="utf-8")


def test_dictconfig_events(run, events, server):
    """Events arrive with their properties and the handler's, the alias before its event, the old one at /import/."""
    run("dictconfig.py")
    found = events()
    release = {"release": "2.4"}
    assert _by_user(found, "visitor-71", 1) == [
        ("track", "visitor-71", "Page Viewed", {"path": "/pricing"} | release),
        ("track", "visitor-71", "Search Used", {"name": "robots", "hits": 3} | release),
        ("track", "visitor-71", "$create_alias", {"alias": "ada"}),
        ("track", "visitor-71", "Signed Up", {"plan": "free"} | release),
    ]
    assert _by_user(found, "bob", 1) == [("track", "bob", "Account Closed", release)]
    assert _by_user(found, "ada", 1) == [("import", "ada", "Trial Started", release)]
    assert len(found) == 6
    (imported,) = [sent for sent in accepted(server) if sent.endpoint == "import"]
    assert imported.body["properties"]["time"] == pytest.approx(time.time() - 30 * 24 * 3600, abs=60)


def test_dictconfig_updates(run, updates):
    """All eight operations arrive, each an update of its own, in the order they were logged, and revenue with them."""
    run("dictconfig.py")
    found = updates()
    *operations, paid, invoice = [update for _, update in _by_user(found, "ada")]
    assert operations == [
        {"$set": {"$email": "ada@example.com"}},
        {"$set_once": {"Source": "newsletter"}},
        {"$add": {"Coupons": 1}},
        {"$append": {"Codes": "A7"}},
        {"$union": {"Lists": ["news", "offers"]}},
        {"$remove": {"Lists": "offers"}},
        {"$unset": ["Address"]},
    ]
    assert paid["$append"]["$transactions"].keys() == {"$amount", "$time"}
    assert paid["$append"]["$transactions"]["$amount"] == 49.9
    assert invoice["$append"]["$transactions"].keys() == {"$amount", "$time", "invoice"}
    assert _by_user(found, "bob") == [("bob", {"$delete": ""})]
    assert len(found) == 10


def test_structlog_pipeline(run, events, updates):
    """The user and address bound once are those of all messages, until the request ends."""
    run("structlog_pipeline.py")
    assert events() == [
        ("track", "ada", "Signed Up", {"ip": "203.0.113.7", "plan": "pro", "seats": 3}),
        ("track", "ada", "Payment Failed", {"ip": "203.0.113.7", "attempt": 2}),
        ("track", None, "Report Sent", {"recipients": 12}),
    ]
    *profile, revenue = updates()
    assert profile == [
        ("ada", {"$ip": "203.0.113.7", "$set": {"$first_name": "Ada"}}),
        ("ada", {"$ip": "203.0.113.7", "$add": {"Logins": 1}}),
    ]
    transaction = revenue[1]["$append"]["$transactions"]
    assert (transaction["$amount"], transaction["invoice"]) == (49.9, "INV-7")


def test_structlog_pipeline_still_prints(run):
    """All log lines are printed as JSON, less the keys that asked for tracking."""
    lines = [json.loads(line) for line in run("structlog_pipeline.py").splitlines()]
    assert [line["event"] for line in lines] == [
        "Signed Up",
        "cache warmed",
        "settings saved",
        "invoice paid",
        "payment failed",
        "Report Sent",
    ]
    assert not {"track", "profile", "revenue"} & {key for line in lines for key in line}
    assert lines[0]["plan"] == "pro"


def test_zero_code(run, events, updates):
    """Log calls of uvicorn and of an application that know nothing of tracking arrive, their values typed."""
    run("zero_code.py")
    found = events()
    assert _by_user(found, None, 1) == [
        ("track", None, "Server Started", {}),
        ("track", None, "Page Viewed", {"method": "GET", "path": "/", "http": "1.1", "status": 200}),
        ("track", None, "Page Viewed", {"method": "GET", "path": "/report?month=7", "http": "1.1", "status": 503}),
        ("track", None, "Page Viewed", {"method": "GET", "path": "/nowhere", "http": "1.1", "status": 404}),
    ]
    assert _by_user(found, "ada", 1) == [
        ("track", "ada", "Plan Changed", {"before": "free", "after": "pro"}),
        ("track", "ada", "Page Viewed", {"method": "POST", "path": "/users/ada/plan", "http": "1.1", "status": 201}),
    ]
    assert updates() == [("ada", {"$set": {"Plan": "pro"}})]


def test_one_bad_message(run, events, server):
    """Of a batch of fifty with one that the server refuses, forty-nine arrive once, and its reason is shown."""
    printed = run("one_bad_message.py")
    batches = [refusal.body["messages"] for refusal in server.store.entries(Filters(refused=True))]
    assert (len(batches[0]), len(batches[-1])) == (50, 1)
    names = [name for _, _, name, _ in events()]
    assert sorted(names) == sorted(f"Looked for robot {number}" for number in range(1, 51) if number != 21)
    assert "50 accepted, 49 delivered, dead letters: {'refused': 1}\n" in printed
    assert re.search(r"^dead letter: .* event name is longer than 255 characters$", printed, re.MULTILINE)


def test_tested(run, events):
    """What was captured isn't sent; what a failed assertion says is printed; the real sign-up arrives."""
    assert run("tested.py").splitlines() == [
        "test-user signed up for pro",
        "no event 'Signed Up' with plan='free', seats=3 was tracked",
        "there is one event 'Signed Up'; it differs:",
        "  plan: expected 'free', got 'pro'",
        "  seats: expected 3, but it isn't there",
        "ada signed up for pro",
    ]
    assert events() == [("track", "ada", "Signed Up", {"plan": "pro"})]


# The demo


def test_killed(run, updates):
    """What a killed process had logged is on disk, and the next process delivers it."""
    lines = run("killed.py").splitlines()
    assert lines[-1] == "delivered by the next process: 3"
    assert lines[-4:-1] == ["on disk: 19.9", "on disk: 29.9", "on disk: 49.9"]
    assert [update["$append"]["$transactions"]["$amount"] for _, update in updates()] == [19.9, 29.9, 49.9]


def test_funnel(run, events, updates):
    """From a scan to live events: the past arrives with its own times, the present as it is logged."""
    printed = run("funnel.py")
    assert "4 log calls in 1 file: 3 literal, 1 f-string" in printed
    assert "never matched, 1 of 4 rules: rules.toml: rule[3]" in printed
    assert "5 messages delivered" in printed
    assert Counter((endpoint, user, name) for endpoint, user, name, _ in events()) == Counter(
        [
            ("import", "bob", "Signed Up"),
            ("track", "ada", "Signed Up"),
            ("track", "ada", "Ordered"),
            ("track", "bob", "Payment Declined"),
            ("track", "cleo", "Signed Up"),
            ("track", "cleo", "Ordered"),
            ("track", "dan", "Payment Declined"),
        ]
    )
    assert ("track", "cleo", "Ordered", {"items": 2, "total": 108.5}) in events()
    assert [user for user, _ in updates()] == ["ada", "cleo"]


def test_every_example_is_in_the_demo():
    """No example is left out of the demo."""
    assert {path.name for path in EXAMPLES.glob("*.py")} - {"demo.py"} == demo.STORIES.keys()


def _is_gone(url):
    try:
        requests.get(url, timeout=10)
    except requests.ConnectionError:
        return True
    return False


def test_demo_shows_all():
    """The demo exits with 0 when all arrived, each example shown, and its sandbox has ended."""
    command = [sys.executable, EXAMPLES / "demo.py"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=50, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    url, *_ = re.match(r"Sandbox at (http://127\.0\.0\.1:\d+)\n", done.stdout).groups()
    assert all(f"\n{name}: " in done.stdout for name in demo.STORIES)
    assert "All arrived as expected" in done.stdout
    assert _is_gone(url)


def test_demo_is_ended_with_its_sandbox():
    """A demo that is told to end leaves no sandbox behind."""
    command = [sys.executable, EXAMPLES / "demo.py"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        url = process.stdout.readline().split()[-1]
        process.terminate()
        process.communicate(timeout=30)
    assert process.returncode == 128 + signal.SIGTERM
    assert _is_gone(url)


def _demo_of(monkeypatch, story):
    monkeypatch.setitem(demo.STORIES, "quickstart.py", story)
    return demo.main(["quickstart.py"])


def test_demo_fails_when_something_is_missing(monkeypatch, capfd):
    """An expected message that doesn't arrive is exit status 1 and a line that names it."""
    story = [*demo.STORIES["quickstart.py"], ("plan", [demo.event("bob", "Never Sent")])]
    assert _demo_of(monkeypatch, story) == 1
    assert "quickstart.py: missing: track | bob | Never Sent\n" in capfd.readouterr().err


def test_demo_fails_when_something_is_added(monkeypatch, capfd):
    """A message that nobody expected is exit status 1 and a line that names it."""
    assert _demo_of(monkeypatch, demo.STORIES["quickstart.py"][:1]) == 1
    assert 'quickstart.py: unexpected: engage | ada | {"$set": {"Plan": "pro"}}\n' in capfd.readouterr().err


def test_demo_fails_when_an_example_fails(monkeypatch, capfd, tmp_path):
    """What an example writes to stderr, a traceback say, is a failure and is shown."""
    (tmp_path / "quickstart.py").write_text('"""Fails."""\nraise SystemExit("no such thing")\n')
    monkeypatch.setattr(demo, "HERE", tmp_path)
    assert _demo_of(monkeypatch, []) == 1
    assert "quickstart.py: no such thing\n" in capfd.readouterr().err


def test_demo_refuses_an_unknown_example():
    """A name that is none of the examples' is told, with those there are."""
    with pytest.raises(SystemExit, match=r"No such example: dictconf\.py\. There are quickstart\.py, "):
        demo.main(["dictconf.py"])


# The demo's comparison

ONE, TWO = demo.event("ada", "One"), demo.event("ada", "Two")
STORY = [("one", [ONE]), ("two", [TWO])]


@pytest.mark.parametrize(
    ("lines", "arrived", "problems"),
    [
        (["one", "two"], [ONE, TWO], []),
        (["first", "one", "between", "two", "last"], [ONE, TWO], []),
        (["one", "two"], [TWO], [("one", ONE, "missing")]),
        (["one", "two"], [], [("one", ONE, "missing"), ("two", TWO, "missing")]),
        (["one", "two"], [ONE, TWO, TWO], [("", TWO, "unexpected")]),
        (["one", "two"], [TWO, ONE], [("", TWO, "out of order")]),
        (["one"], [ONE, TWO], [("two", None, "not logged")]),
        (["two", "one"], [ONE, TWO], [("two", None, "not logged")]),
        (
            ["one", "two"],
            [ONE, demo.event("bob", "Two")],
            [("two", TWO, "missing"), ("", demo.event("bob", "Two"), "unexpected")],
        ),
    ],
)
def test_compare(lines, arrived, problems):
    """Anything missing, added, out of order or not logged is a problem; lines that track nothing are none."""
    rows = demo.compare(STORY, lines, arrived)
    assert [(row.logged, row.arrival, row.problem) for row in rows if row.problem] == problems


def test_compare_shows_all_lines():
    """Every printed line has its row, in its place."""
    rows = demo.compare(STORY, ["first", "one", "between", "two", "last"], [ONE, TWO])
    assert [row.logged for row in rows] == ["first", "one", "between", "two", "last"]


@pytest.mark.parametrize(
    ("properties", "what"),
    [
        ({"token": demo.TOKEN, "time": 0}, "Seen"),
        ({"token": demo.TOKEN, "time": -30 * 24 * 3600}, "Seen, 30 days ago"),
        ({"token": "another", "time": 0}, 'Seen {"token": "another"}'),
        ({"token": demo.TOKEN, "time": -3600}, 'Seen {"time": -3600}'),
    ],
)
def test_a_wrong_token_or_time_shows(properties, what):
    """Token and time are not shown when they are right, and are when they are not."""
    message = {"event": "Seen", "properties": {**properties, "distinct_id": "ada"}}
    sent = {"endpoint": "track", "arrived": 0.0, "message": message}
    assert demo.as_arrival(sent) == demo.Arrival("track", "ada", what)
