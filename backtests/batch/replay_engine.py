"""The seam to an engine that runs one rule on many versions of the news.

A placebo asks for thousands of runs of one rule. What differs between them is when each headline can be traded and
which share's prices stand behind which name; so a version is two rows of whole numbers, and an engine answers
with the equity at each close.
"""

from __future__ import annotations

import dataclasses
import importlib.util
import itertools
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from backtests.broker.terms import BrokerTerms, DayEnd
from backtests.engine.news import News
from backtests.episodes.episode import Episode
from backtests.episodes.prices import Prices
from feeds.errors import InputError, did_you_mean
from strategies.rule import Rule
from strategies.signals import Floats, NewsItem, SignalBook

Ints = NDArray[np.int64]
NEVER = -1  # the row of a headline that is left out


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Versions:
    """Versions of an episode's news, one per row.

    Attributes:
        rows: Shape (versions, items): the row of the session table in which each of `used_items` can first be
            traded, `NEVER` to leave it out.
        columns: Shape (versions, symbols): `columns[v, j]` is the symbol (as a place in `episode.tradable`) whose
            prices, corporate actions and loans stand behind the name of symbol j; None where each has its own.
    """

    rows: Ints
    columns: Ints | None = None

    def __len__(self) -> int:
        """How many versions there are."""
        return len(self.rows)

    def part(self, which: slice) -> Versions:
        """Some of the versions."""
        return Versions(rows=self.rows[which], columns=None if self.columns is None else self.columns[which])


def used_items(news: News) -> tuple[NewsItem, ...]:
    """The items that can move a signal, in their order; `Versions.rows` has a column for each."""
    return tuple(item for item in news.items if item.used)


def actual_rows(news: News) -> Ints:
    """The rows as they were, shape (items,)."""
    return np.array([item.session for item in used_items(news)], dtype=np.int64)


class Engine(Protocol):
    """Runs one rule on many versions of the news."""

    @property
    def name(self) -> str:
        """How results call it."""
        ...

    def follows(self, rule: Rule, /) -> bool:
        """Whether the engine can run this rule; where it cannot, the replay is used."""
        ...

    def equity(self, episode: Episode, news: News, rule: Rule, terms: BrokerTerms, versions: Versions) -> Floats:
        """Returns the equity in US dollars at each close of the window, shape (versions, sessions)."""
        ...


@dataclass(frozen=True, slots=True)
class ReplayEngine:
    """The reference: each version replayed in backtrader, in `workers` processes; the same bytes for any number."""

    workers: int = 1
    name: str = "replay"

    def follows(self, _: Rule, /) -> bool:
        """The replay runs every rule."""
        return True

    def equity(self, episode: Episode, news: News, rule: Rule, terms: BrokerTerms, versions: Versions) -> Floats:
        """Replays them one by one; results stand in the order of the versions."""
        work = partial(_replay_part, episode, news, rule, terms)
        if self.workers <= 1 or len(versions) < 4 * self.workers:
            return work(versions)
        with ProcessPoolExecutor(self.workers) as pool:
            return np.concatenate(list(pool.map(work, split_versions(versions, 4 * self.workers))))


def split_versions(versions: Versions, count: int) -> Iterator[Versions]:
    """Parts of about the same length, in order."""
    edges = [len(versions) * part // count for part in range(count + 1)]
    return (versions.part(slice(*pair)) for pair in itertools.pairwise(edges))


def _replay_part(episode: Episode, news: News, rule: Rule, terms: BrokerTerms, versions: Versions) -> Floats:
    from backtests.engine.replay import make_market, run_rule

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


def renamed(episode: Episode, columns: Sequence[int]) -> Episode:
    """The episode with the shares behind the names exchanged: prices, corporate actions and loans go together."""
    names = episode.tradable
    source = {names[place]: names[taken] for place, taken in enumerate(columns)}
    targets: dict[str, list[str]] = {}
    for name, taken in source.items():
        targets.setdefault(taken, []).append(name)
    bars = {
        name: dataclasses.replace(episode.prices.bars[source.get(name, name)], symbol=name)
        for name in episode.prices.bars
    }
    actions = [
        dataclasses.replace(action, symbol=name)
        for action in episode.actions
        for name in targets.get(action.symbol, [])
    ]
    loans = {name: episode.loans.by_symbol[taken] for name, taken in source.items() if taken in episode.loans.by_symbol}
    return dataclasses.replace(
        episode,
        prices=Prices(bars=bars),
        actions=tuple(actions),
        loans=dataclasses.replace(episode.loans, by_symbol=loans),
    )


def _moved(item: NewsItem, row: int, episode: Episode) -> NewsItem:
    """The item in another session, known just in time for its open."""
    if row == item.session:
        return item
    in_time = episode.sessions.opens[row] - episode.lead - episode.latency
    return dataclasses.replace(item, session=row, known_at=in_time)


def closing_equity(days: Sequence[DayEnd], sessions: int, cash: float) -> Floats:
    """The equity at each close; a book that began to count later than the window held its cash until then."""
    values = [day.equity for day in days]
    return np.array([cash] * (sessions - len(values)) + values)


def engine_for(rule: Rule, name: str = "auto", workers: int = 1, scheduler: str = "") -> Engine:
    """Picks the engine by name; `auto` is the quickest one that follows the rule, `dask` the same on Dask workers.

    Raises:
        InputError: An unknown engine, one that is not installed, or one that cannot follow the rule.
    """
    if name == "replay":
        return ReplayEngine(workers=workers)
    if name not in {"auto", "kernel", "dask"}:
        raise InputError(f"unknown engine {name!r}; {did_you_mean(name, ['auto', 'kernel', 'replay', 'dask'])}")
    if importlib.util.find_spec("numba") is None:
        if name == "auto":
            return ReplayEngine(workers=workers)
        raise InputError("the compiled engine needs numba: pip install 'aftershock[fast]'")
    from backtests.kernel.engine import KernelEngine, PooledEngine

    if name == "dask":
        from backtests.batch.pools import make_pool

        return PooledEngine(make_pool("dask", workers=workers, scheduler=scheduler), rule)
    kernel = KernelEngine(workers=workers)
    if kernel.follows(rule):
        return kernel
    if name == "auto":
        return ReplayEngine(workers=workers)
    raise InputError(f"strategy {rule.name}: is plain Python, which the compiled engine cannot follow; use replay")
