"""Measures the abnormal return that went with the news: what a placebo asks beside the profit.

The mean over sessions of the news that arrived, times the abnormal return (market model, close to close) of what is
exposed to it, in per cent per unit of news: the question of the placebo without a rule, a broker or costs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from backtests.batch.news_versions import Versions, used_items
from backtests.evidence.event_study.abnormal_returns import abnormal_returns
from backtests.evidence.event_study.event_windows import LEAST, returns_table
from strategies.signals import Floats, Reactions
from strategies.universe import CHANNELS, DEMAND, exposure_table

if TYPE_CHECKING:
    from backtests.engine.news import News
    from backtests.episodes.episode import Episode
    from strategies.rule import Rule


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Moves:
    """Abnormal returns and exposures of the window, and each headline's value."""

    values: Floats  # (items,)
    abnormal: Floats  # (sessions, symbols), 0 where there is none
    exposure: Floats  # (sessions, symbols), 0 where there is no abnormal return
    first: int

    @classmethod
    def of(cls, episode: Episode, news: News, rule: Rule) -> Moves | None:
        """Measures them; None where the table holds too few sessions before the window to estimate a model from."""
        symbols, window = episode.tradable, episode.window
        returns = returns_table(episode, [*symbols, episode.benchmark])
        before = returns[max(1, window[0] - 120) : window[0]]
        if len(before) < LEAST or not np.isfinite(before[:, -1]).all():
            return None
        after = returns[window[0] : window[-1] + 1]
        whole = np.isfinite(np.vstack([before, after])[:, :-1]).all(axis=0)
        fit = abnormal_returns("market", before[:, :-1][:, whole], before[:, -1], after[:, :-1][:, whole], after[:, -1])
        abnormal = np.zeros((len(window), len(symbols)))
        abnormal[:, whole] = fit.abnormal
        table = exposure_table(symbols, episode.sessions.sessions)
        channels = [CHANNELS.index(name) for name in DEMAND]
        demand = table[channels, window[0] : window[-1] + 1].sum(axis=0)
        reactions: Reactions = getattr(rule, "reactions", "with-cause")
        values = [
            item.weight * item.score.relevance * item.score.sentiment if item.trades_as(reactions) else 0.0
            for item in used_items(news)
        ]
        return cls(values=np.array(values), abnormal=abnormal, exposure=demand * whole, first=window[0])

    def statistic(self, versions: Versions) -> Floats:
        """The mean abnormal return of what is exposed, weighted by the news, in per cent; shape (versions,)."""
        count, sessions = len(versions), len(self.abnormal)
        place = versions.rows - self.first
        inside = (place >= 0) & (place < sessions)
        cells = (np.arange(count)[:, None] * sessions + place)[inside]
        values = np.broadcast_to(self.values, place.shape)[inside]
        arrived = np.bincount(cells, weights=values, minlength=count * sessions).reshape(count, sessions)
        share = self.exposure / np.maximum(np.abs(self.exposure).sum(axis=1, keepdims=True), 1e-12)
        total = arrived @ (share * self.abnormal).sum(axis=1)
        size = np.abs(arrived).sum(axis=1)
        return np.asarray(np.where(size > 0, total / np.maximum(size, 1e-12), 0.0) * 100)
