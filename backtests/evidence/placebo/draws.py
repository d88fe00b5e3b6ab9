"""What is left to chance in a placebo: versions of an episode's news, drawn from a seed alone. Pure.

| kind            | what is left to chance                                                                    |
|-----------------|-------------------------------------------------------------------------------------------|
| permuted-days   | the order of the window's news days, in blocks, so that a story's days stay together       |
| shifted         | by how many sessions all news is moved, round the window's end; every shift once            |
| swapped-tickers | which share's prices stand behind which name, the funds of the benchmark's sector excepted  |
| off-topic       | each headline is given the time of another that is not about AI, and keeps its own score    |
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from backtests.batch.news_versions import Ints, Versions, actual_rows

if TYPE_CHECKING:
    from backtests.engine.news import News
    from backtests.episodes.episode import Episode
    from strategies.signals import NewsItem

KINDS = {
    "permuted-days": "news days in another order, in blocks of {block} sessions",
    "shifted": "all news moved by a number of sessions",
    "swapped-tickers": "other shares behind the names",
    "off-topic": "each score given to a headline that is not about AI",
}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Drawn:
    """The versions of one kind; without them `note` says why."""

    kind: str
    about: str
    versions: Versions | None
    distinct: int
    note: str = ""


def draw(kind: str, rng: np.random.Generator, episode: Episode, news: News, n: int, block: int) -> Drawn:
    """Draws the versions of a kind.

    Args:
        kind: One of `KINDS`.
        rng: What they are drawn with, and nothing else.
        episode: Its window and symbols.
        news: Placed news.
        n: Versions (of shifts every one there is).
        block: Sessions of a block that stay together when days are permuted.
    """
    about = KINDS[kind].format(block=block)
    rows = actual_rows(news)
    versions: Versions | None = None
    note = ""
    size = len(episode.window)
    if kind == "permuted-days":
        versions = Versions(rows=_mapped(rows, episode.window, _permuted(rng, size, block, n)))
    elif kind == "shifted":
        goes = (np.arange(size) + np.arange(1, size)[:, None]) % size
        versions = Versions(rows=_mapped(rows, episode.window, goes))
        note = f"there are only {size - 1} shifts; each was run once"
    elif kind == "swapped-tickers":
        columns = _swapped(rng, episode, n)
        versions = Versions(rows=np.tile(rows, (n, 1)), columns=columns) if columns is not None else None
        note = "" if versions else "fewer than two shares could be swapped"
    else:
        others = [item.session for item in news.items if _off_topic(item)]
        if others:
            versions = Versions(rows=_off_topic_rows(rng, rows, np.array(others, dtype=np.int64), n))
        else:
            note = "no headline of this episode is off the topic"
    return Drawn(kind=kind, about=about, versions=versions, distinct=_distinct(versions), note=note)


def _permuted(rng: np.random.Generator, size: int, block: int, n: int) -> Ints:
    """Where each session's news goes, shape (n, size): blocks that begin at a random session, in a random order."""
    lengths = np.full(-(-size // block), block)
    lengths[-1] = size - block * (len(lengths) - 1)
    order = rng.permuted(np.tile(np.arange(len(lengths)), (n, 1)), axis=1)
    taken = lengths[order]
    begins = np.empty_like(order)
    np.put_along_axis(begins, order, np.cumsum(taken, axis=1) - taken, axis=1)
    turned = np.arange(size)
    sessions = (turned + rng.integers(size, size=(n, 1))) % size
    goes = np.empty((n, size), dtype=np.int64)
    np.put_along_axis(goes, sessions, begins[:, turned // block] + turned % block, axis=1)
    return goes


def _mapped(rows: Ints, window: range, goes: Ints) -> Ints:
    """Applies maps of the window's sessions, shape (n, sessions), to the rows; what lies outside the window stays."""
    inside = (rows >= window[0]) & (rows <= window[-1])
    place = np.where(inside, rows - window[0], 0)
    return np.where(inside, goes[:, place] + window[0], rows)


def _swapped(rng: np.random.Generator, episode: Episode, n: int) -> Ints | None:
    """Permutations of the shares outside the benchmark's sector."""
    funds = next((set(members) for members in episode.sectors.values() if episode.benchmark in members), set())
    places = np.array([place for place, symbol in enumerate(episode.tradable) if symbol not in funds], dtype=np.int64)
    if len(places) < 2:
        return None
    columns = np.tile(np.arange(len(episode.tradable), dtype=np.int64), (n, 1))
    columns[:, places] = rng.permuted(np.tile(places, (n, 1)), axis=1)
    return columns


def _off_topic(item: NewsItem) -> bool:
    return item.score.relevance == 0 and item.session is not None and item.score.language in {"en", "de"}


def _off_topic_rows(rng: np.random.Generator, rows: Ints, others: Ints, n: int) -> Ints:
    """Times of off-topic headlines, each at most once where there are enough of them."""
    if len(others) >= len(rows):
        return rng.permuted(np.tile(others, (n, 1)), axis=1)[:, : len(rows)]
    return np.asarray(rng.choice(others, size=(n, len(rows))))


def _distinct(versions: Versions | None) -> int:
    if versions is None:
        return 0
    both = versions.rows if versions.columns is None else np.hstack([versions.rows, versions.columns])
    return len({row.tobytes() for row in both})
