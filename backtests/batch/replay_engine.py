"""Replays one rule on many versions of the news, and says what any engine for that must offer.

An engine takes versions (news_versions) and answers with the equity at each close.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import numpy as np

from backtests.batch.news_versions import NEVER, Versions, renamed, split_versions, used_items
from backtests.broker.records import DayEnd
from backtests.broker.terms import BrokerTerms
from backtests.engine.news import News
from backtests.episodes.episode import Episode
from strategies.rule import Rule
from strategies.signals import Floats, NewsItem, SignalBook


class Engine(Protocol):
    """Runs one rule on many versions of the news."""

    @property
    def name(self) -> str:
        """Names the engine in results."""
        ...

    def follows(self, rule: Rule, /) -> bool:
        """Returns whether the engine can run this rule; where it cannot, the replay is used."""
        ...

    def equity(self, episode: Episode, news: News, rule: Rule, terms: BrokerTerms, versions: Versions) -> Floats:
        """Returns the equity in US dollars at each close of the window, shape (versions, sessions)."""
        ...


@dataclass(frozen=True, slots=True)
class ReplayEngine:
    """Replays each version in backtrader, in `workers` processes; the same bytes for any number of them."""

    workers: int = 1
    name: str = "replay"

    def follows(self, _: Rule, /) -> bool:
        """Returns True: the replay runs every rule."""
        return True

    def equity(self, episode: Episode, news: News, rule: Rule, terms: BrokerTerms, versions: Versions) -> Floats:
        """Replays them one by one; results stand in the order of the versions."""
        work = partial(_replay_part, episode, news, rule, terms)
        if self.workers <= 1 or len(versions) < 4 * self.workers:
            return work(versions)
        with ProcessPoolExecutor(self.workers) as pool:
            return np.concatenate(list(pool.map(work, split_versions(versions, 4 * self.workers))))


def _replay_part(episode: Episode, news: News, rule: Rule, terms: BrokerTerms, versions: Versions) -> Floats:
    from backtests.engine.market import make_market
    from backtests.engine.rule_run import run_rule

    items, window = used_items(news), episode.window
    market = make_market(episode, news)
    out = np.empty((len(versions), len(window)))
    for number in range(len(versions)):
        placed = zip(items, versions.rows[number].tolist(), strict=True)
        moved = [_moved(item, row, episode) for item, row in placed if row != NEVER]
        own, base = episode, market
        if versions.columns is not None:
            own = renamed(episode, versions.columns[number].tolist())
            base = make_market(own, news)
        changed = dataclasses.replace(base, signals=SignalBook(moved, window[0], window[-1]))
        out[number] = closing_equity(run_rule(own, changed, rule, terms).days, len(window), terms.cash)
    return out


def _moved(item: NewsItem, row: int, episode: Episode) -> NewsItem:
    """Moves an item to another session, known just in time for its open."""
    if row == item.session:
        return item
    in_time = episode.sessions.opens[row] - episode.lead - episode.latency
    return dataclasses.replace(item, session=row, known_at=in_time)


def closing_equity(days: Sequence[DayEnd], sessions: int, cash: float) -> Floats:
    """Returns the equity at each close; an account without a bar at the window's start held its cash until then."""
    values = [day.equity for day in days]
    return np.array([cash] * (sessions - len(values)) + values)
