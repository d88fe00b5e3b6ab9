"""Asks whether the signal is any good, before any rule: do returns follow the scores, from when, for how long?

    found = signal_quality(episode, news)
    found["heads"][0]["horizons"]

A head of the score is turned into a factor per session and symbol: the sum of what its headlines add that can first
be traded in that session, times the symbol's exposure as known then. Returns begin at that session's open, where one
could first trade, and are in excess of the benchmark's; the gap before the open is shown beside them. Per session:

    rank IC        Spearman's correlation of factor and return over the symbols (where the factor differs among them)
    signed return  sum of factor × return over the sum of |factor|: above 0 where the signs were right

Horizons overlap, so that the errors of their means are those of Newey and West (1987) over the sessions that they
share.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from backtests.engine.market import make_market
from backtests.engine.news import News
from backtests.episodes.episode import Episode
from strategies.signals import Floats, NewsItem
from strategies.universe import CHANNELS, DEMAND
from strategies.view import Market

HORIZONS = (1, 2, 3, 5, 10, 15, 20)  # sessions, from the first open to the last close
BANDS = (0.0, 0.5, 1.0)  # strength of a session's signal: about one clear story is 0.5 to 1
CLEAR = 0.5  # a session that counts as one of good or bad news
LEAST_NAMES = 5  # symbols that a rank correlation needs
LEAST_DAYS = 10  # sessions below which a mean has no t
SOURCES = 10  # listed
_ROUNDING = 1e-12
Row = dict[str, Any]
Value = Callable[[NewsItem], float]


@dataclass(frozen=True, slots=True)
class _Head:
    name: str
    value: Value  # what one headline adds to the sum of its session
    channels: tuple[str, ...]  # whose exposures it is multiplied with; none: every symbol alike
    turned: bool = False  # the score's −1 is more of what the channel measures


_HEADS = (
    _Head("sentiment", lambda item: item.weight * item.score.relevance * item.score.sentiment, DEMAND),
    _Head(
        "displacement", lambda item: item.weight * item.score.relevance * item.score.displacement, CHANNELS[-1:], True
    ),
    _Head("tone", lambda item: item.weight * item.score.relevance * item.score.tone, ()),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Returns:
    """Holds returns in excess of the benchmark as fractions, shape (sessions of the window, symbols); NaN: no bar."""

    gap: Floats  # from the close before to the open
    after: dict[int, Floats]  # by horizon: from the open to the close of the horizon's last session


def signal_quality(episode: Episode, news: News) -> Row:
    """Measures each head of the score on an episode.

    Args:
        episode: Prices and sessions.
        news: Placed news.

    Returns:
        Per head: news days, and how many lie so far apart that their windows share no session; by horizon rank IC and
        signed return with t; hit rates by sign and strength; spreads of thirds; abnormal returns after good and after
        bad news, split into gap and tradable part; by year, source, language and kind of headline. Per cent, counts.
    """
    market = make_market(episode, news)
    returns = _returns(market)
    items = [item for item in market.signals.items if market.first <= (item.session or 0) < len(market.sessions)]
    heads = [_measure(head, market, items, returns) for head in _HEADS]
    heads.append(_named(market, items, returns))
    return {
        "name": "signal", "episode": episode.name, "benchmark": episode.benchmark,
        "sessions": len(episode.window), "headlines": len(items), "horizons": list(HORIZONS), "heads": heads,
        "notes": [
            "Symbols with one exposure fall and rise together: the sessions with news are the sample, not the names.",
            "The gap before the open is over when the news can first be traded; it is shown and not counted.",
            f"A mean of fewer than {LEAST_DAYS} sessions has no t; of twenty looked at, one is beyond 2 by luck.",
        ],
    }  # fmt: skip


def _returns(market: Market) -> _Returns:
    opened, closed = market.open.copy(), market.close.copy()
    for row, column, ratio in market.splits:
        opened[:row, column] /= ratio
        closed[:row, column] /= ratio
    first, count = market.first, len(market.sessions) - market.first
    base = market.symbols.index(market.benchmark)

    def excess(later: Floats, earlier: Floats) -> Floats:
        made = later / earlier - 1
        found: Floats = made - made[:, [base]]
        return found

    after = {}
    for horizon in HORIZONS:
        made = np.full((count, len(market.symbols)), np.nan)
        whole = count - horizon + 1
        if whole > 0:
            made[:whole] = excess(closed[first + horizon - 1 :][:whole], opened[first:][:whole])
        after[horizon] = made
    return _Returns(gap=excess(opened[first:], closed[first - 1 : -1]), after=after)


def _factor(head: _Head, market: Market, items: Iterable[NewsItem]) -> Floats:
    """Returns the head's factor, shape (sessions of the window, symbols)."""
    sums = np.zeros(len(market.sessions) - market.first)
    for item in items:
        sums[(item.session or 0) - market.first] += head.value(item)
    exposure = np.ones((len(sums), len(market.symbols)))
    if head.channels:
        rows = [market.exposure[CHANNELS.index(each)][market.first : len(market.sessions)] for each in head.channels]
        exposure = np.sum(rows, axis=0) * (-1.0 if head.turned else 1.0)
    exposure[:, market.symbols.index(market.benchmark)] = 0.0  # against which all is measured
    found: Floats = sums[:, None] * exposure
    return found


