"""Makes the market as it was known at one decision, and the same past with a made-up future.

    known     headlines known in time for the decision and bars before its session, nothing else
    planted   the same past, then wild bars and wild headlines, some of which claim a publication before the decision
              though an archive saw them only after it

Both are made the whole way: headlines are placed anew, a shorter episode becomes a market. An honest rule decides
alike in both.
"""

from __future__ import annotations

import dataclasses
import pickle
from bisect import bisect_left, bisect_right
from collections.abc import Callable
from datetime import date, datetime

import numpy as np

from backtests.auditing.poisoning import KINDS, Kind, planted_headlines, poisoned_action, poisoned_bars
from backtests.broker.terms import BrokerTerms
from backtests.engine.market import make_market
from backtests.engine.news import News
from backtests.engine.schedule import last_moment, place_news
from backtests.episodes.episode import Episode
from backtests.episodes.prices import Bars, Prices
from feeds.headline import Headline
from feeds.scoring import Score
from strategies.signals import Floats, NewsItem, SignalBook, place
from strategies.view import Market

Scoring = Callable[[Headline], Score]
PLANTED_SEED = 3


class CounterfactualMarkets:
    """Makes the markets of an episode's decisions, each when it is first asked for, and counts what was planted.

    A decision is named by the row of its session in the table of sessions, and by whether it waits for the open.
    Markets are kept as pickles: a rule that searches the memory for markets meets none of another decision.
    """

    def __init__(
        self, episode: Episode, news: News, scoring: Scoring | None = None, terms: BrokerTerms | None = None
    ) -> None:
        """Takes the whole episode; without `scoring` the scores in `news` are taken as they are.

        `terms` say for which auctions the news is read; of a session's decisions the last is the one looked at.
        """
        self.episode = episode
        self.terms = terms or BrokerTerms()
        self._items = news.items
        self._scoring = scoring
        self._scores: dict[Headline, Score] = {}
        self._markets: dict[tuple[int, bool, tuple[Kind, ...]], bytes] = {}
        self.rescored: list[tuple[NewsItem, Score]] = []  # items whose score is another one without the future
        self.headlines = self.claimed = self.bars = 0  # planted; `claimed` of the headlines are "seen later"
        self._counted: set[int] = set()

    def known_by(self, row: int) -> datetime:
        """Returns the last moment (UTC) at which a headline may become known and still count for the decision."""
        return last_moment(self.episode, self.terms, row)

    def known(self, row: int, *, after_open: bool) -> Market:
        """Returns the market without anything from after the decision; it ends with the decision's session."""
        return self._market(row, after_open, ())

    def planted(self, row: int, *, after_open: bool, kinds: tuple[Kind, ...] = KINDS) -> Market:
        """Returns the market to the window's end, with a made-up future of the given kinds after the decision."""
        return self._market(row, after_open, kinds)

    def _market(self, row: int, after_open: bool, kinds: tuple[Kind, ...]) -> Market:
        key = (row, after_open, kinds)
        if key not in self._markets:
            self._markets[key] = pickle.dumps(make_market(self._episode(*key), self._news_of(row, kinds)), protocol=5)
        market: Market = pickle.loads(self._markets[key])  # noqa: S301 (made above, in this process)
        return market

    def _episode(self, row: int, after_open: bool, kinds: tuple[Kind, ...]) -> Episode:
        session = self.episode.sessions.sessions[row]
        bars = self.episode.prices.bars
        if not kinds:
            made = {symbol: known_bars(each, session, after_open=after_open) for symbol, each in bars.items()}
            actions = tuple(each for each in self.episode.actions if each.ex_date <= session)
            return dataclasses.replace(self.episode, end=session, prices=Prices(bars=made), actions=actions)
        if "prices" not in kinds:
            return self.episode
        wild = {s: poisoned_bars(each, session, PLANTED_SEED, after_open=after_open) for s, each in bars.items()}
        if kinds == KINDS:
            last = self.episode.sessions.sessions[self.episode.window[-1]]
            traded = [bars[symbol].sessions for symbol in self.episode.tradable]
            self.bars += sum(bisect_right(days, last) - bisect_left(days, session) for days in traded)
        actions = tuple(poisoned_action(each, PLANTED_SEED) if each.ex_date > session else each
                        for each in self.episode.actions)  # fmt: skip
        return dataclasses.replace(self.episode, prices=Prices(bars=wild), actions=actions)

    def _news_of(self, row: int, kinds: tuple[Kind, ...]) -> News:
        delay, by = self.episode.assumed_delay, self.known_by(row)
        known = [item for item in self._items if kinds or item.headline.known_at(delay) <= by]
        heads = [item.headline for item in known]
        scores = [self._score(item) for item in known]
        planted = list(planted_headlines(row, by, delay, kinds, self._scoring))
        if kinds == KINDS and row not in self._counted:
            self._counted.add(row)
            self.headlines += len(planted)
            self.claimed += sum(head.seen is not None for head, _ in planted)
        items = place(
            [*heads, *(head for head, _ in planted)],
            [*scores, *(score for _, score in planted)],
            self.episode.sessions,
            assumed_delay=delay,
            lead=self.episode.lead,
            latency=self.episode.latency,
        )
        return place_news(self.episode, News(items=items, rejects=(), scorer=""), self.terms)

    def _score(self, item: NewsItem) -> Score:
        """Scores each headline once; the rows of an audit ascend, so nothing later has been scored before it."""
        head = item.headline
        if head not in self._scores:
            self._scores[head] = self._scoring(head) if self._scoring else item.score
            if self._scores[head] != item.score:
                self.rescored.append((item, self._scores[head]))
        return self._scores[head]


def known_bars(bars: Bars, session: date, *, after_open: bool) -> Bars:
    """Copies the bars before a session; with `after_open` that session's open too, its other figures NaN."""
    stop = bisect_left(bars.sessions, session)
    opened = after_open and session in bars.sessions[stop : stop + 1]
    pad = [np.nan] if opened else []

    def column(values: Floats, last: list[float]) -> Floats:
        return np.concatenate([values[:stop], last])

    return Bars(
        symbol=bars.symbol,
        sessions=bars.sessions[: stop + opened],
        open=column(bars.open, [float(bars.open[stop])] if opened else []),
        high=column(bars.high, pad),
        low=column(bars.low, pad),
        close=column(bars.close, pad),
        volume=column(bars.volume, pad),
    )


def sliced_market(whole: Market, row: int, news: News, *, after_open: bool) -> Market:
    """Cuts a market at a decision by slicing; the same as `CounterfactualMarkets.known` makes the long way."""
    opened, close = whole.open[: row + 1].copy(), whole.close[: row + 1].copy()
    close[row] = np.nan
    if not after_open:
        opened[row] = np.nan
    items = [item for item in news.items if item.session is not None and item.session <= row]
    return dataclasses.replace(
        whole,
        sessions=whole.sessions[: row + 1],
        open=opened,
        close=close,
        exposure=whole.exposure[:, : row + 1].copy(),
        signals=SignalBook(items, whole.first, row),
        splits=tuple(each for each in whole.splits if each[0] <= row),
    )
