"""Run the examples against a local sandbox, and show what they logged beside what arrived.

Each example is a process of its own, as is the sandbox. Any difference between what arrived and what is declared
here is a line on stderr and exit status 1. Names of examples may be given as arguments; default are all.
"""

from __future__ import annotations

import ast
import json
import os
import signal
import subprocess
import sys
import sysconfig
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timezone
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

import requests
from rich.console import Console
from rich.table import Table
from rich.text import Text

HERE = Path(__file__).parent
TOKEN = "demo-token"  # noqa: S105 - the sandbox takes any
EXAMPLE_TIMEOUT_S = 30
DAY_S = 24 * 3600
FRESH_S = 60  # a time this close to the arrival is the record's own
LONG_RUN = 9  # rows of one kind that are shown in full
LONG_LINE = 200  # characters


class Arrival(NamedTuple):
    """A message as it arrived, or was refused on its own: then `endpoint` is "refused", `what` the server's words."""

    endpoint: str
    user: str | None
    what: str


class Row(NamedTuple):
    """A log line beside what became of it.

    `problem` says what is wrong, if anything; `note` what there is to say of a line without an arrival.
    """

    logged: str
    arrival: Arrival | None = None
    problem: str = ""
    note: str = "not tracked"


Story = Sequence[tuple[str, Sequence[Arrival]]]
"""Log lines (a part of each will do) in their order, and what must arrive for them. Other lines track nothing."""


# What is expected


def event(user: str | None, name: str, /, *, to: str = "track", age_days: int = 0, **properties: Any) -> Arrival:
    """An event, its properties without token, user and time."""
    return Arrival(to, user, _shown(name, properties) + _age(age_days))


def update(user: str, operation: str, value: Any, *, age_days: int = 0, **attributes: Any) -> Arrival:
    """A profile update, without token, user and time."""
    return Arrival("engage", user, _json({operation: value, **attributes}) + _age(age_days))


def refused(user: str, error: str) -> Arrival:
    """A message that the server refused on its own."""
    return Arrival("refused", user, error)


def _shown(name: str, properties: Mapping[str, Any]) -> str:
    return f"{name} {_json(properties)}" if properties else name


