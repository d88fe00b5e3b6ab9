"""Reads bars of any length from a table, CSV or Parquet, and checks them before anybody trades on them."""

from __future__ import annotations

import csv
import io
import itertools
import lzma
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TextIO

import numpy as np
from numpy.typing import NDArray

from backtests.episodes.price_formats import delimiter, find_columns, is_wide, plain_numbers, shown, unfold
from feeds.errors import EpisodeError

FIGURES = ("open", "high", "low", "close", "volume")
_TOLERANCE = 1e-4  # relative: vendors round the four prices of a bar separately
_UNPACKED = 256 * 1024 * 1024  # bytes that a packed table may hold; five million bars


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Figures:
    """One symbol's bars in the order of time; prices in the listing's currency, volume in shares."""

    symbol: str
    open: NDArray[np.float64]
    high: NDArray[np.float64]
    low: NDArray[np.float64]
    close: NDArray[np.float64]
    volume: NDArray[np.float64]


def read_table(path: Path, columns: Sequence[str]) -> tuple[BarTable, NDArray[np.float64]]:
    """Reads rows of symbol, date or time, and the five figures, in our layout or a vendor's (`price_formats`).

    Returns:
        The table, and its figures in the order of FIGURES, shape (5, rows).

    Raises:
        EpisodeError: A missing column, a value that is no positive number, or prices out of order within a bar;
            with file and line.
    """
    table = _read_parquet(path, columns) if path.suffix.lower() in {".parquet", ".pq"} else _read_csv(path, columns)
    if not table.lines:
        raise EpisodeError(f"{path}: holds no bars; give rows of {','.join(columns)}")
    table.cells[0] = tuple([symbol.strip() for symbol in table.cells[0]])
    values = _numbers(table)
    _check_bars(table, values)
    return table, values


@dataclass(frozen=True, slots=True, kw_only=True)
class BarTable:
    """The cells of a file: symbol, date or time, then prices and volume; and each row's line."""

    path: Path
    lines: list[int]
    cells: list[tuple[str, ...]]
    notes: list[str]  # how the layout was understood

    @property
    def note(self) -> str:
        """Returns in one line how the layout was understood, "" for our own."""
        return f"{self.path.name} is understood as: {'; '.join(self.notes)}" if self.notes else ""

    def place(self, row: int) -> str:
        """Returns the line of a row and what it is: "prices.csv:12: NVDA 2025-01-27"."""
        symbol, moment = (shown(column[row]) for column in self.cells[:2])
        return f"{self.path}:{self.lines[row]}: {symbol} {moment}"

    def in_order(self, rows: Sequence[int], times: Sequence[date]) -> list[int]:
        """Sorts one symbol's rows by their date or time.

        Raises:
            EpisodeError: Two rows of one date or time.
        """
        ordered = sorted(rows, key=times.__getitem__)  # stable: of two the later line is the second
        for before, after in itertools.pairwise(ordered):
            if times[before] == times[after]:
                raise EpisodeError(f"{self.place(after)} is there twice; drop one")
        return ordered


def figures_of(values: NDArray[np.float64], rows: Sequence[int]) -> dict[str, NDArray[np.float64]]:
    """Returns the five figures of some rows by their names, each of shape (rows,)."""
    return dict(zip(FIGURES, values[:, rows], strict=True))


def open_text(path: Path) -> TextIO:
    """Opens a table of text, packed (.xz) or not.

    Raises:
        EpisodeError: It cannot be unpacked, or holds more than 256 MiB.
    """
    if path.suffix != ".xz":
        return path.open(encoding="utf-8-sig", newline="")
    try:
        with lzma.open(path) as packed:
            data = packed.read(_UNPACKED + 1)
    except (lzma.LZMAError, EOFError) as wrong:
        raise EpisodeError(f"{path}: cannot be unpacked ({wrong}); pack it again with xz") from None
    if len(data) > _UNPACKED:
        raise EpisodeError(f"{path}: unpacks to more than {_UNPACKED >> 20} MiB; give the symbols and dates needed")
    return io.TextIOWrapper(io.BytesIO(data), encoding="utf-8-sig", newline="")


