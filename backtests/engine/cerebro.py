"""Builds backtrader's engine for an episode: bars fed one at a time, and the broker of this project.

Feeds are read bar by bar (no preloading), so that the future is not in memory when a strategy decides.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable
from typing import Any

with warnings.catch_warnings():
    # backtrader's last release has invalid escapes and utcnow; its warnings are not ours to fix
    warnings.simplefilter("ignore", SyntaxWarning)
    warnings.simplefilter("ignore", DeprecationWarning)
    import backtrader as bt

from backtests.broker.broker import HonestBroker
from backtests.broker.terms import BrokerTerms
from backtests.engine.bar_clock import Clock, Row, make_clock
from backtests.engine.replayed import Replayed
from backtests.episodes.episode import Episode
from strategies.rule import Rule


class _BarFeed(bt.feed.DataBase):
    """Hands over one symbol's bars one at a time: rows of (time, open, high, low, close, volume)."""

    params = (("rows", ()),)

    def start(self) -> None:
        super().start()
        self._left = iter(self.p.rows)

    def _tick_fill(self, force: bool = False) -> None:
        """Leaves out the copy of each bar that backtrader keeps for resampled and replayed data, which this is not."""

    def _tick_nullify(self) -> None:
        """Leaves it out as well."""

    def _load(self) -> bool:
        row = next(self._left, None)
        if row is None:
            return False
        lines = self.lines
        lines.datetime[0], lines.open[0], lines.high[0], lines.low[0], lines.close[0], lines.volume[0] = row
        lines.openinterest[0] = 0.0
        return True


def make_cerebro(
    episode: Episode,
    symbols: Iterable[str],
    terms: BrokerTerms,
    *,
    quiet: bool = False,
    history: int = 1,
    feed: Callable[[str, list[Row]], Any] | None = None,
) -> tuple[bt.Cerebro, HonestBroker, Clock]:
    """Makes backtrader's engine with one feed per symbol and the honest broker; a strategy is still to be added.

    Feeds are read bar by bar. Symbols without a bar in the window get none. `history` is the number of sessions
    before the window, `feed` makes a symbol's feed of its rows.
    """
    clock = make_clock(episode, symbols, history=history)
    cerebro = bt.Cerebro(stdstats=False, preload=False, runonce=False)
    for symbol, rows in clock.rows.items():
        cerebro.adddata(feed(symbol, rows) if feed else _BarFeed(rows=rows), name=symbol)
    cerebro.broker = HonestBroker(
        terms=terms,
        actions=episode.actions,
        adjusted=episode.adjusted,
        loans=episode.loans,
        closing=clock.closing,
        moments=clock.moments,
        quiet=quiet,
        halted=clock.halted,
        delistings=clock.delistings,
    )
    return cerebro, cerebro.broker, clock


def run_cerebro(cerebro: bt.Cerebro) -> Any:
    """Runs it without the warnings of backtrader's own code; returns the strategy."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=DeprecationWarning, module="backtrader")
        (strategy,) = cerebro.run()
    return strategy


def collect_records(
    episode: Episode, rule: Rule, terms: BrokerTerms, broker: HonestBroker, decisions: Iterable[tuple[str, str, float]]
) -> Replayed:
    """Takes the records of the window out of a broker that has run."""
    account = broker.account
    first = episode.sessions.sessions[episode.window[0]].isoformat()
    return Replayed(
        rule=rule,
        terms=terms,
        fills=tuple(account.fills),
        orders=tuple(broker.records),
        flows=tuple(account.flows),
        days=tuple(day for day in account.days if day.session >= first),
        decisions=tuple(decisions),
        ruined_on=account.ruined_on,
        margin_calls=account.margin_calls,
    )
