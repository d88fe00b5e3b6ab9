"""Lays out an episode as arrays: rows are sessions, columns the tradable symbols in their order."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from backtests.episodes.episode import Episode
from strategies.signals import Floats

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
DIVIDEND, SPLIT = 0, 1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tables:
    """Holds what an account needs of an episode. Row 0 is the session before the window, the others are the window.

    Attributes:
        days: Shape (rows,): ordinals of the dates.
        present: Shape (rows, symbols): whether the symbol has a bar.
        start: Last known price at the session's beginning, after its splits; 0 before the first bar.
        open: The open, or `start` where there is no bar.
        close: The close, or `start` where there is no bar.
        volume: Of the bar, 0 where there is none.
        traded: Volume of the last session with a bar, at the session's beginning, in its shares.
        actions: Shape (actions, 4): day, column, kind, value, in the order in which they are carried out.
        rates: Shape (days, symbols): the fee in force on each calendar day from `days[0]` on, NaN for general
            collateral; shape (0, 0) when there is no table of loans.
        most: Shape (rows, symbols): shares that can be borrowed.
    """

    days: Ints
    present: Bools
    start: Floats
    open: Floats
    close: Floats
    volume: Floats
    traded: Floats
    actions: Floats
    rates: Floats
    most: Floats


def make_tables(episode: Episode) -> Tables:
    """Lays out an episode on daily bars."""
    window = episode.window
    sessions = episode.sessions.sessions[window[0] - 1 : window.stop]
    symbols = episode.tradable
    rows = {session: row for row, session in enumerate(sessions)}
    days = np.array([session.toordinal() for session in sessions], dtype=np.int64)
    shape = (len(sessions), len(symbols))
    opened, closed, volume = np.full(shape, np.nan), np.full(shape, np.nan), np.zeros(shape)
    for column, symbol in enumerate(symbols):
        bars = episode.prices.bars[symbol]
        for index, session in enumerate(bars.sessions):
            row = rows.get(session)
            if row is not None:
                opened[row, column], closed[row, column] = bars.open[index], bars.close[index]
                volume[row, column] = bars.volume[index]
    present = np.isfinite(closed)
    actions = _actions(episode, days[0], days[-1])
    start, close, traded = _known(present, closed, volume, days, actions)
    rates, most = _loans(episode, days)
    return Tables(
        days=days,
        present=present,
        start=start,
        open=np.where(present, opened, start),
        close=close,
        volume=volume,
        traded=traded,
        actions=actions,
        rates=rates,
        most=most,
    )


def _actions(episode: Episode, first: int, last: int) -> Floats:
    """Lists actions by day, splits first, else in the file's order; splits only where prices do not have them yet."""
    columns = {symbol: column for column, symbol in enumerate(episode.tradable)}
    rows = [
        (each.ex_date.toordinal(), columns[each.symbol], SPLIT if each.kind == "split" else DIVIDEND, each.value)
        for each in episode.actions
        if each.symbol in columns and (each.kind == "dividend" or episode.adjusted == "none")
    ]
    rows.sort(key=lambda row: (row[0], -row[2]))
    return np.array([row for row in rows if first < row[0] <= last], dtype=float).reshape(-1, 4)


def _known(
    present: Bools, closed: Floats, volume: Floats, days: Ints, actions: Floats
) -> tuple[Floats, Floats, Floats]:
    """Returns last known prices at the beginning and the end of each session, and the volume of the last one."""
    start, close, traded = np.zeros_like(closed), np.zeros_like(closed), np.zeros_like(closed)
    price, shares = np.zeros(closed.shape[1]), np.zeros(closed.shape[1])
    next_action = 0
    for row in range(len(days)):
        while next_action < len(actions) and actions[next_action, 0] <= days[row]:
            _, column, kind, value = actions[next_action]
            if kind == SPLIT:
                price[int(column)] /= value
                shares[int(column)] *= value
            next_action += 1
        start[row], traded[row] = price, shares
        price = np.where(present[row], closed[row], price)
        shares = np.where(present[row], volume[row], shares)
        close[row] = price
    return start, close, traded


def _loans(episode: Episode, days: Ints) -> tuple[Floats, Floats]:
    symbols, loans = episode.tradable, episode.loans
    most = np.full((len(days), len(symbols)), np.inf)
    if not loans.by_symbol:
        return np.zeros((0, 0)), most
    rates = np.full((int(days[-1] - days[0]) + 1, len(symbols)), np.nan)
    for column, symbol in enumerate(symbols):
        if symbol not in loans.by_symbol:
            continue
        for number in range(len(rates)):
            loan = loans.in_force(symbol, date.fromordinal(int(days[0]) + number))
            if loan is not None and loan.rate_pct is not None:
                rates[number, column] = loan.rate_pct
        for row, day in enumerate(days):
            most[row, column] = loans.max_shares(symbol, int(day))
    return rates, most
