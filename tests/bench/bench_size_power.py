"""Measures size and power of each placebo kind and each test of the event study on made-up markets: docs/evidence.md.

    nice .venv/bin/python tests/bench/bench_size_power.py [SAMPLES]

Size is the share rejected at 5 % where there is no effect, power the share rejected with one; each stands with its
standard error, the root of p (1 - p) / SAMPLES, in points. 1,000 samples without; a few minutes of one core.

Placebo: an episode's sessions, symbols and news, and in each sample prices of its own that know nothing of it: a
market, a factor of AI and each share's own moves, all with the fat tails of a t of 4, as likely up as down, at the
deviations that the episode's shares had. An edge raises the move between open and close of every share that is exposed
to AI, in each session, by so much times the sign of the news that could first be traded at that open: what a trade
entered there on that news earns. In a window of 90 sessions each headline comes in a session drawn at random.

Event study: 100 sessions of returns and an event, of shares that correlate by r; an effect moves all of them alike.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Sequence
from math import sqrt
from time import process_time
from typing import Any

import numpy as np
from scipy import stats

from backtests import load_episode
from backtests.batch.news_versions import Versions, actual_rows, used_items
from backtests.broker.terms import BrokerTerms
from backtests.engine.news import News, read_news
from backtests.engine.schedule import place_news
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
from backtests.evidence.placebo.draws import KINDS, draw
from backtests.evidence.placebo.news_return import Moves
from backtests.evidence.placebo.placebo import Outcome, profits
from backtests.kernel.arrays import make_tables
from backtests.kernel.runs import Compiled, _terms
from strategies.registry import make_rule
from strategies.rule import Rule
from strategies.universe import DEMAND, exposures

PLACEBOS = 199
FREE = BrokerTerms(slippage_bps=0, commission_bps=0, borrow_pct=0)
EDGES = (0.0, 0.005, 0.01, 0.02, 0.04)
LONG = 90  # sessions of the long window
PLACEBO_CASES = (
    ("deepseek-2025", 0, "shock", EDGES),
    ("deepseek-2025", 0, "drift", (0.0, 0.02)),
    ("chatgpt-may-2023", 0, "shock", EDGES),
    ("deepseek-2025", LONG, "shock", EDGES),
)
SESSIONS = 100  # of the estimation
TESTS = ("Kolari-Pynnönen", "adjusted Patell", "rank", "cross-section*", "BMP*", "Patell*")
EVENT_CASES = (  # correlation, symbols, sessions of the window, effects
    (0.0, 20, 1, EDGES), (0.5, 20, 1, EDGES), (0.7, 16, 1, (0.0,)), (0.3, 5, 1, (0.0,)), (0.5, 10, 5, (0.0, 0.02)),
)  # fmt: skip


class MadeUp:
    """Makes prices for an episode that know nothing of its news, but for an edge."""

    def __init__(self, episode: Episode) -> None:
        """Takes its sessions, its symbols and their deviations."""
        self.episode = episode
        table, bars = episode.sessions.sessions, episode.prices.bars
        rows = {session: row for row, session in enumerate(table)}
        self.rows = {name: [rows[each] for each in old.sessions if each in rows] for name, old in bars.items()}
        moves = [np.diff(np.log(old.close)) for old in bars.values()]
        self.sd = np.clip([each.std() for each in moves], 0.003, 0.05)
        demand = {row.symbol for row in exposures() if row.channel in DEMAND and row.sign > 0}
        self.ai = np.array([name in demand for name in bars])

    def world(self, seed: int, sign: np.ndarray, edge: float) -> Episode:
        """Returns the episode with made-up prices.

        Args:
            seed: Of the prices.
            sign: Shape (sessions,): of the news that could first be traded in each.
            edge: Return between open and close, as a fraction, times the sign.
        """
        rng, sd, ai = np.random.default_rng(seed), self.sd, self.ai
        size = (len(sign), len(sd))
        market, factor = (rng.standard_t(4, (size[0], 2)) / sqrt(2)).T
        own = rng.standard_t(4, size) / sqrt(2)
        moves = sd * (0.5 * market[:, None] + np.where(ai, 0.6, 0.0) * factor[:, None] + np.where(ai, 0.62, 0.87) * own)
        night = np.clip(0.4 * moves + 0.2 * sd * rng.standard_normal(size), -0.4, 0.4)
        day = np.clip(moves - night, -0.4, 0.4) + edge * sign[:, None] * ai
        close = 100 * np.cumprod((1 + night) * (1 + day), axis=0)
        opened, table, bars = close / (1 + day), self.episode.sessions.sessions, {}
        for column, (name, old) in enumerate(self.episode.prices.bars.items()):
            rows = self.rows[name]
            first, last = opened[rows, column], close[rows, column]
            bars[name] = dataclasses.replace(
                old, sessions=tuple(table[row] for row in rows), open=first, close=last, volume=old.volume[: len(rows)],
                high=np.maximum(first, last), low=np.minimum(first, last),
            )  # fmt: skip
        return dataclasses.replace(self.episode, prices=Prices(bars=bars), actions=())


def signs(episode: Episode, news: News) -> np.ndarray:
    """Returns the sign of the news that could first be traded in each session, shape (sessions,)."""
    arrived = np.zeros(len(episode.sessions.sessions))
    for item in used_items(news):
        arrived[item.session] += item.weight * item.score.relevance * item.score.sentiment
    return np.sign(arrived)


def spread(news: News, window: range, seed: int) -> News:
    """Returns the news with each headline in a session of the window drawn at random."""
    sessions = iter(np.random.default_rng([seed, 9]).integers(window[0], window[-1] + 1, len(news.items)).tolist())
    return dataclasses.replace(
        news, items=tuple(dataclasses.replace(each, session=next(sessions)) for each in news.items)
    )


def loaded(name: str, sessions: int) -> tuple[Episode, News]:
    """Loads an episode; with `sessions` its window begins earlier, to have as many."""
    episode = load_episode(name)
    if sessions:
        episode = load_episode(name, start=episode.sessions.sessions[episode.window[-1] + 1 - sessions])
    return episode, place_news(episode, read_news(episode), FREE)


def placebo_rates(
    name: str, strategy: str, samples: int, edges: Sequence[float] = (0.0,), sessions: int = 0
) -> dict[tuple[str, str, float], float]:
    """Returns by kind, statistic and edge the share of samples with a p of at most 0.05.

    Each sample is what `placebo` does, with all versions of both kinds and the news as it is in one call.
    """
    episode, news = loaded(name, sessions)
    rule, made, compiled = make_rule(strategy), MadeUp(episode), Compiled(episode, news)
    rejected: dict[tuple[str, str, float], int] = {}
    for seed in range(samples):
        own = spread(news, episode.window, seed) if sessions else news
        sign = signs(episode, own)
        drawn = {
            kind: draw(kind, np.random.default_rng([seed, number]), episode, own, PLACEBOS, 3).versions
            for number, kind in enumerate(KINDS)
        }
        parts = {"": actual_rows(own)[None], **{kind: each.rows for kind, each in drawn.items() if each is not None}}
        versions = Versions(rows=np.vstack(list(parts.values())))
        stops = dict(zip(parts, np.cumsum([len(each) for each in parts.values()]), strict=True))
        plan = compiled._version_plan(rule, FREE, versions)  # what a rule that reads no prices decides is the same
        for edge in edges:
            for kind, statistic, p in _p_values(
                made.world(seed, sign, edge), own, rule, compiled, plan, versions, stops
            ):
                key = kind, statistic, edge
                rejected[key] = rejected.get(key, 0) + (p <= 0.05)
    return {key: count / samples for key, count in rejected.items()}


def _p_values(
    world: Episode, news: News, rule: Rule, compiled: Compiled, plan: Any, versions: Versions, stops: dict[str, int]
) -> list[tuple[str, str, float]]:
    """Returns kind, statistic and p of one sample; row 0 of the versions is the news as it is."""
    compiled.tables = make_tables(world)
    profit, noise = profits(compiled._keep_accounts(*plan, _terms([FREE])).equity, FREE.cash)
    moves = Moves.of(world, news, rule)
    assert moves is not None
    abnormal = moves.statistic(versions)
    found, first = [], 1
    for kind, stop in list(stops.items())[1:]:
        mine = slice(first, stop)
        first = stop
        outcomes = {
            "profit": Outcome(actual=profit[0], drawn=profit[mine], unit="usd", scale=noise[0], scales=noise[mine]),
            "abnormal": Outcome(actual=abnormal[0], drawn=abnormal[mine], unit="pct"),
        }
        found += [(kind, name, each.p) for name, each in outcomes.items()]
    return found


def event_rates(
    correlation: float, symbols: int, window: int = 1, effect: float = 0.0, samples: int = 10_000
) -> tuple[list[float], float]:
    """Returns the share of samples that each of `TESTS` rejects at 5 %, and the mean effective N.

    Args:
        correlation: Between the shares' own moves.
        symbols: Shares; their deviations are 1 to 4 % a session.
        window: Sessions of the event.
        effect: Return of every share in each of them, as a fraction.
        samples: In steps of 1,000.
    """
    rng = np.random.default_rng(1)
    rejected, effective = np.zeros(len(TESTS)), 0.0
    for _ in range(samples // 1_000):
        total = SESSIONS + window
        market = rng.standard_normal((1_000, total)) * 0.01
        common = np.sqrt(correlation) * rng.standard_normal((1_000, total, 1))
        own = np.sqrt(1 - correlation) * rng.standard_normal((1_000, total, symbols))
        beta, sd = rng.uniform(0.5, 2, (1_000, 1, symbols)), rng.uniform(0.01, 0.04, (1_000, 1, symbols))
        returns = 0.0002 + beta * market[..., None] + sd * (common + own)
        returns[:, SESSIONS:] += effect
        fit = abnormal_returns(
            "market", returns[:, :SESSIONS], market[:, :SESSIONS], returns[:, SESSIONS:], market[:, SESSIONS:]
        )
        pairs, z = mean_correlation(fit.residuals), fit.scar[:, -1]
        t, normal = stats.t.ppf(0.975, symbols - 1), stats.norm.ppf(0.975)
        rejected += [
            (np.abs(kolari_pynnonen(z, pairs)) > t).sum(),
            (np.abs(adjusted_patell(z, fit.freedom, pairs)) > normal).sum(),
            (corrado(fit.sample_sar, fit.sar)[1] <= 0.05).sum(),
            (np.abs(bmp(fit.abnormal.sum(axis=1))) > t).sum(),  # BMP's form without standardising
            (np.abs(bmp(z)) > t).sum(),
            (np.abs(patell(z, fit.freedom)) > normal).sum(),
        ]
        effective += sum(effective_number(symbols, float(each)) for each in pairs)
    return (rejected / samples).tolist(), effective / samples


def main() -> None:
    """Measures and prints, as rows of docs/evidence.md."""
    samples = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000
    begun = process_time()
    print(f"| placebo, {samples:,} samples | sessions | kind | statistic | {_heads(EDGES)} |", flush=True)
    for name, sessions, strategy, edges in PLACEBO_CASES:
        rates = placebo_rates(name, strategy, samples, edges, sessions)
        count = sessions or len(load_episode(name).window)
        for kind, statistic in dict.fromkeys(key[:2] for key in rates):
            cells = _cells({edge: rates[kind, statistic, edge] for edge in edges}, samples)
            print(f"| {name}, {strategy} | {count} | {kind} | {statistic} | {cells} |", flush=True)
    events = max(samples // 1_000, 1) * 4_000
    print(f"| event study, {events:,} samples | r | N | effective N | sessions | {_heads(EDGES)} |")
    for correlation, symbols, window, effects in EVENT_CASES:
        found = {effect: event_rates(correlation, symbols, window, effect, events) for effect in effects}
        for place, test in enumerate(TESTS):
            cells = _cells({effect: rates[place] for effect, (rates, _) in found.items()}, events)
            facts = f"{correlation:g} | {symbols} | {found[0.0][1]:.1f} | {window}"
            print(f"| {test} | {facts} | {cells} |", flush=True)
    print(f"{process_time() - begun:.0f} s of processor time")


def _heads(edges: Sequence[float]) -> str:
    return " | ".join("size" if edge == 0 else f"edge {edge * 100:g} %" for edge in edges)


def _cells(shares: dict[float, float], samples: int) -> str:
    """Prints shares by edge in per cent, each with its standard error in points."""
    return " | ".join(
        f"{shares[edge] * 100:.1f} ± {sqrt(shares[edge] * (1 - shares[edge]) / samples) * 100:.1f}"
        if edge in shares else ""
        for edge in EDGES
    )  # fmt: skip


if __name__ == "__main__":
    main()
