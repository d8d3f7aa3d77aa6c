"""Times as logs write them."""

from __future__ import annotations

import calendar
import logging
import math
import time
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from robotmia_logging.errors import ConfigurationError
from robotmia_logging.logs.times import Times

NOON = 1_795_611_600  # 2026-11-25 13:00:00 UTC


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2026-11-25T13:00:00Z", NOON),
        ("2026-11-25T13:00:00", NOON),
        ("2026-11-25 13:00:00,125", NOON + 0.125),
        ("2026-11-25 13:00:00.125000", NOON + 0.125),
        ("2026-11-25T13:00:00.5Z", NOON + 0.5),
        ("2026-11-25T13:00:00.125000999Z", NOON + 0.125001),
        ("2026-11-25T14:00:00+01:00", NOON),
        ("2026-11-25 14:00:00,125 +0100", NOON + 0.125),
        ("2026-11-25 14:00:00+0100", NOON),
        ("2026-11-25T07:30:00.000-0530", NOON),
        ("2026-11-25 13:00:00 UTC", NOON),
        ("2026/11/25 13:00:00", NOON),
        ("25/Nov/2026:14:00:00 +0100", NOON),
        ("[25/Nov/2026:14:00:00 +0100]", NOON),
        ("25/Nov/2026 13:00:00", NOON),
        ("Wed, 25 Nov 2026 14:00:00 +0100", NOON),
        ("25 Nov 2026 13:00:00 GMT", NOON),
        ("2026-12-31T23:59:60Z", 1_798_761_600),
        ("2026-12-31 23:59:60,500", 1_798_761_600.5),
        ("31/Dec/2026:23:59:60 +0000", 1_798_761_600),
        ("1795611600", NOON),
        ("1795611600.125", NOON + 0.125),
        (" 1795611600.125 ", NOON + 0.125),
        (NOON, NOON),
        (NOON + 0.125, NOON + 0.125),
        (NOON * 10**3 + 125, NOON + 0.125),
        (NOON * 10**6, NOON),
        (NOON * 10**9, NOON),
        ("1795611600125", NOON + 0.125),
        (0, 0),
        (-1, -1),
        ("-1.5", -1.5),
        (-62_135_596_800, -62_135_596_800),
        ("1969-12-31T23:59:59Z", -1),
    ],
)
def test_times(text, seconds):
    """Each of the usual shapes is understood, without being told which."""
    assert Times().read(text) == pytest.approx(seconds, abs=2e-6)


