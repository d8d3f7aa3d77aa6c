"""Times and dates in the API's two forms."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from robotmia_logging.messages import Refused, date_string, unix_seconds
from tests import absurd

OFFSETS = st.builds(timezone, st.timedeltas(timedelta(hours=-23), timedelta(hours=23)))
EAST = timezone(timedelta(hours=5, minutes=45))


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (0, 0), (1358208000, 1358208000), (1358208000.999, 1358208000), (-0.5, -1), (-1, -1),
        (Decimal("1358208000.9"), 1358208000), (Fraction(5, 2), 2), (np.int64(5), 5), (np.float32(5.5), 5),
        (np.longdouble(5.5), 5), (253402300799, 253402300799), (-62135596800, -62135596800),
        (datetime(1970, 1, 1), 0), (datetime(2013, 1, 15), 1358208000),
        (datetime(2013, 1, 15, 0, 0, 0, 999_999), 1358208000),
        (datetime(2013, 1, 15, tzinfo=timezone.utc), 1358208000),
        (datetime(2013, 1, 15, 5, 45, tzinfo=EAST), 1358208000),
        (datetime(2013, 1, 15, tzinfo=absurd.NoOffset()), 1358208000), (datetime(1969, 12, 31, 23, 59, 59, 1), -1),
        (datetime(1, 1, 1), -62135596800), (datetime(9999, 12, 31, 23, 59, 59), 253402300799),
    ],
    ids=str,
)  # fmt: skip
def test_unix_seconds(value, seconds):
    """Whole seconds of numbers and datetimes, rounded down; a naive datetime counts as UTC."""
    assert unix_seconds(value) == seconds
    assert type(unix_seconds(value)) is int


@pytest.mark.parametrize(
    "value",
    [
        None, "1358208000", True, np.bool_(True), 1j, [1], date(2013, 1, 15), timedelta(1),
        float("nan"), float("inf"), Decimal("NaN"), Decimal("sNaN"), Decimal("Infinity"), np.float64("nan"), 10**400,
    ],
    ids=lambda value: ascii(value)[:30],
)  # fmt: skip
def test_no_time(value):
    """What is neither a number of seconds nor a datetime is refused."""
    with pytest.raises(Refused, match="no number of seconds") as caught:
        unix_seconds(value)
    assert caught.value.reason == "bad_time"


@pytest.mark.parametrize("value", [1358208000_000, 253402300800, -62135596801, 1e300, Decimal("1e20")], ids=str)
def test_milliseconds(value):
    """Milliseconds are refused, for they lie past the year 9999; the text says so."""
    with pytest.raises(Refused, match="it counts seconds, not milliseconds"):
        unix_seconds(value)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (datetime(1976, 1, 15, 21, 45), "1976-01-15T21:45:00"), (datetime(5, 1, 1), "0005-01-01T00:00:00"),
        (datetime(2013, 4, 1, 13, 20, 59, 999_999, timezone.utc), "2013-04-01T13:20:59"),
        (datetime(2013, 4, 1, tzinfo=EAST), "2013-03-31T18:15:00"),
        (datetime(1, 1, 1, tzinfo=EAST), "0001-01-01T00:00:00"),
        (datetime(2013, 4, 1, tzinfo=absurd.NoOffset()), "2013-04-01T00:00:00"),
        (datetime(2013, 10, 27, 2, 30, fold=1), "2013-10-27T02:30:00"),
    ],
    ids=str,
)  # fmt: skip
def test_date_string(value, text):
    """A datetime as YYYY-MM-DDThh:mm:ss in UTC, without fractions."""
    assert date_string(value) == text


@given(st.datetimes(min_value=datetime(2, 1, 1), max_value=datetime(9998, 1, 1), timezones=OFFSETS))
def test_both_forms_tell_the_same_time(moment):
    """The date string of any datetime is the one of its unix seconds."""
    again = datetime.fromisoformat(date_string(moment)).replace(tzinfo=timezone.utc)
    assert unix_seconds(again) == unix_seconds(moment)
