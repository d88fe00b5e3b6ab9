"""Draws placebo news: versions of an episode's news that a seed alone decides. Pure.

| kind          | what is left to chance                                                              |
|---------------|-------------------------------------------------------------------------------------|
| permuted-days | the order of the window's news days, in blocks, so that a story's days stay together |
| shifted       | by how many sessions all news is moved, round the window's end; every shift once     |

Both move whole days of news: single headlines at times of their own would spread the news thinner than it came.
`shifted` is left out of windows in which 5 % of the shifts, give or take 1, is no whole number of them. Two kinds were
withdrawn since they reject too often where there is no effect: names exchanged (12.9 % at 5 %; shares differ in how
much they move, and within a sector their exposures are alike) and scores given to headlines off the topic (8.6 %).
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
    elif size < LEAST_SHIFTED:
        note = f"not drawn: {size - 1} shifts cannot give a p of 5 %; it takes {LEAST_SHIFTED} sessions"
    else:
        goes = (np.arange(size) + np.arange(1, size)[:, None]) % size
        versions = Versions(rows=_mapped(rows, episode.window, goes))
        note = f"there are only {size - 1} shifts; each was run once"
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


def _distinct(versions: Versions | None) -> int:
    return 0 if versions is None else len({row.tobytes() for row in versions.rows})
