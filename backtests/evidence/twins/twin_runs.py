"""Replays strategies on the same headlines with other scores."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from backtests.broker.terms import BrokerTerms
from backtests.engine.market import make_market
from backtests.engine.news import News
from backtests.engine.rule_run import run_rule
from backtests.episodes.episode import Episode
from backtests.records.record import label
from feeds.scoring import Score
from strategies.rule import Rule


@dataclass(frozen=True, slots=True, kw_only=True)
class TwinReturns:
    """Holds what a strategy made on both readings, in percent of its cash."""

    strategy: str
    is_baseline: bool
    return_pct: float
    twin_pct: float


def twin_returns(
    episode: Episode,
    news: News,
    scores: Sequence[Score],
    rules: Sequence[Rule],
    terms: BrokerTerms,
    on_progress: Callable[[int], None] | None = None,
) -> list[TwinReturns]:
    """Runs every rule that reads news on the news, and on the same headlines with other scores.

    Args:
        episode: The episode.
        news: Its placed news.
        scores: The other scores, one for each of `news.items`; place in time and weight of the story stay.
        rules: The rules.
        terms: The broker's.
        on_progress: Called with 1 after each run, two for each rule.
    """
    items = tuple(dataclasses.replace(item, score=score) for item, score in zip(news.items, scores, strict=True))
    markets = [make_market(episode, each) for each in (news, dataclasses.replace(news, items=items))]
    found = []
    for rule in [rule for rule in rules if rule.news]:
        made = []
        for market in markets:
            days = run_rule(episode, market, rule, terms).days
            made.append(((days[-1].equity if days else terms.cash) / terms.cash - 1) * 100)
            (on_progress or (lambda _: None))(1)
        found.append(
            TwinReturns(strategy=label(rule, rules), is_baseline=rule.is_baseline, return_pct=made[0], twin_pct=made[1])
        )
    return found
