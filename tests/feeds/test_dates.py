"""What feeds write as a date: one moment, never an earlier one than was meant."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.dates import moment


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
    "stated",
    ["", "soon", "Mon, 32 Jan 2025 14:10:00 GMT", "Mon, 27 Jan 2025 24:10:00 GMT", "27 Foo 2025 10:00 GMT",
     "Mon, 27 Jan 2025 14:10:00 XYZ", "Mon, 27 Jan 2025 14:10:00 +9900", "2025-13-01", "1" * 500],
)  # fmt: skip
def test_what_is_no_date_is_none(stated):
    """Never a guess."""
    assert moment(stated) is None


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
