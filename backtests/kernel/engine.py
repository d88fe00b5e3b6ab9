"""Runs versions of the news compiled, in threads or on a pool."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np

from backtests.batch.news_versions import Versions, split_versions
from backtests.batch.replay_engine import ReplayEngine
from backtests.broker.terms import BrokerTerms
from backtests.kernel.runs import Compiled, why_not
from strategies.rule import Rule
from strategies.signals import Floats

if TYPE_CHECKING:
    from backtests.batch.pools import Pool
    from backtests.engine.news import News
    from backtests.episodes.episode import Episode

_LEAST = 64  # versions that are worth a thread
_TASK = 1_024  # versions of one task of a pool


class KernelEngine:
    """Runs versions compiled, in `workers` threads; what the engine cannot follow is replayed.

    One object remembers the episode of its last call, whose tables and market are then not made again.
    """

    name = "kernel"

    def __init__(self, workers: int = 1) -> None:
        """Takes the number of threads; any number gives the same bytes."""
        self.workers = workers
        self._last: tuple[Episode, News, Compiled] | None = None

    def follows(self, rule: Rule) -> bool:
        """Returns whether the rule has a step that compiles."""
        return rule.steps and rule.compiles()

    def equity(self, episode: Episode, news: News, rule: Rule, terms: BrokerTerms, versions: Versions) -> Floats:
        """Runs them; results stand in the order of the versions."""
        if why_not(episode, rule, terms):
            return ReplayEngine(workers=self.workers).equity(episode, news, rule, terms, versions)
        if self._last is None or self._last[0] is not episode or self._last[1] is not news:
            self._last = episode, news, Compiled(episode, news)
        engine = self._last[2]
        parts = min(self.workers, len(versions) // _LEAST)
        if parts <= 1:
            return _closing(engine.versions(rule, terms, versions).equity, terms.cash)
        with ThreadPoolExecutor(parts) as pool:  # the compiled loops let go of the interpreter's lock
            done = pool.map(lambda part: engine.versions(rule, terms, part).equity, split_versions(versions, parts))
            return _closing(np.concatenate(list(done)), terms.cash)


def _closing(equity: Floats, cash: float) -> Floats:
    """Closes that no held symbol had are left out and made up at the front, as the replay's are."""
    missing = np.isnan(equity)
    if not missing.any():
        return equity
    order = np.argsort(~missing, axis=1, kind="stable")
    return np.where(np.take_along_axis(missing, order, axis=1), cash, np.take_along_axis(equity, order, axis=1))


class PooledEngine:
    """Runs versions on a pool's workers, compiled where the engine can follow; the same bytes as in one process."""

    def __init__(self, pool: Pool, rule: Rule) -> None:
        """Takes a pool, and the rule that is going to be run."""
        self._pool = pool
        self.name = "kernel" if KernelEngine().follows(rule) else "replay"

    def follows(self, rule: Rule) -> bool:
        """Returns whether it runs compiled; other rules are replayed by the workers."""
        return KernelEngine().follows(rule)

    def equity(self, episode: Episode, news: News, rule: Rule, terms: BrokerTerms, versions: Versions) -> Floats:
        """Runs them; results stand in the order of the versions."""
        tasks = [
            (episode, news, rule, terms, versions.part(slice(first, first + _TASK)))
            for first in range(0, len(versions), _TASK)
        ]
        done = dict(self._pool.run(_run_task, tasks))
        return np.concatenate([done[number] for number in range(len(tasks))])


def _run_task(episode: Episode, news: News, rule: Rule, terms: BrokerTerms, versions: Versions) -> Floats:
    engine = KernelEngine() if rule.steps and rule.compiles() else ReplayEngine()
    return engine.equity(episode, news, rule, terms, versions)
