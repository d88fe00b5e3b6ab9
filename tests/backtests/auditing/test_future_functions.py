"""Whatever function of the future a rule trades on, the audit finds it: drawn by Hypothesis."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import numpy as np
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from backtests import replay
from backtests.auditing.audit import audit
from backtests.auditing.counterfactual import CounterfactualMarkets
from backtests.auditing.poisoning import FIGURES, LARGEST, draws, factors, poisoned_bars
from backtests.episodes.episode import Episode
from backtests.episodes.intraday import Intraday, MinuteBars
from backtests.episodes.prices import Action
from backtests.episodes.stock_loans import Loan, Loans
from feeds.scoring import Score
from strategies.signals import NewsItem
from tests.helpers.cheats import Cheat
from tests.helpers.markets import episode_of, news_of, weekdays

SYMBOLS = ("SPY", "NVDA", "AVGO")
DAYS = weekdays(16)
HELD: list[NewsItem] = []  # what a rule kept of the newest market's news
OF_THE_FUTURE: dict[str, Callable[[np.ndarray[Any, Any]], Any]] = {
    "ratio": lambda block: block[0, -1, -1] / block[0, 0, 0],
    "difference": lambda block: block[0, -1, -1] - block[0, 0, 0],
    "rank": lambda block: np.argsort(block[:, -1, -1])[0],
    "extreme": lambda block: np.nanmax(block[:, :, 0]) / np.nanmin(block[:, :, -1]),
    "count": lambda block: np.sum(block[:, 1:] > block[:, :1]),
    "spread": lambda block: block[0, -1, -1] / block[-1, -1, -1],
    "sum": np.sum,
}


def _market(seed: int):
    """Three symbols on a random walk, with news after each close, dividends, loans and bars of an hour."""
    rng = np.random.default_rng(seed)
    bars = {}
    for symbol in SYMBOLS:
        close = 100 * np.exp(np.cumsum(rng.normal(0, 0.03, len(DAYS))))
        opened = close * np.exp(rng.normal(0, 0.02, len(DAYS)))
        high = np.maximum(opened, close) * (1 + rng.random(len(DAYS)) / 50)
        low = np.minimum(opened, close) * (1 - rng.random(len(DAYS)) / 50)
        bars[symbol] = dict(zip(DAYS, zip(opened, high, low, close, strict=True), strict=True))
    actions = [Action(symbol="NVDA", ex_date=day, kind="dividend", value=float(rng.random())) for day in DAYS]
    loans = Loans(by_symbol={"NVDA": tuple(Loan(valid_from=day, rate_pct=float(30 * rng.random()), max_shares=1e6)
                                           for day in DAYS)})  # fmt: skip
    sectors = {"funds": ("SPY",), "chips": ("NVDA", "AVGO")}
    episode = episode_of(bars, DAYS, actions=actions, loans=loans, sectors=sectors)
    for each in episode.prices.bars.values():
        each.volume[:] = rng.integers(1_000, 9_000, len(DAYS))
    items = []
    for day in DAYS:
        score = Score(language="en", relevance=float(rng.random()), sentiment=float(rng.normal()), tone=0.0)
        title = "news " * int(rng.integers(9, 25))
        items.append((title, datetime(day.year, day.month, day.day, 22, int(rng.integers(60)), tzinfo=UTC), score))
    news = news_of(episode, *items)
    HELD[:] = news.items
    return episode, news


@dataclass(frozen=True, kw_only=True)
class Foresight(Cheat):
    """Trades on whatever it is told to make of the episode that it finds in the frames."""

    name: ClassVar[str] = "foresight"
    make: ClassVar[Callable[[Any, Any, int], float]]

    def observe(self, view):
        """One figure of the future, the same for all."""
        frame = sys._getframe()
        while type(frame.f_locals.get("episode")) is not Episode:
            frame = frame.f_back
        return (np.full(len(view.symbols), type(self).make(frame.f_locals["episode"], view, view.row)),)

    def step(self, state, rows):
        """One side or the other, by the figure's place against those before it."""
        state[0] += 1
        side = 1.0 if rows[0][0] > state[1][0] else -1.0
        state[1] = rows[0]
        return np.full(len(rows[0]), 0.1 * side)


def _caught(make, seed: int) -> bool:
    Foresight.make = staticmethod(make)
    episode, news = _market(seed)
    targets = replay(episode, Foresight(), news=news).tables["targets"].rows
    assume(len({weight for *_, weight in targets}) > 1)
    return bool(audit(episode, news, [Foresight()], targets=targets).violations)


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    what=st.sampled_from(sorted(OF_THE_FUTURE)),
    fields=st.lists(st.sampled_from(FIGURES), min_size=1, max_size=3),
    symbols=st.lists(st.sampled_from(SYMBOLS), min_size=2, max_size=3, unique=True),
    lags=st.lists(st.integers(0, 3), min_size=2, max_size=3, unique=True),
    seed=st.integers(0, 10_000),
)
def test_a_rule_that_trades_on_any_function_of_future_bars_is_caught(what, fields, symbols, lags, seed):
    """Ratios, differences, ranks, extremes and counts over fields, days and symbols; only the side is traded."""

    def figure(episode, view, row):
        days = [min(row + lag, len(DAYS) - 1) for lag in sorted(lags)]
        bars = [episode.prices.bars[symbol] for symbol in symbols]
        return float(OF_THE_FUTURE[what](np.array([[[getattr(each, name)[day] for name in fields] for day in days]
                                                   for each in bars])))  # fmt: skip

    assert _caught(figure, seed)


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    what=st.sampled_from(["sentiment", "relevance", "title", "known_at", "dividend", "borrow"]),
    lag=st.integers(0, 2),
    seed=st.integers(0, 10_000),
)
def test_a_rule_that_trades_on_coming_news_dividends_or_loan_rates_is_caught(what, lag, seed):
    """Live headlines with their scores and times, corporate actions and the table of loans."""

    def figure(episode, view, row):
        day = min(row + 1 + lag, len(DAYS) - 1)
        if what == "dividend":
            return episode.actions[day].value
        if what == "borrow":
            return episode.loans.by_symbol["NVDA"][day].rate_pct
        item = HELD[day]
        if what == "title":
            return float(len(item.headline.title))
        if what == "known_at":
            return item.known_at.timestamp() % 86_400
        return float(getattr(item.score, what))

    assert _caught(figure, seed)


