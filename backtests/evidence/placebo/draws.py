"""Draws placebo news: versions of an episode's news that a seed alone decides. Pure.

| kind          | what is left to chance                                                                      |
|---------------|---------------------------------------------------------------------------------------------|
| permuted-days | the order of the window's news days, in blocks, so that a story's days stay together         |
| shifted       | by how many sessions all news is moved, round the window's end; every shift once             |
| off-topic     | each day's news moves whole to a day drawn by how much other news it had (none of it on AI)  |

All three move whole days of news: single headlines at times of their own would spread the news thinner than it came,
and would be a placebo that too few results do as well as. `shifted` is left out of windows in which a share of 5 % of
the shifts, give or take 1, is no whole number of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from backtests.batch.news_versions import Ints, Versions, actual_rows

if TYPE_CHECKING:
    from backtests.engine.news import News
    from backtests.episodes.episode import Episode

KINDS = {
    "permuted-days": "news days in another order, in blocks of {block} sessions",
    "shifted": "all news moved by a number of sessions",
    "off-topic": "each day's news moved to a day of headlines that are not about AI",
}
LEAST_SHIFTED = 80  # sessions from which a p of 5 % can be reached to within a point, whatever their number


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
        if size < LEAST_SHIFTED:
            note = f"not drawn: {size - 1} shifts cannot give a p of 5 %; it takes {LEAST_SHIFTED} sessions"
        else:
            goes = (np.arange(size) + np.arange(1, size)[:, None]) % size
            versions = Versions(rows=_mapped(rows, episode.window, goes))
            note = f"there are only {size - 1} shifts; each was run once"
    else:
        counts = _off_topic_counts(episode, news)
        taken = np.unique(rows[np.isin(rows, episode.window)]) - episode.window[0]
        if (counts > 0).sum() > len(taken):
            versions = Versions(rows=_mapped(rows, episode.window, _off_topic_days(rng, counts, taken, n)))
        else:
            note = "not drawn: the days with other headlines are no more than those with news about AI"
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


def _off_topic_counts(episode: Episode, news: News) -> Ints:
    """Headlines that are not about AI in each session of the window, shape (sessions,)."""
    places = [
        item.session - episode.window[0]
        for item in news.items
        if item.session is not None
        and item.session in episode.window
        and item.score.relevance == 0
        and item.score.language in {"en", "de"}
    ]
    return np.bincount(np.array(places, dtype=np.int64), minlength=len(episode.window))


def _off_topic_days(rng: np.random.Generator, counts: Ints, taken: Ints, n: int) -> Ints:
    """Where each session's news goes, shape (n, sessions): days drawn without replacement, in proportion to counts.

    The days with the largest log count + Gumbel noise are such a draw (Efraimidis and Spirakis 2006); their order is
    then drawn anew, since the most likely days come first in it.
    """
    size = len(counts)
    with np.errstate(divide="ignore"):
        keys = np.log(counts) + rng.gumbel(size=(n, size))
    days = np.argsort(-keys, axis=1)[:, : len(taken)]
    goes = np.tile(np.arange(size), (n, 1))
    goes[:, taken] = rng.permuted(days, axis=1)
    return goes


def _distinct(versions: Versions | None) -> int:
    return 0 if versions is None else len({row.tobytes() for row in versions.rows})
