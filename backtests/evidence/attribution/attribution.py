"""Attributes every session's profit and cost to the headlines behind the position, and leaves headlines out one by one.

The shares are exact: positions that no headline made stand under "", and the residual is what floating-point
arithmetic leaves. Leaving a headline out runs everything again without it, its story's weights included, so that
the next report of the same story may take its place; such changes do not add up.
"""

from __future__ import annotations

import dataclasses
import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from backtests.engine.schedule import place_news
from backtests.evidence.attribution.daily_pnl import COSTS, Day, StrategyPnl, pnl_of
from backtests.evidence.attribution.headline_shares import REMAINDER, PositionHeadlines

if TYPE_CHECKING:
    from backtests.broker.terms import BrokerTerms
    from backtests.engine.news import News
    from backtests.episodes.episode import Episode
    from backtests.records.record import RunRecord
    from strategies.rule import Rule
    from strategies.signals import NewsItem

SHARED = (
    "A position's profit is shared by the headlines that pushed the signal its way when the side was taken, in "
    "proportion to their part of it; how large the position was is the rule's doing, not theirs."
)
REST = "Headlines with less than a thousandth of a position are together its remainder."
LEFT_OUT = "Leaving one out runs everything again without it; the changes do not add up to the profit."
BY = ("headline", "source", "language", "symbol", "day")


@dataclass(frozen=True, kw_only=True)
class Attribution:
    """Holds one strategy's profit by headline, in US dollars."""

    strategy: str
    pnl: StrategyPnl
    shares: Mapping[int, Mapping[str, float]]  # of each holding, by headline id, or REMAINDER; empty: none made it
    items: Mapping[str, NewsItem]
    leave_one_out: tuple[dict[str, Any], ...] | None = None

    def profits(self) -> dict[str, dict[str, float]]:
        """Returns the profit by headline id ("" for none, REMAINDER for small ones) and symbol, in US dollars."""
        parts: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
        for number, holding in enumerate(self.pnl.holdings):
            total = math.fsum(day.profit for day in holding.days.values())
            for name, share in _of(self.shares[number]).items():
                parts[name][holding.symbol].append(total * share)
        return {name: {symbol: math.fsum(each) for symbol, each in row.items()} for name, row in parts.items()}

    @cached_property
    def sessions(self) -> list[dict[str, Any]]:
        """Returns the profit by session, by its parts and by headline, in US dollars."""
        rows: list[dict[str, Any]] = []
        held: dict[str, list[tuple[Day, Mapping[str, float]]]] = defaultdict(list)
        for number, holding in enumerate(self.pnl.holdings):
            for session, day in holding.days.items():
                held[session].append((day, self.shares[number]))
        for session in self.pnl.sessions:
            days = held[session]
            by: dict[str, list[float]] = defaultdict(list)
            for day, shares in days:
                for name, share in _of(shares).items():
                    by[name].append(day.profit * share)
            rows.append(
                {
                    "session": session,
                    "profit_usd": math.fsum(day.profit for day, _ in days),
                    "price_usd": math.fsum(day.price for day, _ in days),
                    **{f"{name}_usd": math.fsum(getattr(day, name) for day, _ in days) for name in COSTS},
                    "by_headline": {name: math.fsum(each) for name, each in by.items()},
                }
            )
        return rows

    def document(self) -> dict[str, Any]:
        """Returns one strategy's part of `evidence/attribution.json`."""
        profits = self.profits()
        costs = self._costs()
        total: dict[str, float] = {name: math.fsum(row.values()) for name, row in profits.items()}
        named: list[str] = sorted(total.keys() & self.items.keys(), key=lambda name: (-abs(total[name]), name))
        shared = math.fsum(total.values())
        return {
            "strategy": self.strategy,
            "profit_usd": self.pnl.profit,
            "residual_usd": max(abs(self.pnl.profit - shared), self.pnl.residual),
            "without_headline_usd": total.get("", 0.0),
            "remainder_usd": total.get(REMAINDER, 0.0),
            "headlines": [
                {**self._headline(name), "profit_usd": total[name], "costs_usd": costs[name], "symbols": profits[name]}
                for name in named
            ],
            "sessions": self.sessions,
            "symbols": _sums((holding.symbol, holding.total("profit")) for holding in self.pnl.holdings),
            "sources": _sums((self.items[name].headline.source, total[name]) for name in named),
            "languages": _sums((self.items[name].score.language, total[name]) for name in named),
            "leave_one_out": list(self.leave_one_out) if self.leave_one_out is not None else None,
        }

    def _costs(self) -> dict[str, float]:
        parts: dict[str, list[float]] = defaultdict(list)
        for number, holding in enumerate(self.pnl.holdings):
            paid = math.fsum(holding.total(name) for name in COSTS)
            for name, share in _of(self.shares[number]).items():
                parts[name].append(paid * share)
        return {name: math.fsum(each) for name, each in parts.items()}

    def _headline(self, name: str) -> dict[str, Any]:
        item = self.items[name]
        head = item.headline
        return {
            "id": name,
            "title": head.title,
            "source": head.source,
            "language": item.score.language,
            "known_at": item.known_at.isoformat(),
            "row": item.session,
            "link": head.link,
        }


