"""Size and power of the placebo and of the event study's tests, on markets that are made up: docs/evidence.md.

.venv/bin/python tests/bench/bench_size_power.py [SAMPLES]

The placebo has the news of an episode and prices of its own in each sample: a market, a factor of AI and each share's
own moves, all with the fat tails of a t of 4, as likely up as down, at the deviations that the episode's shares had.
Without an effect the share rejected is the size. With one, every session's move after the open of the shares exposed to AI is raised by an
edge times the sign of the news that could first be traded then.
"""

from __future__ import annotations

import dataclasses
import sys
from collections import Counter

import numpy as np
from scipy import stats

from backtests import load_episode
from backtests.broker.terms import BrokerTerms
from backtests.engine.news import News, read_news
from backtests.episodes.episode import Episode
from backtests.episodes.prices import Prices
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
from backtests.evidence.placebo.choose_engine import engine_for
from backtests.evidence.placebo.placebo import placebo
from strategies.registry import make_rule
from strategies.universe import DEMAND, exposures

SESSIONS = 100
PLACEBO_CASES = (
    ("deepseek-2025", "shock", (0.0, 0.01, 0.02)), ("chatgpt-may-2023", "shock", (0.0, 0.02)),
    ("deepseek-2025", "drift", (0.0,)),
)  # fmt: skip
EVENT_CASES = (
    (0.0, 20, 1, 0.0), (0.5, 20, 1, 0.0), (0.7, 16, 1, 0.0), (0.3, 5, 1, 0.0), (0.5, 10, 5, 0.0),
    (0.0, 20, 1, 0.5), (0.5, 20, 1, 1.5),
)  # fmt: skip


def made_up(episode: Episode, news: News, seed: int, edge: float = 0.0) -> Episode:
    """The episode with prices that know nothing of its news, but for an edge.

    Args:
        episode: Its sessions, symbols and deviations.
        news: Its placed news.
        seed: Of the prices.
        edge: Return after the open of a session, as a fraction, times the sign of the news that came for it.
    """
    rng = np.random.default_rng(seed)
    table, names = episode.sessions.sessions, list(episode.prices.bars)
    closes = np.array([np.resize(episode.prices.bars[name].close, len(table)) for name in names]).T
    sd = np.clip(np.nanstd(np.diff(np.log(closes), axis=0), axis=0), 0.003, 0.05)
    ai = np.array(
        [name in {row.symbol for row in exposures() if row.channel in DEMAND and row.sign > 0} for name in names]
    )
    size = (len(table), len(names))
    market, factor = (rng.standard_t(4, (len(table), 2)) / np.sqrt(2) * [1, 1]).T
    own = rng.standard_t(4, size) / np.sqrt(2)
    moves = sd * (0.5 * market[:, None] + np.where(ai, 0.6, 0.0) * factor[:, None] + np.where(ai, 0.62, 0.87) * own)
    night = np.clip(0.4 * moves + 0.2 * sd * rng.standard_normal(size), -0.4, 0.4)
    day = np.clip(moves - night, -0.4, 0.4)
    arrived = np.zeros(len(table))
    for item in news.items:
        if item.used and item.session is not None:
            arrived[item.session] += item.weight * item.score.relevance * item.score.sentiment
    day += edge * np.sign(arrived)[:, None] * ai
    close = 100 * np.cumprod((1 + night) * (1 + day), axis=0)
    opened = close / (1 + day)
    bars = {}
    for column, name in enumerate(names):
        old = episode.prices.bars[name]
        rows = [table.index(session) for session in old.sessions if session in table]
        kept = tuple(table[row] for row in rows)
        o, c = opened[rows, column], close[rows, column]
        bars[name] = dataclasses.replace(
            old,
            sessions=kept,
            open=o,
            high=np.maximum(o, c),
            low=np.minimum(o, c),
            close=c,
            volume=old.volume[: len(rows)],
        )
    return dataclasses.replace(episode, prices=Prices(bars=bars), actions=())


def placebo_rates(
    name: str, strategy: str, samples: int, edge: float = 0.0, n: int = 199
) -> dict[str, tuple[float, float]]:
    """Per cent of samples in which each kind's profit and abnormal return have a p of at most 0.05."""
    episode = load_episode(name)
    news, rule, terms = (
        read_news(episode),
        make_rule(strategy),
        BrokerTerms(slippage_bps=0, commission_bps=0, borrow_pct=0),
    )
    profits, moved, drawn = Counter[str](), Counter[str](), Counter[str]()
    for seed in range(samples):
        world = made_up(episode, news, seed, edge)
        for kind in placebo(world, news, rule, terms, engine_for(rule), n=n, seed=seed).kinds:
            if kind.profit is not None:
                drawn[kind.drawn.kind] += 1
                profits[kind.drawn.kind] += kind.profit.p <= 0.05
                moved[kind.drawn.kind] += kind.abnormal is not None and kind.abnormal.p <= 0.05
    return {kind: (profits[kind] / count * 100, moved[kind] / count * 100) for kind, count in drawn.items()}


def event_rates(
    correlation: float, symbols: int, window: int = 1, shift: float = 0.0, samples: int = 10_000
) -> tuple[list[float], float]:
    """Per cent of samples that each test of the event study rejects at 5 %, and the mean effective N."""
    rng = np.random.default_rng(1)
    rejected, effective = np.zeros(5), 0.0
    for _ in range(samples // 1_000):
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
    return (rejected / samples * 100).tolist(), effective / samples


def main() -> None:
    """Measures and prints."""
    samples = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000
    print(f"placebo: per cent of {samples:,} samples with p <= 0.05 (target without an edge: 4 to 6)", flush=True)
    for name, strategy, edges in PLACEBO_CASES:
        for edge in edges:
            for kind, (profit, moved) in placebo_rates(name, strategy, samples, edge).items():
                print(
                    f"{name:18} {strategy:6} edge {edge:4.0%}  {kind:14} profit {profit:5.1f}  abnormal {moved:5.1f}",
                    flush=True,
                )
    events = max(samples // 1_000, 1) * 10_000
    print(f"event study: per cent of {events:,} samples of {SESSIONS} sessions rejected at 5 %")
    print("correlation  N   window  shift  eff. N    K-P  adj.P   rank    BMP*  Patell*   (* not for common days)")
    for case in EVENT_CASES:
        rates, effective = event_rates(*case, samples=events)
        cells = "  ".join(f"{rate:5.2f}" for rate in rates)
        print(f"{case[0]:11.1f}  {case[1]:2}  {case[2]:6}  {case[3]:5.1f}  {effective:6.1f}  {cells}")


if __name__ == "__main__":
    main()
