"""The evidence in ratios within one go: what it adds to a run, what a placebo costs, and the size of the tests.

.venv/bin/python tests/bench/bench_evidence.py
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import numpy as np
from baseline import compare
from scipy import stats

from backtests import event_study, load_episode, replay
from backtests.batch.replay_engine import ReplayEngine, engine_for
from backtests.broker.terms import BrokerTerms
from backtests.engine.news import read_news
from backtests.engine.replay import make_market, run_rule, standard_rules
from backtests.evidence.event_study.abnormal_returns import abnormal_returns
from backtests.evidence.event_study.significance import (
    adjusted_patell,
    bmp,
    corrado,
    effective_number,
    kolari_pynnonen,
    mean_correlation,
    patell,
)
from backtests.evidence.placebo.placebo import placebo
from backtests.evidence.standard import weigh
from strategies.registry import make_rule

ROUNDS = 5
SAMPLES, SESSIONS = 10_000, 100


def wall(work: Callable[[], object]) -> float:
    """Median wall time of five calls, in seconds."""
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def size(correlation: float, symbols: int, window: int = 1, shift: float = 0.0) -> tuple[list[float], float]:
    """Per cent of 10,000 samples that each test rejects at 5 %, and the mean effective N."""
    rng = np.random.default_rng(1)
    rejected, effective = np.zeros(5), 0.0
    for _ in range(SAMPLES // 1_000):
        total = SESSIONS + window
        market = rng.standard_normal((1_000, total)) * 0.01
        common = np.sqrt(correlation) * rng.standard_normal((1_000, total, 1))
        own = np.sqrt(1 - correlation) * rng.standard_normal((1_000, total, symbols))
        beta, sd = rng.uniform(0.5, 2, (1_000, 1, symbols)), rng.uniform(0.01, 0.04, (1_000, 1, symbols))
        returns = 0.0002 + beta * market[..., None] + sd * (common + own)
        returns[:, SESSIONS:] += shift * sd
        fit = abnormal_returns(
            "market", returns[:, :SESSIONS], market[:, :SESSIONS], returns[:, SESSIONS:], market[:, SESSIONS:]
        )
        pairs, z = mean_correlation(fit.residuals), fit.scar[:, -1]
        t, normal = stats.t.ppf(0.975, symbols - 1), stats.norm.ppf(0.975)
        rejected += [
            (np.abs(kolari_pynnonen(z, pairs)) > t).sum(),
            (np.abs(adjusted_patell(z, fit.freedom, pairs)) > normal).sum(),
            (corrado(fit.sample_sar, fit.sar)[1] <= 0.05).sum(),
            (np.abs(bmp(z)) > t).sum(),
            (np.abs(patell(z, fit.freedom)) > normal).sum(),
        ]
        effective += sum(effective_number(symbols, float(each)) for each in pairs)
    return (rejected / SAMPLES * 100).tolist(), effective / SAMPLES


def main() -> None:
    """Measures and prints."""
    print(f"rejected at 5 %, of {SAMPLES:,} samples of {SESSIONS} sessions (target without effect: 4 to 6)")
    print("correlation  N   window  shift  eff. N    K-P  adj.P   rank    BMP*  Patell*   (* not for common days)")
    for case in ((0.0, 20, 1, 0.0), (0.5, 20, 1, 0.0), (0.7, 16, 1, 0.0), (0.3, 5, 1, 0.0), (0.5, 10, 5, 0.0),
                 (0.0, 20, 1, 0.5), (0.5, 20, 1, 1.5)):  # fmt: skip
        rates, effective = size(*case)
        cells = "  ".join(f"{rate:5.2f}" for rate in rates)
        print(f"{case[0]:11.1f}  {case[1]:2}  {case[2]:6}  {case[3]:5.1f}  {effective:6.1f}  {cells}")
    episode = load_episode("deepseek-2025")
    news, rules, shock = read_news(episode), standard_rules(), make_rule("shock")
    market, terms = make_market(episode, news), BrokerTerms()
    result = replay(episode, rules, news=news)
    one = wall(lambda: run_rule(episode, market, shock, terms))
    every = wall(lambda: replay(episode, rules, news=news))
    print(f"one replay of shock: {one * 1e3:.0f} ms = 1")
    study = wall(lambda: event_study(episode, news=news)) / one
    print(f"event study: {study:.1f} replays")
    added = wall(lambda: weigh(result, rules, episode, news))
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
