"""Daily bars and corporate actions from files, checked before anybody trades on them."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from feeds.errors import EpisodeError
from strategies.sessions import Sessions

COLUMNS = ("symbol", "date", "open", "high", "low", "close", "volume")
_TOLERANCE = 1e-4  # relative: vendors round the four prices of a bar separately


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Bars:
    """One symbol's daily bars in order; prices in the listing's currency, volume in shares."""

    symbol: str
    sessions: tuple[date, ...]
    open: NDArray[np.float64]
    high: NDArray[np.float64]
    low: NDArray[np.float64]
    close: NDArray[np.float64]
    volume: NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """Bars by symbol, in the order of the file."""

    bars: dict[str, Bars]


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """A corporate action: a dividend in money per share, or a split as new shares for one old."""

    symbol: str
    ex_date: date
    kind: str  # "dividend" or "split"
    value: float


def read_prices(path: Path) -> Prices:
    """Reads long-format daily bars: columns symbol, date, open, high, low, close, volume; CSV or Parquet.

    Raises:
        EpisodeError: A missing column, a value that is no positive number, prices out of order within a bar,
            or a bar given twice; with file and line.
    """
    parquet = path.suffix.lower() in {".parquet", ".pq"}
    grouped: dict[str, list[tuple[int, str, tuple[float, ...]]]] = {}
    for line, symbol, day, cells in _parquet_rows(path) if parquet else _csv_rows(path):
        try:
            values = tuple(map(float, cells))
        except ValueError:
            raise EpisodeError(f"{path}:{line}: {symbol} {day}: {_not_a_number(cells)}; mend or drop the row") from None
        grouped.setdefault(symbol, []).append((line, day, values))
    if not grouped:
        raise EpisodeError(f"{path}: holds no bars; give rows of {','.join(COLUMNS)}")
    return Prices(bars={symbol: _bars(path, symbol, rows) for symbol, rows in grouped.items()})


def _not_a_number(cells: Iterable[str]) -> str:
    for name, cell in zip(COLUMNS[2:], cells, strict=True):
        try:
            float(cell)
        except ValueError:
            return f"{name} {cell!r} is no number" if str(cell).strip() else f"{name} is empty"
    return "a value is no number"


def _csv_rows(path: Path) -> Iterator[tuple[int, str, str, list[str]]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file)
            order = _columns(path, next(reader, []))
            straight = order == list(range(7))
            for cells in reader:
                if not cells:
                    continue
                if len(cells) < 7 or len(cells) <= max(order):
                    raise EpisodeError(f"{path}:{reader.line_num}: {len(cells)} values; a row has {','.join(COLUMNS)}")
                row = cells if straight else [cells[index] for index in order]
                yield reader.line_num, row[0], row[1], row[2:7]
    except OSError as wrong:
        raise EpisodeError(f"{path}: cannot be read ({wrong.strerror}); give a CSV or Parquet file of bars") from None
    except (UnicodeDecodeError, csv.Error) as wrong:
        raise EpisodeError(f"{path}: is no CSV in UTF-8 ({wrong}); save it as one") from None


def _columns(path: Path, header: list[str]) -> list[int]:
    names = [name.strip().lower() for name in header]
    missing = [name for name in COLUMNS if name not in names]
    if missing:
        raise EpisodeError(f"{path}:1: column {', '.join(missing)} is missing; the header must name {','.join(COLUMNS)}")
    return [names.index(name) for name in COLUMNS]


def _parquet_rows(path: Path) -> Iterator[tuple[int, str, str, list[str]]]:
    """Rows of a Parquet file; its line number is the row's, counted from 1."""
    import pandas as pd

    try:
        frame = pd.read_parquet(path)
    except ImportError:
        raise EpisodeError(f"{path}: Parquet needs pyarrow: pip install 'aftershock[parquet]'") from None
    except OSError as wrong:
        raise EpisodeError(f"{path}: cannot be read ({wrong.strerror or wrong}); give a CSV or Parquet file") from None
    except ValueError as wrong:
        raise EpisodeError(f"{path}: is no Parquet file ({str(wrong).splitlines()[0]})") from None
    order = _columns(path, [str(name) for name in frame.columns])
    for line, row in enumerate(frame.itertuples(index=False), 1):
        cells = [row[index] for index in order]
        yield line, str(cells[0]), str(cells[1])[:10], [str(cell) for cell in cells[2:]]


