"""When a headline can first be traded: every edge by the clock, worked out by hand."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from backtests.episodes.episode import EPISODES
from feeds.errors import EpisodeError, InputError
from strategies.sessions import calendar_sessions, read_sessions

SHIPPED = sorted(EPISODES.glob("*/sessions.csv"))
TABLE = read_sessions(EPISODES / "deepseek-2025" / "sessions.csv")


def utc(text: str) -> datetime:
    """An aware time from "2025-01-27 14:15:00"."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("known_at", "session"),
    [
        ("2025-01-27 12:45:00", date(2025, 1, 27)),  # Monday before the open
        ("2025-01-27 14:15:00", date(2025, 1, 27)),  # 14:15 + 5 min = 14:20 = 14:30 - 10 min: just in time
        ("2025-01-27 14:15:01", date(2025, 1, 28)),  # a second late
        ("2025-01-24 15:06:00", date(2025, 1, 27)),  # Friday during the session
        ("2025-01-26 10:00:00", date(2025, 1, 27)),  # Sunday
        ("2025-01-08 20:00:00", date(2025, 1, 10)),  # 9 January: closed for President Carter's funeral
        ("2025-01-17 22:00:00", date(2025, 1, 21)),  # Martin Luther King Day
    ],
)
def test_the_first_tradable_session(known_at, session):
    """known_at + 5 min latency <= open - 10 min lead, equality included."""
    assert TABLE.sessions[TABLE.first_tradable(utc(known_at))] == session


def test_the_change_of_the_clocks_moves_the_open_in_utc():
    """New York opens at 13:30 UTC in summer time, from Monday 10 March 2025; Germany changes three weeks later."""
    table = calendar_sessions(date(2025, 3, 6), date(2025, 3, 14))
    friday, monday = table.index(date(2025, 3, 7)), table.index(date(2025, 3, 10))
    assert [table.opens[row].hour for row in (friday, monday)] == [14, 13]
    assert table.first_tradable(utc("2025-03-10 13:15:00")) == monday
    assert table.first_tradable(utc("2025-03-10 13:15:01")) == monday + 1


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.parent.name)
def test_the_sessions_that_ship_are_the_exchanges(path):
    """exchange_calendars is asked; it is not what wrote the replay's answers."""
    shipped = read_sessions(path)
    assert shipped == calendar_sessions(shipped.sessions[0], shipped.sessions[-1])


def test_after_the_last_session_nothing_is_tradable():
    """None, not the last row."""
    assert TABLE.first_tradable(TABLE.closes[-1]) is None


def test_a_time_without_a_zone_is_an_error():
    """Nobody guesses whose clock it was."""
    with pytest.raises(ValueError, match="time zone"):
        TABLE.first_tradable(datetime(2025, 1, 27, 12, 45, tzinfo=UTC).replace(tzinfo=None))


def test_nights_count_calendar_days():
    """Friday to Monday is three nights of borrow; the first row has no night before it."""
    assert TABLE.nights(TABLE.index(date(2025, 1, 27))) == 3
    assert TABLE.nights(TABLE.index(date(2025, 1, 28))) == 1
    with pytest.raises(ValueError, match="before"):
        TABLE.nights(0)


def test_a_date_that_is_no_session_and_a_window_without_sessions_are_refused():
    """With what the table covers."""
    with pytest.raises(ValueError, match="2025-01-26"):
        TABLE.index(date(2025, 1, 26))
    with pytest.raises(InputError, match="table covers"):
        TABLE.window(date(2025, 1, 25), date(2025, 1, 26))


HEADER = "session,open_utc,close_utc\n"
ROW = "2025-01-27,2025-01-27T14:30:00+00:00,2025-01-27T21:00:00+00:00\n"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ":1: columns must be"),
        ("day,open,close\n", ":1: columns must be"),
        (HEADER, "no sessions"),
        (HEADER + ROW + ROW, ":3: 2025-01-27 is not after"),
        (HEADER + "2025-01-27,14:30,21:00\n", ":2:"),
        (HEADER + ROW.replace("+00:00", ""), ":2: open and close must be in UTC"),
        (HEADER + ROW.replace("+00:00", "-05:00"), ":2: open and close must be in UTC"),
        (HEADER + ROW.replace("T14", "T22"), "the open before the close"),
        (HEADER + "2025-01-27\n", ":2:"),
        (HEADER + "\udcff", "UTF-8"),
    ],
)
def test_a_broken_table_is_refused_with_file_and_line(tmp_path, text, words):
    """One line that says where."""
    path = tmp_path / "sessions.csv"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(EpisodeError) as refused:
        read_sessions(path)
    assert str(path) in str(refused.value)
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)
