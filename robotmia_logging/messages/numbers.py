"""What JSON has as a number."""

from __future__ import annotations

import math
from decimal import Decimal
from enum import Enum
from numbers import Real
from typing import Any


def is_number(value: Any) -> bool:
    """Whether `value` is a number on the wire: not booleans, NaN, infinities or what is past a float's range.

    numpy's numbers, `Decimal`, fractions, and enums of numbers are. Raises nothing.
    """
    try:
        if isinstance(value, Enum):
            value = value.value
        kind = type(value)
        return kind is not bool and issubclass(kind, (Real, Decimal)) and math.isfinite(float(value))
    except Exception:  # an int of 400 digits, a signalling NaN, a class of its own mind
        return False
