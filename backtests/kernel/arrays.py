"""Lays out an episode as arrays: rows are sessions, columns the tradable symbols in their order."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from backtests.broker.trading_status import delistings, without_trade
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
        trading: The same, and whether it can be traded in that bar.
        start: Last known price at the session's beginning, after its splits; 0 before the first bar.
        open: The open, or `start` where it cannot be traded; 0 once its bars have ended.
        close: The close, or `start` where it cannot be traded; 0 once its bars have ended.
        volume: Of the bar, 0 where there is none.
        traded: Volume of the last session that it was traded in, at the session's beginning, in its shares.
        actions: Shape (actions, 4): day, column, kind, value, in the order in which they are carried out.
        rates: Shape (days, symbols): the fee in force on each calendar day from `days[0]` on, NaN for general
            collateral; shape (0, 0) when there is no table of loans.
        most: Shape (rows, symbols): shares that can be borrowed.
        settles: Shape (symbols,): the row before which a share whose bars have ended is closed, else the row count.
        values: Shape (symbols,): part of the last close that is then paid; NaN: as the terms say.
    """

    days: Ints
    present: Bools
    trading: Bools
    start: Floats
    open: Floats
    close: Floats
    volume: Floats
    traded: Floats
    actions: Floats
    rates: Floats
    most: Floats
    settles: Ints
    values: Floats


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
    trading = present & ~_halted(episode, rows, shape)
    settles, values = _delistings(episode, rows, len(sessions))
    ended = np.arange(len(sessions))[:, None] >= settles
    actions = _actions(episode, days[0], days[-1])
    start, close, traded = _known(trading, closed, volume, days, actions)
    rates, most = _loans(episode, days)
    return Tables(
        days=days,
        present=present,
        trading=trading,
        start=start,
        open=np.where(ended, 0.0, np.where(trading, opened, start)),
        close=np.where(ended, 0.0, close),
        volume=volume,
        traded=traded,
        actions=actions,
        rates=rates,
        most=most,
        settles=settles,
        values=values,
    )


def _halted(episode: Episode, rows: dict[date, int], shape: tuple[int, int]) -> Bools:
    """Returns the bars in which a symbol cannot be traded, shape (rows, symbols)."""
    halted = np.zeros(shape, dtype=bool)
    for column, symbol in enumerate(episode.tradable):
        bars = episode.prices.bars[symbol]
        for place in without_trade(episode, symbol, bars.sessions, bars.volume).nonzero()[0]:
            row = rows.get(bars.sessions[place])
            if row is not None:
                halted[row, column] = True
    return halted


def _delistings(episode: Episode, rows: dict[date, int], count: int) -> tuple[Ints, Floats]:
    """Returns the row before which each share is closed, `count` where its bars go on, and what is paid for it."""
    symbols = episode.tradable
    settles, values = np.full(len(symbols), count, dtype=np.int64), np.full(len(symbols), np.nan)
    for each in delistings(episode, (symbol for symbol in symbols if episode.prices.bars[symbol].sessions)):
        column = symbols.index(each.symbol)
        settles[column] = rows[date.fromordinal(each.settles)]
        values[column] = np.nan if each.value is None else each.value
    return settles, values


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
    trading: Bools, closed: Floats, volume: Floats, days: Ints, actions: Floats
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
        price = np.where(trading[row], closed[row], price)
        shares = np.where(trading[row], volume[row], shares)
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
