"""The forms an answer takes: 1 or 0, verbose JSON, a redirect, a pixel, a call of a function."""

import json
import re
from urllib.parse import urlsplit

from starlette.responses import RedirectResponse, Response

from robotmia_logging.sandbox.api.parameters import Parameters
from robotmia_logging.sandbox.api.refused import Refused
from robotmia_logging.sandbox.store.records import Endpoint

# A GIF of one transparent pixel: header, a palette of two, the transparency, the image, its pixel, the end.
PIXEL = bytes.fromhex(
    "474946383961 0100 0100 80 00 00 000000 ffffff21f904 01 0000 00 002c 0000 0000 0100 0100 0002 02 4401 00 3b"
)
_NO_STORE = {"Cache-Control": "no-store"}  # each open of an e-mail asks for its pixel anew
_NO_SNIFF = {"X-Content-Type-Options": "nosniff"}
_FUNCTION = re.compile(r"[A-Za-z_$][\w$]*(\.[A-Za-z_$][\w$]*)*", re.ASCII)
_MAX_FUNCTION = 255
_NOT_IN_URLS = re.compile(r"[\x00-\x20\x7f\\]")
_RESERVED = frozenset(
    (  # noqa: SIM905 - a list of literals would take a page
        "await break case catch class const continue debugger default delete do else enum export extends "
        "false finally for function if implements import in instanceof interface let new null package "
        "private protected public return static super switch this throw true try typeof var "
        "void while with yield"
    ).split()
)


def check_form(parameters: Parameters) -> None:
    """Check what the request says about its answer, before anything of it is accepted.

    Raises:
        Refused: the parameters couldn't be read, or an answer in the form asked for can't be given.
    """
    if parameters.problem:
        raise Refused(parameters.problem)
    redirect = parameters.values.get("redirect", "")
    if redirect and not _is_web_url(redirect):
        raise Refused("redirect must be an http or https URL")
    callback = parameters.values.get("callback", "")
    if callback and not _is_function_name(callback):
        raise Refused("callback must be the name of a JavaScript function")


def answer(endpoint: Endpoint, parameters: Parameters, error: str, *, status_code: int = 200) -> Response:
    """The answer to a request, accepted (an empty error) or refused.

    Args:
        endpoint: where the request went.
        parameters: the form it asked for; one that can't be given is answered in the plain form.
        error: why it was refused.
        status_code: of the plain form; the others are always successes, so that what waits for them works.
    """
    values = parameters.values
    redirect, callback = values.get("redirect", ""), values.get("callback", "")
    if redirect and _is_web_url(redirect):
        return RedirectResponse(redirect, status_code=302, headers=_NO_STORE)
    if parameters.is_on("img") and endpoint != "engage":  # the document gives profile updates no img
        return Response(PIXEL, media_type="image/gif", headers=_NO_STORE)
    if callback and _is_function_name(callback):
        call = f"{callback}({_body(parameters, error)});"
        return Response(call, media_type="text/javascript", headers=_NO_STORE | _NO_SNIFF)
    media_type = "application/json" if parameters.is_on("verbose") else "text/plain"
    return Response(_body(parameters, error), status_code=status_code, media_type=media_type, headers=_NO_STORE)


def _body(parameters: Parameters, error: str) -> str:
    """ASCII, since in a script two of Unicode's separators would end the line."""
    status = 0 if error else 1
    return json.dumps({"status": status, "error": error}) if parameters.is_on("verbose") else str(status)


def _is_web_url(url: str) -> bool:
    if _NOT_IN_URLS.search(url):  # urlsplit would drop some of these, and a browser reads \\ as //
        return False
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:  # half an IPv6 address, a port that is no number
        return False


def _is_function_name(name: str) -> bool:
    if len(name) > _MAX_FUNCTION or not _FUNCTION.fullmatch(name):
        return False
    return name.partition(".")[0] not in _RESERVED
