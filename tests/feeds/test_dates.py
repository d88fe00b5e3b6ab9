"""What feeds write as a date: one moment, never an earlier one than was meant."""

from __future__ import annotations

import time
import zoneinfo
from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feeds import dates
from feeds.dates import NO_TIME, NO_ZONE, TWO_WAYS, UNKNOWN_ZONE, UNREADABLE, latest, moment, read
from tests.helpers.paths import CASES


@pytest.mark.parametrize(
    ("stated", "utc"),
    [
        ("Mon, 27 Jan 2025 14:10:00 GMT", "2025-01-27T14:10:00"),
        ("27 Jan 2025 14:10 +0100", "2025-01-27T13:10:00"),
        ("Monday, 27-Jan-25 14:10:00 UTC", "2025-01-27T14:10:00"),
        ("Mon, 27 Jan 2025 02:10:00 PM EST", "2025-01-27T19:10:00"),
        ("January 27, 2025 2:10 PM EST", "2025-01-27T19:10:00"),
        ("Mon, 27 Jan 2025 14:10:00 UTC+1", "2025-01-27T13:10:00"),
        ("2025-01-27T14:10:00+01:00", "2025-01-27T13:10:00"),
        ("2025-01-27 14:10:00Z", "2025-01-27T14:10:00"),
        ("20250127T141000Z", "2025-01-27T14:10:00"),
        ("1737987000", "2025-01-27T14:10:00"),
    ],
)
def test_the_forms_that_feeds_use(stated, utc):
    """RFC 822 and its relatives, ISO 8601, American, Unix seconds."""
    assert moment(stated) == datetime.fromisoformat(utc).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("stated", "utc"),
    [
        ("Mo, 27. Januar 2025 14:10:00 MEZ", "2025-01-27T13:10:00"),
        ("Di, 1 Juli 2025 14:10 MESZ", "2025-07-01T12:10:00"),
        ("Mi, 12 Mär 2025 10:00:00 +0100", "2025-03-12T09:00:00"),
        ("Do, 08 Mai 2025 10:00:00 +0200", "2025-05-08T08:00:00"),
        ("Dienstag, 21. Oktober 2025, 10:00 Uhr MESZ", "2025-10-21T08:00:00"),
        ("05.12.2025 10:00", "2025-12-05T10:00:00"),
    ],
)
def test_german_days_months_and_zones(stated, utc):
    """Other readers give up on them, or take MEZ for GMT."""
    assert moment(stated) == datetime.fromisoformat(utc).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("stated", "utc"),
    [
        ("Tue, 01 Jul 2025 14:10:00 EST", "2025-07-01T19:10:00"),  # winter time in summer, as it stands
        ("Mon, 27 Jan 2025 14:10:00 EDT", "2025-01-27T19:10:00"),  # summer time in winter
        ("Mon, 27 Jan 2025 14:10:00 MESZ", "2025-01-27T13:10:00"),
        ("Tue, 01 Jul 2025 14:10:00 IST", "2025-07-01T13:10:00"),  # Ireland, not India
        ("2025-01-27", "2025-01-27T23:59:59"),
        ("Mon, 27 Jan 2025", "2025-01-27T23:59:59"),
    ],
)
def test_where_a_date_leaves_room_the_later_moment_counts(stated, utc):
    """News taken for older than it is would be look-ahead."""
    assert moment(stated) == datetime.fromisoformat(utc).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("stated", "utc"),
    [
        ("2025/12/20 09:00:00", "2025-12-20T09:00:00"),
        ("2025/1/27 14:00 GMT", "2025-01-27T14:00:00"),
        ("2025.01.27 09:10", "2025-01-27T09:10:00"),
        ("2025年1月27日 14:10", "2025-01-27T14:10:00"),
        ("1737987000000", "2025-01-27T14:10:00"),
        ("Mon Jan 27 14:10:00 2025", "2025-01-27T14:10:00"),
        ("Mon Jan 27 2025 14:10:00 GMT-0500 (Eastern Standard Time)", "2025-01-27T19:10:00"),
        ("Mon Jan 27 14:10:00 CET 2025", "2025-01-27T13:10:00"),
        ("27/01/2025 10:00 GMT", "2025-01-27T10:00:00"),
        ("2025-01-27T24:00:00Z", "2025-01-28T00:00:00"),
    ],
)
def test_forms_with_slashes_dots_and_milliseconds(stated, utc):
    """What other readers take month and day of from today's clock."""
    assert moment(stated) == datetime.fromisoformat(utc).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("stated", "utc"),
    [
        ("Mon, 27 Jan 2025 10:30:00 America/New_York", "2025-01-27T15:30:00"),
        ("Mon, 27 Jan 2025 10:30:00 US/Eastern", "2025-01-27T15:30:00"),
        ("Mon, 27 Jan 2025 10:30:00 EST5EDT", "2025-01-27T15:30:00"),
        ("Fri, 27 Jun 2025 10:30:00 ET", "2025-06-27T14:30:00"),
        ("2025-01-27T10:30:00+01:00[Europe/Berlin]", "2025-01-27T09:30:00"),
        ("2025-01-27T10:30:00[America/New_York]", "2025-01-27T15:30:00"),
        ("Mon, 27 Jan 2025 10:30:00 (EST)", "2025-01-27T15:30:00"),
        ("Mon, 27 Jan 2025 10:30:00 Z-05:00", "2025-01-27T15:30:00"),
        ("2025-01-27T10:30:00−05:00", "2025-01-27T15:30:00"),
        ("Mon, 27 Jan 2025 10:30:00 –0500", "2025-01-27T15:30:00"),
        ("Mon, 27 Jan 2025 10:30:00 -500", "2025-01-27T15:30:00"),
        ("Mon, 27 Jan 2025 10:30:00 AKST", "2025-01-27T19:30:00"),
        ("Mon, 27 Jan 2025 10:30:00 HST", "2025-01-27T20:30:00"),
        ("Mon, 27 Jan 2025 10:30:00 BRT", "2025-01-27T13:30:00"),
        ("Mon, 27 Jan 2025 10:30:00 NST", "2025-01-27T14:00:00"),
        ("Sun, 02 Nov 2025 01:30:00 America/New_York", "2025-11-02T06:30:00"),  # it comes twice: the second
        ("Sun, 09 Mar 2025 02:30:00 America/New_York", "2025-03-09T07:30:00"),  # it never comes: the later reading
    ],
)
def test_zones_by_name_in_brackets_and_with_any_dash(stated, utc):
    """None of them is UTC."""
    assert moment(stated) == datetime.fromisoformat(utc).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("stated", "utc", "remark"),
    [
        ("2025", "2025-12-31T23:59:59", NO_TIME),
        ("2025-01", "2025-01-31T23:59:59", NO_TIME),
        ("February 2024", "2024-02-29T23:59:59", NO_TIME),
        ("2025-01-27", "2025-01-27T23:59:59", NO_TIME),
        ("27 Jan 2025 EST", "2025-01-28T04:59:59", NO_TIME),
        ("Mon, 27 Jan 2025 10:30:00 XYZ", "2025-01-27T22:30:00", UNKNOWN_ZONE),
        ("Mon, 27 Jan 2025 10:30:00 (local time)", "2025-01-27T22:30:00", UNKNOWN_ZONE),
        ("Mon, 27 Jan 2025 10:30:00 Nowhere/City", "2025-01-27T22:30:00", UNKNOWN_ZONE),
        ("Mon, 27 Jan 2025 10:30:00", "2025-01-27T10:30:00", NO_ZONE),
        ("03/02/2025 10:00 GMT", "2025-03-02T10:00:00", TWO_WAYS),
        ("Mon, 27 Jan 2025 10:30:00 GMT", "2025-01-27T10:30:00", ""),
    ],
)
def test_what_had_to_be_assumed_is_said(stated, utc, remark):
    """The latest moment that a text can mean, and one of a handful of reasons."""
    assert read(stated) == (datetime.fromisoformat(utc).replace(tzinfo=UTC), remark)


