"""Poisons, in place and only while a rule decides, what any live object of this process says of the future.

A rule may reach whole data anywhere: in a frame, a global, a closure, a class. The garbage collector knows every
market, bar, headline, score, corporate action, stock loan and claim there is; what they say of a decision's session and
later is made up while the decision is made, and put back after it. Copies as bare numbers are not found.
"""

from __future__ import annotations

import gc
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backtests.auditing.poisoning import LARGEST, TITLES, draws, factors, made_up
from backtests.episodes.bar_table import FIGURES
from backtests.episodes.claims import Claim
from backtests.episodes.intraday import MinuteBars
from backtests.episodes.prices import Action, Bars
from backtests.episodes.stock_loans import Loan
from feeds.headline import Headline
from feeds.scoring import Score
from strategies.signals import Floats, NewsItem, SignalBook
from strategies.view import Market

Poisoned = Callable[[int, date, datetime], AbstractContextManager[None]]  # row, session, known_by of a decision
_KINDS = {Market, Bars, MinuteBars, SignalBook, NewsItem, Headline, Score, Action, Loan, Claim}
_Change = tuple[datetime, Any, str, Any, Any]  # from when it is known, object, attribute, made-up value, true value
_Array = tuple[Sequence[date], Floats, Floats, str]  # days of the rows, figures, made-up figures, field


def poisoner(seed: int, assumed_delay: timedelta, *, after_open: bool) -> Poisoned:
    """Finds all live data once; returns the context in which a decision is made.

    Args:
        seed: Of the made-up figures.
        assumed_delay: From `published` to known, of headlines that no archive saw.
        after_open: Whether the decisions know their session's open.

    Returns:
        A function of the row, the session and the last moment known of a decision.
    """
    gc.unfreeze()  # else an object could have been hidden from the search
    live: dict[type[Any], list[Any]] = {kind: [] for kind in _KINDS}
    for each in gc.get_objects():
        if type(each) in _KINDS:
            live[type(each)].append(each)
    arrays = [*_market_arrays(seed, live[Market]), *_bar_arrays(seed, [*live[Bars], *live[MinuteBars]])]
    changes = sorted(
        [*_news_changes(seed, live[NewsItem], live[Headline], assumed_delay), *_table_changes(seed, live)],
        key=lambda change: change[0],
    )
    moments = [change[0] for change in changes]
    books = live[SignalBook]

    @contextmanager
    def poisoned(row: int, session: date, known_by: datetime) -> Iterator[None]:
        later = changes[bisect_right(moments, known_by) :]
        tails: list[tuple[Floats, Floats]] = []
        tables = [(book, book._tables) for book in books]
        try:
            for _, found, name, wild, _ in reversed(later):  # of one attribute the earliest counts
                object.__setattr__(found, name, wild)
            _spoil_arrays(arrays, session, tails, after_open=after_open)
            _spoil_tables(seed, books, row, tails)
            yield
        finally:
            for book, made in tables:
                book._tables = made
            for tail, true in tails:
                tail[...] = true
            for _, found, name, _, true in later:
                object.__setattr__(found, name, true)

    return poisoned


def _spoil_arrays(
    arrays: Sequence[_Array], session: date, tails: list[tuple[Floats, Floats]], *, after_open: bool
) -> None:
    for days, values, wild, field in arrays:
        start = bisect_left(days, session)
        known = field == "exposure" or (field == "open" and after_open)
        start += known and days[start : start + 1] == (session,)
        _spoil(values[start:], wild[start:], tails)


def _spoil_tables(seed: int, books: Sequence[SignalBook], row: int, tails: list[tuple[Floats, Floats]]) -> None:
    """Sums that are there already are made up; those that a rule asks for are made of poisoned headlines."""
    for book in books:
        for key, table in book._tables.items():
            tail = table[max(0, row - book._first + 1) :]
            _spoil(tail, _signals(seed, str(key), tail), tails)
        book._tables = {}


def _spoil(tail: Floats, wild: Floats, tails: list[tuple[Floats, Floats]]) -> None:
    tails.append((tail, tail.copy()))
    tail[...] = wild


def _signals(seed: int, name: str, like: Floats) -> Floats:
    """Draws figures in [-3, 3) in the shape of a table of signals."""
    return np.asarray(6 * draws(seed, name, np.arange(like.size)) - 3).reshape(like.shape)


def _writeable(values: Floats) -> Floats:
    """Lifts a write protection, which would keep the true figures; a view of foreign memory keeps its own."""
    if not values.flags.writeable and values.flags.owndata:
        values.flags.writeable = True
    return values


def _market_arrays(seed: int, markets: Sequence[Market]) -> Iterator[_Array]:
    for market in markets:
        places = [day.toordinal() for day in market.sessions]
        for field in ("open", "close"):
            values = _writeable(getattr(market, field))
            wild = [factors(seed, f"{symbol} {field}", places) for symbol in market.symbols]
            yield market.sessions, values, values * np.column_stack(wild), field
        exposure = np.moveaxis(_writeable(market.exposure), 1, 0)
        yield market.sessions, exposure, _signals(seed, "exposure", exposure) / 3, "exposure"


