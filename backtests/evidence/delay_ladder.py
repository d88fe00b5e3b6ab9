"""Replays a run as if every headline had been known later: the delay ladder.

| rung        | a headline is known                                                           |
|-------------|-------------------------------------------------------------------------------|
| 0           | when it was                                                                   |
| 5 min, 1 h  | that much later                                                               |
| next open   | at the first open at or after that moment, too late for that auction           |
| next close  | at the first close at or after that moment, too late for that auction          |
| n sessions  | n sessions later, as long after that session's open as it was after its own    |

What a headline can still trade is asked anew for every rung. On daily bars a headline acts at an auction: with
`auctions=open` a delay to the next open or to the next close both end at the open after that; with
`auctions=open,close` a delay to the next open acts at that session's close. On bars of minutes it acts at the first
bar after the latency, so that 5 minutes are 5 minutes. Stories weigh what they did.

The rungs come in order of their mean delay over the headlines about AI that none of them lost: whether the next open or
the next close is the longer wait hangs on when the news came.
"""

from __future__ import annotations

import dataclasses
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import fmean
from typing import TYPE_CHECKING, Any

from backtests.engine.schedule import place_news
from backtests.records.benchmark_return import benchmark
from strategies.sessions import Sessions

if TYPE_CHECKING:
    from backtests.broker.terms import BrokerTerms
    from backtests.engine.news import News
    from backtests.episodes.episode import Episode
    from strategies.rule import Rule
    from strategies.signals import NewsItem

Shift = Callable[[datetime, Sessions], datetime | None]


def _later(delay: timedelta) -> Shift:
    return lambda known_at, _: known_at + delay


def _next_open(known_at: datetime, table: Sessions) -> datetime | None:
    row = bisect_left(table.opens, known_at)
    return table.opens[row] if row < len(table.opens) else None


def _next_close(known_at: datetime, table: Sessions) -> datetime | None:
    row = bisect_left(table.closes, known_at)
    return table.closes[row] if row < len(table.closes) else None


def _sessions_later(count: int) -> Shift:
    def shift(known_at: datetime, table: Sessions) -> datetime | None:
        row = bisect_right(table.opens, known_at) - 1
        if not 0 <= row < len(table.opens) - count:
            return None
        return known_at + (table.opens[row + count] - table.opens[row])

    return shift


