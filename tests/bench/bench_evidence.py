"""The evidence in ratios within one go: what it adds to a run and what a placebo costs.

.venv/bin/python tests/bench/bench_evidence.py
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

from baseline import compare

from backtests import event_study, load_episode, replay
from backtests.batch.replay_engine import ReplayEngine
from backtests.broker.terms import BrokerTerms
from backtests.engine.market import make_market
from backtests.engine.news import read_news
from backtests.engine.rule_run import run_rule
from backtests.evidence.placebo.choose_engine import engine_for
from backtests.evidence.placebo.placebo import placebo
from backtests.evidence.registry import gather
from backtests.user_strategies.selection import standard_rules
from strategies.registry import make_rule

ROUNDS = 5


def wall(work: Callable[[], object]) -> float:
    """Median wall time of five calls, in seconds."""
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def main() -> None:
    """Measures and prints."""
    episode = load_episode("deepseek-2025")
    news, rules, shock = read_news(episode), standard_rules(), make_rule("shock")
    market, terms = make_market(episode, news), BrokerTerms()
    result = replay(episode, rules, news=news)
    one = wall(lambda: run_rule(episode, market, shock, terms))
    every = wall(lambda: replay(episode, rules, news=news))
    print(f"one replay of shock: {one * 1e3:.0f} ms = 1")
    study = wall(lambda: event_study(episode, news=news)) / one
    print(f"event study: {study:.1f} replays")
    added = wall(lambda: gather(result, rules, episode, news))
    print(f"gaps, attribution, critique of {len(rules)} strategies: {added / every:.2f} of running them")
    for workers in (1, 2):
        engine = ReplayEngine(workers=workers)
        start = time.perf_counter()
        kinds = placebo(episode, news, shock, terms, engine, n=60).kinds
        count = sum(len(kind.drawn.versions) for kind in kinds if kind.drawn.versions)
        print(f"placebos, {workers} workers: {(time.perf_counter() - start) / count / one:.2f} replays each")
    fast = engine_for(shock)
    placebo(episode, news, shock, terms, fast, n=100)  # compiles, or takes the compiled code from its cache
    kinds = placebo(episode, news, shock, terms, fast, n=10_000).kinds
    drawn = sum(len(kind.drawn.versions) for kind in kinds if kind.drawn.versions)
    spent = wall(lambda: placebo(episode, news, shock, terms, fast, n=10_000))
    placebos = spent / drawn * 10_000 / one
    print(f"10,000 placebos, engine {fast.name}, drawn, run and weighed: {placebos:.1f} replays (target: 20)")
    ratios = {"event study, replays": study, "gaps, attribution, critique, of the run": added / every}
    compare("evidence", lower={**ratios, "10,000 placebos, replays": placebos})


if __name__ == "__main__":
    main()