def _measure(head: _Head, market: Market, items: Sequence[NewsItem], returns: _Returns) -> Row:
    factor = _factor(head, market, items)

    def group(which: Callable[[NewsItem], bool]) -> Floats:
        return _factor(head, market, [item for item in items if which(item)])

    return {"head": head.name, **_figures(factor, returns), "groups": _groups(market, items, returns, group)}


def _named(market: Market, items: Sequence[NewsItem], returns: _Returns) -> Row:
    """Measures what is said of each company by name."""

    def factor(which: Callable[[NewsItem], bool]) -> Floats:
        found = np.zeros((len(market.sessions) - market.first, len(market.symbols)))
        for item in filter(which, items):
            for each in item.score.entities:
                if each.symbol in market.symbols and each.symbol != market.benchmark:
                    place = (item.session or 0) - market.first, market.symbols.index(each.symbol)
                    found[place] += item.weight * item.score.relevance * each.salience * each.direction
        return found

    whole = factor(lambda _: True)
    return {"head": "companies", **_figures(whole, returns), "groups": _groups(market, items, returns, factor)}


def _figures(factor: Floats, returns: _Returns) -> Row:
    strength = np.max(np.abs(factor), axis=1)
    days = np.flatnonzero(strength)
    return {
        "news_days": len(days),
        "horizons": [_horizon(factor, returns.after[each], each) for each in HORIZONS],
        "gap": _mean(signed(factor, returns.gap), 1),
        "hits": _hits(factor, strength, returns),
        "after_good_news": _event(factor, returns, days, good=True),
        "after_bad_news": _event(factor, returns, days, good=False),
    }


def _horizon(factor: Floats, after: Floats, horizon: int) -> Row:
    made = signed(factor, after)
    ranks = np.array([rank_ic(*each) for each in zip(factor, after, strict=True)])
    spread = np.array([_spread(*each) for each in zip(factor, after, strict=True)])
    return {
        "sessions": horizon, "independent_days": independent(np.flatnonzero(np.isfinite(made)).tolist(), horizon),
        "rank_ic": _mean(ranks, horizon, percent=False), "signed_pct": _mean(made, horizon),
        "third_spread_pct": _mean(spread, horizon),
    }  # fmt: skip


def rank_ic(factor: Floats, after: Floats) -> float:
    """Returns Spearman's correlation over the symbols with a factor and a return; NaN where it has no value."""
    known = np.isfinite(after) & (factor != 0)
    one, other = _ranks(factor[known]), _ranks(after[known])
    if len(one) < LEAST_NAMES or np.ptp(one) == 0 or np.ptp(other) == 0:
        return math.nan
    return float(np.corrcoef(one, other)[0, 1])


def _ranks(values: Floats) -> Floats:
    """Returns ranks from 1, ties at their mean."""
    order = np.argsort(values, kind="stable")
    ranks = np.empty(len(values))
    ranks[order] = np.arange(1, len(values) + 1, dtype=float)
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    sums = np.bincount(inverse, weights=ranks)
    found: Floats = (sums / counts)[inverse]
    return found


def signed(factor: Floats, after: Floats) -> Floats:
    """Returns each session's return in the direction of the factor, weighted by its size; NaN without news."""
    known = np.isfinite(after)
    weight = np.where(known, factor, 0.0)
    size = np.abs(weight).sum(axis=1)
    found: Floats = np.divide(
        (weight * np.where(known, after, 0.0)).sum(axis=1), size, out=np.full(len(size), np.nan), where=size > 0
    )
    return found


def _spread(factor: Floats, after: Floats) -> float:
    """Returns the mean return of the third of the symbols with the highest factor less that of the lowest."""
    known = np.isfinite(after) & (factor != 0)
    values, made = factor[known], after[known]
    count = len(values) // 3
    if count < 1 or np.ptp(values) == 0:
        return math.nan
    order = np.argsort(values, kind="stable")
    return float(made[order[-count:]].mean() - made[order[:count]].mean())


