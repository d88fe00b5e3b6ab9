"""Says when a rule decides, with which news, and where its orders go. Pure.

One decision per session is the default: before the open. With both auctions, or with bars of minutes, a session's
decision is made again when more news has come in, from the rule's state before that session.
"""

from __future__ import annotations

import dataclasses
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from backtests.broker.terms import BrokerTerms
from backtests.engine.news import News
from backtests.episodes.episode import Episode
from strategies.signals import NewsItem


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionTime:
    """Holds one moment at which a rule decides."""

    row: int  # of the session decided for, in the table of sessions
    known_by: datetime  # a headline known later does not count
    auction: Literal["open", "close", "bar"]  # where the orders go
    fill: datetime  # that auction's time, or the start of the bar


def decision_times(
    episode: Episode, terms: BrokerTerms, known: Iterable[datetime], *, after_open: bool = False
) -> list[DecisionTime]:
    """Lists the moments of a run's window, in order.

    Args:
        episode: Sessions, delays, and bars of minutes if there are any.
        terms: Which auctions the news is read for.
        known: `known_at` of the headlines that a rule may act on; each makes a decision time between bars of minutes.
        after_open: For a rule that looks at the session's open: it is asked once that is known.
    """
    if episode.intraday is not None:
        return _bar_times(episode, episode.intraday.grid, sorted(known), after_open=after_open)
    return [time for row in episode.window for time in _session_times(episode, terms, row, after_open=after_open)]


def _session_times(episode: Episode, terms: BrokerTerms, row: int, *, after_open: bool) -> list[DecisionTime]:
    opened, closed = episode.sessions.opens[row], episode.sessions.closes[row]
    before = episode.lead + episode.latency
    at_open = DecisionTime(row=row, known_by=opened - before, auction="open", fill=opened)
    at_close = DecisionTime(row=row, known_by=closed - before, auction="close", fill=closed)
    if after_open:
        return [at_close if "close" in terms.auctions else dataclasses.replace(at_close, known_by=opened - before)]
    return {"open": [at_open], "close": [at_close]}.get(terms.auctions, [at_open, at_close])


def _bar_times(
    episode: Episode, grid: Sequence[datetime], known: Sequence[datetime], *, after_open: bool
) -> list[DecisionTime]:
    latency = episode.latency
    found: list[DecisionTime] = []
    for row in episode.window:
        opened, closed = episode.sessions.opens[row], episode.sessions.closes[row]
        bars = grid[bisect_left(grid, opened) : bisect_left(grid, closed)]
        first = bisect_left(bars, opened + latency) if after_open else 0
        if first >= len(bars):
            continue
        start, stop = bisect_left(known, bars[first] - latency), bisect_left(known, closed)
        fills = {bars[first]}
        for moment in known[start:stop]:
            bar = bisect_left(bars, moment + latency)
            fills |= set(bars[bar : bar + 1])
        found += [DecisionTime(row=row, known_by=fill - latency, auction="bar", fill=fill) for fill in sorted(fills)]
    return found


def last_moment(episode: Episode, terms: BrokerTerms, row: int) -> datetime:
    """Returns the last `known_at` that can still count for a decision of the session of `row`."""
    opened, closed = episode.sessions.opens[row], episode.sessions.closes[row]
    if episode.intraday is not None:
        before_close = bisect_left(episode.intraday.grid, closed)
        return episode.intraday.grid[before_close - 1] - episode.latency
    return (closed if "close" in terms.auctions else opened) - episode.lead - episode.latency


def place_news(episode: Episode, news: News, terms: BrokerTerms) -> News:
    """Places each headline in the session of the first decision time that may act on it (only opens: as it is)."""
    if episode.intraday is None and terms.auctions == "open":
        return news
    if episode.intraday is None:
        rows = range(episode.window[-1] + 1)
        found = [time for row in rows for time in _session_times(episode, terms, row, after_open=False)]
    else:
        found = decision_times(episode, terms, [item.known_at for item in news.items if item.score.relevance > 0])
    return dataclasses.replace(news, items=tuple(_placed(item, found, episode) for item in news.items))


def _placed(item: NewsItem, found: Sequence[DecisionTime], episode: Episode) -> NewsItem:
    """Places one headline; with bars of minutes, one tradable before their first session stays where it was."""
    if episode.intraday is not None and item.session is not None and item.session < episode.window[0]:
        return item
    index = bisect_left([time.known_by for time in found], item.known_at)
    beyond = episode.sessions.first_tradable(
        max(item.known_at, found[-1].fill), lead=timedelta(0), latency=timedelta(0)
    )
    return dataclasses.replace(item, session=found[index].row if index < len(found) else beyond)
