"""One replay of 20 symbols x 252 sessions against bare backtrader, and its memory.

The same orders, taken from the replay's own log, go through backtrader's default broker: preloaded pandas feeds,
vectorised run, no observers, no margin, borrow, dividends or log. Ratios of medians within one go, taken in turns.
Nothing here is a test.
"""

from __future__ import annotations

import gc
import resource
import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any

import backtrader as bt
import numpy as np
from baseline import compare

from backtests.broker.terms import BrokerTerms
from backtests.engine.replay import make_cerebro, make_market, run_cerebro, run_rule
from backtests.episodes.episode import Episode
from backtests.runs.result import Replayed
from tests.helpers.markets import OHLC, Script, episode_of, no_news, weekdays

ROUNDS = 7
SYMBOLS, SESSIONS = 20, 252
TERMS = BrokerTerms(cash=1_000_000.0, fractional=True)


def main() -> None:
    """Measures and prints."""
    import pandas as pd

    days = weekdays(SESSIONS + 1)
    bars = _walks(days)
    episode = episode_of(bars, days)
    market = make_market(episode, no_news())
    daily = Script(weights=_weights(list(bars), 1))
    changes = Script(weights=_weights(list(bars), 20))
    orders = {name: _orders(run_rule(episode, market, rule, TERMS)) for name, rule in (("d", daily), ("c", changes))}
    columns = ["open", "high", "low", "close"]
    frames = {
        symbol: pd.DataFrame(list(rows.values()), index=pd.to_datetime(list(rows)), columns=columns).assign(volume=1e6)
        for symbol, rows in bars.items()
    }
    jobs: dict[str, Callable[[], Any]] = {
        "bare backtrader, orders daily": lambda: _bare(frames, orders["d"]),
        "replay, rebalanced daily": lambda: run_rule(episode, market, daily, TERMS),
        "replay, orders on change": lambda: run_rule(episode, market, changes, TERMS),
        "bt.Strategy on the book, the same": lambda: _on_the_book(episode, orders["d"]),
        "bare backtrader, orders on change": lambda: _bare(frames, orders["c"]),
    }
    times = _times(jobs)
    base = times["bare backtrader, orders daily"]
    targets = {
        "replay, rebalanced daily": "at most 1.15",
        "replay, orders on change": "at most 0.5",
        "bt.Strategy on the book, the same": "at most 1.15",
    }
    print(f"{SYMBOLS} symbols x {SESSIONS} sessions; {sum(map(len, orders['d'].values()))} and "
          f"{sum(map(len, orders['c'].values()))} orders")  # fmt: skip
    for name, seconds in times.items():
        target = f"  (target: {targets[name]})" if name in targets else ""
        print(f"{name:34} {seconds * 1000:6.0f} ms  {seconds / base:5.2f} x bare{target}")
    print(f"memory, most of this process: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB"
          "  (target: below 250)")  # fmt: skip
    compare("broker", lower={f"{name}, of bare backtrader": times[name] / base for name in targets})


def _walks(days: list[Any]) -> dict[str, dict[Any, OHLC]]:
    """Random walks with gaps; the seed is fixed."""
    random = np.random.default_rng(20250127)
    bars: dict[str, dict[Any, OHLC]] = {}
    for number in range(SYMBOLS):
        closes = 100 * np.exp(np.cumsum(random.normal(0, 0.02, len(days))))
        opens = closes * np.exp(random.normal(0, 0.01, len(days)))
        bars[f"S{number:02d}"] = {
            day: (float(o), float(max(o, c) * 1.005), float(min(o, c) * 0.995), float(c))
            for day, o, c in zip(days, opens, closes, strict=True)
        }
    return bars


def _weights(symbols: list[str], every: int) -> dict[int, dict[str, float]]:
    """Weights for every `every`-th session, half long and half short, each a little different from the last."""
    return {
        row: {s: (0.045 if n % 2 else -0.045) * (1 + 0.1 * ((row + n) % 3)) for n, s in enumerate(symbols)}
        for row in range(1, SESSIONS + 1, every)
    }


def _orders(replayed: Replayed) -> Mapping[str, list[tuple[str, float]]]:
    """Orders by the session on which they were decided."""
    found: dict[str, list[tuple[str, float]]] = {}
    for order in replayed.orders:
        found.setdefault(order.decided, []).append((order.symbol, order.size))
    return found


class Follower(bt.Strategy):
    """Sends orders from a list, by the day after which they are decided."""

    params = (("orders", None),)

    def next(self) -> None:
        """Sends the day's."""
        for symbol, size in self.p.orders.get(self.datetime.date().isoformat(), ()):
            data = self.getdatabyname(symbol)
            self.buy(data, size=size) if size > 0 else self.sell(data, size=-size)


def _on_the_book(episode: Episode, orders: Mapping[str, list[tuple[str, float]]]) -> float:
    """A user's strategy that is told of everything, on the honest book."""
    cerebro, broker, _ = make_cerebro(episode, episode.tradable, TERMS)
    cerebro.addstrategy(Follower, orders=orders)
    run_cerebro(cerebro)
    return float(broker.getvalue())


def _bare(frames: Mapping[str, Any], orders: Mapping[str, list[tuple[str, float]]]) -> float:
    cerebro = bt.Cerebro(stdstats=False)
    for symbol, frame in frames.items():
        cerebro.adddata(bt.feeds.PandasData(dataname=frame), name=symbol)
    cerebro.broker.set_cash(TERMS.cash)
    cerebro.broker.setcommission(TERMS.commission_bps / 10_000)
    cerebro.broker.set_slippage_perc(TERMS.slippage_bps / 10_000)
    cerebro.addstrategy(Follower, orders=orders)
    cerebro.run()
    return float(cerebro.broker.getvalue())


def _times(jobs: Mapping[str, Callable[[], Any]]) -> dict[str, float]:
    taken: dict[str, list[float]] = {name: [] for name in jobs}
    for turn in range(ROUNDS + 1):
        for name, job in jobs.items():
            gc.collect()
            start = time.perf_counter()
            job()
            if turn:  # the first one warms up
                taken[name].append(time.perf_counter() - start)
    return {name: statistics.median(each) for name, each in taken.items()}


if __name__ == "__main__":
    main()
