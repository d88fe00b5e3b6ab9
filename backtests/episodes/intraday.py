"""Reads bars of minutes and checks them: in UTC, inside the exchange's hours, in the range of the day's bar."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Container, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from backtests.episodes.bar_table import BarTable, Figures, figures_of, read_table
from backtests.episodes.prices import Bars
from feeds.errors import EpisodeError, InputError
from strategies.sessions import Sessions

COLUMNS = ("symbol", "timestamp", "open", "high", "low", "close", "volume")
_OFF = 0.01  # relative; a bar further outside the day's range is of another adjustment or another stock


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MinuteBars(Figures):
    """One symbol's bars of minutes. `starts` are aware and in UTC; a bar is known at start + length."""

    starts: tuple[datetime, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class Intraday:
    """Bars of minutes by symbol, regular hours only."""

    length: timedelta
    bars: Mapping[str, MinuteBars]
    outside: int  # bars left out since they lie outside the exchange's hours on a day with a session
    note: str = ""  # how a file in a vendor's layout was understood, in one line

    @cached_property
    def grid(self) -> list[datetime]:
        """Returns the starts of all symbols' bars, each once, in order."""
        return sorted({start for bars in self.bars.values() for start in bars.starts})


def bar_length(text: str) -> timedelta:
    """Reads a length like 5m or 1h.

    Raises:
        InputError: No such length.
    """
    found = re.fullmatch(r"([1-9]\d{0,2})(m|h)", text.strip())
    if not found or timedelta(hours=6) < (length := timedelta(**{_UNITS[found[2]]: int(found[1])})):
        raise InputError(f"--bars {text!r}: give minutes or hours up to 6h, like 5m, 15m or 1h")
    return length


_UNITS = {"m": "minutes", "h": "hours"}


def read_intraday(path: Path, length: timedelta, sessions: Sessions, symbols: Container[str]) -> Intraday:
    """Reads bars of minutes: columns symbol, timestamp (the start, with its offset), open, high, low, close, volume.

    Args:
        path: CSV or Parquet.
        length: Of a bar, as the user says; the file must agree.
        sessions: The exchange's hours.
        symbols: Those wanted; other rows are checked as numbers and dropped.

    Raises:
        EpisodeError: A row that cannot be read, a time without offset, a bar given twice, or another length.
    """
    table, values = read_table(path, COLUMNS)
    times = _times(table)
    rows: dict[str, list[int]] = {}
    outside = 0
    days = set(sessions.sessions)
    inside = {moment: _in_session(moment, sessions) for moment in set(times)}
    for row, symbol in enumerate(table.cells[0]):
        if symbol not in symbols:
            continue
        if inside[times[row]]:
            rows.setdefault(symbol, []).append(row)
        else:
            outside += times[row].date() in days
    if not rows:
        raise EpisodeError(f"{path}: holds no bar of the episode's symbols inside the exchange's hours")
    bars = {symbol: _bars(table, symbol, times, values, mine) for symbol, mine in rows.items()}
    _check_length(path, bars, length)
    return Intraday(length=length, bars=bars, outside=outside, note=table.note)


def _times(table: BarTable) -> list[datetime]:
    known: dict[str, datetime] = {}
    for row, text in enumerate(table.cells[1]):
        if text not in known:
            try:
                moment = datetime.fromisoformat(text)
            except ValueError:
                raise EpisodeError(f"{table.place(row)}: timestamp {text!r}: give 2025-01-27T09:30:00-05:00") from None
            if moment.tzinfo is None:
                raise EpisodeError(f"{table.place(row)}: timestamp has no offset; write {text}-05:00, or Z for UTC")
            known[text] = moment.astimezone(UTC)
    return [known[text] for text in table.cells[1]]


def _in_session(moment: datetime, sessions: Sessions) -> bool:
    row = bisect_right(sessions.opens, moment) - 1
    return row >= 0 and moment < sessions.closes[row]


def _bars(
    table: BarTable, symbol: str, times: list[datetime], values: NDArray[np.float64], rows: list[int]
) -> MinuteBars:
    rows = table.in_order(rows, times)
    return MinuteBars(symbol=symbol, starts=tuple([times[row] for row in rows]), **figures_of(values, rows))


def _check_length(path: Path, bars: Mapping[str, MinuteBars], length: timedelta) -> None:
    steps = Counter(after - before for each in bars.values() for before, after in pairwise(each.starts))
    if not steps:
        raise EpisodeError(f"{path}: holds one bar per symbol; give bars of {length}")
    usual = steps.most_common(1)[0][0]
    if usual != length or min(steps) < length:
        raise EpisodeError(f"{path}: its bars are {min(steps)} long (h:mm:ss), not {length}; say so in --bars")


def check_against_daily(path: Path, intraday: Intraday, daily: Mapping[str, Bars], sessions: Sessions) -> None:
    """Checks that the minutes lie in the range of the day's bar, so that both are prices of one kind.

    Raises:
        EpisodeError: A session whose minutes lie more than 1 % outside it.
    """
    for symbol, bars in intraday.bars.items():
        days = {day: (low, high) for day, low, high in zip(
            daily[symbol].sessions, daily[symbol].low.tolist(), daily[symbol].high.tolist(), strict=True)}  # fmt: skip
        for start, low, high in zip(bars.starts, bars.low.tolist(), bars.high.tolist(), strict=True):
            day = sessions.sessions[bisect_right(sessions.opens, start) - 1]
            if day in days and not (low >= days[day][0] * (1 - _OFF) and high <= days[day][1] * (1 + _OFF)):
                raise EpisodeError(
                    f"{path}: {symbol} at {start.isoformat()} trades from {low} to {high}, outside its day's "
                    f"{days[day][0]} to {days[day][1]}; give prices adjusted like the episode's"
                )
