"""Keeps the bars that each decision read, as what has changed since the decision before.

A vendor corrects bars, and after a split or a dividend re-writes the past: without this nobody could decide again what
was decided then. A row is `n,symbol,date,open,high,low,close,volume`, n being the record's line; no figures: the bar is
gone.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import numpy as np

from backtests.episodes.bar_table import FIGURES
from backtests.episodes.prices import Bars, Prices
from feeds.errors import InputError

Held = dict[tuple[str, str], str]  # symbol and date to the figures, as they are written


def held_of(prices: Prices) -> Held:
    """Returns bars as they are written."""
    return {
        (symbol, day.isoformat()): ",".join(map(repr, row))
        for symbol, bars in prices.bars.items()
        for day, *row in zip(bars.sessions, *(getattr(bars, name).tolist() for name in FIGURES), strict=True)
    }


def digest_of(held: Held) -> str:
    """Returns one hash of all bars."""
    digest = hashlib.sha256()
    for (symbol, day), row in sorted(held.items()):
        digest.update(f"{symbol},{day},{row}\n".encode())
    return digest.hexdigest()


def keep(path: Path, number: int, held: Held) -> None:
    """Appends what the decision of a line read, and the one before had not; on the disk when this returns.

    Raises:
        InputError: The file cannot be written.
    """
    before = read_kept(path, number - 1)
    changed = [(key, row) for key, row in held.items() if before.get(key) != row]
    changed += [(key, "") for key in before if key not in held]
    try:
        with path.open("a+b") as file:
            whole = path.read_bytes().rpartition(b"\n")
            file.truncate(len(whole[0]) + len(whole[1]))  # what a killed writer left of a row
            file.write("".join(f"{number},{s},{day},{row}\n" for (s, day), row in changed).encode())
            file.flush()
            os.fsync(file.fileno())
    except OSError as wrong:
        raise InputError(f"{path}: cannot be written ({wrong.strerror})") from None


def read_kept(path: Path, number: int) -> Held:
    """Returns the bars as the decision of a line read them; none where there is no file."""
    held: Held = {}
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    for line in text.split("\n")[:-1]:
        which, symbol, day, row = (*line.split(",", 3), "", "", "")[:4]
        if which.isdigit() and int(which) <= number:
            if row:
                held[symbol, day] = row
            else:
                held.pop((symbol, day), None)
    return held


def prices_of(held: Mapping[tuple[str, str], str]) -> Prices:
    """Makes bars of what was kept.

    Raises:
        ValueError: A row that holds no bar.
    """
    rows: dict[str, list[tuple[date, list[float]]]] = {}
    for (symbol, day), row in held.items():
        figures = [float(each) for each in row.split(",")]
        if len(figures) != len(FIGURES):
            raise ValueError(f"{symbol} on {day}: {row!r} is no bar")
        rows.setdefault(symbol, []).append((date.fromisoformat(day), figures))
    bars = {}
    for symbol, mine in rows.items():
        mine.sort(key=lambda each: each[0])
        columns = np.array([row for _, row in mine]).T
        named = dict(zip(FIGURES, columns, strict=True))
        bars[symbol] = Bars(symbol=symbol, sessions=tuple(day for day, _ in mine), **named)
    return Prices(bars=bars)
