"""The world as it was known at one decision, and worlds whose future is a trap.

    cut    headlines known in time for the decision and bars before its session, nothing else
    bait   the same past, then canaries: every later bar is wild, wild headlines follow, and some of them
           claim a publication before the decision though an archive saw them only after it

Both are made the whole way: headlines are placed anew, a shorter episode becomes a market. An honest rule
decides alike in all of them.
"""

from __future__ import annotations

import dataclasses
import gc
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from typing import Literal

import numpy as np

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

Bait = Literal["prices", "headlines", "seen later"]
BAITS: tuple[Bait, ...] = ("prices", "headlines", "seen later")
Scoring = Callable[[Headline], Score]

WILD = 7.0  # factor on a price; every other one is divided by it
_MOODS = (
    "Disaster and panic: cheap Chinese AI model undercuts demand for Nvidia chips",
    "Wonderful success: AI data centre spending is doubled as Nvidia chips run short",
)
_SECOND = timedelta(seconds=1)
_AFTER = (*[_SECOND] * 9, timedelta(hours=26), timedelta(hours=50), timedelta(hours=74))  # after the moment
_CLAIMED = tuple(timedelta(hours=hours) for hours in (1, 6, 14, 26))  # published before the moment, seen after it


class Worlds:
    """Makes the worlds of an episode's decisions, each when it is first asked for, and counts the canaries.

    A decision is named by the row of its session in the table of sessions, and by whether it waits for the open.
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
        self._news: dict[tuple[int, tuple[Bait, ...]], News] = {}
        self._markets: dict[tuple[int, bool, tuple[Bait, ...]], Market] = {}
        self.rescored: list[tuple[NewsItem, Score]] = []  # items whose score is another one without the future
        self.headlines = self.claimed = self.bars = 0  # canaries planted; `claimed` of the headlines are "seen later"

    def known_by(self, row: int) -> datetime:
        """Returns the last moment (UTC) at which a headline may become known and still count for the decision."""
        return last_moment(self.episode, self.terms, row)

    def cut(self, row: int, *, after_open: bool) -> Market:
        """Returns the market without anything from after the decision; it ends with the decision's session."""
        return self._market(row, after_open, ())

    def bait(self, row: int, *, after_open: bool, baits: tuple[Bait, ...] = BAITS) -> Market:
        """Returns the market to the window's end, with canaries of the given kinds after the decision."""
        return self._market(row, after_open, baits)

    def _market(self, row: int, after_open: bool, baits: tuple[Bait, ...]) -> Market:
        key = (row, after_open, baits)
        if key not in self._markets:
            session = self.episode.sessions.sessions[row]
            bars = self.episode.prices.bars
            if not baits:
                made = {symbol: _cut_bars(each, session, after_open=after_open) for symbol, each in bars.items()}
                episode = dataclasses.replace(self.episode, end=session, prices=Prices(bars=made))
            elif "prices" in baits:
                made = {symbol: _wild_bars(each, session, after_open=after_open) for symbol, each in bars.items()}
                episode = dataclasses.replace(self.episode, prices=Prices(bars=made))
                if baits == BAITS:
                    last = self.episode.sessions.sessions[self.episode.window[-1]]
                    traded = [bars[symbol].sessions for symbol in self.episode.tradable]
                    self.bars += sum(bisect_right(days, last) - bisect_left(days, session) for days in traded)
            else:
                episode = self.episode
            self._markets[key] = make_market(episode, self._news_of(row, baits))
        return self._markets[key]

    def _news_of(self, row: int, baits: tuple[Bait, ...]) -> News:
        key = (row, baits)
        if key not in self._news:
            delay, by = self.episode.assumed_delay, self.known_by(row)
            known = [item for item in self._items if baits or item.headline.known_at(delay) <= by]
            heads = [item.headline for item in known]
            scores = [self._score(item) for item in known]
            for head, score in self._canaries(row, baits):
                heads.append(head)
                scores.append(score)
            items = place(
                heads,
                scores,
                self.episode.sessions,
                assumed_delay=delay,
                lead=self.episode.lead,
                latency=self.episode.latency,
            )
            placed = News(items=items, rejects=(), scorer="")
            self._news[key] = place_news(self.episode, placed, self.terms)
        return self._news[key]

    def _score(self, item: NewsItem) -> Score:
        """Scores each headline once; the rows of an audit ascend, so nothing later has been scored before it."""
        head = item.headline
        if head not in self._scores:
            self._scores[head] = self._scoring(head) if self._scoring else item.score
            if self._scores[head] != item.score:
                self.rescored.append((item, self._scores[head]))
        return self._scores[head]

    def _canaries(self, row: int, baits: tuple[Bait, ...]) -> Iterator[tuple[Headline, Score]]:
        by, delay = self.known_by(row), self.episode.assumed_delay
        planted: list[tuple[datetime, datetime | None]] = []
        if "headlines" in baits:
            planted += [(by - delay + later, None) for later in _AFTER]
        if "seen later" in baits:
            planted += [(by - earlier, by + later) for earlier in _CLAIMED for later in (_SECOND, timedelta(hours=26))]
        if baits == BAITS:
            self.headlines += len(planted)
            self.claimed += sum(seen is not None for _, seen in planted)
        for number, (published, seen) in enumerate(planted):
            sign = 1.0 if row % 2 else -1.0
            head = Headline(
                id=f"canary-{row}-{number}",
                feed="canary",
                source="canary",
                title=_MOODS[row % 2],
                summary="",
                link="",
                language="en",
                published=published,
                seen=seen,
            )
            score = Score(language="en", relevance=1.0, sentiment=sign, tone=sign)
            yield head, self._scoring(head) if self._scoring else score


