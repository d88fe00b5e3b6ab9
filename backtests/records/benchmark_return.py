"""Measures what buying and holding an episode's benchmark made, which stands beside every strategy. Pure."""

from __future__ import annotations

from typing import Any

from backtests.episodes.episode import Episode
from backtests.records.metrics import cash_returns, max_drawdown_pct, sharpe


def benchmark(episode: Episode, cash_pct: float = 0.0) -> dict[str, Any]:
    """Buys the benchmark at the window's first open, without costs, and holds it to the last close.

    Dividends are kept as cash; splits that the prices do not have in them multiply the shares.

    Args:
        episode: The episode.
        cash_pct: What cash earns in per cent a year, for the Sharpe ratio.

    Returns:
        `symbol`, `return_pct`, `max_drawdown_pct` and `sharpe`, as a row of a run's results; the figures are None where
        the benchmark has no bar on the first session.
    """
    symbol, table = episode.benchmark, episode.sessions.sessions
    bars, days = episode.prices.bars[symbol], [table[row] for row in episode.window]
    rows = {day: row for row, day in enumerate(bars.sessions)}
    if days[0] not in rows:
        return {"symbol": symbol, "return_pct": None, "max_drawdown_pct": None, "sharpe": None}
    first = float(bars.open[rows[days[0]]])
    shares, received, close, values = 1.0, 0.0, first, [first]
    for day in days:
        for action in episode.actions:
            if action.symbol == symbol and action.ex_date == day > days[0]:
                if action.kind == "dividend":
                    received += shares * action.value
                elif episode.adjusted != "splits":
                    shares *= action.value
        close = float(bars.close[rows[day]]) if day in rows else close
        values.append(shares * close + received)
    cash = cash_returns([table[episode.window[0] - 1].isoformat(), *(day.isoformat() for day in days)], cash_pct)
    return {
        "symbol": symbol,
        "return_pct": (values[-1] / first - 1) * 100,
        "max_drawdown_pct": max_drawdown_pct(values),
        "sharpe": sharpe(values, cash),
    }
