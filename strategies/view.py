"""Shows a rule what it may know at one moment: everything up to it, nothing after it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import lru_cache

import numpy as np

from strategies.signals import Field, Floats, Reactions, SignalBook
from strategies.universe import CHANNELS, DEMAND


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """Holds prices and news of a replay, aligned: row = session, column = symbol. Only the engine has it."""

    symbols: tuple[str, ...]
    sectors: tuple[str, ...]  # of each symbol
    exposure: Floats  # shape (channels, sessions, symbols): what was known of each before the session's open
    benchmark: str
    sessions: tuple[date, ...]
    open: Floats  # NaN where the symbol has no bar
    close: Floats
    first: int  # row of the window's first session: news is counted from there on
    signals: SignalBook
    splits: tuple[tuple[int, int, float], ...] = ()  # (row, column, ratio) where prices are not adjusted for them


class View:
    """Shows the market as of one decision for session `row`: rows before it, its open only to a rule that waits for it.

    The arrays are cut, not hidden: what comes later is not in them.
    """

    __slots__ = ("_cut", "_market", "after_open", "row")

    def __init__(self, market: Market, row: int, *, after_open: bool) -> None:
        """Cuts the market before `row`; with `after_open` the opens of `row` are in."""
        self._market = market
        self.row = row
        self.after_open = after_open
        self._cut = row + 1 if after_open else row

    @property
    def session(self) -> date:
        """Returns the session that is decided for."""
        return self._market.sessions[self.row]

    @property
    def symbols(self) -> tuple[str, ...]:
        """Returns the symbols in fixed order; every row of weights has this order."""
        return self._market.symbols

    @property
    def sectors(self) -> tuple[str, ...]:
        """Returns the sector of each symbol."""
        return self._market.sectors

    @property
    def exposure(self) -> Floats:
        """Returns each symbol's exposure to demand for AI compute and its power, as known now; +1 = in full."""
        return self.exposures(*DEMAND)

    def exposures(self, *channels: str) -> Floats:
        """Returns each symbol's summed exposure to the channels, as known now, shape (symbols,).

        Raises:
            ValueError: A channel that the table of exposures does not know.
        """
        total = np.zeros(len(self._market.symbols))
        for channel in channels:
            total += self._market.exposure[CHANNELS.index(channel), self.row]
        return total

    @property
    def benchmark(self) -> str:
        """Returns the benchmark's symbol."""
        return self._market.benchmark

    @property
    def closes(self) -> Floats:
        """Returns closes of the sessions before this one, shape (row, symbols), NaN where there was no bar.

        In shares of this session: a split until now, its own included, has been taken out, a later one has not.
        """
        return self._in_shares_of_now(self._market.close[: self.row].copy())

    @property
    def opens(self) -> Floats:
        """Returns opens known by now, shape (row or row + 1, symbols), in shares of this session."""
        return self._in_shares_of_now(self._market.open[: self._cut].copy())

    def _in_shares_of_now(self, prices: Floats) -> Floats:
        for row, column, ratio in self._market.splits:
            if row <= self.row:
                prices[:row, column] /= ratio
        return prices

    def news(self, field: Field, *, half_life: float | None, reactions: Reactions = "include") -> Floats:
        """Sums of the news that may be traded by this session, one for each session since the window's first."""
        table = self._market.signals.table(field, half_life=half_life, reactions=reactions)
        return table[: self.row - self._market.first + 1].copy()

    def named(self, *, half_life: float | None, reactions: Reactions = "include") -> Floats:
        """Sums of the news that names each symbol, by how it fares there; shape (sessions since first, symbols)."""
        table = self._market.signals.named(self._market.symbols, half_life=half_life, reactions=reactions)
        return table[: self.row - self._market.first + 1].copy()

    def masks(self, *sectors: str) -> Floats:
        """Returns 1.0 for symbols of the given sectors, 0.0 for others, shape (symbols,)."""
        return _mask(self._market.sectors, sectors).copy()


@lru_cache(maxsize=256)
def _mask(inside: tuple[str, ...], sectors: tuple[str, ...]) -> Floats:
    return np.array([1.0 if sector in sectors else 0.0 for sector in inside])