def test_of_several_dates_the_latest_counts():
    """An item that states two is not older than the younger one."""
    assert latest(["2025-01-27T10:00Z", "soon", "2025-01-27T12:00Z"]).moment == datetime(2025, 1, 27, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "stated",
    ["", "soon", "Mon, 32 Jan 2025 14:10:00 GMT", "Mon, 27 Jan 2025 24:10:00 GMT", "27 Foo 2025 10:00 GMT",
     "Mon, 27 Jan 2025 14:10:00 +9900", "2025-13-01", "2025-00", "0000", "1" * 500, "2025-W05-1", "2025-027",
     "-0001-11-30T00:00:00+00:00", "31/31/2025 10:00", "27 Jan 2025 10:60 GMT", "2025-01-27T10:00:61Z"],
)  # fmt: skip
def test_what_is_no_date_is_none(stated):
    """Never a guess."""
    assert read(stated) == (None, UNREADABLE)


PLACES = sorted(zoneinfo.available_timezones() - {"Factory", "localtime"})
FORMS = (
    "%a, %d %b %Y %H:%M:%S {}", "%d %b %y %H:%M:%S {}", "%Y-%m-%dT%H:%M:%S {}", "%Y/%m/%d %H:%M:%S {}",
    "%Y.%m.%d %H:%M:%S {}", "%d.%m.%Y %H:%M:%S {}", "%B %d, %Y %I:%M:%S %p {}", "%a %b %d %H:%M:%S {} %Y",
    "%d/%m/%Y %H:%M:%S {}", "%m/%d/%Y %H:%M:%S {}", "%a, %d %b %Y %H:%M:%S ({})", "%Y年%m月%d日 %H:%M:%S {}",
    "%d %b %Y {}", "%Y-%m-%dT%H:%M:%S.250000 {}",
)  # fmt: skip


