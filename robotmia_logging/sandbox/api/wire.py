"""From the text of the `data` parameter to JSON objects: Base64, UTF-8, JSON, one message or a list."""

import base64
import json
import math
import re
from dataclasses import dataclass
from typing import Any, NoReturn

import orjson

from robotmia_logging.sandbox.api.refused import Refused

MAX_BATCH = 50
MAX_DEPTH = 200  # the sandbox's own: far over real messages, far under the recursion limit of `json`
_MAX_INT_DIGITS = 309  # as many as the largest double has
_LONG_INTEGER = re.compile(rb"[0-9]{19}")
_OUTSIDE_ALPHABET = re.compile(r"[^A-Za-z0-9+/=]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoded:
    """What `data` held.

    Attributes:
        messages: any JSON values as yet.
        is_batch: whether they came as a list.
        warning: what the document advises against in the Base64; empty when all is well.
    """

    messages: list[Any]
    is_batch: bool
    warning: str = ""


def decode(data: str, *, may_be_list: bool) -> Decoded:
    """Read the text of a `data` parameter.

    Args:
        data: the parameter, after the form's own decoding.
        may_be_list: whether it came in the body of a POST, the only place where lists are accepted.

    Raises:
        Refused: it is not padded Base64 of one UTF-8 JSON object, or of a list of 1 to 50 values.
    """
    text = data.replace(" ", "+")  # a form's decoder makes a space of every '+' that was sent as it is
    warning = _check_base64(text)
    value = _from_json(base64.b64decode(_padded(text)))
    if isinstance(value, dict):
        return Decoded(messages=[value], is_batch=False, warning=warning)
    if not isinstance(value, list):
        raise Refused("data must hold a JSON object, or a list of objects")
    if not may_be_list:
        raise Refused("a list of messages is accepted only in the body of a POST")
    if not 1 <= len(value) <= MAX_BATCH:
        raise Refused(f"a batch must have 1 to {MAX_BATCH} messages; this one has {len(value)}")
    return Decoded(messages=value, is_batch=True, warning=warning)


def _check_base64(text: str) -> str:
    """Check strictly, but let surplus `=` pass: an example of the document carries them.

    Returns:
        A warning of these, else an empty string.
    """
    digits = text.rstrip("=")
    if not digits:
        raise Refused("data is missing or empty")
    _check_alphabet(text, digits)
    if len(digits) % 4 == 1:
        raise Refused(f"data is not Base64: no text encodes to {len(digits)} characters")
    given, needed = len(text) - len(digits), -len(digits) % 4
    if given < needed:
        raise Refused(f"data is not padded: its {len(digits)} characters of Base64 must be followed by {'=' * needed}")
    return f"data ends with {given} '=' where Base64 has {needed}" if given > needed else ""


def _check_alphabet(text: str, digits: str) -> None:
    bad = _OUTSIDE_ALPHABET.search(text)
    position = bad.start() if bad else digits.find("=")
    if position < 0:
        return
    if text[position] in "-_":
        raise Refused(
            f"data is Base64 in the URL-safe alphabet (character {position} is {text[position]!r}): "
            "robotmia's has '+' and '/' in place of '-' and '_'"
        )
    raise Refused(f"data is not Base64: character {position} is {text[position]!a}")


def _padded(text: str) -> str:
    """The text without surplus `=`."""
    digits = text.rstrip("=")
    return digits + "=" * (-len(digits) % 4)


def _from_json(raw: bytes) -> Any:
    """Parse strict JSON: no NaN, no number a double can't hold, no half a surrogate pair, bounded depth."""
    try:
        value = _from_ordinary_json(raw)
    except orjson.JSONDecodeError:
        value = _from_any_json(raw)
    # Counting first: it settles the matter for ordinary batches, and to look at every value takes as long as to parse.
    if raw.count(b"[") + raw.count(b"{") > MAX_DEPTH and _is_deeper(value, MAX_DEPTH):
        raise Refused(_TOO_DEEP)
    return value


def _from_ordinary_json(raw: bytes) -> Any:
    """What nearly all clients send, in a fifth of the time."""
    # orjson would make a double of an integer beyond 64 bits.
    return _from_any_json(raw) if _LONG_INTEGER.search(raw) else orjson.loads(raw)


def _from_any_json(raw: bytes) -> Any:
    """All the rest, and what is wrong with it, said in a sentence."""
    try:
        text = raw.decode("utf-8")
        value = json.loads(text, parse_constant=_no_constant, parse_float=_float, parse_int=_int)
    except UnicodeDecodeError as error:
        raise Refused(f"data is not UTF-8: byte {error.start} of the decoded Base64") from None
    except json.JSONDecodeError as error:
        raise Refused(f"data is not JSON: {error}") from None
    except RecursionError:
        raise Refused(_TOO_DEEP) from None
    if "\\ud" in text.lower():  # UTF-8 itself can't carry a surrogate: only such an escape can
        _check_surrogates(value)
    return value


_TOO_DEEP = f"data is nested deeper than {MAX_DEPTH} levels"


def _no_constant(name: str) -> NoReturn:
    raise Refused(f"data is not JSON: {name} is not a JSON number")


def _float(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise Refused("data has a number outside the range of a double")
    return number


def _int(text: str) -> int:
    # Length first: Python's int() refuses thousands of digits, and takes quadratic time below that.
    if len(text) <= _MAX_INT_DIGITS + text.startswith("-"):
        number = int(text)
        try:
            float(number)
        except OverflowError:
            pass
        else:
            return number
    raise Refused("data has a number outside the range of a double")


def _is_deeper(value: Any, limit: int) -> bool:
    """Whether lists and objects nest deeper than `limit`; level by level, as recursion is what it guards."""
    level = [value]
    for _ in range(limit + 1):
        containers = [item for item in level if isinstance(item, dict | list)]
        level = [child for item in containers for child in (item.values() if isinstance(item, dict) else item)]
        if not containers:
            return False
    return True


def _check_surrogates(value: Any) -> None:
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        raise Refused("data has half a surrogate pair, which no UTF-8 string can hold") from None