def _json(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def _age(days: int) -> str:
    return f", {days} day{'s' if days > 1 else ''} ago" if days else ""


def _page(path: str, status: int, method: str = "GET", user: str | None = None) -> Arrival:
    return event(user, "Page Viewed", method=method, path=path, http="1.1", status=status)


def _searches(numbers: Iterable[int]) -> Story:
    users = {number: f"user-{number % 3}" for number in numbers}
    return [
        (f"{user} looked for robot {number}", [event(user, f"Looked for robot {number}")])
        for number, user in users.items()
    ]


_TOO_LONG = "event name is longer than 255 characters"
_IP = "203.0.113.7"

STORIES: dict[str, Story] = {
    "quickstart.py": [
        ("order 17 placed", [event("ada", "Order Placed", total=49.9)]),
        ("plan changed", [update("ada", "$set", {"Plan": "pro"})]),
    ],
    "dictconfig.py": [
        ("looked at /pricing", [event("visitor-71", "Page Viewed", release="2.4", path="/pricing")]),
        ("Search Used", [event("visitor-71", "Search Used", release="2.4", name="robots", hits=3)]),
        (
            "signed up",
            [
                event("visitor-71", "$create_alias", alias="ada"),
                event("visitor-71", "Signed Up", release="2.4", plan="free"),
            ],
        ),
        ("saved settings", [update("ada", "$set", {"$email": "ada@example.com"})]),
        ("first visit", [update("ada", "$set_once", {"Source": "newsletter"})]),
        ("used a coupon", [update("ada", "$add", {"Coupons": 1}), update("ada", "$append", {"Codes": "A7"})]),
        ("joined lists", [update("ada", "$union", {"Lists": ["news", "offers"]})]),
        ("left a list", [update("ada", "$remove", {"Lists": "offers"})]),
        ("hid address", [update("ada", "$unset", ["Address"])]),
        ("account closed", [event("bob", "Account Closed", release="2.4"), update("bob", "$delete", "")]),
        ("paid", [update("ada", "$append", {"$transactions": {"$amount": 49.9}})]),
        ("paid INV-8", [update("ada", "$append", {"$transactions": {"$amount": 12, "invoice": "INV-8"}})]),
        ("imported a trial", [event("ada", "Trial Started", to="import", age_days=30, release="2.4")]),
    ],
    "structlog_pipeline.py": [
        ('"event": "Signed Up"', [event("ada", "Signed Up", ip=_IP, plan="pro", seats=3)]),
        (
            '"event": "settings saved"',
            [
                update("ada", "$set", {"$first_name": "Ada"}, **{"$ip": _IP}),
                update("ada", "$add", {"Logins": 1}, **{"$ip": _IP}),
            ],
        ),
        (
            '"event": "invoice paid"',
            [update("ada", "$append", {"$transactions": {"$amount": 49.9, "invoice": "INV-7"}}, **{"$ip": _IP})],
        ),
        ('"event": "payment failed"', [event("ada", "Payment Failed", ip=_IP, attempt=2)]),
        ('"event": "Report Sent"', [event(None, "Report Sent", recipients=12)]),
    ],
    "zero_code.py": [
        ("Application startup complete.", [event(None, "Server Started")]),
        ('"GET / HTTP/1.1" 200', [_page("/", 200)]),
        (
            "ada changed from free to pro",
            [event("ada", "Plan Changed", before="free", after="pro"), update("ada", "$set", {"Plan": "pro"})],
        ),
        ('"POST /users/ada/plan HTTP/1.1" 201', [_page("/users/ada/plan", 201, "POST", "ada")]),
        ('"GET /report?month=7 HTTP/1.1" 503', [_page("/report?month=7", 503)]),
        ('"GET /nowhere HTTP/1.1" 404', [_page("/nowhere", 404)]),
    ],
    "funnel.py": [
        ("{user} signed up for {plan}", []),
        ("never matched, 1 of 4 rules: rules.toml: rule[3]", []),
        (
            "5 messages delivered",
            [
                event("bob", "Signed Up", to="import", age_days=8, plan="free"),
                event("ada", "Signed Up", age_days=1, plan="pro"),
                event("ada", "Ordered", age_days=1, items=2, total=49.9),
                update("ada", "$add", {"Orders": 1}, age_days=1),
                event("bob", "Payment Declined", age_days=1, reason="no cover"),
            ],
        ),
        ("cleo signed up for pro", [event("cleo", "Signed Up", plan="pro")]),
        (
            "cleo ordered 2 items for 108.50",
            [event("cleo", "Ordered", items=2, total=108.5), update("cleo", "$add", {"Orders": 1})],
        ),
        ("payment of dan declined", [event("dan", "Payment Declined", reason="card expired")]),
    ],
    "one_bad_message.py": [
        *_searches(range(1, 21)),
        ("user-0 looked for robots and the meaning of life", [refused("user-0", f"messages[0]: {_TOO_LONG}")]),
        *_searches(range(22, 51)),
        ("50 accepted, 49 delivered, dead letters: {'refused': 1}", []),
        (f"dead letter: Looked for robots and ...: the server says: messages[0]: {_TOO_LONG}", []),
    ],
    "killed.py": [
        *[
            (f"invoice {number} paid", [update("ada", "$append", {"$transactions": {"$amount": amount}})])
            for number, amount in ((7, 19.9), (8, 29.9), (9, 49.9))
        ],
        *[(f"on disk: {amount}", []) for amount in (19.9, 29.9, 49.9)],
        ("delivered by the next process: 3", []),
    ],
    "tested.py": [
        ("test-user signed up for pro", []),
        ("no event 'Signed Up' with plan='free', seats=3 was tracked", []),
        ("plan: expected 'free', got 'pro'", []),
        ("ada signed up for pro", [event("ada", "Signed Up", plan="pro")]),
    ],
}


# What arrived


def read_arrivals(url: str, since: float) -> list[Arrival]:
    """What the sandbox accepted, and what it refused on its own, from a time on (unix seconds)."""
    accepted = [as_arrival(sent) for sent in _read(url, "messages") if sent["arrived"] >= since]
    alone = [
        _as_refused(refusal, *refusal["messages"])
        for refusal in _read(url, "refusals")
        if refusal["arrived"] >= since and len(refusal.get("messages", ())) == 1
    ]
    return accepted + alone


def _read(url: str, what: str) -> list[dict[str, Any]]:
    with requests.Session() as session:
        session.trust_env = False  # no proxy
        found: list[dict[str, Any]] = session.get(f"{url}/sandbox/{what}", timeout=EXAMPLE_TIMEOUT_S).json()
    return found


def as_arrival(sent: Mapping[str, Any]) -> Arrival:
    """What the sandbox says of a message, as an arrival: less token, user and time, but wrong ones stay and show."""
    message, arrived = sent["message"], sent["arrived"]
    user = _user(message)
    if sent["endpoint"] == "engage":
        days = round((arrived - message.get("$time", arrived)) / DAY_S)
        return Arrival("engage", user, _json(_rest(message, "$", arrived - days * DAY_S)) + _age(days))
    properties = message["properties"]
    days = round((arrived - properties.get("time", arrived)) / DAY_S)
    shown = _shown(message["event"], _rest(properties, "", arrived - days * DAY_S))
    return Arrival(sent["endpoint"], user, shown + _age(days))


def _as_refused(refusal: Mapping[str, Any], message: Mapping[str, Any]) -> Arrival:
    return Arrival("refused", _user(message), refusal["error"])


def _user(message: Mapping[str, Any]) -> str | None:
    """The user as sent; the sandbox says whom an alias stands for."""
    user: str | None = message.get("$distinct_id") or message.get("properties", {}).get("distinct_id")
    return user


def _rest(fields: Mapping[str, Any], prefix: str, logged: float) -> dict[str, Any]:
    rest = {key: _without_time(value, logged) for key, value in fields.items() if key != f"{prefix}distinct_id"}
    if rest.get(f"{prefix}token") == TOKEN:
        del rest[f"{prefix}token"]
    if abs(logged - rest.get(f"{prefix}time", float("inf"))) < FRESH_S:
        del rest[f"{prefix}time"]
    return rest


def _without_time(value: Any, logged: float) -> Any:
    """A value as it is, but for `$transactions` entries: these less their time."""
    if not isinstance(value, dict) or not isinstance(value.get("$transactions"), dict):
        return value
    transaction = dict(value["$transactions"])
    when = datetime.fromisoformat(transaction["$time"]).replace(tzinfo=timezone.utc)
    if abs(logged - when.timestamp()) < FRESH_S:
        del transaction["$time"]
    return {**value, "$transactions": transaction}


# The comparison


def compare(story: Story, lines: Sequence[str], arrived: Sequence[Arrival]) -> list[Row]:
    """Put what was logged beside what arrived.

    Args:
        story: what is expected.
        lines: what the example printed.
        arrived: what the sandbox has, in its order.

    Returns:
        Rows in the order of the lines; behind them what arrived without being expected, or in another order.
    """
    left = Counter(arrived)
    rows: list[Row] = []
    unseen = list(lines)
    for text, expected in story:
        at = next((number for number, line in enumerate(unseen) if text in line), None)
        if at is None:
            line = text
            rows.append(Row(line, problem="not logged"))
        else:
            line = unseen[at]
            rows += [Row(skipped) for skipped in unseen[:at]]
            del unseen[: at + 1]
        rows += _beside(line, expected, left)
    rows += [Row(line) for line in unseen]
    rows += [Row("", arrival, "unexpected") for arrival in left.elements()]
    if not any(row.problem for row in rows):
        rows += _disorder([arrival for _, expected in story for arrival in expected], arrived)
    return rows


def _beside(line: str, expected: Sequence[Arrival], left: Counter[Arrival]) -> list[Row]:
    """A line and its arrivals, which are taken from those left."""
    rows = []
    for arrival in expected:
        rows.append(Row(line, arrival, "" if left[arrival] else "missing"))
        left[arrival] = max(0, left[arrival] - 1)
    return rows or [Row(line, note="as expected")]


def _disorder(expected: Sequence[Arrival], arrived: Sequence[Arrival]) -> list[Row]:
    """Messages must arrive as they were logged, for each user and endpoint; it shows at the first that didn't."""
    lanes = {(arrival.endpoint, arrival.user) for arrival in expected}
    rows = []
    for lane in sorted(lanes, key=str):
        wanted, came = ([each for each in them if (each.endpoint, each.user) == lane] for them in (expected, arrived))
        misplaced = [arrival for arrival, in_turn in zip(came, wanted, strict=True) if arrival != in_turn]
        rows += [Row("", arrival, "out of order") for arrival in misplaced[:1]]
    return rows


# The show


def show(console: Console, name: str, rows: Sequence[Row]) -> None:
    """Print an example's table; long runs of one kind are shortened."""
    docstring = ast.get_docstring(ast.parse((HERE / name).read_text(encoding="utf-8"))) or ""
    console.print(Text(f"\n{name}: ", "bold") + Text(docstring.partition("\n")[0], "not bold"))
    table = Table("logged", "endpoint", "user", "arrived", expand=True, show_edge=False, header_style="bold dim")
    for index in (0, 3):
        table.columns[index].ratio = 1
    above = ""
    for _, same in groupby(rows, key=lambda row: (row.arrival and row.arrival.endpoint, row.problem)):
        alike = list(same)
        head, cut, tail = (alike[:2], len(alike) - 3, alike[-1:]) if len(alike) > LONG_RUN else (alike, 0, [])
        for row in head:
            table.add_row(*_cells(row, above))
            above = row.logged
        if cut:
            table.add_row(Text(f"... {cut} more like these", "dim"))
        for row in tail:
            table.add_row(*_cells(row, above=""))
    console.print(table)


def _cells(row: Row, above: str) -> list[Text]:
    line = row.logged if len(row.logged) <= LONG_LINE else row.logged[:LONG_LINE] + "..."
    logged = Text("" if row.logged == above and row.arrival else line)
    if row.arrival is None:
        return [logged, Text(), Text(), Text(row.problem or row.note, "bold red" if row.problem else "dim")]
    endpoint, user, what = row.arrival
    style = "bold red" if row.problem else "yellow" if endpoint == "refused" else "green"
    where = Text(endpoint if endpoint == "refused" else f"/{endpoint}/", style)
    return [logged, where, Text(user or ""), Text(f"{row.problem.upper()}: {what}" if row.problem else what, style)]


# The processes


@contextmanager
def sandbox() -> Iterator[str]:
    """Run `robotmia-logging sandbox` for as long as the block; gives its URL."""
    command = str(Path(sysconfig.get_path("scripts"), "robotmia-logging"))
    with subprocess.Popen([command, "sandbox", "--port", "0"], stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - ours
        try:
            line = process.stdout.readline() if process.stdout else ""  # empty if it has ended
            if "http" not in line:
                sys.exit("The sandbox didn't start.")
            yield line.split()[-1]
        finally:
            process.terminate()
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()


def run_example(name: str, url: str) -> tuple[list[str], str]:
    """Run an example to its end; gives the lines it printed, and what went wrong with it."""
    ours = {"ROBOTMIA_URL": url, "ROBOTMIA_TOKEN": TOKEN, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
    environment = {key: value for key, value in os.environ.items() if not key.startswith("ROBOTMIA_")} | ours
    try:
        done = subprocess.run(  # noqa: S603 - our own examples
            [sys.executable, HERE / name],
            env=environment,
            capture_output=True,
            text=True,
            timeout=EXAMPLE_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return [], f"didn't end within {EXAMPLE_TIMEOUT_S} s"
    trouble = done.stderr.strip() or (f"exit status {done.returncode}" if done.returncode else "")
    return done.stdout.splitlines(), trouble


def run(console: Console, name: str, url: str) -> list[str]:
    """Run one example and show it; gives a sentence for each difference."""
    started = time.time()
    lines, trouble = run_example(name, url)
    rows = compare(STORIES[name], lines, read_arrivals(url, started))
    show(console, name, rows)
    problems = [f"{name}: {trouble}"] if trouble else []
    return problems + [
        f"{name}: {row.problem}: {' | '.join(map(str, row.arrival)) if row.arrival else row.logged}"
        for row in rows
        if row.problem
    ]


def main(names: Sequence[str] = ()) -> int:
    """Run the named examples, or all; gives the exit status."""
    if unknown := set(names) - STORIES.keys():
        sys.exit(f"No such example: {', '.join(sorted(unknown))}. There are {', '.join(STORIES)}.")
    console = Console(width=None if sys.stdout.isatty() else 140)
    started = time.monotonic()
    with sandbox() as url:
        console.print(f"Sandbox at {url}", highlight=False)
        try:
            problems = [problem for name in names or STORIES for problem in run(console, name, url)]
        except requests.RequestException as error:
            sys.exit(f"The sandbox doesn't answer: {error}")
    if problems:
        print("\nNot as expected:", *problems, sep="\n", file=sys.stderr)
        return 1
    console.print(f"\nAll arrived as expected, nothing else, in {time.monotonic() - started:.1f} s.", style="bold")
    return 0


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # the sandbox ends with us
    sys.exit(main(sys.argv[1:]))