@settings(max_examples=600, deadline=None)
@given(
    st.integers(1_000_000_000, 2_100_000_000),
    st.sampled_from(PLACES),
    st.sampled_from(FORMS),
    st.sampled_from(["name", "abbreviation", "offset", "minus", "unknown"]),
)
def test_no_date_is_read_as_earlier_than_it_was_meant(seconds, place, form, kind):
    """A clock on any wall of the world, in any form, with its zone in any spelling: what zoneinfo says is what is meant."""
    meant = datetime.fromtimestamp(seconds, zoneinfo.ZoneInfo(place))
    offset = meant.strftime("%z")[:5]
    zone = {
        "name": place, "abbreviation": meant.tzname(), "offset": offset, "minus": offset.replace("-", "−"),
        "unknown": "Xyz",
    }[kind]  # fmt: skip
    found = moment(meant.strftime(form).format(zone))
    assert found is None or found >= meant
    if (
        kind in {"name", "offset", "minus"}
        and "%H" in form
        and "/" in place
        and "/%Y" not in form
        and "250" not in form
    ):
        hour_comes_twice = kind == "name" and meant.replace(fold=0).utcoffset() != meant.replace(fold=1).utcoffset()
        assert found == meant or hour_comes_twice


@pytest.mark.parametrize("today", ["2021-03-04", "2026-12-31"])
def test_todays_clock_changes_nothing(today, monkeypatch):
    """Not even for texts that state half a date."""
    texts = (CASES / "dates.txt").read_text(encoding="utf-8").splitlines()
    dates._read.cache_clear()
    before = [moment(text) for text in texts]
    real, fake = time.gmtime, datetime.fromisoformat(today).replace(tzinfo=UTC).timestamp()
    monkeypatch.setattr(time, "gmtime", lambda at=None: real(fake if at is None else at))
    monkeypatch.setattr(time, "localtime", lambda at=None: real(fake if at is None else at))
    monkeypatch.setattr(time, "time", lambda: fake)
    dates._read.cache_clear()
    assert [moment(text) for text in texts] == before


@given(
    st.integers(631_152_000, 4_102_444_800),
    st.integers(-12 * 60, 14 * 60),
)
def test_what_the_standard_library_writes_is_read_back(seconds, minutes):
    """RFC 822 and ISO 8601 of any offset."""
    stamp = datetime.fromtimestamp(seconds, timezone(timedelta(minutes=minutes)))
    assert moment(format_datetime(stamp)) == stamp
    assert moment(stamp.isoformat()) == stamp
    assert moment(format_datetime(stamp)).tzinfo is UTC


@given(st.text(max_size=120))
def test_any_text_has_an_answer(text):
    """A moment in UTC or nothing."""
    found = moment(text)
    assert found is None or found.tzinfo is UTC