def _bars(path: Path, symbol: str, rows: list[tuple[int, str, tuple[float, ...]]]) -> Bars:
    days = []
    for line, day, _ in rows:
        try:
            days.append(date.fromisoformat(day))
        except ValueError:
            raise EpisodeError(f"{path}:{line}: {symbol}: date {day!r}: give it as YYYY-MM-DD") from None
    order = sorted(range(len(rows)), key=lambda index: (days[index], index))
    for before, after in zip(order, order[1:], strict=False):
        if days[before] == days[after]:
            raise EpisodeError(f"{path}:{rows[after][0]}: {symbol} {days[after]} stands there twice; drop one")
    values = np.array([rows[index][2] for index in order], dtype=np.float64)
    _check_bars(path, symbol, [(rows[index][0], rows[index][1]) for index in order], values)
    opened, high, low, close, volume = np.ascontiguousarray(values.T)
    return Bars(
        symbol=symbol,
        sessions=tuple(days[index] for index in order),
        open=opened,
        high=high,
        low=low,
        close=close,
        volume=volume,
    )


def _check_bars(path: Path, symbol: str, places: list[tuple[int, str]], values: NDArray[np.float64]) -> None:
    body = values[:, :4]
    slack = 1 + _TOLERANCE
    checks = (
        (~np.isfinite(values).all(axis=1), "holds NaN or infinity; mend or drop the row"),
        (~(body > 0).all(axis=1), "holds a price of 0 or less; mend or drop the row"),
        (values[:, 4] < 0, "has a negative volume; mend it"),
        (body.max(axis=1) > values[:, 1] * slack, "has a price above its high; check the columns' order"),
        (body.min(axis=1) * slack < values[:, 2], "has a price below its low; check the columns' order"),
    )
    for bad, what in checks:
        if bad.any():
            line, day = places[int(np.flatnonzero(bad)[0])]
            raise EpisodeError(f"{path}:{line}: {symbol} {day} {what}")


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
            raise EpisodeError(f"{path}: {symbol} has no bar for the session {missing[0]}; add it or drop the symbol")
        raise EpisodeError(f"{path}: {symbol} has a bar on {extra[0]}, when the exchange was closed; drop it")


def read_actions(path: Path) -> tuple[Action, ...]:
    """Reads corporate actions: columns symbol, ex_date, kind (dividend or split), value.

    Raises:
        EpisodeError: A row that cannot be read, with file and line.
    """
    actions = []
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.reader(file)
            header = next(reader, [])
            if header != ["symbol", "ex_date", "kind", "value"]:
                raise EpisodeError(f"{path}:1: columns must be symbol,ex_date,kind,value, not {','.join(header)}")
            for cells in reader:
                actions.append(_action(cells, path, reader.line_num))
    except OSError as wrong:
        raise EpisodeError(f"{path}: cannot be read ({wrong.strerror}); an episode needs its corporate actions") from None
    return tuple(actions)


def _action(cells: list[str], path: Path, line: int) -> Action:
    try:
        symbol, day, kind, value = cells
        action = Action(symbol=symbol, ex_date=date.fromisoformat(day), kind=kind, value=float(value))
    except ValueError:
        raise EpisodeError(f"{path}:{line}: {','.join(cells)!r}: give symbol,ex_date,kind,value") from None
    if kind not in {"dividend", "split"} or not 0 < action.value < float("inf"):
        raise EpisodeError(f"{path}:{line}: kind must be dividend or split and value above 0")
    return action
