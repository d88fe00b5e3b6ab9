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
from collections.abc import Callable, Sequence
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
from strategies.signals import Field, Floats, NewsItem, Reactions, SignalBook, half_life_factor, place
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


class _GrowingBook(SignalBook):
    """Sums news that comes session by session: a table grows by what a session brings, to the bit of one made whole."""

    def __init__(self, first: int) -> None:
        super().__init__((), first, first - 1)
        self._arrived: list[tuple[NewsItem, ...]] = []  # by session from the first

    def add(self, items: Sequence[NewsItem]) -> None:
        """Takes the items of the next session."""
        mine = tuple(item for item in items if item.used)
        self._arrived.append(mine)
        self._items += mine
        self._length += 1

    def table(self, field: Field, *, half_life: float | None, reactions: Reactions) -> Floats:
        """Returns the sum for each session so far, as `SignalBook.table`."""

        def one(book: SignalBook) -> Floats:
            return book.table(field, half_life=half_life, reactions=reactions)

        return self._grown((field, half_life or 0.0, reactions), half_life, one)

    def named(self, symbols: Sequence[str], *, half_life: float | None, reactions: Reactions) -> Floats:
        """Returns the sums of the news that names each symbol so far, as `SignalBook.named`."""

        def one(book: SignalBook) -> Floats:
            return book.named(symbols, half_life=half_life, reactions=reactions)

        return self._grown((" ".join(("named", *symbols)), half_life or 0.0, reactions), half_life, one)

    def _grown(
        self, key: tuple[str, float, str], half_life: float | None, one: Callable[[SignalBook], Floats]
    ) -> Floats:
        keep = half_life_factor(half_life) if half_life is not None else 0.0
        made = self._tables.get(key)
        rows = [] if made is None else [made]
        total = 0.0 if made is None or not len(made) else made[-1]
        for count in range(0 if made is None else len(made), self._length):
            row = self._first + count
            total = total * keep + one(SignalBook(self._arrived[count], row, row))[0]
            rows.append(np.array([total]))
        if len(rows) > (made is not None):
            self._tables[key] = np.concatenate(rows)
        return self._tables[key]


class GrowingMarket:
    """Hands out a market decision by decision, in their order; its memory holds nothing later than the last one.

    What is asked for again, or out of order, is cut anew.
    """

    def __init__(self, whole: Market, news: News, *, after_open: bool) -> None:
        """Prepares to hand out `whole` with its placed news; `after_open` as for `sliced_market`."""
        self._whole, self._news, self._after_open = whole, news, after_open
        self._open, self._close = np.full_like(whole.open, np.nan), np.full_like(whole.close, np.nan)
        self._exposure = np.full_like(whole.exposure, np.nan)
        self._book = _GrowingBook(whole.first)
        self._by_session: dict[int, list[NewsItem]] = {}
        for item in news.items:
            if item.session is not None:
                self._by_session.setdefault(max(item.session, whole.first), []).append(item)
        self._row = -1

    def __call__(self, row: int) -> Market:
        """Returns the market as known at the decision for a session of the window (row of the table)."""
        whole = self._whole
        if row != max(self._row + 1, whole.first):
            return sliced_market(whole, row, self._news, after_open=self._after_open)
        self._row = row
        before = slice(0 if row == whole.first else row - 1, row)
        now = slice(0 if row == whole.first else row, row + 1)
        self._open[before], self._close[before] = whole.open[before], whole.close[before]
        self._exposure[:, now] = whole.exposure[:, now]
        if self._after_open:
            self._open[row] = whole.open[row]
        self._book.add(self._by_session.get(row, ()))
        return dataclasses.replace(
            whole,
            sessions=whole.sessions[: row + 1],
            open=self._open[: row + 1],
            close=self._close[: row + 1],
            exposure=self._exposure[:, : row + 1],
            signals=self._book,
            splits=tuple(each for each in whole.splits if each[0] <= row),
        )
