"""The compiled engine against vectorbt, backtrader's optstrategy and our own replay; all ratios within this run.

    python tests/bench/bench_kernel.py [COMBINATIONS …]        1000 and 10000 without
    python tests/bench/bench_kernel.py --plot docs/images/kernel_cost.svg        its cost alone, drawn (half a minute)

vectorbt is no dependency of ours: `pip install vectorbt` into a virtual environment of its own (1.2 runs beside
numpy 2 and pandas 3) and name its interpreter in VECTORBT_PYTHON; without it that part is left out and says so. It is
given the fills that our engine made, as sizes and prices, and is timed from those to the final values.
Each engine runs in its own process, so that memory is its own: the peak above that of a small run before. One thread
is timed by the processor's clock, which a busy machine does not disturb, two threads by the wall's.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
from baseline import compare

SYMBOLS, SESSIONS = 20, 252
DEEP = 1e9  # cash added for vectorbt, which has no margin and fills in the order of the columns
VECTORBT = """
import json, resource, sys, time
import numpy as np
import vectorbt as vbt
folder, count = sys.argv[1], int(sys.argv[2])
def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
held = np.load(folder + "/fills.npz")
symbols = held["close"].shape[1]
def made(n):
    size = np.full((held["close"].shape[0], n * symbols), np.nan)
    inside = held["column"] < n * symbols
    size[held["row"][inside], held["column"][inside]] = held["size"][inside]
    return np.tile(held["close"], (1, n)), size, np.tile(held["open"], (1, n)), np.repeat(np.arange(n), symbols)
def run(close, size, price, groups):
    return vbt.Portfolio.from_orders(
        close, size=size, price=price, fees=held["fees"].item(), slippage=held["slip"].item(),
        init_cash=held["cash"].item(), group_by=groups, cash_sharing=True, freq="1D").final_value()
run(*made(2))
before = peak()
inputs = made(count)
took = []
for _ in range(2):
    start = time.process_time()
    final = run(*inputs)
    took.append(time.process_time() - start)
