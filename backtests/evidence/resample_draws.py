"""Draws other samples of an episode's news: cells of source and day with replacement, stories kept together. Pure.

An archive holds some outlets on some days. What another one would have held is drawn from what this one holds: a cell
is what one source reported for one session, a story goes whole with its first report, and as many cells are drawn
with replacement as there are (the bootstrap of clusters: Efron and Tibshirani 1993, "An introduction to the
bootstrap", chapter 8; Davison and Hinkley 1997, section 3.8). A cell that is drawn twice counts twice. A share kept
is drawn without replacement: every cell stays with that probability.

An engine takes rows of sessions, so each headline has a column for each time that any sample holds it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from backtests.batch.news_versions import NEVER, Ints, Versions
from feeds.scoring.novelty import WINDOW, same_story_weights
from strategies.signals import topics

if TYPE_CHECKING:
    from backtests.engine.news import News
    from backtests.evidence.resample_misread import Misread
    from strategies.signals import NewsItem


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Cells:
    """The units that are drawn.

    Attributes:
        items: The headlines that any sample may hold, in the order in which they became known.
        cell: Shape (items,): which cell each is in.
        count: Cells.
        stories: Different stories among the headlines.
    """

    items: tuple[NewsItem, ...]
    cell: Ints
    count: int
    stories: int


def cells_of(items: Sequence[NewsItem]) -> Cells:
    """Groups headlines into cells of source and session; a repeat goes with the first report of its story."""
    story = _stories(items)
    names = [(items[first].headline.source, items[first].session) for first in story]
    places = {name: place for place, name in enumerate(dict.fromkeys(names))}
    return Cells(
        items=tuple(items),
        cell=np.array([places[name] for name in names], dtype=np.int64),
        count=len(places),
        stories=len(set(story)),
    )


def _stories(items: Sequence[NewsItem]) -> list[int]:
    """The place of the first report of each headline's story; its weight says whether it is a repeat at all."""
    found: list[int] = []
    for place, item in enumerate(items):
        first = place
        if item.weight < 1:
            for earlier in range(place - 1, -1, -1):
                other = items[earlier]
                if other.known_at < item.known_at - WINDOW:
                    break
                pair = (other, item)
                told = same_story_weights(
                    [each.headline.title for each in pair],
                    [each.known_at for each in pair],
                    [topics(each.score) for each in pair],
                )
                if told[1] < 1:
                    first = found[earlier]
                    break
        found.append(first)
    return found


def redrawn(rng: np.random.Generator, cells: Cells, n: int) -> Ints:
    """Draws as many cells as there are with replacement; how often each headline counts, shape (n, items)."""
    return np.asarray(rng.multinomial(cells.count, np.full(cells.count, 1 / cells.count), size=n)[:, cells.cell])


def kept(rng: np.random.Generator, cells: Cells, n: int, share: float) -> Ints:
    """Keeps each cell with a probability; how often each headline counts (0 or 1), shape (n, items)."""
    return np.asarray((rng.random((n, cells.count)) < share)[:, cells.cell].astype(np.int64))


def versions_of(
    news: News, cells: Cells, counts: Ints, rng: np.random.Generator | None = None, misread: Misread | None = None
) -> tuple[News, Versions]:
    """Lays samples out for an engine: news in which headlines are repeated, and the rows of each sample.

    Args:
        news: The news that the cells are of.
        cells: Its cells.
        counts: How often each headline counts in each sample, shape (samples, items).
        rng: What the misreadings are drawn with.
        misread: How headlines are read wrongly; as they were read without.
    """
    items: list[NewsItem] = []
    columns: list[Ints] = []
    for place, item in enumerate(cells.items):
        readings = misread.readings(item, len(counts), rng) if misread and rng else [(item, None)]
        for read, holds in readings:
            times = counts[:, place] if holds is None else np.where(holds, counts[:, place], 0)
            for copy in range(int(times.max(initial=0))):
                items.append(read)
                columns.append(np.where(times > copy, NEVER if read.session is None else read.session, NEVER))
    rows = np.array(columns, dtype=np.int64).reshape(len(columns), len(counts)).T
    return dataclasses.replace(news, items=tuple(items)), Versions(rows=np.ascontiguousarray(rows))
