"""Sums of JSON numbers, which stay JSON numbers."""

import math
import sys
from collections.abc import Iterable
from typing import Any, TypeGuard

_LARGEST = sys.float_info.max


def is_number(value: Any) -> TypeGuard[float]:
    """Whether a JSON value is a number; `true` is none, though Python counts it as an int."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def add(old: float, amount: float) -> float:
    """The sum, held within what a JSON number can be read back as: doubles overflow to infinity."""
    try:
        total = old + amount
        if math.isfinite(total):
            return total
    except OverflowError:  # an int that no double can hold
        pass
    exact = int(old) + int(amount)
    return float(max(-int(_LARGEST), min(int(_LARGEST), exact)))


def total(amounts: Iterable[float]) -> float:
    """The sum of many, rounded once: a hundred times 0.1 is 10."""
    numbers = list(amounts)
    try:
        if not all(isinstance(number, int) for number in numbers):
            return math.fsum(numbers)
    except OverflowError:
        pass
    result: float = 0
    for number in numbers:
        result = add(result, number)
    return result
