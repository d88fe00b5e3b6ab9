"""Replays the same rules at other borrow rates. Pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from backtests.broker.terms import BrokerTerms
from backtests.engine.market import make_market
from backtests.engine.news import News
from backtests.engine.rule_run import run_rule
from backtests.engine.schedule import place_news
from backtests.episodes.episode import Episode
from backtests.episodes.stock_loans import Loans
from backtests.records.record import label
from strategies.rule import Rule


def borrow_stress(
    episode: Episode, news: News, rules: Sequence[Rule], terms: BrokerTerms, rates_pct: Sequence[float]
) -> dict[str, Any]:
    """Replays every rule at each flat borrow rate, which takes the place of the table of loans.

    Returns:
        `rates_pct`, and by strategy's label the `returns_pct` and the days of ruin (`ruined_on`, None without) in
        the order of the rates.
    """
    episode = dataclasses.replace(episode, loans=Loans())
    market = make_market(episode, place_news(episode, news, terms))
    returns: dict[str, list[float]] = {}
    ruined: dict[str, list[str | None]] = {}
    for rule in rules:
        name = label(rule, rules)
        for rate in rates_pct:
            replayed = run_rule(episode, market, rule, dataclasses.replace(terms, borrow_pct=rate))
            returns.setdefault(name, []).append((replayed.days[-1].equity / terms.cash - 1) * 100)
            ruined.setdefault(name, []).append(replayed.ruined_on)
    return {"rates_pct": list(rates_pct), "returns_pct": returns, "ruined_on": ruined}