def _of(shares: Mapping[str, float]) -> Mapping[str, float]:
    return shares or {"": 1.0}


def _sums(pairs: Iterable[tuple[str, float]]) -> dict[str, float]:
    parts: dict[str, list[float]] = defaultdict(list)
    for name, value in pairs:
        parts[name].append(value)
    return {name: math.fsum(each) for name, each in parts.items()}


def attribute(result: RunRecord, rules: Sequence[Rule], episode: Episode, news: News) -> list[Attribution]:
    """Attributes the profit of every strategy of a run to headlines.

    Args:
        result: The run.
        rules: Its rules, in the order of its strategies.
        episode: What it was made from.
        news: Its placed news.
    """
    from backtests.engine.market import make_market

    market = make_market(episode, news)
    items = {item.headline.id: item for item in news.items}
    found = []
    parts: dict[Any, Any] = {}  # what headlines brought to a sum is the same for all rules that read it
    for each, rule in zip(result.document["results"], rules, strict=True):
        behind = PositionHeadlines(rule, market, news.items, parts)
        pnl = pnl_of(result, each["label"], episode)
        shares = {number: behind.shares(holding.decided, holding.symbol) for number, holding in enumerate(pnl.holdings)}
        found.append(Attribution(strategy=each["label"], pnl=pnl, shares=shares, items=items))
    return found


def document(attributions: Sequence[Attribution], episode: Episode) -> dict[str, Any]:
    """Returns attributions as `evidence/attribution.json` has them."""
    table = episode.sessions.sessions
    strategies: list[dict[str, Any]] = [each.document() for each in attributions]
    for strategy in strategies:
        for row in strategy["headlines"]:
            place = row.pop("row")
            row["session"] = table[place].isoformat() if place is not None else None
    notes = [SHARED] if any(each["headlines"] for each in strategies) else []
    notes += [REST] if any(each["remainder_usd"] for each in strategies) else []
    notes += [LEFT_OUT] if any(each["leave_one_out"] for each in strategies) else []
    return {"name": "attribution", "episode": episode.name, "strategies": strategies, "notes": notes}


# Leaving one out


def leave_one_out(
    attribution: Attribution,
    rule: Rule,
    terms: BrokerTerms,
    episode: Episode,
    news: News,
    *,
    on_progress: Callable[[int], None] | None = None,
) -> Attribution:
    """Runs the strategy again without each headline that it could use, each source, language, symbol and news day.

    `on_progress` is called with 1 after each headline.
    """
    rows: list[dict[str, Any]] = []
    for by, left_out, kept_news, kept_episode, title in _versions(attribution, episode, news):
        profit = _profit(rule, terms, kept_episode, place_news(kept_episode, kept_news, terms))
        if on_progress and by == "headline":
            on_progress(1)
        rows.append(
            {
                "by": by,
                "left_out": left_out,
                "title": title,
                "profit_usd": profit,
                "change_usd": profit - attribution.pnl.profit,
            }
        )
    rows.sort(key=lambda row: (BY.index(row["by"]), -abs(row["change_usd"]), row["left_out"]))
    return dataclasses.replace(attribution, leave_one_out=tuple(rows))


def _versions(attribution: Attribution, episode: Episode, news: News) -> Iterable[tuple[str, str, News, Episode, str]]:
    used = [item for item in news.items if item.used]
    groups: dict[str, Callable[[NewsItem], str]] = {
        "source": lambda item: item.headline.source,
        "language": lambda item: item.score.language,
        "day": lambda item: item.known_at.date().isoformat(),
    }
    for item in used:
        yield "headline", item.headline.id, _without(news, [item], episode), episode, item.headline.title
    for by, key in groups.items():
        for value in dict.fromkeys(key(item) for item in used):
            left_out = [item for item in news.items if key(item) == value]
            yield by, value, _without(news, left_out, episode), episode, ""
    for symbol in dict.fromkeys(holding.symbol for holding in attribution.pnl.holdings if holding.symbol):
        if symbol != episode.benchmark:
            yield "symbol", symbol, news, _without_symbol(episode, symbol), ""


def _without(news: News, left_out: Iterable[NewsItem], episode: Episode) -> News:
    """Places the news anew without some headlines, so that stories weigh what they would have."""
    from strategies.signals import place

    names = {id(item) for item in left_out}
    kept = [item for item in news.items if id(item) not in names]
    items = place(
        [item.headline for item in kept],
        [item.score for item in kept],
        episode.sessions,
        assumed_delay=episode.assumed_delay,
        lead=episode.lead,
        latency=episode.latency,
    )
    return dataclasses.replace(news, items=items)


def _without_symbol(episode: Episode, symbol: str) -> Episode:
    sectors = {name: tuple(each for each in members if each != symbol) for name, members in episode.sectors.items()}
    return dataclasses.replace(episode, sectors=sectors)


def _profit(rule: Rule, terms: BrokerTerms, episode: Episode, news: News) -> float:
    from backtests.engine.market import make_market
    from backtests.engine.rule_run import run_rule

    days = run_rule(episode, make_market(episode, news), rule, terms).days
    return (days[-1].equity if days else terms.cash) - terms.cash
