"""Splits a move into what came before the news, from it to the first price, in that session, and later.

    before known           close of the session before -> last auction price before it was known
    known to executable    that price -> the first auction that could act on it
    open to close          that auction -> its session's close
    later                  that close -> the end (of the window, of the holding)

Daily bars show auctions only, so what moved between the last auction and the news within one session counts as
after it: `known to executable` is an upper bound. In US dollars the parts add up; in per cent they compound.
For a holding the first two parts are what it missed, the others what it made; with costs these are its profit.
"""

from __future__ import annotations

import itertools
import math
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from backtests.evidence.attribution.daily_pnl import COSTS, Holding

if TYPE_CHECKING:
    from backtests.engine.news import News
    from backtests.episodes.episode import Episode
    from backtests.evidence.attribution.attribution import Attribution
    from strategies.signals import NewsItem

PARTS = ("before_known", "known_to_executable", "open_to_close", "later")
MADE = ("entry_open_to_close", "later_gaps", "later_sessions", *COSTS)
ADD_UP = "In US dollars the parts add up to the total; percentages compound."
DAILY = (
    "Daily bars show auctions only: what moved within the session in which the news came counts as after it, so the "
    "part between the news and the first executable price is an upper bound."
)
MISSED = (
    "What a holding missed is what the same shares would have earned from before the news to its own entry; nobody "
    "could have had it."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """Holds the last auction prices before a headline was known."""

    price: float  # of the last auction at or before the moment
    base: float  # close of the session before that auction's
    base_session: str


class Auctions:
    """Holds the auction prices of a symbol by session."""

    def __init__(self, episode: Episode, symbol: str) -> None:
        """Lays them out: open and close of every session that has a bar."""
        table = episode.sessions
        rows = {session: row for row, session in enumerate(table.sessions)}
        bars = episode.prices.bars[symbol]
        self.open: dict[int, float] = {}
        self.close: dict[int, float] = {}
        for place, session in enumerate(bars.sessions):
            if session in rows:
                self.open[rows[session]] = float(bars.open[place])
                self.close[rows[session]] = float(bars.close[place])
        self._table = table

    def known(self, moment: datetime) -> Known | None:
        """Returns the prices before a headline became known; an auction at that moment counts as before it."""
        row = bisect_right(self._table.opens, moment) - 1
        if row < 1 or row not in self.close or row - 1 not in self.close:
            return None
        shut = self._table.closes[row] <= moment
        return Known(
            price=self.close[row] if shut else self.open[row],
            base=self.close[row - 1],
            base_session=self._table.sessions[row - 1].isoformat(),
        )


def gap_split(attributions: Sequence[Attribution], episode: Episode, news: News) -> dict[str, Any]:
    """Splits the episode's moves and every holding of every strategy; as `evidence/gaps.json` has it.

    Args:
        attributions: The strategies' daily P&L with the headlines behind each holding, from `attribute`.
        episode: The episode.
        news: Its placed news.
    """
    strategies = []
    trades: list[dict[str, Any]] = []
    auctions = {symbol: Auctions(episode, symbol) for symbol in episode.tradable}
    for each in attributions:
        mine = [
            _trade(each, number, holding, auctions)
            for number, holding in enumerate(each.pnl.holdings)
            if holding.symbol
        ]
        trades += mine
        strategies.append(_strategy(each, mine))
    return {
        "name": "gaps",
        "episode": episode.name,
        "symbols": [row for symbol in episode.tradable if (row := _symbol(episode, news, symbol, auctions[symbol]))],
        "trades": trades,
        "strategies": strategies,
        "notes": _notes(trades),
    }


def _notes(trades: Sequence[dict[str, Any]]) -> list[str]:
    """Says how the figures are to be read, as far as there are any."""
    missed = [DAILY, MISSED] if any(trade["known_at"] for trade in trades) else []
    return [ADD_UP, *missed] if trades else []


def _first_item(news: News, row: int) -> NewsItem | None:
    """Returns the first headline about AI that the session could act on."""
    return next((item for item in news.items if item.used and item.session == row), None)


def _symbol(episode: Episode, news: News, symbol: str, auctions: Auctions) -> dict[str, Any] | None:
    """Splits the move of one share through the episode's key session, in US dollars and in per cent."""
    table = episode.sessions
    row, last = table.index(episode.key_session), episode.window[-1]
    last = max((each for each in auctions.close if each <= last), default=-1)
    item = _first_item(news, row)
    known = auctions.known(item.known_at) if item else None
    if row not in auctions.open or row - 1 not in auctions.close or last < row:
        return None
    if known is None:  # no headline: the close before stands for what was known
        before = auctions.close[row - 1]
        known = Known(price=before, base=before, base_session=table.sessions[row - 1].isoformat())
    prices = (known.base, known.price, auctions.open[row], auctions.close[row], auctions.close[last])
    pairs = dict(zip(PARTS, itertools.pairwise(prices), strict=True))
    sector = next((name for name, members in episode.sectors.items() if symbol in members), "")
    return {
        "symbol": symbol,
        "sector": sector,
        "known_at": item.known_at.isoformat() if item else None,
        "headline": item.headline.title if item else None,
        "base_session": known.base_session,
        "first_executable_session": table.sessions[row].isoformat(),
        "later_session": table.sessions[last].isoformat(),
        "parts_pct": {name: (after / before - 1) * 100 for name, (before, after) in pairs.items()},
        "last_close_to_open_pct": (auctions.open[row] / auctions.close[row - 1] - 1) * 100,
        "total_pct": (prices[-1] / prices[0] - 1) * 100,
        "per_share_usd": {
            **{name: after - before for name, (before, after) in pairs.items()},
            "total": prices[-1] - prices[0],
        },
    }


def made(holding: Holding) -> dict[str, float]:
    """Splits what a holding earned into parts, in US dollars; costs are negative."""
    later = [day for session, day in holding.days.items() if session != holding.opened]
    entry = holding.days.get(holding.opened)
    return {
        "entry_open_to_close": entry.price if entry and holding.symbol else 0.0,
        "later_gaps": math.fsum(day.gap for day in later),
        "later_sessions": math.fsum(day.move for day in later),
        **{name: holding.total(name) for name in COSTS},
    }


def _trade(attribution: Attribution, number: int, holding: Holding, auctions: Mapping[str, Auctions]) -> dict[str, Any]:
    shares = attribution.shares[number]
    mine = [attribution.items[name] for name in shares if name in attribution.items]
    last = max((item.session or 0 for item in mine), default=0)
    item = min((each for each in mine if each.session == last), key=lambda each: each.known_at, default=None)
    known = auctions[holding.symbol].known(item.known_at) if item else None
    parts = made(holding)
    profit = holding.total("profit")
    return {
        "strategy": attribution.strategy,
        "symbol": holding.symbol,
        "direction": {1: "long", -1: "short"}.get(holding.sign, ""),
        "opened": holding.opened,
        "closed": holding.closed,
        "shares": holding.most,
        "known_at": item.known_at.isoformat() if item else None,
        "headlines": sorted(shares.keys() & attribution.items.keys(), key=lambda name: (-shares[name], name)),
        "missed_usd": _missed(holding, known),
        "made_usd": parts,
        "pnl_usd": profit,
        "residual_usd": abs(profit - math.fsum(parts.values())),
    }


def _missed(holding: Holding, known: Known | None) -> dict[str, float | None]:
    """Computes what the shares entered would have earned from before the news to their entry, in US dollars."""
    if known is None:
        return {"before_known": None, "known_to_executable": None}
    return {
        "before_known": math.fsum(size * (known.price - known.base) for size, _, _ in holding.entries),
        "known_to_executable": math.fsum(size * (price - known.price) for size, price, _ in holding.entries),
    }


def _strategy(attribution: Attribution, trades: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    unowned = [holding for holding in attribution.pnl.holdings if not holding.symbol]
    parts = [trade["made_usd"] for trade in trades] + [made(holding) for holding in unowned]
    total = {name: math.fsum(row[name] for row in parts) for name in MADE}
    profit = attribution.pnl.profit
    return {
        "strategy": attribution.strategy,
        "made_usd": total,
        "pnl_usd": profit,
        "missed_usd": {name: _sum(trade["missed_usd"][name] for trade in trades) for name in PARTS[:2]},
        "residual_usd": abs(profit - math.fsum(total.values())),
    }


def _sum(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return math.fsum(known) if known else None
