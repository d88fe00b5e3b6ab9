"""Lays out the bars on which the broker trades, sessions or minutes, on one clock. Pure.

The clock counts as backtrader does: days, a session being its date's ordinal, bars of minutes having the time of day
(UTC) as a fraction.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from backtests.episodes.episode import Episode
from backtests.episodes.intraday import MinuteBars
from backtests.episodes.prices import Bars
from strategies.sessions import Sessions

Row = tuple[float, float, float, float, float, float]  # time, open, high, low, close, volume


def _daily_rows(bars: Bars, first: date, last: date) -> list[Row]:
    """Lists a symbol's bars from the session `first` to `last`; the time is the session's ordinal."""
    start, stop = bisect_left(bars.sessions, first), bisect_right(bars.sessions, last)
    columns = (bars.open, bars.high, bars.low, bars.close, bars.volume)
    times = [float(day.toordinal()) for day in bars.sessions[start:stop]]
    return list(zip(times, *(column[start:stop].tolist() for column in columns), strict=True))


def _minute_rows(bars: MinuteBars, first: datetime, last: datetime) -> list[Row]:
    start, stop = bisect_left(bars.starts, first), bisect_left(bars.starts, last)
    columns = (bars.open, bars.high, bars.low, bars.close, bars.volume)
    times = [_clock(moment) for moment in bars.starts[start:stop]]
    return list(zip(times, *(column[start:stop].tolist() for column in columns), strict=True))


def _clock(moment: datetime) -> float:
    """Returns a moment in UTC as backtrader counts it: days, with the time of day as a fraction."""
    midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    return moment.toordinal() + (moment - midnight).total_seconds() / 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """Holds the bars on which the broker trades, by session or by minutes; times as backtrader's numbers."""

    rows: dict[str, list[Row]]  # of each symbol that has bars, the first ones before the window
    closing: frozenset[float] | None  # the last bar of each session; None: every bar is a session
    moments: dict[float, tuple[str, str]]  # time of a bar's open and of its session's close, UTC, ISO
    grid: list[float]  # the time of every bar that any of the symbols has, in order

    def before(self, fill: datetime) -> float | None:
        """Returns the last bar that begins before a bar of minutes, None when there is none."""
        index = bisect_left(self.grid, _clock(fill)) - 1
        return self.grid[index] if index >= 0 else None


def make_clock(episode: Episode, symbols: Iterable[str], *, history: int = 1) -> Clock:
    """Lays out the bars of the given symbols: up to `history` sessions before the window, then the window."""
    table, window = episode.sessions, episode.window
    first = max(0, window[0] - history)
    before, last = table.sessions[window[0] - 1], table.sessions[window[-1]]
    minutes = episode.intraday
    rows: dict[str, list[Row]] = {}
    for symbol in symbols:
        daily = episode.prices.bars[symbol]
        if minutes is None:
            rows[symbol] = _daily_rows(daily, table.sessions[first], last)
        elif symbol in minutes.bars:
            rows[symbol] = _daily_rows(daily, table.sessions[first], before)
            rows[symbol] += _minute_rows(minutes.bars[symbol], table.opens[window[0]], table.closes[window[-1]])
    rows = {symbol: each for symbol, each in rows.items() if each}
    grid = sorted({row[0] for each in rows.values() for row in each})
    hours = {table.sessions[row].toordinal(): row for row in range(first, window.stop)}
    moments = {time: _moments(episode.sessions, hours[int(time)], time) for time in grid}
    last_of_day = {int(time): time for time in grid}
    closing = None if minutes is None else frozenset(last_of_day.values())
    return Clock(rows=rows, closing=closing, moments=moments, grid=grid)


def _moments(table: Sessions, row: int, time: float) -> tuple[str, str]:
    """Returns the open, or the start of a bar of minutes, and the close."""
    opened, closed = table.opens[row], table.closes[row]
    if time % 1:
        midnight = opened.replace(hour=0, minute=0, second=0, microsecond=0)
        opened = midnight + timedelta(seconds=round(time % 1 * 86_400))
    return opened.isoformat(), closed.isoformat()