def _cut_bars(bars: Bars, session: date, *, after_open: bool) -> Bars:
    """The bars before a session; with `after_open` that session's open too, its other figures NaN. Copies, no views."""
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


def _wild_bars(bars: Bars, session: date, *, after_open: bool) -> Bars:
    """The bars with every price from a session on made wild; with `after_open` that session's open is left."""
    start = bisect_left(bars.sessions, session)
    first = start + (after_open and session in bars.sessions[start : start + 1])
    return dataclasses.replace(
        bars,
        open=_wild(bars.open, first),
        high=_wild(bars.high, start),
        low=_wild(bars.low, start),
        close=_wild(bars.close, start),
        volume=_wild(bars.volume, start),
    )


def _wild(values: Floats, start: int) -> Floats:
    """A copy with the values from `start` on spiked up and down in turns."""
    out = values.copy()
    out[start:] *= np.where(np.arange(len(out) - start) % 2, 1 / WILD, WILD).reshape(-1, *[1] * (out.ndim - 1))
    return out


# What a rule may have kept


def held(spare: Sequence[Market]) -> list[Market | Bars | SignalBook]:
    """Returns every market, bar series and signal book alive in this process, but those of `spare`.

    A rule may hold a reference to whole data anywhere: in a global, a closure, a class. The garbage collector
    knows them all.
    """
    known = {id(each) for market in spare for each in (market, market.signals)}
    kinds = {Market, Bars, SignalBook}
    return [each for each in gc.get_objects() if type(each) in kinds and id(each) not in known]


@contextmanager
def spoiled(
    kept: Sequence[Market | Bars | SignalBook], world: Market, session: date, *, after_open: bool
) -> Iterator[None]:
    """Makes wild, in place and only inside this context, what `kept` data say of `session` and later.

    Signal books get the items of `world`.
    """
    arrays: list[tuple[Floats, Floats]] = []
    books: list[tuple[SignalBook, tuple[NewsItem, ...], dict[tuple[str, float, str], Floats]]] = []
    try:
        for each in kept:
            if isinstance(each, SignalBook):
                books.append((each, each._items, each._tables))
                each._items, each._tables = world.signals._items, {}
                continue
            start = bisect_left(each.sessions, session)
            for values, first in ((each.close, start), (each.open, start + after_open)):
                if values.flags.writeable:
                    arrays.append((values, values.copy()))
                    values[:] = _wild(values, first)
        yield
    finally:
        for book, items, tables in books:
            book._items, book._tables = items, tables
        for values, copy in arrays:
            values[:] = copy