RUNGS: dict[str, Shift] = {
    "0": _later(timedelta(0)),
    "5 min": _later(timedelta(minutes=5)),
    "1 h": _later(timedelta(hours=1)),
    "next open": _next_open,
    "next close": _next_close,
    "1 session": _sessions_later(1),
    "2 sessions": _sessions_later(2),
    "5 sessions": _sessions_later(5),
}
_ACTS = {
    "open": {
        "next open": "the open after that open",
        "next close": "the open after that close",
    },
    "close": {
        "next open": "the close of that session",
        "next close": "the close after that close",
    },
    "open,close": {
        "next open": "the close of that session",
        "next close": "the open after that close",
    },
    "bars": {
        "next open": "the first bar after that open and the latency",
        "next close": "the first bar of the session after that close",
    },
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ladder:
    """Holds the profit in US dollars of each strategy on each rung."""

    episode: str
    rungs: tuple[str, ...]  # of RUNGS, the shorter mean delay first
    minutes: tuple[float | None, ...]  # mean delay in minutes, by rung; None: no headline about AI was kept by all
    trading: str  # "open", "close", "open,close" or "bars"
    length: timedelta | None  # of the bars, None: daily
    cash: float
    moved: tuple[int, ...]  # headlines about AI whose first auction's session is another than without delay, by rung
    lost: tuple[int, ...]  # that no session of the table can act on any more
    profits: dict[str, tuple[float, ...]]
    baselines: frozenset[str]
    benchmark: dict[str, Any]  # the same on every rung: it reads no news

    def document(self) -> dict[str, Any]:
        """Returns it as `evidence/delay.json` has it."""
        acts = _ACTS[self.trading]
        made = self.benchmark["return_pct"]
        minutes = "daily" if self.length is None else f"{self.length.total_seconds() / 60:g}m"
        return {
            "name": "delay",
            "episode": self.episode,
            "auctions": self.trading,
            "bars": minutes,
            "rungs": [
                {
                    "delay": name,
                    "mean_delay_minutes": late,
                    "moved_headlines": moved,
                    "lost_headlines": lost,
                    "acts_at": acts.get(name, "the first auction or bar that can still be reached"),
                }
                for name, late, moved, lost in zip(self.rungs, self.minutes, self.moved, self.lost, strict=True)
            ],
            "strategies": [
                {
                    "strategy": name,
                    "baseline": name in self.baselines,
                    "profit_usd": list(profits),
                    "return_pct": [profit / self.cash * 100 for profit in profits],
                }
                for name, profits in self.profits.items()
            ],
            "benchmark": self.benchmark | {"profit_usd": None if made is None else made / 100 * self.cash},
            "notes": self._notes(),
        }

    def _notes(self) -> list[str]:
        """Says what the curves came to: which fell with delay, which never moved."""
        same = [name for name, each in self.profits.items() if len(set(each)) == 1]
        best = [name for name, each in self.profits.items() if each[0] > max(each[1:])]
        moved = len(self.profits) - len(same)
        notes = [f"The same on every rung: {', '.join(same)}."] if same else []
        if moved:
            notes.append(
                f"{len(best)} of the {moved} strategies that changed made most without delay; one window is a "
                "description, not a test."
            )
        return notes


def delayed(news: News, shift: Shift, episode: Episode, terms: BrokerTerms) -> News:
    """Delays every headline; one that no session can act on any more is kept without one."""
    items = tuple(_delayed(item, shift, episode) for item in news.items)
    found = dataclasses.replace(news, items=tuple(sorted(items, key=lambda item: (item.known_at, item.headline.id))))
    return place_news(episode, found, terms)


def _delayed(item: NewsItem, shift: Shift, episode: Episode) -> NewsItem:
    known_at = shift(item.known_at, episode.sessions)
    if known_at is None:
        return dataclasses.replace(item, known_at=episode.sessions.closes[-1] + timedelta(days=1), session=None)
    session = episode.sessions.first_tradable(known_at, lead=episode.lead, latency=episode.latency)
    return dataclasses.replace(item, known_at=known_at, session=session)


def _mean_delays(news: News, table: Sessions) -> dict[str, float | None]:
    """Averages how much later each rung makes the headlines about AI known, in minutes, over those that none loses."""
    known = [item.known_at for item in news.items if item.score.relevance > 0]
    late = [[shift(moment, table) for shift in RUNGS.values()] for moment in known]
    waits = [
        [(moment - at).total_seconds() / 60 for moment in row if moment is not None]
        for at, row in zip(known, late, strict=True)
    ]
    whole = [row for row in waits if len(row) == len(RUNGS)]
    return {rung: fmean(row[place] for row in whole) if whole else None for place, rung in enumerate(RUNGS)}


def delay_ladder(episode: Episode, news: News, rules: Sequence[Rule], terms: BrokerTerms) -> Ladder:
    """Runs every rule on every rung.

    Args:
        episode: The episode.
        news: Its news, as read.
        rules: The rules.
        terms: The broker's; `auctions` says where a headline can act.
    """
    from backtests.engine.market import make_market
    from backtests.engine.rule_run import run_rule
    from backtests.records.record import label

    names = [label(rule, rules) for rule in rules]
    profits: dict[str, list[float]] = {name: [] for name in names}
    moved, lost = [], []
    now = {item.headline.id: item.session for item in place_news(episode, news, terms).items}
    minutes = _mean_delays(news, episode.sessions)
    rungs = sorted(RUNGS, key=lambda rung: minutes[rung] or 0.0)
    for rung in rungs:
        late = delayed(news, RUNGS[rung], episode, terms)
        about_ai = [item for item in late.items if item.score.relevance > 0]
        moved.append(sum(item.session != now[item.headline.id] for item in about_ai))
        lost.append(sum(item.session is None and now[item.headline.id] is not None for item in about_ai))
        market = make_market(episode, late)
        for name, rule in zip(names, rules, strict=True):
            days = run_rule(episode, market, rule, terms).days
            profits[name].append((days[-1].equity if days else terms.cash) - terms.cash)
    return Ladder(
        episode=episode.name,
        rungs=tuple(rungs),
        minutes=tuple(minutes[rung] for rung in rungs),
        trading=terms.auctions if episode.intraday is None else "bars",
        length=episode.intraday.length if episode.intraday else None,
        cash=terms.cash,
        moved=tuple(moved),
        lost=tuple(lost),
        profits={name: tuple(each) for name, each in profits.items()},
        benchmark=benchmark(episode, terms.cash_pct),
        baselines=frozenset(name for name, rule in zip(names, rules, strict=True) if rule.is_baseline),
    )
