"""replay(): an episode and strategies in, a `Result` out. The way of the data, with where each step lives.

    1  the episode's documents -> headlines, scored once                    engine/news (feeds/)
    2  headlines -> the first session each of them may be traded in         engine/news, engine/schedule
    3  prices and placed news -> a Market, the same for all strategies      engine/market
    4  names, files, classes -> the strategies of the run                   user_strategies/selection
    5  each strategy on backtrader, bar by bar, nothing preloaded           engine/rule_run, engine/strategy_run
         a  at each decision time it sees a View that ends there            engine/schedule, strategies/view
         b  a changed target weight becomes an order                        engine/rule_run
         c  orders fill in the auctions of the sessions that follow         broker/broker, broker/execution
         d  borrow, dividends, splits, margin, the value at the close       broker/account
         e  no volume, no fill; bars that end, a position closed            broker/trading_status
    6  fills, flows, orders and day ends -> tables and figures              engine/cerebro, runs/build
    7  halts, delistings, strategies with nothing to trade -> notes         engine/trading_notes

On bar k-1 a rule decides for session k and its orders fill at k's open; a rule that waits for the open decides after it
and fills at k's close. docs/clock.md and docs/broker.md have both in full.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

from backtests.broker.terms import BrokerTerms
from backtests.engine.market import make_market
from backtests.engine.news import News, read_news
from backtests.engine.rule_run import run_rule
from backtests.engine.schedule import place_news
from backtests.engine.table_checks import check_tables
from backtests.engine.trading_notes import idle_strategies, trading_findings, trading_notes
from backtests.episodes.episode import Episode
from backtests.records.record import label
from backtests.runs.build import build_result
from backtests.runs.result import Result
from backtests.user_strategies.loading import reloaded
from backtests.user_strategies.selection import Strategy, choose_rules
from feeds.scorers.own_scorer import made
from feeds.scorers.registry import scorer_named
from feeds.scoring import DEFAULT, Scorer


def replay(
    episode: Episode,
    *strategies: Strategy | Sequence[Strategy] | None,
    terms: BrokerTerms | None = None,
    news: News | None = None,
    scorer: Scorer | str | Callable[..., Any] = DEFAULT,
    **settings: Any,
) -> Result:
    """Replays an episode.

    Args:
        episode: From `load_episode`.
        *strategies: Names, files with a strategy of your own (`my_rule.py:MyRule`), rules, classes of a Rule or a
            bt.Strategy, one after the other or in a list; none for all (then `shock` in its three variants).
        terms: Costs and margin, `BrokerTerms()` without.
        news: News already read and scored, else the episode's are.
        scorer: What scores the news where none is given: a scorer, its name (`FILE.py:function` too), or a function of
            a title or a list of them (docs/scoring.md).
        **settings: Parameters of the named strategies.

    Returns:
        A `Result` with one set of rows per strategy.

    Raises:
        InputError: Anything wrong in the input, in one line.
    """
    chosen = choose_rules(strategies, {name: str(value) for name, value in settings.items()})
    check_tables(episode, chosen)
    terms = terms or BrokerTerms()
    news = place_news(episode, news or read_news(episode, scorer=_scorer(scorer)), terms)
    market = make_market(episode, news)
    # each runs made anew: what it does to itself on the way stays out of what is recorded and audited
    ran = [run_rule(episode, market, reloaded(rule), terms) for rule in chosen]
    replays = [dataclasses.replace(each, rule=rule) for each, rule in zip(ran, chosen, strict=True)]
    names = [label(rule, chosen) for rule in chosen]
    reasons = [rule.why_nothing(market, episode.window[-1]) for rule in chosen]
    findings = trading_findings(episode, terms, list(zip(names, replays, strict=True)))
    findings |= idle_strategies(zip(names, reasons, strict=True))
    episode = dataclasses.replace(episode, notes=(*episode.notes, *trading_notes(findings)))
    result = build_result(episode, news, terms, replays)
    result.document.update(findings)
    return result


def _scorer(given: Scorer | str | Callable[..., Any]) -> Scorer:
    if isinstance(given, Scorer):
        return given
    return scorer_named(given) if isinstance(given, str) else made(getattr(given, "__name__", "scorer"), given)
