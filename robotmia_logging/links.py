"""GET URLs that send one event or one profile update: for e-mail, text messages and pages.

The URL holds the project's token and can be requested by whoever sees it, any number of times.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode

from robotmia_logging.messages import DEFAULT_URL, Refused, encode, operations, unix_seconds
from robotmia_logging.messages.event import check_event
from robotmia_logging.messages.profile import check_update
from robotmia_logging.messages.special import refuse_reserved

__all__ = ["event_url", "profile_url"]


def event_url(
    event: str,
    properties: Mapping[str, Any] | None = None,
    *,
    token: str | None = None,
    url: str | None = None,
    redirect: str | None = None,
    img: bool = False,
    callback: str | None = None,
    ip: bool | None = None,
    verbose: bool = False,
) -> str:
    """A URL that tracks an event when it is requested (Tracking events; Event request parameters).

    Args:
        event: the event's name.
        properties: its properties, the special ones (`distinct_id`, `time`, `ip`) among them. `time` takes seconds
            or a `datetime`; without it robotmia uses the time of the request.
        token: the project's token; default `$ROBOTMIA_TOKEN`.
        url: the API's base; default `$ROBOTMIA_URL` or https://api.robotmia.com.
        redirect: where the response redirects to.
        img: respond with a transparent image of one pixel.
        callback: respond with JavaScript that calls this function.
        ip: True: the request's IP address is the distinct id if the event has none. Default: not said.
        verbose: respond with a JSON object instead of `1` or `0`.

    Raises:
        ValueError: the API would refuse the event; the text says why.
    """
    all_properties: dict[str, Any] = {"token": token or os.environ.get("ROBOTMIA_TOKEN"), **(properties or {})}
    wire = {"event": event, "properties": all_properties}
    with _refusals_as_errors():
        _settle_time(all_properties, "time")
        check_event(wire)
        refuse_reserved(all_properties)
    return _url(url, "track", wire, redirect=redirect, img=img, callback=callback, ip=ip, verbose=verbose)


def profile_url(
    distinct_id: str,
    profile: Mapping[str, Any],
    *,
    token: str | None = None,
    attributes: Mapping[str, Any] | None = None,
    url: str | None = None,
    redirect: str | None = None,
    img: bool = False,
    callback: str | None = None,
    ip: bool | None = None,
    verbose: bool = False,
) -> str:
    """A URL that updates a profile when it is requested (Storing user profiles; Update request parameters).

    Args:
        distinct_id: whose profile.
        profile: one operation, such as ``{"$add": {"Opened": 1}}``; names and values alone mean `$set`.
        token: the project's token; default `$ROBOTMIA_TOKEN`.
        attributes: `$ip`, `$time` (seconds or a `datetime`) and `$ignore_time`, where wanted.
        url: the API's base; default `$ROBOTMIA_URL` or https://api.robotmia.com.
        redirect: where the response redirects to.
        img: respond with a transparent image; the document has this for events only.
        callback: respond with JavaScript that calls this function.
        ip: False: robotmia doesn't locate the user by the request's IP address. Default: not said.
        verbose: respond with a JSON object instead of `1` or `0`.

    Raises:
        ValueError: the API would refuse the update, or it has more than one operation; the text says why.
    """
    token = token or os.environ.get("ROBOTMIA_TOKEN")
    wire = {"$token": token, "$distinct_id": distinct_id, **(attributes or {})}
    unknown = wire.keys() - {"$token", "$distinct_id", "$ip", "$time", "$ignore_time"}
    if unknown:
        name = min(map(str, unknown))
        raise ValueError(f"{name!r} is no attribute of an update: allowed are $ip, $time, $ignore_time")
    with _refusals_as_errors():
        updates = operations(profile)
        if len(updates) != 1:
            raise ValueError(f"a URL carries one operation, and the profile has {len(updates)}")
        wire.update(updates)
        _settle_time(wire, "$time")
        operation = check_update(wire)
        if isinstance(wire[operation], Mapping):
            refuse_reserved(wire[operation])
    return _url(url, "engage", wire, redirect=redirect, img=img, callback=callback, ip=ip, verbose=verbose)


def _settle_time(wire: dict[str, Any], name: str) -> None:
    """Bring the time to seconds, or leave it to robotmia."""
    time = wire.pop(name, None)
    if time is not None:
        wire[name] = unix_seconds(time)


@contextmanager
def _refusals_as_errors() -> Iterator[None]:
    try:
        yield
    except Refused as refused:
        hint = ": give token=, or set $ROBOTMIA_TOKEN" if refused.reason == "no_token" else ""
        raise ValueError(refused.error + hint) from None


def _url(
    base: str | None,
    path: str,
    wire: dict[str, Any],
    *,
    redirect: str | None,
    img: bool,
    callback: str | None,
    ip: bool | None,
    verbose: bool,
) -> str:
    base = base or os.environ.get("ROBOTMIA_URL") or DEFAULT_URL
    parameters = {"data": base64.b64encode(encode(wire)[0]).decode()}
    if redirect is not None:
        parameters["redirect"] = redirect
    if img:
        parameters["img"] = "1"
    if callback is not None:
        parameters["callback"] = callback
    if ip is not None:
        parameters["ip"] = str(int(ip))
    if verbose:
        parameters["verbose"] = "1"
    # Base64 has +, / and =: each would be read as something else if it weren't encoded.
    return f"{base.rstrip('/')}/{path}/?{urlencode(parameters)}"
