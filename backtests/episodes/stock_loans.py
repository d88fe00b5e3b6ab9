"""Reads what borrowing a stock costs and how many shares can be found, by date."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from itertools import pairwise
from pathlib import Path

from backtests.episodes.csv_rows import csv_rows
from feeds.errors import EpisodeError

COLUMNS = ("symbol", "valid_from", "rate_pct", "max_shares")


@dataclass(frozen=True, slots=True, kw_only=True)
class Loan:
    """The terms of a symbol from one day on."""

    valid_from: date
    rate_pct: float | None  # fee a year, per cent of the short value; None: general collateral
    max_shares: float  # largest short position, in shares; infinite: no limit


@dataclass(frozen=True, slots=True, kw_only=True)
class Loans:
    """Dated loan terms by symbol, each symbol's in order of date; a symbol without is general collateral."""

    by_symbol: Mapping[str, tuple[Loan, ...]] = field(default_factory=dict)

    def in_force(self, symbol: str, day: date) -> Loan | None:
        """Returns the newest terms with `valid_from` not after the day."""
        found = None
        for loan in self.by_symbol.get(symbol, ()):
            if loan.valid_from > day:
                break
            found = loan
        return found

    def rates(self, symbol: str, first: int, stop: int, default: float) -> list[tuple[float, int]]:
        """Returns (rate, nights) for the nights that begin on the days `first` … `stop - 1`, as ordinals.

        Neighbouring nights at one rate are one entry.
        """
        if symbol not in self.by_symbol:
            return [(default, stop - first)]
        runs: list[tuple[float, int]] = []
        for day in range(first, stop):
            loan = self.in_force(symbol, date.fromordinal(day))
            rate = default if loan is None or loan.rate_pct is None else loan.rate_pct
            if runs and runs[-1][0] == rate:
                runs[-1] = (rate, runs[-1][1] + 1)
            else:
                runs.append((rate, 1))
        return runs

    def max_shares(self, symbol: str, day: int) -> float:
        """Returns the largest short position that can be borrowed on a day (an ordinal), in shares."""
        loan = self.in_force(symbol, date.fromordinal(day)) if symbol in self.by_symbol else None
        return math.inf if loan is None else loan.max_shares


def read_loans(path: Path) -> Loans:
    """Reads a table `symbol,valid_from,rate_pct[,max_shares]`; an empty rate is general collateral.

    Raises:
        EpisodeError: A row that cannot be read, with file and line.
    """
    found: dict[str, list[Loan]] = {}
    for place, cells in csv_rows(path, COLUMNS, optional=1):
        found.setdefault(cells["symbol"], []).append(_loan(cells, place))
    for symbol, rows in found.items():
        rows.sort(key=lambda loan: loan.valid_from)
        for before, after in pairwise(rows):
            if before.valid_from == after.valid_from:
                raise EpisodeError(f"{path}: {symbol} has two rows from {after.valid_from}; drop one")
    return Loans(by_symbol={symbol: tuple(rows) for symbol, rows in found.items()})


def _loan(cells: dict[str, str], place: str) -> Loan:
    rate, limit = cells["rate_pct"], cells["max_shares"]
    try:
        loan = Loan(
            valid_from=date.fromisoformat(cells["valid_from"]),
            rate_pct=float(rate) if rate else None,
            max_shares=float(limit) if limit else math.inf,
        )
    except ValueError:
        text = ",".join(filter(None, cells.values()))
        raise EpisodeError(f"{place}: {text!r}: give symbol,YYYY-MM-DD,rate in percent,shares") from None
    if not cells["symbol"] or not 0 <= (loan.rate_pct or 0) < 10_000 or not loan.max_shares >= 0:
        raise EpisodeError(f"{place}: a symbol, a rate of 0 to 9999 percent and shares of 0 or more are needed")
    return loan