np.save(folder + "/vectorbt.npy", np.asarray(final))
print(json.dumps({"seconds": min(took), "mb": peak() - before, "version": vbt.__version__}))
"""


def market(symbols: int, sessions: int) -> tuple[Any, Any]:
    """A made-up market: prices by chance, up to two headlines before each session."""
    from feeds.scoring import Score
    from strategies.universe import exposures
    from tests.helpers.markets import episode_of, news_of, weekdays

    rng = np.random.default_rng(1)
    days = weekdays(sessions + 1, date(2025, 1, 2))
    known = list(dict.fromkeys(row.symbol for row in exposures()))
    names = [known[n] if n < len(known) else f"X{n}" for n in range(symbols)]
    bars = {}
    for name in names:
        close = 100 * np.exp(np.cumsum(rng.normal(0, 0.02, len(days))))
        opened = close * np.exp(rng.normal(0, 0.01, len(days)))
        bars[name] = {d: (o, max(o, c), min(o, c), c) for d, o, c in zip(days, opened, close, strict=True)}
    episode = episode_of(
        bars, days, sectors={"chips": tuple(names[: symbols // 2]), "power": tuple(names[symbols // 2 :])}
    )
    items = [
        (f"{day} {n} {rng.integers(1 << 30)}", datetime(day.year, day.month, day.day, 10, n, tzinfo=UTC),
         Score(language="en", relevance=1.0, sentiment=float(rng.uniform(-1, 1)), tone=0.0))
        for day in days[1:] for n in range(rng.integers(0, 3))
    ]  # fmt: skip
    return episode, news_of(episode, *items)


def combinations(count: int) -> list[Any]:
    """Threshold x hold (20) x gross (2)."""
    from strategies.registry import make_rule

    grid = [
        make_rule("shock", {"threshold": str(t), "hold": str(h), "gross": str(g)})
        for t in np.linspace(0.1, 0.9, max(1, count // 40)) for h in range(1, 21) for g in (0.5, 1.0)
    ]  # fmt: skip
    return grid[:count]


def kernel(folder: Path, count: int, workers: int) -> dict[str, Any]:
    """Runs the grid twice, the second time for the record; in a process of its own."""
    import resource

    from backtests.broker.terms import BrokerTerms
    from backtests.kernel import Compiled

    clock = time.process_time if workers == 1 else time.perf_counter
    engine = Compiled(*market(SYMBOLS, SESSIONS), workers)
    rules, terms = combinations(count), BrokerTerms(borrow_pct=0)
    engine.run(combinations(40), [terms] * 40)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    took = []
    for _ in range(3):
        start = clock()
        done = engine.run(rules, [terms] * len(rules))
        took.append(clock() - start)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 - before
    np.save(folder / "kernel.npy", done.final)
    if workers == 1:
        _write_fills(folder, engine, rules, terms)
    return {"seconds": min(took), "mb": peak, "fills": float(done.totals["fills"].mean())}


def _write_fills(folder: Path, engine: Any, rules: list[Any], terms: Any) -> None:
    table = engine.tables
    rows, columns, sizes = [], [], []
    sessions = {day.isoformat(): row for row, day in enumerate(engine.market.sessions[engine.market.first :])}
    places = {symbol: column for column, symbol in enumerate(engine.market.symbols)}
    for number, rule in enumerate(rules):
        net: dict[tuple[int, int], float] = {}
        for fill in engine.fills(rule, terms):
            key = sessions[fill.session], number * SYMBOLS + places[fill.symbol]
            net[key] = net.get(key, 0.0) + fill.size
        rows += [key[0] for key in net]
        columns += [key[1] for key in net]
        sizes += list(net.values())
    np.savez(
        folder / "fills.npz", row=np.array(rows, dtype=np.int32), column=np.array(columns, dtype=np.int32),
        size=np.array(sizes), open=table.open[1:], close=table.close[1:], fees=terms.commission_bps / 10_000,
        slip=terms.slippage_bps / 10_000, cash=terms.cash + DEEP,
    )  # fmt: skip


def optstrategy(runs: int) -> float:
    """Seconds per combination of backtrader's optstrategy, one process: precomputed targets, its own broker."""
    import warnings

    import backtrader as bt

    from backtests.engine.replay import make_market
    from strategies.view import View

    episode, news = market(SYMBOLS, SESSIONS)
    seen_by = make_market(episode, news)
    weights = np.zeros((runs, SESSIONS, SYMBOLS))
    for number, rule in enumerate(combinations(40)[:runs]):
        state = rule.fresh_state(SYMBOLS)
        for session in range(SESSIONS):
            weights[number, session] = rule.decide(View(seen_by, seen_by.first + session, after_open=False), state)

    class Follow(bt.Strategy):
        params = (("number", 0),)

        def __init__(self) -> None:
            self.day, self.last = 0, np.zeros(SYMBOLS)

        def next(self) -> None:
            if self.day < SESSIONS:
                for column, weight in enumerate(weights[self.p.number, self.day]):
                    if weight != self.last[column]:
                        self.order_target_percent(self.datas[column], weight)
                self.last = weights[self.p.number, self.day]
            self.day += 1

    import pandas as pd

    cerebro = bt.Cerebro(stdstats=False)
    for symbol in episode.tradable:
        bars = episode.prices.bars[symbol]
        frame = pd.DataFrame(
            {"open": bars.open, "high": bars.high, "low": bars.low, "close": bars.close, "volume": bars.volume},
            index=pd.to_datetime(list(bars.sessions)),
        )
        cerebro.adddata(bt.feeds.PandasData(dataname=frame))
    cerebro.broker.setcommission(commission=1e-4)
    cerebro.optstrategy(Follow, number=range(runs))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        start = time.process_time()
        cerebro.run(maxcpus=1)
        return (time.process_time() - start) / runs


def linear(plot: Path | None = None) -> None:
    """Cost against combinations, sessions and symbols, with the line fitted to each."""
    from tests.bench.kernel_cost import draw, measure

    costs = measure(market, combinations)
    for cost in costs:
        print(cost.words())
    if plot is not None:
        draw(costs, plot)
        print(f"drawn: {plot}")


