"""Describes versions of an episode's news: when each headline can be traded, whose prices stand behind each name.

A placebo asks for thousands of runs of one rule that differ in nothing else; so a version is two rows of whole numbers.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from backtests.engine.news import News
from backtests.episodes.episode import Episode
from backtests.episodes.prices import Prices
from strategies.signals import NewsItem

Ints = NDArray[np.int64]
NEVER = -1  # the row of a headline that is left out


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Versions:
    """Holds versions of an episode's news, one per row.

    Attributes:
        rows: Shape (versions, items): the row of the session table in which each of `used_items` can first be
            traded, `NEVER` to leave it out.
        columns: Shape (versions, symbols): `columns[v, j]` is the symbol (as a place in `episode.tradable`) whose
            prices, corporate actions and loans stand behind the name of symbol j; None where each has its own.
    """

    rows: Ints
    columns: Ints | None = None

    def __len__(self) -> int:
        """Returns the number of versions."""
        return len(self.rows)

    def part(self, which: slice) -> Versions:
        """Returns some of the versions."""
        return Versions(rows=self.rows[which], columns=None if self.columns is None else self.columns[which])


def used_items(news: News) -> tuple[NewsItem, ...]:
    """Lists the items that can move a signal, in their order; `Versions.rows` has a column for each."""
    return tuple(item for item in news.items if item.used)


def actual_rows(news: News) -> Ints:
    """Returns the rows of the news as it was, shape (items,)."""
    return np.array([item.session for item in used_items(news)], dtype=np.int64)


def split_versions(versions: Versions, count: int) -> Iterator[Versions]:
    """Splits versions into parts of about the same length, in order."""
    edges = [len(versions) * part // count for part in range(count + 1)]
    return (versions.part(slice(*pair)) for pair in itertools.pairwise(edges))


def renamed(episode: Episode, columns: Sequence[int]) -> Episode:
    """Exchanges the shares behind the names: prices, corporate actions and loans go together."""
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
