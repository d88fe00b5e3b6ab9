"""Names overnight jumps of prices that no split, dividend or claim explains: unlisted splits, pence for pounds.

Overnight factor: open / close before. Beyond 2 or below 0.5 each needs an explanation. Smaller ones are named where
they look like a split of 3:2 or 5:4 and the session's volume does not look like news. Of 48,241 overnight moves of
shares, funds and futures in 2022-2026, all splits in them, that names 2; planted in each of them, it names 96 %.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from backtests.episodes.bar_table import open_text
from backtests.episodes.claim_checks import check_claims
from backtests.episodes.episode import Episode
from backtests.episodes.prices import Bars, price_file

_UNITS = (100, 1000)  # pence for pounds, cents for dollars; thousands
_SPLITS = ((2, 1), (5, 2), (3, 1), (4, 1), *((many, 1) for many in (5, 6, 7, 8, 10, 12, 15, 20, 25, 30, 35, 40, 50)))
_SMALL_SPLITS = ((3, 2), (5, 4))  # new shares for old; consolidations are whole numbers for one
_LIMIT = 2.0  # a factor beyond this, or below its inverse, is named whatever it looks like
_NEAR = 0.05  # relative; how near to a split an overnight factor must be to look like it
_PLAIN = (4 / 5 * (1 + _NEAR), 2 * (1 - _NEAR))  # factors between these look like nothing
_NEWS_VOLUME = 3.0  # times the median volume of the 20 sessions before: with more, a small factor is taken for news


def overnight_jumps(episode: Episode) -> Iterator[str]:
    """Yields a line for each overnight factor of an episode that nothing explains, with its remedy."""
    path = price_file(episode.folder)
    claimed = {(each.symbol, each.session) for each in check_claims(episode) if each.verdict == "confirmed"}
    splits = {(each.symbol, each.ex_date): each.value for each in episode.actions if each.kind == "split"}
    dividends = {(each.symbol, each.ex_date): each.value for each in episode.actions if each.kind == "dividend"}
    for symbol in episode.symbols:
        bars = episode.prices.bars[symbol]
        for row in range(1, len(bars.sessions)):
            key = symbol, bars.sessions[row]
            factor = (float(bars.open[row]) + dividends.get(key, 0.0)) / float(bars.close[row - 1])
            if key not in splits and _PLAIN[0] < factor < _PLAIN[1]:
                continue
            news = symbol in episode.context or _like_news(bars, row)  # indices are not split
            wrong = _jump(factor, splits.get(key), news=news, adjusted=episode.adjusted == "splits")
            if wrong and key not in claimed:
                place = row_place(path, f"{symbol},{bars.sessions[row]}")
                said = f"{symbol} opened at {factor:.4g} times the close before"
                yield f"{place}: {said}, {wrong}; a move that is real needs a claim on that session, which they confirm"


def _jump(factor: float, split: float | None, *, news: bool, adjusted: bool) -> str:
    """Says what is wrong with an overnight factor, "" for nothing."""
    if split is not None and not adjusted:
        fits = abs(factor * split - 1) < 0.25
        return "" if fits else f'but actions.csv lists a split of {split:g} for 1; write adjusted = "splits"'
    if split is None and any(_near(factor, unit) or _near(factor, 1 / unit) for unit in _UNITS):
        return "like prices in another unit (pence for pounds, cents for dollars); give all bars in one unit"
    like = _looks_like(factor, news=news)
    if like and adjusted:
        remedy = 'write adjusted = "none" and list it in actions.csv'
        return f"like a split of {like} that these prices do not have in them; {remedy}"
    if like:
        return f"like a split of {like} that actions.csv does not list; add it"
    return "" if 1 / _LIMIT <= factor <= _LIMIT else "which no split explains; correct the bars"


def _near(factor: float, other: float) -> bool:
    return abs(factor / other - 1) < _NEAR


def _looks_like(factor: float, *, news: bool) -> str:
    """Says which usual split an overnight factor looks like, "" for none."""
    for new, old in _SPLITS:
        if _near(factor, old / new):
            return f"{new} for {old}"
        if _near(factor, new / old):
            return f"{old} for {new}"
    for new, old in () if news else _SMALL_SPLITS:
        if _near(factor, old / new):
            return f"{new} for {old}"
    return ""


def _like_news(bars: Bars, row: int) -> bool:
    """Tells whether a session's volume is far above the median of the 20 before; no volume is no news."""
    before = bars.volume[max(0, row - 20) : row]
    return len(before) >= 5 and float(bars.volume[row]) > _NEWS_VOLUME * float(np.median(before)) > 0


def row_place(path: Path, start: str) -> str:
    """Returns "file:line" of the first row that begins like this; the file alone where none does."""
    with open_text(path) as file:
        for number, line in enumerate(file, 1):
            if line.startswith(start):
                return f"{path}:{number}"
    return str(path)