def placebos() -> float:
    """Measures 10,000 placebos of deepseek-2025 of each kind, in units of a replay, one thread; returns the most."""
    from backtests.batch.replay_engine import Versions, engine_for
    from backtests.broker.terms import BrokerTerms
    from backtests.engine.news import read_news
    from backtests.engine.replay import make_market, run_rule
    from backtests.episodes.episode import load_episode
    from backtests.evidence.placebo.draws import KINDS, draw
    from strategies.registry import make_rule

    episode, rule, terms = load_episode("deepseek-2025"), make_rule("shock"), BrokerTerms()
    news = read_news(episode)
    whole, engine = make_market(episode, news), engine_for(rule, "kernel")
    most = 0.0
    for number, kind in enumerate(KINDS):
        drawn = draw(kind, np.random.default_rng([1, number]), episode, news, 10_000, 3).versions
        if drawn is None or len(drawn) < 10_000:
            continue
        engine.equity(episode, news, rule, terms, Versions(rows=drawn.rows[:9], columns=None if drawn.columns is None
                                                            else drawn.columns[:9]))  # fmt: skip
        start = time.process_time()
        for _ in range(20):
            run_rule(episode, whole, rule, terms)
        replays = time.process_time() - start
        start = time.process_time()
        engine.equity(episode, news, rule, terms, drawn)
        took = time.process_time() - start
        most = max(most, took / replays * 20)
        print(f"10,000 placebos, {kind:16} {took:6.3f} s  {took / replays * 20:5.1f} replays  (target: at most 20)")
    return most


def _own_process(folder: Path, *words: object) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, __file__, "--one", str(folder), *map(str, words)], check=True, capture_output=True, text=True
    )
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    """Prints figures of one run."""
    counts = [int(word) for word in sys.argv[1:]] or [1_000, 10_000]
    other = os.environ.get("VECTORBT_PYTHON")
    opt = optstrategy(3)
    rates: dict[str, float] = {}  # combinations a second, in units of backtrader's optstrategy
    print(f"{SYMBOLS} symbols x {SESSIONS} sessions, `shock` over threshold x hold x gross, warm")
    print(f"backtrader optstrategy     {opt:8.3f} s a combination, one process")
    for count in counts:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            one, two = (_own_process(folder, "kernel", count, workers) for workers in (1, 2))
            for words, found in (("one thread", one), ("two threads", two)):
                rate = count / found["seconds"]
                rates[f"{count} combinations, {words}, times optstrategy"] = rate * opt
                print(
                    f"kernel {count:6,}, {words:11} {rate:9,.0f} combinations/s, {found['mb']:6.0f} MB, "
                    f"{found['fills']:.0f} fills each, {rate * opt:9,.0f} x optstrategy (target: 5,000)"
                )
            if other is None:
                print("vectorbt: left out; name a Python that has it in VECTORBT_PYTHON, see the head of this file")
                continue
            done = subprocess.run([other, "-c", VECTORBT, name, str(count)], check=True, capture_output=True, text=True)
            theirs = json.loads(done.stdout.splitlines()[-1])
            off = np.abs((np.load(folder / "vectorbt.npy") - DEEP) / np.load(folder / "kernel.npy") - 1).max()
            print(
                f"vectorbt {theirs['version']}, {count:6,}  {count / theirs['seconds']:9,.0f} combinations/s, "
                f"{theirs['mb']:6.0f} MB; largest difference of a final equity {off:.1e} (target: 1e-6)"
            )
            for words, found in (("one thread", one), ("two threads", two)):
                print(
                    f"  kernel, {words}: {theirs['seconds'] / found['seconds']:5.1f} x as fast (target: 40), "
                    f"1/{theirs['mb'] / max(found['mb'], 0.1):.0f} of the memory (target: 1/8)"
                )
    linear()
    compare("kernel", lower={"10,000 placebos, replays": placebos()}, higher=rates)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))
    if sys.argv[1:2] == ["--one"]:
        print(json.dumps(kernel(Path(sys.argv[2]), int(sys.argv[4]), int(sys.argv[5]))))
    elif sys.argv[1:2] == ["--plot"]:
        linear(Path(sys.argv[2]))
    else:
        main()
