"""Finds strong scores after which nothing moved, and how often a strong score was right at all.

A session counts as *called* when headlines that it could first trade have a strong AI-disruption sentiment; what it
was called is the sign of their sum. Its *move* is the return, close to close, of the symbols exposed to AI demand
(weighted by exposure as known before that session) beyond the benchmark's. It is a hit when the move goes the way
that was called by at least one standard deviation of the 60 sessions before, the opposite when it goes the other way
by as much, and else no move.

    hit rate      hits / called sessions, with Wilson's interval (Wilson 1927, JASA 22, 209-212)
    always yes    hit rate of one who calls every session of the window, in the same mix of directions

Sessions are the unit and not headlines: all headlines of a morning meet one move.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from backtests.engine.market import make_market
from strategies.universe import DEMAND, exposure_table

if TYPE_CHECKING:
    from backtests.engine.news import News
    from backtests.episodes.episode import Episode
    from strategies.signals import Floats, NewsItem

STRONG = 0.5  # relevance x |sentiment| from which a score is strong
TRAILING = 60  # sessions of which the standard deviation is taken
OUTCOMES = ("hit", "no move", "opposite")


@dataclass(frozen=True, slots=True, kw_only=True)
class Called:
    """Holds a session whose news was strong, and what came of it."""

    episode: str
    session: str  # ISO date
    called: int  # +1 build-up, -1 disruption
    score: float  # sum of relevance x sentiment of its strong headlines
    move_pct: float  # abnormal return of the exposed symbols, close to close, in percent
    typical_pct: float  # standard deviation of it over the sessions before, in percent
    outcome: str  # one of OUTCOMES
    headlines: tuple[str, ...]  # strongest first


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """Holds how often strong scores were right in one episode."""

    episode: str
    control: bool
    called: tuple[Called, ...]
    always: tuple[float, float]  # shares of all sessions of the window with a move up, and down

    @property
    def hits(self) -> int:
        """Counts the called sessions that moved as called."""
        return sum(each.outcome == "hit" for each in self.called)

    @property
    def always_yes(self) -> float | None:
        """Returns the hit rate of calling every session, in the mix of directions of the calls; None without a call."""
        if not self.called:
            return None
        up, down = self.always
        return sum(up if each.called > 0 else down for each in self.called) / len(self.called)


def wilson(hits: int, count: int, z: float = 1.959963984540054) -> tuple[float, float]:
    """Returns Wilson's score interval of a share, by default of 95 %; (0, 1) where nothing was counted.

    Source: E. B. Wilson (1927), "Probable inference, the law of succession, and statistical inference".
    """
    if count == 0:
        return 0.0, 1.0
    share, square = hits / count, z * z
    middle = (share + square / (2 * count)) / (1 + square / count)
    half = z / (1 + square / count) * math.sqrt(share * (1 - share) / count + square / (4 * count * count))
    return max(0.0, middle - half), min(1.0, middle + half)


def rates(episode: Episode, news: News, *, strong: float = STRONG) -> Rates:
    """Finds the called sessions of an episode and what came of them."""
    moves = _moves(episode, news)
    window = [row for row in episode.window if math.isfinite(_typical(moves, row)) and math.isfinite(moves[row])]
    sizes = [moves[row] / _typical(moves, row) for row in window]
    count = max(1, len(sizes))
    return Rates(
        episode=episode.name,
        control=episode.control,
        called=tuple(_called(episode, news, moves, window, strong)),
        always=(sum(size >= 1 for size in sizes) / count, sum(size <= -1 for size in sizes) / count),
    )


def _moves(episode: Episode, news: News) -> Floats:
    """Computes the exposed symbols' abnormal return by session, shape (sessions,), NaN where it cannot be known."""
    market = make_market(episode, news)
    exposure = exposure_table(market.symbols, market.sessions)[: len(DEMAND)].sum(axis=0)
    own = np.array([symbol != market.benchmark and sector != "funds" for symbol, sector in
                    zip(market.symbols, market.sectors, strict=True)])  # fmt: skip
    returns = np.full(market.close.shape, np.nan)
    returns[1:] = market.close[1:] / market.close[:-1] - 1
    weights = np.where(np.isfinite(returns), exposure, 0.0) * own
    total = np.abs(weights).sum(axis=1)
    basket = np.where(total > 0, np.nansum(weights * returns, axis=1) / np.where(total > 0, total, 1.0), np.nan)
    result: Floats = basket - returns[:, market.symbols.index(market.benchmark)]
    return result


def _typical(moves: Floats, row: int) -> float:
    before = moves[max(0, row - TRAILING) : row]
    before = before[np.isfinite(before)]
    return float(before.std(ddof=1)) if len(before) >= TRAILING // 2 else math.nan


def _called(episode: Episode, news: News, moves: Floats, window: Sequence[int], strong: float) -> Iterator[Called]:
    by_session: dict[int, list[NewsItem]] = {}
    for item in news.items:
        is_strong = item.score.relevance * abs(item.score.sentiment) >= strong and item.weight == 1
        if item.used and item.session is not None and is_strong and item.trades_as("with-cause"):
            by_session.setdefault(item.session, []).append(item)
    for row in window:
        items = sorted(by_session.get(row, []), key=lambda each: (-abs(each.score.sentiment), each.headline.id))
        score = math.fsum(each.score.relevance * each.score.sentiment for each in items)
        if not score:
            continue
        called, typical = (1 if score > 0 else -1), _typical(moves, row)
        size = called * float(moves[row]) / typical
        yield Called(
            episode=episode.name,
            session=episode.sessions.sessions[row].isoformat(),
            called=called,
            score=score,
            move_pct=float(moves[row]) * 100,
            typical_pct=typical * 100,
            outcome="hit" if size >= 1 else "opposite" if size <= -1 else "no move",
            headlines=tuple(each.headline.title for each in items),
        )


def document(found: Sequence[Rates]) -> dict[str, Any]:
    """Returns what `--json` prints: the rates of each episode and of all together, and every call that was no hit."""
    return {
        "name": "counterexamples",
        "strong": STRONG,
        "trailing_sessions": TRAILING,
        "episodes": [_rate(each.episode, each.control, [each]) for each in found],
        "all": _rate("all", False, found),
        "counterexamples": [
            {name: getattr(each, name) for name in Called.__slots__}
            for rate in found
            for each in rate.called
            if each.outcome != "hit"
        ],
    }


def _rate(name: str, control: bool, found: Sequence[Rates]) -> dict[str, Any]:
    called = [each for rate in found for each in rate.called]
    hits = sum(each.outcome == "hit" for each in called)
    low, high = wilson(hits, len(called))
    weights = [(rate.always_yes, len(rate.called)) for rate in found if rate.always_yes is not None]
    always = sum(value * count for value, count in weights if value is not None) / len(called) if called else None
    return {
        "episode": name,
        "control": control,
        "called": len(called),
        "hits": hits,
        "opposite": sum(each.outcome == "opposite" for each in called),
        "hit_rate": hits / len(called) if called else None,
        "low": low,
        "high": high,
        "always_yes": always,
    }
