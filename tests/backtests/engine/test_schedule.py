"""From a headline's second to the auction or bar that trades it: edges, odd days, both auctions, bars of minutes."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import ClassVar

import numpy as np
import pytest

from backtests.broker.terms import BrokerTerms
from backtests.engine.market import make_market
from backtests.engine.rule_run import run_rule
from backtests.engine.schedule import place_news
from backtests.episodes.intraday import Intraday, MinuteBars
from feeds.scoring import Score
from strategies.rule import Rule
from strategies.sessions import Sessions
from strategies.signals import Floats
from strategies.view import View
from tests.helpers.markets import episode_of, flat_bars, news_of
from tests.helpers.paths import ROOT

# Copied from the exchange's own calendar by hand: New York time in Europe's, with the odd days of that winter.
TABLE = [
    ("2024-11-01", "13:30", "20:00"),  # Germany has set its clocks back, New York has not
    ("2024-11-04", "14:30", "21:00"),
    ("2024-11-27", "14:30", "21:00"),
    ("2024-11-29", "14:30", "18:00"),  # half a day after Thanksgiving
    ("2024-12-02", "14:30", "21:00"),
    ("2025-01-08", "14:30", "21:00"),  # the 9th was a day of mourning
    ("2025-01-10", "14:30", "21:00"),
    ("2025-01-13", "14:30", "21:00"),
    ("2025-03-07", "14:30", "21:00"),
    ("2025-03-10", "13:30", "20:00"),  # New York has set its clocks forward, Germany has not
    ("2025-03-11", "13:30", "20:00"),
]
DAYS = [date.fromisoformat(day) for day, *_ in TABLE]
NEWS = Score(language="en", relevance=1.0, sentiment=1.0, tone=0.0)
BOTH = BrokerTerms(cash=10_000, auctions="open,close")


def utc(text):
    """A moment in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class OnNews(Rule):
    """Half of equity in everything while there is news in the session that is decided for."""

    name: ClassVar[str] = "on-news"
    about: ClassVar[str] = "for tests"

    def observe(self, view: View) -> tuple[Floats, ...]:
        """How many headlines came for this session until now."""
        return (np.full(len(view.symbols), view.news("count", half_life=None)[-1]),)

    def step(self, state: Floats, rows: tuple[Floats, ...]) -> Floats:
        """Long when there is one; counts its own steps in the state."""
        state[0] += 1
        return np.where(rows[0] > 0, 0.5, 0.0)


def calendar():
    """An episode on those days, prices flat."""
    made = episode_of({"X": flat_bars([100] * len(DAYS), DAYS)}, DAYS)
    table = Sessions(
        sessions=tuple(DAYS),
        opens=tuple(utc(f"{day} {opened}") for day, opened, _ in TABLE),
        closes=tuple(utc(f"{day} {closed}") for day, _, closed in TABLE),
    )
    return dataclasses.replace(made, sessions=table)


def first_fill(episode, published, terms=None):
    """Where the first order of a headline filled."""
    terms = terms or BrokerTerms(cash=10_000)
    news = place_news(episode, news_of(episode, ("A headline", utc(published), NEWS)), terms)
    fills = run_rule(episode, make_market(episode, news), OnNews(), terms).fills
    return (fills[0].auction, fills[0].moment[:16]) if fills else None


EDGES = [  # published (UTC; known 5 minutes later), traded at opens only, traded at both auctions
    ("2025-01-10 14:10:00", ("open", "2025-01-10T14:30"), ("open", "2025-01-10T14:30")),
    ("2025-01-10 14:10:01", ("open", "2025-01-13T14:30"), ("close", "2025-01-10T21:00")),
    ("2025-01-10 14:29:59", ("open", "2025-01-13T14:30"), ("close", "2025-01-10T21:00")),  # a second before the open
    ("2025-01-10 14:30:00", ("open", "2025-01-13T14:30"), ("close", "2025-01-10T21:00")),  # at it
    ("2025-01-10 20:40:00", ("open", "2025-01-13T14:30"), ("close", "2025-01-10T21:00")),
    ("2025-01-10 20:40:01", ("open", "2025-01-13T14:30"), ("open", "2025-01-13T14:30")),
    ("2025-01-10 20:59:59", ("open", "2025-01-13T14:30"), ("open", "2025-01-13T14:30")),
    ("2025-01-10 21:00:00", ("open", "2025-01-13T14:30"), ("open", "2025-01-13T14:30")),  # Friday after the close
    ("2025-01-12 23:00:00", ("open", "2025-01-13T14:30"), ("open", "2025-01-13T14:30")),  # Sunday night
    ("2025-01-08 21:00:00", ("open", "2025-01-10T14:30"), ("open", "2025-01-10T14:30")),  # eve of the mourning
    ("2025-01-09 15:00:00", ("open", "2025-01-10T14:30"), ("open", "2025-01-10T14:30")),  # on it
    ("2024-11-28 15:00:00", ("open", "2024-11-29T14:30"), ("open", "2024-11-29T14:30")),  # Thanksgiving
    ("2024-11-29 17:40:00", ("open", "2024-12-02T14:30"), ("close", "2024-11-29T18:00")),  # the half-day's close
    ("2024-11-29 17:40:01", ("open", "2024-12-02T14:30"), ("open", "2024-12-02T14:30")),
    ("2024-11-04 14:10:00", ("open", "2024-11-04T14:30"), ("open", "2024-11-04T14:30")),  # winter time
    ("2025-03-10 13:10:00", ("open", "2025-03-10T13:30"), ("open", "2025-03-10T13:30")),  # summer time
    ("2025-03-10 13:10:01", ("open", "2025-03-11T13:30"), ("close", "2025-03-10T20:00")),
    ("2025-03-10 19:40:01", ("open", "2025-03-11T13:30"), ("open", "2025-03-11T13:30")),
]


