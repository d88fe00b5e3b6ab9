"""Reads daily bars and corporate actions, and checks them before anybody trades on them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from backtests.episodes.bar_table import BarTable, Figures, figures_of, read_table
from backtests.episodes.csv_rows import csv_rows
from backtests.episodes.price_formats import read_day
from feeds.errors import EpisodeError
from strategies.sessions import Sessions

COLUMNS = ("symbol", "date", "open", "high", "low", "close", "volume")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Bars(Figures):
    """One symbol's daily bars."""

    sessions: tuple[date, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """Bars by symbol, in the order of the file."""

    bars: dict[str, Bars]
    note: str = ""  # how a file in a vendor's layout was understood, in one line


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """A corporate action: a dividend in money per share, or a split as new shares for one old."""

    symbol: str
    ex_date: date
    kind: str  # "dividend" or "split"
    value: float


def price_file(folder: Path) -> Path:
    """Returns the file of an episode's daily bars: prices.csv, or packed prices.csv.xz where there is no other."""
    plain, packed = folder / "prices.csv", folder / "prices.csv.xz"
    return packed if packed.is_file() and not plain.exists() else plain


def read_prices(path: Path, *, date_order: str = "") -> Prices:
    """Reads daily bars, CSV (packed as .csv.xz or not) or Parquet.

    Columns are symbol, date, open, high, low, close, volume, or in a vendor's layout.

    Args:
        path: The file.
        date_order: "dmy" or "mdy" for dates like 27/01/2025; "" where the dates need none.

    Raises:
        EpisodeError: A missing column, a value that is no positive number, prices out of order within a bar,
            or a bar given twice; with file and line.
    """
    table, values = read_table(path, COLUMNS)
    days = _days(table, date_order)
    rows: dict[str, list[int]] = {}
    for row, symbol in enumerate(table.cells[0]):
        if symbol not in rows:
            rows[symbol] = []
        rows[symbol].append(row)
    strange = next((symbol for symbol in rows if not symbol.isprintable()), None)
    if strange is not None:
        raise EpisodeError(
            f"{path}:{table.lines[rows[strange][0]]}: symbol {strange!r:.60} holds controls; fix the row"
        )
    if "" in rows:
        raise EpisodeError(f"{path}:{table.lines[rows[''][0]]}: symbol is empty; name it or drop the row")
    bars = {symbol: _bars(table, symbol, days, values, mine) for symbol, mine in rows.items()}
    return Prices(bars=bars, note=table.note)


def _days(table: BarTable, date_order: str) -> list[date]:
    """Reads each date once, however many symbols have a bar on it."""
    known: dict[str, date] = {}
    notes: set[str] = set()
    for row, day in enumerate(table.cells[1]):
        if day not in known:
            try:
                known[day], note = read_day(day, date_order)
            except ValueError as wrong:
                raise EpisodeError(f"{table.place(row)}: date {wrong}") from None
            notes.add(note)
    table.notes.extend(sorted(notes - {""}))
    return [known[day] for day in table.cells[1]]


def _bars(table: BarTable, symbol: str, days: list[date], values: NDArray[np.float64], rows: list[int]) -> Bars:
    rows = table.in_order(rows, days)
    return Bars(symbol=symbol, sessions=tuple([days[row] for row in rows]), **figures_of(values, rows))


def check_calendar(prices: Prices, symbols: Iterable[str], sessions: Sessions, path: Path) -> None:
    """Checks that each symbol has exactly the exchange's sessions between its first and last bar.

    Bars outside the table of sessions are not looked at.

    Raises:
        EpisodeError: A session without a bar, or a bar without a session.
    """
    table = sessions.sessions
    for symbol in symbols:
        days = [day for day in prices.bars[symbol].sessions if table[0] <= day <= table[-1]]
        if not days:
            continue
        expected = [day for day in table if days[0] <= day <= days[-1]]
        if days == expected:
            continue
        missing, extra = sorted(set(expected) - set(days)), sorted(set(days) - set(expected))
        if missing:
            raise EpisodeError(
                f"{path}: {symbol} has no bar for the session {missing[0]}; add it, declare a halt in "
                "halts.csv, or drop the symbol"
            )
        raise EpisodeError(f"{path}: {symbol} has a bar on {extra[0]}, when the exchange was closed; drop the bar")


def read_actions(path: Path) -> tuple[Action, ...]:
    """Reads corporate actions: columns symbol, ex_date, kind (dividend or split), value.

    Raises:
        EpisodeError: A row that cannot be read, with file and line.
    """
    actions: dict[tuple[str, date, str], Action] = {}
    for place, cells in csv_rows(path, ("symbol", "ex_date", "kind", "value")):
        action = _action(cells, place)
        key = action.symbol, action.ex_date, action.kind
        if actions.setdefault(key, action) is not action:  # it would be paid twice
            raise EpisodeError(f"{place}: {' '.join(map(str, key))} is there twice; drop one")
    return tuple(actions.values())


def _action(cells: dict[str, str], place: str) -> Action:
    try:
        action = Action(
            symbol=cells["symbol"],
            ex_date=date.fromisoformat(cells["ex_date"]),
            kind=cells["kind"],
            value=float(cells["value"]),
        )
    except ValueError:
        raise EpisodeError(f"{place}: {','.join(cells.values())!r}: give symbol,ex_date,kind,value") from None
    if action.kind not in {"dividend", "split"} or not 0 < action.value < float("inf"):
        raise EpisodeError(f"{place}: kind must be dividend or split and value above 0")
    return action
