"""Which faults a sandbox shows: a value, checked when it is made."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

_LARGEST = 1e9
_ENDPOINTS = ("track", "import", "engage")


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """What goes wrong with requests to robotmia's endpoints. Probabilities are from 0 to 1; by default nothing does.

    Attributes:
        latency: seconds that every request waits before it is taken.
        fail: HTTP statuses (400 to 599), each with its probability; nothing of such a request is taken.
        hang: probability that a request is never taken and never answered.
        reset: probability that the connection is reset (TCP RST) before the request is taken.
        lose_reply: probability that the connection is reset after the request was taken: its reply is lost.
        reject: probability that good data is refused, as invalid data is: `0`, or status 0.
        slow: bytes a second at which the answer's body arrives; None for no limit.
        refuse: seconds for which connections are refused; those that are open are reset.
        retry_after: seconds, for the `Retry-After` header of failed requests; None for no header.
        times: the faults end after so many requests; None: they stay.
        endpoint: `track`, `import` or `engage`: faults at this endpoint alone.
        seed: makes the same sequence of faults again.

    Raises:
        ValueError: a value is out of its range, or the probabilities add up to more than 1.
    """

    latency: float = 0.0
    fail: Mapping[int, float] = field(default_factory=dict)
    hang: float = 0.0
    reset: float = 0.0
    lose_reply: float = 0.0
    reject: float = 0.0
    slow: float | None = None
    refuse: float = 0.0
    retry_after: float | None = None
    times: int | None = None
    endpoint: str | None = None
    seed: int | None = None

    def __post_init__(self) -> None:
        for name in ("latency", "refuse"):
            _need(_is_number(getattr(self, name)), name, "a number of seconds, 0 to 1e9", getattr(self, name))
        for kind, probability in self.probabilities():
            wanted = "a probability, 0 to 1"
            _need(_is_number(probability) and probability <= 1, str(kind), wanted, probability)
        for status in self.fail:
            _need(_is_whole(status) and 400 <= status <= 599, "fail", "statuses of 400 to 599", status)  # noqa: PLR2004
        _need_or_none(
            self, "slow", lambda value: _is_number(value) and value > 0, "bytes a second, more than 0, at most 1e9"
        )
        _need_or_none(self, "retry_after", _is_number, "a number of seconds, 0 to 1e9")
        _need_or_none(self, "times", lambda value: _is_whole(value) and value > 0, "a whole number, 1 or more")
        _need_or_none(self, "endpoint", lambda value: value in _ENDPOINTS, f"one of {', '.join(_ENDPOINTS)}")
        _need_or_none(self, "seed", _is_whole, "a whole number, 0 or more")
        total = sum(probability for _, probability in self.probabilities())
        if total > 1 + 1e-9:
            raise ValueError(f"the probabilities of faults must add up to at most 1, not {total:g}")

    @classmethod
    def from_mapping(cls, given: Any) -> "Faults":
        """Faults from JSON: an object with the names of the attributes; `fail` as `{"503": 0.1}` or `"503:0.1"`.

        Raises:
            ValueError: it is no such object.
        """
        known = [each.name for each in fields(cls)]
        if not isinstance(given, Mapping):
            raise ValueError(f"faults must be an object with some of {', '.join(known)}")  # noqa: TRY004 - of JSON
        if unknown := [name for name in given if name not in known]:
            raise ValueError(f"{unknown[0]!r} is no fault; there are {', '.join(known)}")
        values = dict(given)
        if "fail" in values:
            values["fail"] = _failures(values["fail"])
        return cls(**values)

    def probabilities(self) -> list[tuple[str | int, float]]:
        """The faults of which a request has at most one, each with its probability; a number is a status."""
        kinds: list[tuple[str | int, float]] = [
            ("hang", self.hang),
            ("reset", self.reset),
            ("lose_reply", self.lose_reply),
            ("reject", self.reject),
        ]
        return kinds + list(self.fail.items())

    def to_mapping(self) -> dict[str, Any]:
        """What differs from no faults, as JSON has it; empty when nothing does."""
        changed = {each.name: getattr(self, each.name) for each in fields(self)}
        nothing = Faults()
        changed = {name: value for name, value in changed.items() if value != getattr(nothing, name)}
        if "fail" in changed:
            changed["fail"] = {str(status): probability for status, probability in self.fail.items()}
        return changed


def failure(text: str) -> tuple[int, float]:
    """A status and its probability from `503:0.1`; `503` alone is always.

    Raises:
        ValueError: it is not of this form.
    """
    status, colon, probability = text.partition(":")
    try:
        return int(status), float(probability) if colon else 1.0
    except ValueError:
        raise ValueError(f"a failure is STATUS or STATUS:PROBABILITY, such as 503:0.1, not {text!r}") from None


def _failures(given: Any) -> dict[int, float]:
    if isinstance(given, int | str) and not isinstance(given, bool):
        return dict([failure(str(given))])
    if isinstance(given, list):
        return dict(failure(str(each)) for each in given)
    if isinstance(given, Mapping):
        return {failure(str(status))[0]: probability for status, probability in given.items()}
    raise ValueError(f'fail must be statuses and probabilities, such as {{"503": 0.1}}, not {given!r}')


def _is_number(value: Any) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and 0 <= value <= _LARGEST  # which is False for NaN, too


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _need(holds: bool, name: str, wanted: str, value: Any) -> None:
    if not holds:
        raise ValueError(f"{name} must be {wanted}, not {value!r}")


def _need_or_none(faults: Faults, name: str, holds: Callable[[Any], bool], wanted: str) -> None:
    value = getattr(faults, name)
    _need(value is None or holds(value), name, wanted, value)