@pytest.mark.parametrize(("published", "at_opens", "at_both"), EDGES)
def test_the_auction_that_first_trades_a_headline(published, at_opens, at_both):
    """To the second, through odd days, weekends and both changes of the clocks, from news to fill."""
    assert first_fill(calendar(), published) == at_opens
    assert first_fill(calendar(), published, BOTH) == at_both


def test_closes_alone_can_be_traded_too():
    """News of the morning waits for the close, later news for the next one."""
    terms = BrokerTerms(cash=10_000, auctions="close")
    assert first_fill(calendar(), "2025-01-10 12:00:00", terms) == ("close", "2025-01-10T21:00")
    assert first_fill(calendar(), "2025-01-10 20:40:01", terms) == ("close", "2025-01-13T21:00")


def test_the_machines_time_zone_changes_nothing(tmp_path):
    """The same table of edges on a machine in Tokyo and one in Los Angeles."""
    for zone in ("Asia/Tokyo", "America/Los_Angeles"):
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"{__file__}::{_EDGES}"],
            env={**os.environ, "TZ": zone}, capture_output=True, text=True, cwd=ROOT, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout
        assert f"{len(EDGES)} passed" in done.stdout


_EDGES = "test_the_auction_that_first_trades_a_headline"


def test_a_sessions_second_decision_corrects_its_first_and_time_goes_on_in_sessions():
    """Two decisions for each session, but the rule's state counts sessions."""
    seen = []

    @dataclass(frozen=True, kw_only=True)
    class Counting(OnNews):
        def step(self, state: Floats, rows: tuple[Floats, ...]) -> Floats:
            weights = OnNews.step(self, state, rows)
            seen.append(float(state[0, 0]))
            return weights

    episode = calendar()
    run_rule(episode, make_market(episode, news_of(episode)), Counting(), BOTH)
    assert seen == [float(count) for count in range(1, len(DAYS)) for _ in range(2)]


def test_an_order_into_the_close_is_sized_on_the_sessions_open():
    """Half of 10,000 at an open of 125 is 40 shares, whatever the close will be."""
    episode = calendar()
    day = DAYS[7]
    bars = flat_bars([100] * len(DAYS), DAYS) | {day: (125.0, 160.0, 120.0, 150.0)}
    episode = dataclasses.replace(episode, prices=episode_of({"X": bars}, DAYS).prices)
    news = place_news(episode, news_of(episode, ("A headline", utc(f"{day} 16:00:00"), NEWS)), BOTH)
    fill = run_rule(episode, make_market(episode, news), OnNews(), BOTH).fills[0]
    assert (fill.auction, fill.size, fill.auction_price) == ("close", 40, 150)


# Bars of minutes


def minutes(skip=(), price=100.0):
    """The calendar with bars of five minutes on two sessions, but for the starts in `skip`; each opens 1 cent higher."""
    episode = calendar()
    starts = [
        opened + timedelta(minutes=5 * n)
        for opened, closed in zip(episode.sessions.opens[6:8], episode.sessions.closes[6:8], strict=True)
        for n in range(int((closed - opened) / timedelta(minutes=5)))
    ]
    starts = [start for start in starts if start not in skip]
    opens = price + 0.01 * np.arange(len(starts))
    bars = MinuteBars(
        symbol="X", starts=tuple(starts), open=opens, high=opens + 1, low=opens - 1, close=opens + 0.5,
        volume=np.full(len(starts), 1e4),
    )  # fmt: skip
    intraday = Intraday(length=timedelta(minutes=5), bars={"X": bars}, outside=0)
    return dataclasses.replace(episode, start=DAYS[6], end=DAYS[7], intraday=intraday)