def independent(days: Sequence[int], horizon: int) -> int:
    """Counts the sessions that remain when none may lie within the horizon of another that was kept."""
    count, free = 0, -1
    for day in days:
        if day >= free:
            count, free = count + 1, day + horizon
    return count


def newey_west_error(series: Floats, lags: int) -> float:
    """Returns the standard error of the mean of a series by session; NaN are sessions without an observation.

    Observations that lie up to `lags` sessions apart hang together, with Bartlett's weights.
    """
    known = np.isfinite(series)
    n = int(known.sum())
    if n < 2:
        return math.nan
    off = np.where(known, series - series[known].mean(), 0.0)
    total = float(off @ off)
    for lag in range(1, min(lags, len(off) - 1) + 1):
        total += 2 * (1 - lag / (lags + 1)) * float(off[lag:] @ off[:-lag])
    return math.sqrt(max(total, 0.0)) / n


def _mean(series: Floats, horizon: int, *, percent: bool = True) -> Row:
    """Returns mean, t and number of a series by session, whose windows share up to `horizon` − 1 sessions."""
    known = series[np.isfinite(series)]
    if not len(known):
        return {"n": 0, "mean": None, "t": None}
    mean, error = float(known.mean()), newey_west_error(series, horizon - 1)
    sure = len(known) >= LEAST_DAYS and error > _ROUNDING
    return {"n": len(known), "mean": mean * (100 if percent else 1), "t": mean / error if sure else None}


def _hits(factor: Floats, strength: Floats, returns: _Returns) -> list[Row]:
    """Counts how often the sign was right, by sign and strength of the session's signal."""
    net = factor[np.arange(len(factor)), np.argmax(np.abs(factor), axis=1)]
    rows = []
    for sign in (1, -1):
        for low, high in zip(BANDS, (*BANDS[1:], math.inf), strict=True):
            chosen = (np.sign(net) == sign) & (strength > low) & (strength <= high)
            row: Row = {"sign": sign, "above": low, "up_to": None if high == math.inf else high}
            for horizon in (1, 5):
                made = signed(factor, returns.after[horizon])[chosen]
                made = made[np.isfinite(made)]
                share = float((made > 0).mean()) if len(made) else None
                row |= {f"n_{horizon}": len(made), f"hit_share_{horizon}": share}
            rows.append(row)
    return rows


def _event(factor: Floats, returns: _Returns, days: Any, *, good: bool) -> Row:
    """Averages abnormal returns of the exposed symbols after sessions of clear good, or bad, news."""
    net = factor[np.arange(len(factor)), np.argmax(np.abs(factor), axis=1)]
    chosen = [day for day in days if (net[day] >= CLEAR if good else net[day] <= -CLEAR)]
    sign = 1.0 if good else -1.0

    def mean(after: Floats, horizon: int) -> Row:
        made = np.full(len(factor), np.nan)
        made[chosen] = sign * signed(factor, after)[chosen]
        return _mean(made, horizon)

    return {
        "days": len(chosen), "gap_pct": mean(returns.gap, 1),
        "tradable_pct": [{"sessions": each, **mean(returns.after[each], each)} for each in HORIZONS],
    }  # fmt: skip


def _groups(
    market: Market,
    items: Sequence[NewsItem],
    returns: _Returns,
    factor: Callable[[Callable[[NewsItem], bool]], Floats],
) -> list[Row]:
    """Measures parts of the news: by year, language, kind, and the sources that said most."""

    def year(item: NewsItem) -> str:
        return str(market.sessions[item.session or 0].year)

    def kind(item: NewsItem) -> str:
        if not item.score.reaction:
            return "news"
        return "a price move with its cause" if item.score.cause else "a price move"

    def source(item: NewsItem) -> str:
        return item.headline.source

    def language(item: NewsItem) -> str:
        return item.score.language

    rows = []
    for by, key in (("year", year), ("language", language), ("kind", kind), ("source", source)):
        counts = Counter(key(item) for item in items)
        names = [name for name, _ in counts.most_common(SOURCES)] if by == "source" else sorted(counts)
        for name in names:
            part = factor(lambda item, key=key, name=name: key(item) == name)  # type: ignore[misc]
            rows.append(
                {
                    "by": by, "group": name, "headlines": counts[name],
                    "gap_pct": _mean(signed(part, returns.gap), 1),
                    "signed_pct": _mean(signed(part, returns.after[1]), 1),
                }
            )  # fmt: skip
    return rows
