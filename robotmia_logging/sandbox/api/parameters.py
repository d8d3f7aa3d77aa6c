"""The parameters of a request, from the query string and from the form in the body."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

_FORM = "application/x-www-form-urlencoded"
_ALSO_FORMS = ("", "text/plain")
_SHOWN = 60  # characters of what a request calls its body
_MAX_FIELDS = 100  # parse_qsl's guard against a body that is all '&'
_MAX_ESCAPES = 500_000  # of it all: Base64 has a few in a hundred; a body that is all '%' takes parse_qsl a minute


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """What a request asked for.

    Attributes:
        values: the parameters by name.
        data_in_body: whether `data` came in the form of the body.
        problem: what made them unreadable; empty when they were read.
        warning: what the document advises against in how they came; empty when all is well.
    """

    values: Mapping[str, str]
    data_in_body: bool = False
    problem: str = ""
    warning: str = ""

    @property
    def data(self) -> str:
        """The `data` parameter; empty when there is none."""
        return self.values.get("data", "")

    def is_on(self, name: str) -> bool:
        """Whether the parameter is present and equal to 1."""
        return self.values.get(name) == "1"


def read_parameters(query: bytes, body: bytes = b"", content_type: str = _FORM, encoding: str = "") -> Parameters:
    """Read both places; the body wins, but `data` in both is a problem, for one of them would be lost.

    Never raises: how to answer a bad request is itself among the parameters.

    Args:
        query: the query string.
        body: the body; empty for a GET.
        content_type: what the request calls the body. A browser's sendBeacon calls a form plain text, and some
            clients call it nothing: that is read, with a warning.
        encoding: the body's Content-Encoding.
    """
    media_type = content_type.partition(";")[0].strip().lower()
    problem = _problem_of_body(body, media_type, encoding.strip().lower()) if body else ""
    pairs: list[tuple[str, str]] = []
    in_body: list[tuple[str, str]] = []
    try:
        pairs = _pairs(query)
        in_body = [] if problem else _pairs(body)
    except ValueError:
        problem = f"a request must have at most {_MAX_FIELDS} parameters"
    if sum(name == "data" for name, _ in pairs + in_body) > 1:
        problem = "data is given more than once"
    return Parameters(
        values=dict(pairs + in_body),
        data_in_body=any(name == "data" for name, _ in in_body),
        problem=problem,
        warning=_warning_of_type(media_type) if in_body else "",
    )


def _warning_of_type(media_type: str) -> str:
    return (
        "" if media_type == _FORM else f"the body's Content-Type is {media_type or 'missing'}: robotmia expects {_FORM}"
    )


def _problem_of_body(body: bytes, media_type: str, encoding: str) -> str:
    if encoding not in ("", "identity"):
        return f"the body of a POST must not be compressed ({encoding[:_SHOWN]})"
    if media_type not in (_FORM, *_ALSO_FORMS):
        return f"the body of a POST must be {_FORM}, not {media_type[:_SHOWN]}"
    if body.count(b"%") > _MAX_ESCAPES:
        return f"the body of a POST must have at most {_MAX_ESCAPES} percent-encoded characters"
    if body.lstrip()[:1] in (b"{", b"["):
        return f"the body of a POST must be {_FORM} with the field data, not JSON itself"
    return ""


def _pairs(form: bytes) -> list[tuple[str, str]]:
    text = form.decode("utf-8", "replace")
    return parse_qsl(text, keep_blank_values=True, max_num_fields=_MAX_FIELDS)
