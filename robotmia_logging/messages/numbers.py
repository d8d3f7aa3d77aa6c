"""What JSON has as a number."""

from __future__ import annotations

import math
from decimal import Decimal
from numbers import Real
from typing import Any


def is_number(value: Any) -> bool:
    """Whether JSON has it as a number: booleans, NaN and infinities are none; numpy's and `Decimal` are."""
    kind = type(value)
    return kind is not bool and issubclass(kind, (Real, Decimal)) and math.isfinite(value)
