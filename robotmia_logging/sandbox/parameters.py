"""The parameters of a request, from the query string and from the form in the body."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

_FORM = "application/x-www-form-urlencoded"
_MAX_FIELDS = 100  # parse_qsl's guard against a body that is all '&'


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """What a request asked for: its parameters, where `data` came from, and what made them unreadable."""

    values: Mapping[str, str]
    data_in_body: bool = False
    problem: str = ""

    @property
    def data(self) -> str:
        """The `data` parameter; empty when there is none."""
        return self.values.get("data", "")

    def is_on(self, name: str) -> bool:
        """Whether the parameter is present and equal to 1."""
        return self.values.get(name) == "1"


def read_parameters(query: bytes, body: bytes = b"", content_type: str = _FORM) -> Parameters:
    """Read both places; the body wins, but `data` in both is a problem, for one of them would be lost.

    Never raises: how to answer a bad request is itself among the parameters.
    """
    is_form = content_type.partition(";")[0].strip().lower() in ("", _FORM)
    problem = "" if is_form or not body else f"the body of a POST must be {_FORM}"
    pairs: list[tuple[str, str]] = []
    in_body: list[tuple[str, str]] = []
    try:
        pairs = _pairs(query)
        in_body = _pairs(body) if is_form else []
    except ValueError:
        problem = f"a request must have at most {_MAX_FIELDS} parameters"
    if sum(name == "data" for name, _ in pairs + in_body) > 1:
        problem = "data is given more than once"
    return Parameters(
        values=dict(pairs + in_body),
        data_in_body=any(name == "data" for name, _ in in_body),
        problem=problem,
    )


def _pairs(form: bytes) -> list[tuple[str, str]]:
    text = form.decode("utf-8", "replace")
    return parse_qsl(text, keep_blank_values=True, max_num_fields=_MAX_FIELDS)
