"""Strategies for requests that may break a server: messages nearly right, data of any kind, odd parameters."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote_plus, urlencode

from hypothesis import strategies as st
from sandbox_client import encode, event, update

# What stands in `data`

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=12,
)
keys = st.sampled_from(
    (  # noqa: SIM905 - a list of literals would take a page
        "event properties token distinct_id time ip alias mp_x $token $distinct_id $ip $time $ignore_time "
        "$set $set_once $add $append $union $remove $unset $delete $transactions $amount $device_id"
    ).split()
)
values = st.sampled_from(
    ["$create_alias", "t", "", 0, 1_700_000_000, 1_700_000_000_000, 1e15, -1e12, 0.5, 10**300, True,
     "2013-01-03T09:00:00", "2013-01-03T09:00:00.000Z", "2013-02-30T00:00:00", "0000-00-00 00:00", "\0", "٣"]
)  # fmt: skip
odd_values = json_values | values | st.dictionaries(keys, json_values | values, max_size=5)
near_messages = st.builds(
    lambda base, change, inside: {**_with_inside(base, inside), **change},
    st.sampled_from(
        [
            event(distinct_id="u"),
            event("$create_alias", distinct_id="u", alias="v"),
            *[update(name, {"a": 1}) for name in ("$set", "$set_once", "$add", "$append", "$remove")],
            update("$union", {"a": [1]}),
            update("$unset", ["a"]),
            update("$delete", ""),
        ]
    ),
    st.dictionaries(keys, odd_values, max_size=2),
    st.dictionaries(keys, odd_values, max_size=2),
)
raw_data = st.binary().map(lambda raw: base64.b64encode(raw).decode())
any_data = st.text() | raw_data | (near_messages | json_values | st.lists(near_messages)).map(encode)


def _with_inside(message, change):
    """The message with changes one level down, where most of its rules are."""
    return {name: {**value, **change} if isinstance(value, dict) else value for name, value in message.items()}


# Around it

endpoints = st.sampled_from(["track", "import", "engage"])
forms = st.dictionaries(
    st.sampled_from(["ip", "redirect", "img", "callback", "verbose"]),
    st.sampled_from(["0", "1", "http://example.com/é\n", "https://é.example", "wasTracked"]) | st.text(),
)
content_types = st.sampled_from(
    ["application/x-www-form-urlencoded", "text/plain", "", "application/json", "multipart/form-data", ";;", "é"]
)
read_paths = st.sampled_from(
    ["/", "/sandbox", "/sandbox/messages", "/sandbox/refusals", "/sandbox/arrivals", "/sandbox/profiles",
     "/sandbox/summary", "/sandbox/arrivals/1", "/sandbox/arrivals/99999999999999999999", "/sandbox/profiles/u",
     "/sandbox/profiles/%00/..//%ff", "/sandbox/faults", "/nowhere", "/track/x", "//track"]
)  # fmt: skip
filters = st.dictionaries(
    st.sampled_from(
        ["event", "distinct_id", "endpoint", "since", "limit", "warnings", "refused", "search", "after", "before", "x"]
    ),
    st.sampled_from(["0", "1", "5", "u", "track", "-1", "1e9", "nan", "2013-01-03T09:00:00", "9" * 30, "%", "_", "\0"])
    | st.text(),
)


@dataclass(frozen=True, kw_only=True)
class HostileRequest:
    """A request: what is sent, byte for byte, but for the headers every client has."""

    method: str
    target: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


def _sends(endpoint, slash, method, data, form, content_type, in_body):
    fields = urlencode(form | ({"data": data} if in_body else {}), errors="replace").encode()
    query = "" if in_body else "?data=" + quote_plus(data, errors="replace")[:50_000]
    headers = {"Content-Type": content_type.encode("utf-8").decode("latin-1")}
    return HostileRequest(method=method, target=f"/{endpoint}{slash}{query}", headers=headers, body=fields)


sends = st.builds(
    _sends,
    endpoints,
    st.sampled_from(["", "/"]),
    st.sampled_from(["POST"] * 6 + ["GET"] * 3 + ["PUT", "OPTIONS"]),
    any_data,
    forms,
    content_types,
    st.booleans(),
)
raw_posts = st.builds(
    lambda endpoint, body, content_type: HostileRequest(
        method="POST",
        target=f"/{endpoint}",
        headers={"Content-Type": content_type.encode("utf-8").decode("latin-1")},
        body=body,
    ),
    endpoints,
    st.binary(max_size=300),
    content_types,
)
reads = st.builds(
    lambda method, path, query: HostileRequest(method=method, target=f"{path}?{urlencode(query, errors='replace')}"),
    st.sampled_from(["GET"] * 8 + ["HEAD", "PUT", "OPTIONS"]),
    read_paths,
    filters,
)
control = st.builds(
    lambda path, body: HostileRequest(method="POST", target=path, body=body),
    # Not reset alone: what was sent is to be read, too. Not faults that are valid: they break answers on purpose.
    st.sampled_from(["/sandbox/reset", "/sandbox/faults"]),
    st.sampled_from([b"", b"{", b"[]", b'{"fail": {"200": 2}}', b'{"latency": "x"}', b'{"hang": NaN}', b"\xff"]),
)
requests = sends | sends | sends | reads | reads | raw_posts | control
