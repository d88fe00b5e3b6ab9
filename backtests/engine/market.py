"""Lays out an episode's prices and placed news as the `Market` that rules look at."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

import numpy as np

from backtests.engine.news import News
from backtests.episodes.episode import Episode
from strategies.signals import SignalBook
from strategies.universe import exposure_table
from strategies.view import Market


def make_market(episode: Episode, news: News) -> Market:
    """Aligns the episode's tradable symbols with the placed news; row = index of the session table."""
    table = episode.sessions.sessions
    stop = episode.window[-1] + 1
    rows = {session: row for row, session in enumerate(table[:stop])}
    symbols = episode.tradable
    opens = np.full((stop, len(symbols)), np.nan)
    closes = opens.copy()
    for column, symbol in enumerate(symbols):
        bars = episode.prices.bars[symbol]
        for index, session in enumerate(bars.sessions):
            row = rows.get(session)
            if row is not None:
                opens[row, column] = bars.open[index]
                closes[row, column] = bars.close[index]
    sector = {symbol: name for name, members in episode.sectors.items() for symbol in members}
    return Market(
        symbols=symbols,
        sectors=tuple(sector.get(symbol, "") for symbol in symbols),
        exposure=exposure_table(symbols, table[:stop]),
        benchmark=episode.benchmark,
        sessions=table[:stop],
        open=opens,
        close=closes,
        first=episode.window[0],
        signals=SignalBook(news.items, episode.window[0], episode.window[-1]),
        splits=_splits(episode, symbols),
    )


def _splits(episode: Episode, symbols: Sequence[str]) -> tuple[tuple[int, int, float], ...]:
    """Lists the splits that prices still have in them: row of the first session in new shares, column, ratio."""
    if episode.adjusted != "none":
        return ()
    columns = {symbol: column for column, symbol in enumerate(symbols)}
    table = episode.sessions.sessions
    return tuple(
        (bisect_left(table, action.ex_date), columns[action.symbol], action.value)
        for action in episode.actions
        if action.kind == "split" and action.symbol in columns
    )