@given(seed=st.integers(0, 1000), row=st.integers(2, 15), after_open=st.booleans())
@settings(max_examples=30, deadline=None)
def test_made_up_bars_are_bars_with_a_factor_of_their_own_in_each_field(seed, row, after_open):
    """Always low <= open, close <= high; no two factors alike; the past to the last bit."""
    episode, _ = _market(seed)
    bars = episode.prices.bars["NVDA"]
    wild = poisoned_bars(bars, DAYS[row], seed, after_open=after_open)
    for name in FIGURES:
        first = row + (name == "open" and after_open)
        np.testing.assert_array_equal(getattr(wild, name)[:first], getattr(bars, name)[:first])
    later = slice(row + after_open, None)
    assert np.all(wild.low[later] <= np.minimum(wild.open, wild.close)[later])
    assert np.all(wild.high[later] >= np.maximum(wild.open, wild.close)[later])
    made = np.concatenate([(getattr(wild, name) / getattr(bars, name))[later] for name in FIGURES])
    assert len(np.unique(made)) == made.size


@given(seed=st.integers(0, 2**31), names=st.lists(st.text(max_size=9), min_size=2, max_size=2, unique=True))
def test_factors_of_two_series_have_nothing_to_do_with_each_other(seed, names):
    """Uniform in the logarithm, and uncorrelated, between series and within one."""
    one, other = (draws(seed, name, range(4000)) for name in names)
    assert abs(one.mean() - 0.5) < 0.03
    assert abs(np.corrcoef(one, other)[0, 1]) < 0.1
    assert abs(np.corrcoef(one[1:], one[:-1])[0, 1]) < 0.1
    made = np.log(factors(seed, names[0], range(4000)))
    assert np.abs(made).max() <= np.log(LARGEST) * (1 + 1e-12)


def test_bars_of_minutes_are_made_up_and_put_right_again():
    """A rule that finds them sees other figures than the run's, on each day to come."""
    episode, news = _market(3)
    starts = tuple(datetime(d.year, d.month, d.day, 15, tzinfo=UTC) for d in DAYS)
    rng = np.random.default_rng(1)
    figures = {name: 50 + 50 * rng.random(len(DAYS)) for name in FIGURES}
    minutes = Intraday(
        length=timedelta(hours=1), bars={"NVDA": MinuteBars(symbol="NVDA", starts=starts, **figures)}, outside=0
    )
    before = {name: values.copy() for name, values in figures.items()}
    held: list[Intraday] = [minutes]
    seen: dict[int, float] = {}

    def figure(_, view, row):
        seen[row] = float(held[0].bars["NVDA"].close[row])
        return seen[row]

    Foresight.make = staticmethod(figure)
    audit(episode, news, [Foresight()])
    truth = {row: before["close"][row] for row in seen}
    assert all(seen[row] == truth[row] for row in seen)  # its last pass was the replay
    assert audit(episode, news, [Foresight()]).violations
    for name in FIGURES:
        np.testing.assert_array_equal(getattr(minutes.bars["NVDA"], name), before[name])


def test_splits_and_exposures_of_later_are_not_in_the_market_of_a_decision():
    """A market that ends at a decision holds neither; the rows that the decision may know are the whole market's."""
    episode, news = _market(5)
    actions = (Action(symbol="NVDA", ex_date=DAYS[6], kind="split", value=4.0),)
    markets = CounterfactualMarkets(replace(episode, actions=actions, adjusted="none"), news)
    assert [len(markets.known(row, after_open=False).splits) for row in (5, 6, 7)] == [0, 1, 1]
    assert markets.known(5, after_open=False).exposure.shape[1] == 6


def test_a_score_that_an_earlier_headline_shares_is_left_as_it_is():
    """Two headlines of one text have one score: the second one's future may not change the first one's past."""
    episode, _ = _market(7)
    score = Score(language="en", relevance=1.0, sentiment=-1.0, tone=-1.0)
    days = [datetime(day.year, day.month, day.day, 22, tzinfo=UTC) for day in DAYS]
    news = news_of(episode, ("same words", days[2], score), ("same words", days[9], score))
    kept: list[NewsItem] = list(news.items)
    seen = []

    def figure(_, view, row):
        seen.append(kept[0].score.sentiment if row > 3 else -1.0)
        return seen[-1]

    Foresight.make = staticmethod(figure)
    assert not audit(episode, news, [Foresight()]).violations
    assert set(seen) == {-1.0}