def _read_csv(path: Path, columns: Sequence[str]) -> BarTable:
    cells: list[str] = []  # one flat list: thousands of row lists would be work for the garbage collector
    lines: list[int] = []
    try:
        with open_text(path) as file:
            between = delimiter(file.readline())
            file.seek(0)
            reader = csv.reader(file, delimiter=between)
            header, second = next(reader, []), next(reader, [])
            notes = (
                [] if between == "," else ["columns between semicolons" if between == ";" else "columns between tabs"]
            )
            if is_wide(header, second):
                rows = ((reader.line_num, row) for row in reader if row)
                return _unfolded(path, (header, second), rows, columns, notes)
            order, said = find_columns(f"{path}:1", header, columns)
            for row in itertools.chain([second], reader):
                if len(row) == len(header):
                    cells += row
                    lines.append(reader.line_num)
                elif row:  # an empty line is no row
                    raise EpisodeError(
                        f"{path}:{reader.line_num}: {len(row)} values, but the header names {len(header)}; fix the row"
                    )
    except OSError as wrong:
        raise EpisodeError(f"{path}: cannot be read ({wrong.strerror}); give a CSV or Parquet file of bars") from None
    except (UnicodeDecodeError, csv.Error) as wrong:
        raise EpisodeError(f"{path}: is no CSV in UTF-8 ({wrong}); save it as one") from None
    by_column = [tuple(cells[column :: len(header)]) for column in order]
    return BarTable(path=path, lines=lines, cells=by_column, notes=[*notes, *said])


def _unfolded(
    path: Path,
    heads: Sequence[Sequence[str]],
    rows: Iterable[tuple[int, Sequence[str]]],
    columns: Sequence[str],
    notes: Sequence[str] = (),
) -> BarTable:
    lines, cells, said = unfold(f"{path}:1", heads, rows, columns)
    return BarTable(path=path, lines=lines, cells=cells, notes=[*said, *notes])


def _read_parquet(path: Path, columns: Sequence[str]) -> BarTable:
    """Reads a Parquet file; its line number is the row's, counted from 1."""
    import pandas as pd

    try:
        frame = pd.read_parquet(path)
    except ImportError:
        raise EpisodeError(f"{path}: Parquet needs pyarrow: pip install 'aftershock[parquet]'") from None
    except OSError as wrong:
        raise EpisodeError(f"{path}: cannot be read ({wrong.strerror or wrong}); give a CSV or Parquet file") from None
    except ValueError as wrong:
        raise EpisodeError(f"{path}: is no Parquet file ({str(wrong).splitlines()[0]}); save it again") from None
    if isinstance(frame.columns, pd.MultiIndex):  # a wide frame, its dates in the index
        wide = [tuple(map(str, row)) for row in frame.reset_index().itertuples(index=False, name=None)]
        heads = [("", *map(str, frame.columns.get_level_values(level))) for level in (0, 1)]
        return _unfolded(path, heads, enumerate(wide, 1), columns)
    order, notes = find_columns(str(path), [str(name) for name in frame.columns], columns)
    cells = [tuple(map(str, frame.iloc[:, index])) for index in order]
    if columns[1] == "date":
        cells[1] = tuple([day[:10] for day in cells[1]])  # a date may be stored as a time of day
    return BarTable(path=path, lines=list(range(1, len(frame) + 1)), cells=cells, notes=notes)


def _numbers(table: BarTable) -> NDArray[np.float64]:
    """Returns open, high, low, close, volume, shape (5, rows)."""
    try:
        return np.array([list(map(_figure, column)) for column in table.cells[2:]])
    except ValueError:
        pass
    try:
        table.cells[2:], note = plain_numbers(table.cells[2:])
    except ValueError as wrong:
        raise EpisodeError(f"{table.path}: {wrong}") from None
    table.notes.extend(filter(None, [note]))
    try:
        return np.array([list(map(_figure, column)) for column in table.cells[2:]])
    except ValueError:
        row, what = next((row, what) for row in range(len(table.lines)) if (what := _not_a_number(table, row)))
        raise EpisodeError(f"{table.place(row)}: {what}; fix or drop the row") from None


def _figure(text: str) -> float:
    """Reads a number as vendors write one; `float` takes 11_3.6 for 113.6, and no vendor writes that."""
    if "_" in text:
        raise ValueError(text)
    return float(text)


def _not_a_number(table: BarTable, row: int) -> str:
    """Says what is wrong with the first cell of a row that is no number; "" when all are."""
    for name, column in zip(FIGURES, table.cells[2:], strict=True):
        try:
            _figure(column[row])
        except ValueError:
            return f"{name} {column[row]!r} is no number" if column[row].strip() else f"{name} is empty"
    return ""


def _check_bars(table: BarTable, values: NDArray[np.float64]) -> None:
    _, high, low, _, volume = values
    prices = values[:4]
    slack = 1 + _TOLERANCE
    checks = (
        (~np.isfinite(values).all(axis=0), "holds NaN or infinity; fix or drop the row"),
        (~(prices > 0).all(axis=0), "holds a price of 0 or less; fix or drop the row"),
        (volume < 0, "has a negative volume; fix it"),
        (prices.max(axis=0) > high * slack, "has a price above its high; check the columns' order"),
        (prices.min(axis=0) * slack < low, "has a price below its low; check the columns' order"),
    )
    for bad, what in checks:
        if bad.any():
            raise EpisodeError(f"{table.place(int(np.flatnonzero(bad)[0]))} {what}")