@pytest.mark.parametrize(
    "value",
    [
        *("", " ", "foo", "2026-11-25", "2026-13-25 13:00:00", "2026-02-30 13:00:00", "2026-11-25 25:00:00"),
        *(
            "2026-11-25 13:00:61",
            "2026-11-25 24:00:00",
            "2025-02-29 13:00:00",
            "2026-11-25T13:00:00+25:00",
            "13:00:00",
            "31/Feb/2026:13:00:00 +0100",
            "1" * 30,
        ),
        *("25/Xyz/2026:13:00:00", "nan", "inf", "-", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"),
        *(math.nan, math.inf, -math.inf, 10**400, -(10**400), 10**21, -62_135_596_801, True, None, [], {}),
    ],
)
def test_what_is_no_time(value):
    """It is said to be none; nothing raises."""
    times = Times()
    assert times.read(value) is None
    assert "isn't understood" in times.reason(value)


@given(st.floats(0, 253_402_300_799))
@example(951_782_400.0)
def test_any_time_comes_back_to_the_second(seconds):
    """As a number, as ISO 8601 and in the Common Log Format."""
    times = Times()
    whole = int(seconds)
    utc = datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(seconds=whole)
    assert times.read(utc.isoformat()) == whole
    assert times.read(utc.strftime(f"{utc.year:04}-%m-%d %H:%M:%S,000")) == whole
    assert times.read(f"{utc.day:02}/{calendar.month_abbr[utc.month]}/{utc.year:04}:{utc:%H:%M:%S} +0000") == whole
    assert whole >= 10**11 or times.read(seconds) == seconds


@given(st.text() | st.from_regex(r"[0-9T:/+ .,Z-]{1,40}", fullmatch=True))
def test_any_text_is_a_time_or_none(text):
    """Nothing raises."""
    seconds = Times("Europe/Berlin", latest=NOON).read(text)
    assert seconds is None or math.isfinite(seconds)


@given(st.integers() | st.floats())
def test_any_number_is_a_time_or_none(number):
    """It is of the years 1 to 9999, so that a `datetime` can be made of it."""
    seconds = Times().read(number)
    assert seconds is None or datetime(1970, 1, 1) + timedelta(seconds=math.floor(seconds))


@pytest.mark.parametrize("fraction", [".1", ".12", ".123", ".1234567", ",5", ",123456789"])
@pytest.mark.parametrize("zone", ["Z", "+0200", " +02:00", ""])
def test_fractions_and_zones_in_any_python(fraction, zone, monkeypatch):
    """What the standard library understands depends on its version; what we do, doesn't."""
    text = f"2026-11-25 13:00:00{fraction}{zone}"
    quick = Times().read(text)
    monkeypatch.setattr(Times, "_iso", lambda _self, _text: None)
    assert Times().read(text) == pytest.approx(quick, abs=1e-6)


ZONES = [
    ("UTC", 0),
    ("Europe/Berlin", 3600),
    ("America/New_York", -5 * 3600),
    ("Asia/Kolkata", 19_800),
    ("+01:00", 3600),
    ("-0330", -12_600),
    ("+05", 18_000),
]


@pytest.mark.parametrize(("zone", "offset"), ZONES)
def test_zones(zone, offset):
    """Times without a zone are in the one given, and counted; others are where they say."""
    times = Times(zone)
    assert times.read("2026-11-25 13:00:00,000") == NOON - offset
    assert times.read("25/Nov/2026 13:00:00") == NOON - offset
    assert times.naive == 2
    assert times.read("2026-11-25 13:00:00Z") == NOON
    assert times.read(NOON) == NOON
    assert times.naive == 2


def test_the_local_zone(monkeypatch):
    """It is that of the system."""
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        assert Times("local").read("2026-11-25 22:00:00") == NOON
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize(
    "zone", ["Europe/Berlln", "", "Europe", "../etc/passwd", "/etc", "+25:00", "+1", None, 3, "\0"]
)
def test_zones_that_there_are_not(zone):
    """A wrong one is refused, with what is allowed."""
    with pytest.raises(ConfigurationError, match=r'give an IANA name such as "Europe/Berlin"'):
        Times(zone)


BERLIN = "Europe/Berlin", "2026-10-25"  # 3:00 becomes 2:00
NEW_YORK = "America/New_York", "2026-11-01"  # 2:00 becomes 1:00
LORD_HOWE = "Australia/Lord_Howe", "2026-04-05"  # 2:00 becomes 1:30


def in_zone(zone, day, clocks):
    """The UTC times of clocks read one after the other."""
    times = Times(zone)
    read = [times.read(f"{day} {clock}") for clock in clocks]
    return [datetime.fromtimestamp(seconds, timezone.utc).strftime("%H:%M:%S") for seconds in read]


@pytest.mark.parametrize(
    ("night", "clocks", "utc"),
    [
        (BERLIN, ["02:30:00"], ["00:30:00"]),
        (BERLIN, ["02:59:59", "02:00:01", "02:30:00"], ["00:59:59", "01:00:01", "01:30:00"]),
        (BERLIN, ["02:30:00", "02:29:59", "02:31:00"], ["00:30:00", "00:29:59", "00:31:00"]),
        (BERLIN, ["02:50:00", "02:05:00", "03:00:00"], ["00:50:00", "01:05:00", "02:00:00"]),
        (BERLIN, ["12:00:00", "02:30:00"], ["11:00:00", "00:30:00"]),
        (NEW_YORK, ["00:59:59", "01:59:59", "01:00:00", "02:00:00"], ["04:59:59", "05:59:59", "06:00:00", "07:00:00"]),
        (LORD_HOWE, ["01:29:59", "01:50:00", "01:35:00", "02:00:00"], ["14:29:59", "14:50:00", "15:05:00", "15:30:00"]),
    ],
)
def test_the_hour_that_autumn_has_twice(night, clocks, utc):
    """It is the first, unless clocks were put back by more than lines out of order would; half an hour likewise."""
    assert in_zone(*night, clocks) == utc


@pytest.mark.parametrize(
    ("zone", "civil", "utc"),
    [
        ("Europe/Berlin", "2026-03-29 02:30:00", "2026-03-29T01:30:00Z"),
        ("America/New_York", "2026-03-08 02:30:00", "2026-03-08T07:30:00Z"),
        ("Australia/Lord_Howe", "2026-10-04 02:15:00", "2026-10-03T15:45:00Z"),
    ],
)
def test_the_hour_that_spring_lacks(zone, civil, utc):
    """A time that never was counts as if the clocks hadn't been put forward yet."""
    assert Times(zone).read(civil) == Times().read(utc)


@pytest.mark.parametrize(("zone", "civil"), [("+14:00", "0001-01-01 00:00:00"), ("-14:00", "9999-12-31 23:59:59")])
def test_the_ends_of_the_calendar(zone, civil):
    """A time that is in year 0 or 10000 of UTC is none; nothing raises."""
    assert Times(zone).read(civil) is None


@given(st.datetimes(datetime(1980, 1, 1), datetime(2035, 1, 1)))
def test_any_time_in_a_zone(civil):
    """It is what zoneinfo says, whatever was read before."""
    civil = civil.replace(microsecond=0)
    times = Times("America/New_York")
    assert times.read(str(civil)) == civil.replace(tzinfo=ZoneInfo("America/New_York")).timestamp()


def test_syslogs_times_without_a_year():
    """They are in the last year that doesn't put them behind the log's end, a day left for zones."""
    times = Times(latest=NOON)
    assert times.read("Nov 25 13:00:00") == NOON
    assert times.read("Nov 26 12:59:00") == NOON + 24 * 3600 - 60
    assert times.read("Nov 27 13:00:00") == NOON - 363 * 24 * 3600
    assert times.read("Dec  1 00:00:00") == Times().read("2025-12-01T00:00:00Z")
    assert times.read("Feb 29 00:00:00") == Times().read("2024-02-29T00:00:00Z")
    times.latest = NOON - 365 * 24 * 3600
    assert times.read("Nov 25 13:00:00") == NOON - 365 * 24 * 3600


@pytest.mark.parametrize(
    ("zone", "ended", "text", "utc"),
    [
        ("UTC", "2027-01-01T00:00:05Z", "Dec 31 23:59:58", "2026-12-31T23:59:58Z"),
        ("UTC", "2027-01-01T00:00:05Z", "Dec 31 23:59:60", "2027-01-01T00:00:00Z"),
        ("UTC", "2027-01-01T00:00:05Z", "Jan  1 00:00:05", "2027-01-01T00:00:05Z"),
        ("Asia/Tokyo", "2026-12-31T15:00:05Z", "Dec 31 23:59:58", "2026-12-31T14:59:58Z"),
        ("Asia/Tokyo", "2026-12-31T15:00:05Z", "Jan  1 00:00:05", "2026-12-31T15:00:05Z"),
        ("America/New_York", "2027-01-01T04:59:58Z", "Dec 31 23:59:58", "2027-01-01T04:59:58Z"),
        ("UTC", "2028-02-29T12:00:00Z", "Feb 29 11:00:00", "2028-02-29T11:00:00Z"),
        ("UTC", "2027-02-28T12:00:00Z", "Feb 29 11:00:00", "2024-02-29T11:00:00Z"),
        ("UTC", "2103-06-01T00:00:00Z", "Feb 29 11:00:00", "2096-02-29T11:00:00Z"),
    ],
)
def test_times_without_a_year_at_the_turn_of_one(zone, ended, text, utc):
    """The year is that of the log's zone; a leap day is in a leap year."""
    assert Times(zone, latest=Times().read(ended)).read(text) == Times().read(utc)


@pytest.mark.parametrize("latest", [-1e15, 1e15, math.inf, math.nan, -62_135_596_800])
def test_ends_that_no_log_has(latest):
    """Times without a year aren't understood then; nothing raises."""
    assert Times(latest=latest).read("Dec 31 23:59:59") is None


def test_no_year_and_no_end():
    """Nothing is guessed."""
    times = Times()
    assert times.read("Nov 25 13:00:00") is None
    assert (
        times.reason("Nov 25 13:00:00") == "the time 'Nov 25 13:00:00' has no year, and when the log ended isn't known"
    )
    assert len(times.reason("Nov 25 13:00:00." + "1" * 1000)) < 150


def test_a_time_format():
    """Other ways to write times are told; the usual ones are understood beside it."""
    times = Times("Europe/Berlin", "%d.%m.%Y %H.%M.%S")
    assert times.read("25.11.2026 14.00.00") == NOON
    assert times.read("2026-11-25T13:00:00Z") == NOON
    assert times.read("25.13.2026 14.00.00") is None
    assert Times(time_format="%d.%m.%Y %H:%M:%S.%f %z").read("25.11.2026 14:00:00.125 +0100") == NOON + 0.125


@pytest.mark.parametrize("time_format", ["", "%H:%M:%S", "%d.%m. %H:%M", "%Q", "%", "foo", "%Y" * 2, 3])
def test_time_formats_that_are_none(time_format):
    """A format that gives no date, or isn't one, is refused."""
    with pytest.raises(ConfigurationError, match="strptime"):
        Times(time_format=time_format)


def test_times_of_real_formatters():
    """`Formatter.formatTime` comes back, to the millisecond that it has."""
    formatter = logging.Formatter()
    formatter.converter = time.gmtime
    made = logging.makeLogRecord({"created": NOON + 0.987, "msecs": 987})
    assert Times().read(formatter.formatTime(made)) == pytest.approx(NOON + 0.987)