def _bar_arrays(seed: int, series: Sequence[Bars | MinuteBars]) -> Iterator[_Array]:
    for bars in series:
        if isinstance(bars, Bars):
            days: Sequence[date] = bars.sessions
            places: list[int] | NDArray[np.int64] = [day.toordinal() for day in days]
        else:
            days = tuple(start.date() for start in bars.starts)  # in UTC, whose day is the exchange's in its hours
            places = [int(start.timestamp()) for start in bars.starts]
        figures = {name: _writeable(getattr(bars, name)) for name in FIGURES}
        wild = made_up(seed, bars.symbol, places, figures)
        for name, values in figures.items():
            yield days, values, wild[name], "open" if name == "open" and isinstance(bars, Bars) else "bar"


def _news_changes(
    seed: int, items: Sequence[NewsItem], headlines: Sequence[Headline], assumed_delay: timedelta
) -> Iterator[_Change]:
    """Other words, other scores, other times, later ones; a score that is shared counts from its first headline on."""
    first: dict[int, tuple[datetime, Score]] = {}
    for item in items:
        moment, known = item.known_at, first.get(id(item.score))
        if known is None or moment < known[0]:
            first[id(item.score)] = (moment, item.score)
        chance = draws(seed, f"{item.headline.id} {moment}", range(4)).tolist()
        yield moment, item, "known_at", moment + timedelta(days=10 * chance[0]), moment
        session = None if item.session is None else item.session + int(4 * chance[1])
        yield moment, item, "session", session, item.session
        yield moment, item, "weight", 1 - chance[2], item.weight
        yield moment, item, "vader", 2 * chance[3] - 1, item.vader
    for moment, score in first.values():
        wild = _score(seed, moment, score)
        yield from ((moment, score, name, getattr(wild, name), getattr(score, name)) for name in _SCORED)
    for head in headlines:
        moment = head.known_at(assumed_delay)
        chance = draws(seed, f"{head.id} {moment} {head.revision}", range(3)).tolist()
        yield moment, head, "title", TITLES[int(2 * chance[0])], head.title
        yield moment, head, "summary", "", head.summary
        for name, share in (("published", chance[1]), ("seen", chance[2])):
            stamp = getattr(head, name)
            if stamp is not None:
                yield moment, head, name, stamp + timedelta(hours=96 * share - 48), stamp


_SCORED = ("relevance", "sentiment", "tone", "displacement", "entities", "reaction", "cause", "features")


def _score(seed: int, moment: datetime, score: Score) -> Score:
    chance = draws(seed, f"score {moment} {score.sentiment} {score.features}", range(6)).tolist()
    entities = tuple(
        replace(each, direction=1 if share < 0.5 else -1, salience=share)
        for each, share in zip(
            score.entities, draws(seed, f"entities {moment}", range(len(score.entities))).tolist(), strict=True
        )
    )
    return replace(
        score, relevance=chance[0], sentiment=2 * chance[1] - 1, tone=2 * chance[2] - 1,
        displacement=2 * chance[5] - 1, entities=entities, reaction=chance[3] > chance[4],
        cause=chance[4] > chance[0], features=(),
    )  # fmt: skip


def _table_changes(seed: int, live: dict[type[Any], list[Any]]) -> Iterator[_Change]:
    """Corporate actions, stock loans and claims: other figures from their day on; splits that a market still has."""
    for action in live[Action]:
        moment = _after(action.ex_date)
        factor = float(factors(seed, f"{action.symbol} {action.kind}", [action.ex_date.toordinal()])[0])
        yield moment, action, "value", action.value * factor, action.value
    for loan in live[Loan]:
        moment, place = _after(loan.valid_from), [loan.valid_from.toordinal()]
        yield moment, loan, "rate_pct", 100 * float(draws(seed, f"rate {loan.rate_pct}", place)[0]), loan.rate_pct
        shares = 1e6 * float(draws(seed, f"shares {loan.max_shares}", place)[0])
        yield moment, loan, "max_shares", float(int(shares)), loan.max_shares
    for claim in live[Claim]:
        moment, place = _after(claim.session + timedelta(days=1)), [claim.session.toordinal()]
        if claim.reported is not None:
            factor = 2 * float(factors(seed, f"claim {claim.said}", place)[0])
            yield moment, claim, "reported", -factor * claim.reported, claim.reported
        yield moment, claim, "said", "", claim.said
        yield moment, claim, "kind", "down" if draws(seed, claim.said, place)[0] < 0.5 else "calm", claim.kind

    for market in live[Market]:
        for number, (row, _, _) in enumerate(market.splits):
            later = [(at, column, ratio * LARGEST) for at, column, ratio in market.splits[number:]]
            yield _after(market.sessions[row]), market, "splits", (*market.splits[:number], *later), market.splits


def _after(day: date) -> datetime:
    """A day's figures are known from its start on."""
    return datetime.combine(day, time.min, UTC)