@pytest.mark.parametrize(
    ("published", "moment"),
    [
        ("2025-01-09 20:00:00", "2025-01-10T14:30"),  # before the market: the session's first bar
        ("2025-01-10 14:20:00", "2025-01-10T14:30"),  # known 14:25, ready 14:30
        ("2025-01-10 14:20:01", "2025-01-10T14:35"),
        ("2025-01-10 15:00:00", "2025-01-10T15:10"),
        ("2025-01-10 15:00:01", "2025-01-10T15:15"),
        ("2025-01-10 20:45:00", "2025-01-10T20:55"),  # the last bar
        ("2025-01-10 20:45:01", "2025-01-13T14:30"),
        ("2025-01-13 20:45:01", None),
    ],
)
def test_with_bars_of_minutes_the_first_bar_after_known_at_and_latency_fills(published, moment):
    """Published + 5 is known, + 5 is ready; a bar that starts at that second is in time."""
    assert first_fill(minutes(), published) == (("bar", moment) if moment else None)


def test_a_missing_bar_makes_the_order_wait_for_the_next():
    """Nobody traded at 15:10."""
    skip = {utc("2025-01-10 15:10"), utc("2025-01-10 15:15")}
    assert first_fill(minutes(skip), "2025-01-10 15:00:00") == ("bar", "2025-01-10T15:20")


def test_bars_of_a_symbol_that_the_rule_does_not_hold_move_nothing():
    """Another symbol has all the bars, the held one only some: decisions, fills and closes are the held one's."""
    skip = {start for start in minutes().intraday.grid if start.minute % 15 or start.hour == 20}
    sparse, full = minutes(skip), minutes()
    bars = {**sparse.intraday.bars, "Y": dataclasses.replace(full.intraday.bars["X"], symbol="Y")}
    daily = {**sparse.prices.bars, "Y": dataclasses.replace(sparse.prices.bars["X"], symbol="Y")}
    other = dataclasses.replace(
        sparse,
        sectors={"chips": ("X",), "funds": ("Y",)},
        prices=dataclasses.replace(sparse.prices, bars=daily),
        intraday=dataclasses.replace(sparse.intraday, bars=bars),
    )
    for published in ("2025-01-10 15:00:01", "2025-01-10 15:10:00"):
        assert first_fill(other, published) == first_fill(sparse, published)
    terms = BrokerTerms(cash=10_000)
    replayed = run_rule(other, make_market(other, news_of(other)), OnNews(), terms)
    assert [day.session for day in replayed.days] == ["2025-01-10", "2025-01-13"]


def test_a_fill_on_minutes_has_the_bars_open_and_the_slippage_of_continuous_trading():
    """The ninth bar opens at 100.08; 20 basis points; sized on the close of the bar before, 100.57."""
    terms = BrokerTerms(cash=10_000, slippage_bps=99, bar_slippage_bps=20, fractional=True)
    episode = minutes()
    news = place_news(episode, news_of(episode, ("A headline", utc("2025-01-10 15:00:00"), NEWS)), terms)
    fill = run_rule(episode, make_market(episode, news), OnNews(), terms).fills[0]
    assert (fill.auction_price, fill.price) == (pytest.approx(100.08), pytest.approx(100.08 * 1.002))
    assert fill.size == pytest.approx(5_000 / 100.57)


def test_the_days_of_a_run_on_minutes_end_with_the_last_bar():
    """Two sessions, each valued once, at the close of its last bar."""
    terms = BrokerTerms(cash=10_000, commission_bps=0, bar_slippage_bps=0)
    episode = minutes()
    news = place_news(episode, news_of(episode, ("A headline", utc("2025-01-10 15:00:00"), NEWS)), terms)
    replayed = run_rule(episode, make_market(episode, news), OnNews(), terms)
    assert [day.session for day in replayed.days] == ["2025-01-10", "2025-01-13"]
    last = episode.intraday.bars["X"].close[77]
    assert replayed.days[0].positions == (("X", 49.0, last),)


def test_what_comes_later_changes_no_earlier_fill_on_minutes():
    """Cut bars and news at any of these moments: every fill before it is the same."""
    terms = BrokerTerms(cash=10_000)
    published = [utc(f"2025-01-{text}") for text in ("10 13:00:00", "10 16:02:03", "10 19:59:59", "13 15:00:00")]

    def fills(episode, known, until):
        heads = [(f"Headline {n}", moment, NEWS) for n, moment in enumerate(published) if moment < known]
        news = place_news(episode, news_of(episode, *heads), terms)
        made = run_rule(episode, make_market(episode, news), OnNews(), terms).fills
        return [dataclasses.replace(fill, order=0) for fill in made if fill.moment < until.isoformat()]

    whole = minutes()
    for until in [utc("2025-01-10 14:35"), utc("2025-01-10 16:15"), utc("2025-01-13 14:40"), utc("2025-01-13 20:00")]:
        wild = minutes()
        bars = wild.intraday.bars["X"]
        later = np.array([start >= until for start in bars.starts])
        for column in (bars.open, bars.high, bars.low, bars.close):
            column[later] *= 7
        cut = fills(wild, until, until)
        assert cut
        assert cut == fills(whole, utc("2026-01-01 00:00"), until)
